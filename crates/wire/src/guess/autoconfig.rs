//! The configuration file that a domain publishes for mail programs (Thunderbird's autoconfig, config 1.1).
//!
//! Asked for over https first; over http only where nothing else is there, as mail programs do. A file says
//! where to connect and never what is believed there: a server it names must prove its name, a connection
//! without protection is left out, and a server of another domain carries a note. The reader knows no entities
//! and no document type, so a file can neither grow nor reach anything.

use super::{Address, Candidate, Endpoint, Lookup, Source, found};
use crate::server::Tls;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Elements that are looked at.
const MAX_EVENTS: usize = 5_000;

/// The first file that is one.
pub(super) async fn ask(address: &Address, lookup: &impl Lookup) -> Option<Candidate> {
    let domain = &address.domain;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("emailaddress", &address.whole)
        .finish();
    // The whole address goes only to the name made for this, as the format asks.
    let urls = [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml?{query}"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
        format!("http://autoconfig.{domain}/mail/config-v1.1.xml"),
    ];
    let one = async |url: &str| parse(&lookup.fetch(url).await?, address);
    let (first, second, third) = tokio::join!(one(&urls[0]), one(&urls[1]), one(&urls[2]));
    first.or(second).or(third)
}

/// One `incomingServer` or `outgoingServer`.
#[derive(Default)]
struct Entry {
    kind: String,
    host: String,
    port: String,
    socket: String,
    username: String,
}

/// What a file says; None if it is none or names no server that could be used.
pub(super) fn parse(file: &[u8], address: &Address) -> Option<Candidate> {
    let entries = entries(file)?;
    let first = |kind: &str| {
        let of_kind =
            || entries.iter().filter(|entry| entry.kind == kind).filter_map(|entry| endpoint(entry, address));
        // Protected from the first byte is better (RFC 8314 section 3), else as the file orders them.
        of_kind().find(|server| server.tls == Tls::Implicit).or_else(|| of_kind().next())
    };
    found(address, Source::Autoconfig, first("imap"), first("pop3"), first("smtp"))
}

fn entries(file: &[u8]) -> Option<Vec<Entry>> {
    let text = std::str::from_utf8(file).ok()?;
    let mut reader = Reader::from_str(text);
    let (mut entries, mut open, mut field) = (Vec::new(), None::<Entry>, String::new());
    let mut is_config = false;
    for _ in 0..MAX_EVENTS {
        match reader.read_event().ok()? {
            Event::Eof => return is_config.then_some(entries),
            Event::DocType(_) => return None,
            Event::Start(element) => {
                element.name().as_ref().clone_into(&mut field);
                is_config |= field == "clientConfig";
                if field == "incomingServer" || field == "outgoingServer" {
                    let kind = element.try_get_attribute("type").ok()??;
                    open = Some(Entry { kind: kind.value.to_ascii_lowercase(), ..Entry::default() });
                }
            }
            Event::Text(words) => add(&mut open, &field, words.trim()),
            // Not resolved, whatever it is; in a host name or a port it is an error.
            Event::GeneralRef(_) => add(&mut open, &field, "&"),
            Event::End(element) => {
                if matches!(element.name().as_ref(), "incomingServer" | "outgoingServer") {
                    entries.extend(open.take());
                }
                field.clear();
            }
            _ => {}
        }
    }
    None
}

fn add(open: &mut Option<Entry>, field: &str, words: &str) {
    let Some(entry) = open else { return };
    match field {
        "hostname" => entry.host += words,
        "port" => entry.port += words,
        "socketType" => entry.socket += words,
        "username" => entry.username += words,
        _ => {}
    }
}

fn endpoint(entry: &Entry, address: &Address) -> Option<Endpoint> {
    let tls = match entry.socket.to_ascii_uppercase().as_str() {
        "SSL" | "TLS" => Tls::Implicit,
        "STARTTLS" => Tls::StartTls,
        _ => return None,
    };
    let host = filled(&entry.host, address).trim_end_matches('.').to_ascii_lowercase();
    let sound = !host.is_empty()
        && host.len() < 254
        && host.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        });
    let username = match filled(&entry.username, address) {
        name if name.is_empty() || name.len() > 320 || name.contains(char::is_control) => {
            address.whole.clone()
        }
        name => name,
    };
    let port = entry.port.parse().ok().filter(|port| *port != 0)?;
    sound.then_some(Endpoint { host, port, tls, username })
}

fn filled(text: &str, address: &Address) -> String {
    text.replace("%EMAILADDRESS%", &address.whole)
        .replace("%EMAILLOCALPART%", &address.local)
        .replace("%EMAILDOMAIN%", &address.domain)
}
