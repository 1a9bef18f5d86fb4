//! Against a real Dovecot.

use std::sync::Arc;

use testkit::dovecot::{Dovecot, Options};
use wire::pop3::{Quit, Session};
use wire::{CertificateProblem, ConnectError, ConnectErrorKind, Credentials, Server, Stage, Tls, Trust};

use crate::Lines;

fn plain(dovecot: &Dovecot) -> Server {
    Server::new("127.0.0.1", dovecot.pop3_port.unwrap(), Tls::None)
}

fn secured(dovecot: &Dovecot, host: &str) -> Server {
    let server = Server::new(host, dovecot.pop3_port.unwrap(), Tls::StartTls);
    Server { trust: Trust::Only(dovecot.ca_pem.clone()), ..server }
}

async fn open(server: &Server) -> Session {
    Session::connect(server, &Credentials::password("ann", "test")).await.unwrap()
}

async fn refused(server: &Server, password: &str) -> ConnectError {
    match Session::connect(server, &Credentials::password("ann", password)).await {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

/// With lines that begin with dots, and one that is a dot.
fn message(number: usize) -> Vec<u8> {
    format!("From: ben@firma.example\nSubject: number {number}\n\nBody {number}\n.\n..\n.dot\n.\n\n")
        .into_bytes()
}

fn crlf(text: &[u8]) -> Vec<u8> {
    String::from_utf8(text.to_vec()).unwrap().replace('\n', "\r\n").into_bytes()
}

#[tokio::test]
async fn a5_a_maildrop_is_listed_and_read_as_it_is() {
    let dovecot = Dovecot::start();
    let mails: Vec<_> = (1..=300).map(message).collect();
    dovecot.fill("ann", "INBOX", &mails).unwrap();
    let log = Arc::new(Lines::default());
    let mut session = open(&plain(&dovecot).with_log(log.clone())).await;
    assert!(session.offers("PIPELINING") && session.offers("UIDL") && !session.offers("NONSENSE"));
    let stat = session.stat().await.unwrap();
    assert_eq!(stat.messages, 300);
    let ids = session.uidl().await.unwrap();
    assert_eq!((ids.len(), ids[0].0, ids[299].0), (300, 1, 300));
    let unique: std::collections::HashSet<_> = ids.iter().map(|(_, id)| id.clone().unwrap()).collect();
    assert_eq!(unique.len(), 300);
    let sizes = session.list().await.unwrap();
    assert_eq!(sizes[6], (7, crlf(&mails[6]).len() as u64));
    let mut letters = session.retrieve(ids.iter().map(|(number, _)| *number).chain([999]));
    let mut got = Vec::new();
    let mut missing = Vec::new();
    while let Some(letter) = letters.next().await.unwrap() {
        match letter.refused {
            Some(refusal) => missing.push((letter.number, refusal.command)),
            None => got.push(letter.body),
        }
    }
    assert_eq!(missing, [(999, "RETR")], "what is not there is refused, and the session goes on");
    assert!(got == mails.iter().map(|mail| crlf(mail)).collect::<Vec<_>>(), "every byte as it was");
    let top = session.top(3, 1).await.unwrap();
    assert_eq!(top, b"From: ben@firma.example\r\nSubject: number 3\r\n\r\nBody 3\r\n");
    session.noop().await.unwrap();
    assert_eq!(session.quit().await, Quit::Updated);
    let log = log.text();
    assert!(log.contains("> RETR 7") && log.contains("< +OK"), "{log}");
    assert!(!log.contains("Body 7"), "messages are in the log by their size only");
}

#[tokio::test]
async fn p2_what_is_marked_is_removed_by_quit_and_by_nothing_else() {
    let dovecot = Dovecot::start();
    dovecot.fill("ann", "INBOX", (0..5).map(message)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    assert!(session.delete(&[1, 2]).await.unwrap().is_empty());
    drop(session);
    let mut session = open(&plain(&dovecot)).await;
    assert_eq!(session.stat().await.unwrap().messages, 5, "without QUIT nothing is removed");
    session.delete(&[1, 2]).await.unwrap();
    session.reset().await.unwrap();
    assert_eq!(session.quit().await, Quit::Updated);
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 5, "nor after RSET");
    let mut session = open(&plain(&dovecot)).await;
    let refusals = session.delete(&[2, 2, 4, 77]).await.unwrap();
    let refused: Vec<_> = refusals.iter().map(|(number, _)| *number).collect();
    assert_eq!(refused, [2, 77]);
    assert_eq!(session.quit().await, Quit::Updated);
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 3);
}

#[tokio::test]
async fn a5_stls_is_verified_and_every_failure_names_its_stage() {
    let dovecot = Dovecot::start();
    dovecot.fill("ann", "INBOX", [message(1)]).unwrap();
    let log = Arc::new(Lines::default());
    let mut session = open(&secured(&dovecot, "localhost").with_log(log.clone())).await;
    assert_eq!(session.stat().await.unwrap().messages, 1);
    let said = log.text();
    let (stls, capa) = (said.find("> STLS").unwrap(), said.find("> CAPA").unwrap());
    assert!(stls < capa, "what was offered in clear is not even asked for: {said}");
    let unknown = Server { trust: Trust::Platform, ..secured(&dovecot, "localhost") };
    let error = refused(&unknown, "test").await;
    assert_eq!(
        (error.stage, error.kind),
        (Stage::Tls, ConnectErrorKind::Certificate(CertificateProblem::UnknownIssuer))
    );
    let error = refused(&secured(&dovecot, "127.0.0.2"), "test").await;
    assert_eq!(
        (error.stage, error.kind),
        (Stage::Tls, ConnectErrorKind::Certificate(CertificateProblem::WrongName))
    );
    let error = refused(&secured(&dovecot, "localhost"), "wrong-one").await;
    assert_eq!((error.stage, error.kind), (Stage::Login, ConnectErrorKind::WrongPassword));
    assert!(!error.message.contains("wrong-one"), "{error:?}");
}

#[tokio::test]
async fn a5_a_server_without_stls_hears_no_password() {
    let extra_config = "ssl = no\n".into();
    let dovecot = Dovecot::start_with(&Options { extra_config, ..Options::default() });
    let log = Arc::new(Lines::default());
    let error = refused(&secured(&dovecot, "localhost").with_log(log.clone()), "test").await;
    assert_eq!((error.stage, error.kind), (Stage::Tls, ConnectErrorKind::StartTlsMissing), "{error:?}");
    assert!(!log.text().contains("PASS") && !log.text().contains("AUTH"), "{}", log.text());
}

#[tokio::test]
async fn a5_pop3_signs_in_by_the_strongest_mechanism_that_is_offered() {
    for (offered, used) in [("plain login scram-sha-256 scram-sha-1", "SCRAM-SHA-256"), ("plain", "PLAIN")] {
        let extra_config = format!("auth_mechanisms = {offered}\n");
        let dovecot = Dovecot::start_with(&Options { extra_config, ..Options::default() });
        let log = Arc::new(Lines::default());
        open(&plain(&dovecot).with_log(log.clone())).await.noop().await.unwrap();
        let said = log.text();
        assert!(said.contains(&format!("> AUTH {used}")) && !said.contains("PASS"), "{said}");
        assert!(!said.contains("dGVzdA"), "no password is in the log: {said}");
    }
}

#[tokio::test]
async fn messages_above_the_limit_are_cut_and_the_rest_is_read_away() {
    let dovecot = Dovecot::start();
    let large = [b"Subject: large\n\n".to_vec(), b"0123456789abcde\n".repeat(20_000)].concat();
    dovecot.fill("ann", "INBOX", [message(1), large.clone(), message(3)]).unwrap();
    let mut server = plain(&dovecot);
    server.limits.message_bytes = 100_000;
    let mut session = open(&server).await;
    let mut letters = session.retrieve([1, 2, 3]);
    let mut got = Vec::new();
    while let Some(letter) = letters.next().await.unwrap() {
        got.push((letter.body.len(), letter.truncated));
    }
    let whole = crlf(&large).len() as u64;
    assert_eq!(got[1], (100_000, Some(whole)));
    assert_eq!((got[0].1, got[2].1, got.len()), (None, None, 3));
}
