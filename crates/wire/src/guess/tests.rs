use super::lookup::Silent;
use super::*;
use std::collections::HashMap;

/// A world of a few facts.
#[derive(Default)]
struct World {
    mx: HashMap<&'static str, Vec<&'static str>>,
    srv: HashMap<&'static str, (&'static str, u16)>,
    files: HashMap<&'static str, String>,
    answers: Vec<(&'static str, u16)>,
    no_dns: bool,
    silent: bool,
}

impl Lookup for World {
    async fn mx(&self, domain: &str) -> Result<Vec<String>, Silent> {
        self.wait().await;
        if self.no_dns {
            return Err(Silent::NoAnswer);
        }
        let hosts = self.mx.get(domain).ok_or(Silent::NoSuchName)?;
        Ok(hosts.iter().map(|host| (*host).to_owned()).collect())
    }

    async fn srv(&self, name: &str) -> Option<(String, u16)> {
        self.wait().await;
        self.srv.get(name).map(|(host, port)| ((*host).to_owned(), *port))
    }

    async fn fetch(&self, url: &str) -> Option<Vec<u8>> {
        self.wait().await;
        self.files.get(url).map(|text| text.clone().into_bytes())
    }

    async fn answers(&self, host: &str, port: u16, _: Tls) -> bool {
        self.wait().await;
        self.answers.iter().any(|(name, at)| *name == host && *at == port)
    }
}

impl World {
    async fn wait(&self) {
        if self.silent {
            std::future::pending::<()>().await;
        }
    }
}

fn at(server: &Option<Endpoint>) -> String {
    server
        .as_ref()
        .map_or_else(|| "-".into(), |s| format!("{}:{} {:?} {}", s.host, s.port, s.tls, s.username))
}

const FILE: &str = r#"<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="acme.example">
  <domain>acme.example</domain><displayName>Acme</displayName>
  <incomingServer type="imap"><hostname>imap.acme.example</hostname><port>143</port>
    <socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></incomingServer>
  <incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port>
    <socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
  <incomingServer type="pop3"><hostname>pop.acme.example</hostname><port>110</port>
    <socketType>plain</socketType><username>%EMAILADDRESS%</username></incomingServer>
  <outgoingServer type="smtp"><hostname>Out.Acme.example</hostname><port>587</port>
    <socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></outgoingServer>
</emailProvider></clientConfig>"#;

#[tokio::test]
async fn a20_a_known_provider_is_guessed_without_asking_anybody() {
    let nobody = World { silent: true, ..World::default() };
    let google = guess(" ann.nova@gmail.com", &nobody).await;
    assert_eq!(google.len(), 1);
    assert_eq!(
        (google[0].source, google[0].oauth, google[0].note),
        (Source::Provider, Some("google"), Some(Note::AppPassword))
    );
    assert_eq!(at(&google[0].imap), "imap.gmail.com:993 Implicit ann.nova@gmail.com");
    let seznam = guess("ann@email.cz", &nobody).await;
    assert_eq!(at(&seznam[0].pop3), "pop3.seznam.cz:995 Implicit ann@email.cz");
    assert_eq!(at(&seznam[0].smtp), "smtp.seznam.cz:465 Implicit ann@email.cz");
}

#[tokio::test]
async fn a20_a_companys_own_domain_is_recognised_by_who_receives_its_mail() {
    for (mx, imap, oauth) in [
        ("acme-example.mail.protection.outlook.com", "outlook.office365.com", Some("microsoft")),
        ("aspmx.l.google.com", "imap.gmail.com", Some("google")),
        ("mx1.forpsi.com", "imap.forpsi.com", None),
        ("1234.mx1.emailprofi.seznam.cz", "imap.seznam.cz", None),
    ] {
        let world = World { mx: [("acme.example", vec![mx])].into(), ..World::default() };
        let found = guess("ann@acme.example", &world).await;
        assert_eq!((found[0].source, found[0].oauth), (Source::Provider, oauth), "{mx}");
        assert_eq!(found[0].imap.as_ref().unwrap().host, imap);
        assert_eq!(found[0].imap.as_ref().unwrap().username, "ann@acme.example");
    }
    // Only a whole label counts.
    let world = World { mx: [("acme.example", vec!["mx.evilforpsi.com"])].into(), ..World::default() };
    assert_eq!(guess("ann@acme.example", &world).await[0].source, Source::Common);
}

