//! Automatic replies: to whom, in which language, how often (RFC 3834).
//!
//! Nobody is answered who may be a machine, whose mail came through a list, who asks not to be, who is one of us, or
//! who may be somebody else than they say. Everybody else at most
//!
//! - once in a thread and its case, ever;
//! - once in 24 hours from one mailbox: two installations that answer each other, or one and a responder that strips
//!   all headers and begins a new thread each time, exchange at most two mails a day;
//! - [`MOST_A_DAY`] times in 24 hours from all mailboxes;
//! - and a mailbox answers at most [`MOST_AN_HOUR`] times an hour: what goes round with another address each time ends
//!   there, and those who look after the mailbox are told.
//!
//! The answer goes to the Return-Path (section 4); only where the server writes none, to the writer. It has the null
//! sender, so that a bounce of it comes back to nobody.

use crate::message::Marks;
use crate::notification::{self, Notice};
use crate::{Desk, token};
use mail::compose::{Answer, By, answer};
use mail::{Address, Letter};
use model::{ThreadId, Time};
use std::collections::HashSet;
use store::auto_replies::{self, AutoReply};
use store::mailboxes::Mailbox;
use store::settings;
use store::sql::{Error, Tx};
use store::templates::Text;

/// Automatic replies to one address in 24 hours.
pub const MOST_A_DAY: i64 = 4;
/// Automatic replies of one mailbox in an hour.
pub const MOST_AN_HOUR: i64 = 200;

const DAY_S: i64 = 24 * 3600;
const HOUR_S: i64 = 3600;
/// Longest piece of a subject that is repeated, in characters.
const SUBJECT_CHARS: usize = 200;

/// Whom an answer to this letter goes to, or in a word why nobody gets one. `ours` are the addresses of our mailboxes.
pub(crate) fn recipient(
    letter: &Letter,
    marks: &str,
    ours: &HashSet<String>,
) -> Result<Address, &'static str> {
    let marks: Marks = serde_json::from_str(marks).unwrap_or_default();
    let own = |one: &&Address| ours.contains(&one.key());
    let people = || letter.from.iter().chain(&letter.reply_to).chain(&letter.sender);
    if people().any(|one| own(&one))
        || letter.return_path.as_ref().is_some_and(|path| ours.contains(&path.to_lowercase()))
    {
        return Err("is_own");
    }
    let is_report = letter.content_type == "multipart/report";
    if marks.bounce || is_report || !mail::autoreply::loop_signs(letter, &[]).is_empty() {
        return Err("is_machine");
    }
    if !is_to_us(letter, ours) {
        return Err("not_to_us");
    }
    let [writer] = letter.from.as_slice() else { return Err("no_sender") };
    let address = match letter.return_path.as_deref() {
        Some(path) if path.eq_ignore_ascii_case(&writer.address) => writer.address.clone(),
        Some(path) if is_for_bounces(path) => return Err("is_machine"),
        Some(path) => path.to_owned(),
        None => writer.address.clone(),
    };
    if crate::people::checked_address("to", &address).is_err() || !address.is_ascii() {
        return Err("no_sender");
    }
    let name = writer.name.clone().filter(|_| address == writer.address);
    Ok(Address { name, address })
}

/// Whether we are named as recipients: by a mailbox's address or one beside it, for addresses have other names. Who got
/// a blind copy is not expected to answer (section 2).
fn is_to_us(letter: &Letter, ours: &HashSet<String>) -> bool {
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let our_domains: HashSet<String> = ours.iter().filter_map(|one| domain(one)).collect();
    let named = letter.to.iter().chain(&letter.cc).take(MOST_RECIPIENTS);
    named.filter_map(|one| domain(&one.key())).any(|domain| our_domains.contains(&domain))
}

/// Recipients of one letter that are looked at.
const MOST_RECIPIENTS: usize = 200;

/// A return path that only a program reads: each recipient has another one there, to tell whose mail bounced. That of
/// a forwarder (SRS) leads on to the writer.
fn is_for_bounces(path: &str) -> bool {
    let local = path.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let forwarded = local.starts_with("srs0") || local.starts_with("srs1");
    !forwarded && (local.contains('=') || local.starts_with("bounce") || local.contains("-bounce"))
}

/// By what somebody is counted: lower case, without what stands behind a plus, which differs from mail to mail where a
/// program writes.
pub(crate) fn counted(address: &str) -> String {
    let address = address.to_lowercase();
    match address.split_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or_default()),
        None => address,
    }
}

/// Whether one more may be sent, or in a word why not. `about` is what would be sent.
pub(crate) async fn within_limits(
    desk: &Desk,
    tx: &mut Tx,
    mailbox: &Mailbox,
    about: &AutoReply,
) -> Result<Result<(), &'static str>, Error> {
    let (day, hour) = (about.at.plus_s(-DAY_S), about.at.plus_s(-HOUR_S));
    let counts = auto_replies::counts(tx, about, day, hour).await?;
    if counts.in_thread > 0 {
        return Ok(Err("answered_before"));
    }
    if counts.from_mailbox > 0 || counts.to_address >= MOST_A_DAY {
        return Ok(Err("too_often"));
    }
    if counts.by_mailbox >= MOST_AN_HOUR {
        alarm(desk, tx, mailbox, about.at).await?;
        return Ok(Err("too_many"));
    }
    Ok(Ok(()))
}

