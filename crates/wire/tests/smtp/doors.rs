//! Connecting, securing, signing in.

use crate::{MAIL, ann, envelope, server};
use std::sync::{Arc, Mutex};
use testkit::certificate::ServerCertificate;
use testkit::scripted::{Play, Secured, SmtpManner, SmtpServer, Step};
use wire::smtp::{Ending, Session};
use wire::{ConnectError, ConnectErrorKind as Kind, Credentials, Direction, Log, Stage, Tls, Trust};

fn say(text: &str) -> Step {
    Step::Say(text.to_owned())
}

async fn connect_error(steps: Vec<Step>, tls: Tls) -> ConnectError {
    let play = Play::start(steps).await.unwrap();
    let server = server(play.address.port(), tls);
    match Session::connect(&server, Some(&Credentials::password("ann", "pw-secret"))).await {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, _: Direction, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[tokio::test]
async fn a5_sends_in_tls_from_the_first_byte_and_after_starttls() {
    let certificate = ServerCertificate::for_localhost().unwrap();
    for (tls, secured) in [
        (Tls::Implicit, Secured::Implicit(certificate.clone())),
        (Tls::StartTls, Secured::StartTls(certificate.clone())),
    ] {
        let sink =
            SmtpServer::start(SmtpManner { secured: Some(secured), ..SmtpManner::default() }).await.unwrap();
        let mut server = server(sink.address.port(), tls);
        let untrusted = Session::connect(&server, Some(&ann())).await.err().unwrap();
        assert!(matches!(untrusted.kind, Kind::Certificate(_)), "{untrusted:?}");
        server.trust = Trust::Only(certificate.ca_pem.clone());
        let mut session = Session::connect(&server, Some(&ann())).await.unwrap();
        session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap();
        assert!(matches!(session.end().await, Ending::Accepted(_)));
        assert_eq!(sink.received()[0].user.as_deref(), Some("ann"));
        if tls == Tls::StartTls {
            let heard = sink.heard();
            let begin = heard.iter().position(|line| line == "STARTTLS").unwrap();
            assert!(!heard[..begin].iter().any(|line| line.starts_with("AUTH")), "{heard:?}");
            assert!(
                heard[begin + 1].starts_with("EHLO"),
                "what was offered in clear is forgotten: {heard:?}"
            );
        }
    }
}

#[tokio::test]
async fn t18_a_stripped_starttls_ends_the_connection_before_the_password() {
    let plain = "220 ready\r\n";
    let stripped = vec![say(plain), Step::Hear("EHLO"), say("250-mx\r\n250 AUTH PLAIN\r\n"), Step::Hang];
    let error = connect_error(stripped, Tls::StartTls).await;
    assert_eq!((error.stage, error.kind), (Stage::Tls, Kind::StartTlsMissing));
    let refused = vec![
        say(plain),
        Step::Hear("EHLO"),
        say("250-mx\r\n250 STARTTLS\r\n"),
        Step::Hear("STARTTLS"),
        say("454 4.7.0 not now\r\n"),
        Step::Hang,
    ];
    assert_eq!(connect_error(refused, Tls::StartTls).await.kind, Kind::StartTlsMissing);
    let injected = vec![
        say(plain),
        Step::Hear("EHLO"),
        say("250-mx\r\n250 STARTTLS\r\n"),
        Step::Hear("STARTTLS"),
        say("220 go\r\n250 AUTH PLAIN\r\n"),
        Step::Hang,
    ];
    let error = connect_error(injected, Tls::StartTls).await;
    assert_eq!((error.stage, error.kind), (Stage::Tls, Kind::Protocol));
}

#[tokio::test]
async fn a5_signs_in_by_password_and_by_token_in_every_way_offered() {
    let token = Credentials::Bearer { user: "ann".into(), token: "ya29-token".into() };
    for (mechanisms, credentials, secret) in [
        ("PLAIN", ann(), "secret"),
        ("LOGIN", ann(), "secret"),
        ("CRAM-X LOGIN PLAIN", ann(), "secret"),
        ("XOAUTH2", token.clone(), "ya29-token"),
        ("OAUTHBEARER", token.clone(), "ya29-token"),
    ] {
        let sink = SmtpServer::start(SmtpManner {
            offers: vec![format!("AUTH {mechanisms}")],
            account: ("ann".into(), secret.into()),
            sign_in_first: true,
            ..SmtpManner::default()
        })
        .await
        .unwrap();
        let log = Arc::new(Lines::default());
        let server = server(sink.address.port(), Tls::None).with_log(log.clone());
        let mut session = Session::connect(&server, Some(&credentials)).await.unwrap();
        session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap();
        assert!(matches!(session.end().await, Ending::Accepted(_)), "{mechanisms}");
        let lines = log.0.lock().unwrap().join("\n");
        assert!(lines.contains("****") && !lines.contains("c2VjcmV0"), "{lines}");
        assert!(!lines.contains(secret) && !lines.contains("eWEyOS"), "{lines}");
    }
}

#[tokio::test]
async fn a5_a_wrong_password_or_token_is_told_as_such() {
    let sink = SmtpServer::start(SmtpManner::default()).await.unwrap();
    let server = server(sink.address.port(), Tls::None);
    let wrong = [
        Credentials::password("ann", "guess"),
        Credentials::Bearer { user: "ann".into(), token: "expired".into() },
    ];
    for credentials in wrong {
        let error = Session::connect(&server, Some(&credentials)).await.err().unwrap();
        assert_eq!((error.stage, error.kind), (Stage::Login, Kind::WrongPassword), "{error:?}");
    }
}

#[tokio::test]
async fn a5_servers_that_are_none_or_have_no_time_are_told_apart() {
    for (first, kind) in [
        ("* OK IMAP4 ready\r\n", Kind::NotMailServer),
        ("+OK POP3 ready\r\n", Kind::NotMailServer),
        ("HTTP/1.1 400 Bad Request\r\n", Kind::NotMailServer),
        ("554 5.7.1 no\r\n", Kind::Unavailable),
        ("421 4.3.2 too busy\r\n", Kind::Unavailable),
    ] {
        let error = connect_error(vec![say(first)], Tls::None).await;
        assert_eq!((error.stage, error.kind), (Stage::Greeting, kind), "{first}");
    }
    let silent = connect_error(vec![Step::Hang], Tls::None).await;
    assert_eq!((silent.stage, silent.kind), (Stage::Greeting, Kind::Timeout));
    let endless = vec![say("220-x\r\n"), Step::SayForever(b"220-and more\r\n".repeat(100))];
    assert_eq!(connect_error(endless, Tls::None).await.kind, Kind::NotMailServer);
    let old = vec![
        say("220 old\r\n"),
        Step::Hear("EHLO"),
        say("502 what\r\n"),
        Step::Hear("HELO"),
        say("250 old\r\n"),
        Step::Hang,
    ];
    assert_eq!(connect_error(old, Tls::None).await.kind, Kind::PlainRefused);
}

#[tokio::test]
async fn a5_a_server_of_1997_that_knows_only_helo_takes_mail() {
    let replies = [("EHLO".to_owned(), "502 5.5.2 what".to_owned())].into();
    let sink = SmtpServer::start(SmtpManner { replies, ..SmtpManner::default() }).await.unwrap();
    let mut session = Session::connect(&server(sink.address.port(), Tls::None), None).await.unwrap();
    session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap();
    assert!(matches!(session.end().await, Ending::Accepted(_)));
    assert_eq!(sink.received()[0].parameters, "");
}