#[tokio::test]
async fn a20_the_domains_own_file_beats_srv_and_usual_names_and_all_are_given() {
    let world = World {
        mx: [("acme.example", vec!["mx.acme.example"])].into(),
        files: [("https://acme.example/.well-known/autoconfig/mail/config-v1.1.xml", FILE.to_owned())].into(),
        srv: [
            ("_imaps._tcp.acme.example", ("mail.hosting.example", 993)),
            ("_submission._tcp.acme.example", ("mail.hosting.example", 587)),
        ]
        .into(),
        answers: vec![("mail.acme.example", 993), ("smtp.acme.example", 587)],
        ..World::default()
    };
    let found = guess("ann@acme.example", &world).await;
    let sources: Vec<_> = found.iter().map(|one| one.source).collect();
    assert_eq!(sources, [Source::Autoconfig, Source::Srv, Source::Common]);
    assert_eq!(at(&found[0].imap), "imap.acme.example:993 Implicit ann@acme.example");
    assert_eq!(at(&found[0].pop3), "-", "a server without protection is left out");
    assert_eq!(at(&found[0].smtp), "out.acme.example:587 StartTls ann");
    assert_eq!(found[0].note, None);
    assert_eq!(at(&found[1].smtp), "mail.hosting.example:587 StartTls ann@acme.example");
    assert_eq!(found[1].note, Some(Note::OtherDomain));
    assert_eq!(at(&found[2].imap), "mail.acme.example:993 Implicit ann@acme.example");
    assert_eq!(at(&found[2].smtp), "smtp.acme.example:587 StartTls ann@acme.example");
}

#[tokio::test]
async fn a20_without_a_name_service_a_usual_name_is_given_with_a_note() {
    let found = guess("ann@acme.example", &World { no_dns: true, ..World::default() }).await;
    assert_eq!((found.len(), found[0].source, found[0].note), (1, Source::Common, Some(Note::NotChecked)));
    assert_eq!(at(&found[0].imap), "imap.acme.example:993 Implicit ann@acme.example");
    let unknown = guess("ann@acme.example", &World::default()).await;
    assert_eq!(unknown[0].note, Some(Note::UnknownDomain));
}

#[tokio::test]
async fn a20_a_world_that_never_answers_is_not_waited_for() {
    let silent = World { silent: true, ..World::default() };
    let found = within(Duration::from_millis(50), "ann@acme.example", &silent).await;
    assert_eq!((found.len(), found[0].note), (1, Some(Note::NotChecked)));
}

#[tokio::test]
async fn a20_what_is_no_address_gives_nothing() {
    let nobody = World { silent: true, ..World::default() };
    for text in [
        "",
        "ann",
        "ann@",
        "@acme.example",
        "ann@localhost",
        "ann@127.0.0.1",
        "ann@[::1]",
        "a\r\nb@acme.example",
        "ann@acme.example/x",
        "ann@acme.example:80",
        "ann@evil.example?x@gmail.com/",
    ] {
        assert_eq!(guess(text, &nobody).await, [], "{text:?}");
    }
    let address = Address::of("ann@Příklad.example").unwrap();
    assert_eq!(address.domain, "xn--pklad-zsa96e.example");
}

#[test]
fn a20_a_file_that_is_none_or_wants_to_grow_gives_nothing() {
    let address = Address::of("ann@acme.example").unwrap();
    let bomb = format!("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>{FILE}");
    let outside = FILE
        .replace("imap.%EMAILDOMAIN%", "&#x2f;&b;")
        .replace("<hostname>imap.acme.example", "<hostname>a b");
    for text in
        ["", "<html><body>not found</body></html>", &bomb, "<clientConfig>", &"<a>".repeat(10_000), "\u{0}"]
    {
        assert_eq!(autoconfig::parse(text.as_bytes(), &address), None, "{}", &text[..text.len().min(40)]);
    }
    assert_eq!(autoconfig::parse(outside.as_bytes(), &address).and_then(|found| found.imap), None);
    let elsewhere = FILE.replace("imap.%EMAILDOMAIN%", "imap.evil.example");
    assert_eq!(autoconfig::parse(elsewhere.as_bytes(), &address).unwrap().note, Some(Note::OtherDomain));
}