/// Tells those who look after the mailbox, once an hour.
async fn alarm(desk: &Desk, tx: &mut Tx, mailbox: &Mailbox, now: Time) -> Result<(), Error> {
    let name = format!("auto_reply_alarm_{}", mailbox.id);
    let last = settings::get(tx, &name).await?.and_then(|at| at.parse().ok()).unwrap_or(0);
    if now.0 - last < HOUR_S * 1_000_000 {
        return Ok(());
    }
    settings::set(tx, &name, &now.0.to_string()).await?;
    let notice = Notice::new("auto_replies_stopped").about_mailbox(mailbox).with("most", MOST_AN_HOUR);
    notification::tell_keepers(desk, tx, mailbox, &notice).await
}

/// The languages to answer in, the likeliest first: that of the text, that the header says, that of the contact, that of
/// the domain's country.
pub(crate) fn languages(letter: &Letter, contact: Option<String>, address: &str) -> Vec<String> {
    let text = mail::language::of_letter(letter).map(str::to_owned);
    let said = letter.headers.get("Content-Language").and_then(two_letters);
    let country = address.rsplit_once('@').and_then(|(_, domain)| mail::language::of_domain(domain));
    [text, said, contact, country.map(str::to_owned)].into_iter().flatten().collect()
}

/// `cs` of `cs-CZ, en`.
fn two_letters(value: &str) -> Option<String> {
    let code: String = value.trim().chars().take_while(char::is_ascii_alphabetic).collect();
    (code.len() == 2).then(|| code.to_ascii_lowercase())
}

/// The language that is written in a contact's fields (JSON), under its name in one of ours.
pub(crate) fn language_of_fields(fields: &str) -> Option<String> {
    let fields: Vec<Field> = serde_json::from_str(fields).ok()?;
    let named = fields.into_iter().find(|field| {
        matches!(mail::fold::fold(&field.label).trim(), "language" | "jazyk" | "jezyk" | "sprache")
    })?;
    let value = mail::fold::fold(&named.value);
    let known = [
        ("cs", ["cs", "cz", "czech", "cestina", "cesky", "czeski"]),
        ("sk", ["sk", "slovak", "slovencina", "slovensky", "slowacki", "slovenstina"]),
        ("pl", ["pl", "polish", "polski", "polstina", "polsky", "polstina"]),
        ("de", ["de", "german", "deutsch", "nemcina", "nemecky", "niemiecki"]),
        ("en", ["en", "english", "anglictina", "anglicky", "angielski", "englisch"]),
    ];
    let found = known.iter().find(|(_, words)| words.contains(&value.trim()));
    found.map(|(language, _)| (*language).to_owned()).or_else(|| two_letters(&value))
}

#[derive(serde::Deserialize)]
struct Field {
    label: String,
    value: String,
}

/// A mail that answers.
pub(crate) struct Written {
    pub mid: String,
    pub raw: Vec<u8>,
}

/// The answer, with its variables replaced. Its subject is the template's, or what RFC 3834 section 3.1.5 suggests.
pub(crate) async fn write(
    desk: &Desk,
    tx: &mut Tx,
    mailbox: &Mailbox,
    thread: ThreadId,
    (letter, to, text): (&Letter, &Address, &Text),
) -> Result<Written, Error> {
    let mid = token::key_for_signing(desk, tx).await?.mint(thread, &mailbox.address);
    let subject = match text.subject.as_str() {
        "" => format!("Auto: {}", letter.subject.chars().take(SUBJECT_CHARS).collect::<String>()),
        own => own.to_owned(),
    };
    let raw = answer(&Answer {
        from: (&mailbox.name, &mailbox.address),
        reply_to: None,
        to: std::slice::from_ref(to),
        cc: &[],
        subject: &subject,
        text: &text.body,
        at_s: desk.clock.now().0 / 1_000_000,
        message_id: &mid,
        in_reply_to: letter.message_id.as_deref(),
        references: &letter.references,
        by: By::Program,
    });
    Ok(Written { mid, raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Result<String, &'static str> {
        let ours = HashSet::from(["helpdesk@acme.example".to_owned()]);
        let letter = mail::parse::parse(format!("To: info@acme.example\n{head}\n\nx\n").as_bytes());
        recipient(&letter, "{}", &ours).map(|to| to.address)
    }

    #[test]
    fn d3_an_answer_goes_to_the_return_path_and_never_to_a_machine_a_list_or_ourselves() {
        let ann = "From: Ann <ann@firma.example>";
        let table = [
            (ann.to_owned(), Ok("ann@firma.example")),
            (format!("Return-Path: <Ann@firma.example>\n{ann}"), Ok("ann@firma.example")),
            (
                format!("Return-Path: <SRS0=x=y=firma.example=ann@relay.example>\n{ann}"),
                Ok("SRS0=x=y=firma.example=ann@relay.example"),
            ),
            (format!("Return-Path: <ben@firma.example>\n{ann}"), Ok("ben@firma.example")),
            (format!("{ann}\nReply-To: ben@firma.example"), Ok("ann@firma.example")),
            (format!("Return-Path: <>\n{ann}"), Err("is_machine")),
            (format!("Return-Path: <bounces+1-helpdesk=acme.example@em.example>\n{ann}"), Err("is_machine")),
            (format!("{ann}\nAuto-Submitted: auto-replied"), Err("is_machine")),
            (format!("{ann}\nAuto-Submitted: auto-generated"), Err("is_machine")),
            (format!("{ann}\nAuto-Submitted: no"), Ok("ann@firma.example")),
            (format!("{ann}\nX-Auto-Response-Suppress: OOF, AutoReply"), Err("is_machine")),
            (format!("{ann}\nPrecedence: bulk"), Err("is_machine")),
            (format!("{ann}\nPrecedence: junk"), Err("is_machine")),
            (format!("{ann}\nList-Id: <x.example>"), Err("is_machine")),
            (format!("{ann}\nList-Unsubscribe: <https://x.example>"), Err("is_machine")),
            ("From: MAILER-DAEMON@firma.example".into(), Err("is_machine")),
            ("From: no-reply@firma.example".into(), Err("is_machine")),
            ("From: do_not_reply@firma.example".into(), Err("is_machine")),
            ("From: Helpdesk@acme.example".into(), Err("is_own")),
            (format!("Return-Path: <helpdesk@acme.example>\n{ann}"), Err("is_own")),
            (format!("{ann}\nReply-To: helpdesk@acme.example"), Err("is_own")),
            ("From: ann@firma.example, ben@firma.example".into(), Err("no_sender")),
            ("From: Ann".into(), Err("no_sender")),
            ("Subject: x".into(), Err("no_sender")),
            (format!("{ann}\nContent-Type: multipart/report; boundary=x"), Err("is_machine")),
        ];
        for (head, expected) in table {
            assert_eq!(of(&head), expected.map(str::to_owned), "{head}");
        }
    }

    #[test]
    fn d3_a_bounce_is_never_answered() {
        let letter = mail::parse::parse(b"From: ann@firma.example\nTo: a@acme.example\n\nx");
        let ours = HashSet::from(["helpdesk@acme.example".to_owned()]);
        assert_eq!(recipient(&letter, r#"{"bounce":true}"#, &ours), Err("is_machine"));
        assert_eq!(recipient(&letter, "{}", &ours).unwrap().address, "ann@firma.example");
        assert_eq!(recipient(&letter, "{}", &HashSet::from(["a@b.example".to_owned()])), Err("not_to_us"));
    }

    #[test]
    fn d3_the_language_is_that_of_the_text_then_the_header_the_contact_and_the_country() {
        let of = |raw: &str, contact: Option<&str>, address: &str| {
            languages(&mail::parse::parse(raw.as_bytes()), contact.map(str::to_owned), address)
        };
        let czech = "Content-Language: pl-PL, en\n\nDobrý den, prosím o fakturu, děkuji.\n";
        assert_eq!(of(czech, Some("sk"), "ann@firma.de"), ["cs", "pl", "sk", "de"]);
        assert_eq!(of("\n\nOK\n", None, "ann@firma.example"), Vec::<String>::new());
        // What is quoted is somebody else's language.
        let quoted = "Subject: x\n\nOK\n\n> Dobrý den, prosím o fakturu, děkuji.\n";
        assert_eq!(of(quoted, None, "ann@firma.sk"), ["sk"]);
    }

    #[test]
    fn d3_a_contacts_language_is_found_by_its_label() {
        let of = |label: &str, value: &str| {
            language_of_fields(&format!(
                r#"[{{"label":"x","value":"y"}},{{"label":"{label}","value":"{value}"}}]"#
            ))
        };
        assert_eq!(of("Language", "Czech").as_deref(), Some("cs"));
        assert_eq!(of("Jazyk", "slovenčina").as_deref(), Some("sk"));
        assert_eq!(of("Język", "polski").as_deref(), Some("pl"));
        assert_eq!(of("Sprache", "de-AT").as_deref(), Some("de"));
        assert_eq!(of("Town", "Brno"), None);
        assert_eq!(language_of_fields("no json"), None);
    }

    #[test]
    fn d3_an_address_is_counted_without_what_differs_from_mail_to_mail() {
        assert_eq!(counted("Support+Case-17@Firma.example"), "support@firma.example");
        assert_eq!(counted("ann@firma.example"), "ann@firma.example");
    }
}
