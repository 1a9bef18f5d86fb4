//! The IMAP client against a real Dovecot.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::dovecot::{Dovecot, MailFormat, Options};
use wire::imap::{FolderName, IdleEvent, Session, SessionError, SpecialUse, UidSet};
use wire::{
    CertificateProblem, ConnectError, ConnectErrorKind, Credentials, Direction, Log, Server, Stage, Tls,
    Trust,
};

pub fn plain(dovecot: &Dovecot) -> Server {
    Server::new("127.0.0.1", dovecot.imap_port, Tls::None)
}

fn secured(dovecot: &Dovecot, tls: Tls) -> Server {
    let port = if tls == Tls::Implicit { dovecot.imaps_port } else { dovecot.imap_port };
    Server { trust: Trust::Only(dovecot.ca_pem.clone()), ..Server::new("localhost", port, tls) }
}

pub async fn open(server: &Server) -> Session {
    Session::connect(server, &Credentials::password("ann", "test")).await.unwrap()
}

async fn refused(server: &Server, password: &str) -> ConnectError {
    match Session::connect(server, &Credentials::password("ann", password)).await {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

pub fn message(number: usize) -> Vec<u8> {
    format!("From: ben@firma.example\nTo: ann@firma.example\nSubject: number {number}\nMessage-ID: <{number}@firma.example>\n\nBody {number}\n").into_bytes()
}

fn crlf(text: &[u8]) -> Vec<u8> {
    String::from_utf8(text.to_vec()).unwrap().replace('\n', "\r\n").into_bytes()
}

/// Listens to the protocol log.
#[derive(Default)]
pub struct Lines(pub Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, direction: Direction, line: &str) {
        let mark = match direction {
            Direction::Sent => "> ",
            Direction::Received => "< ",
            Direction::Note => "# ",
        };
        self.0.lock().unwrap().push(mark.to_owned() + line);
    }
}

#[tokio::test]
async fn a_mailbox_is_listed_read_settled_and_left() {
    let dovecot = Dovecot::start();
    let mails: Vec<_> = (1..=450).map(message).collect();
    dovecot.fill("ann", "INBOX", &mails).unwrap();
    let log = Arc::new(Lines::default());
    let mut session = open(&plain(&dovecot).with_log(log.clone())).await;

    let folders = session.list().await.unwrap();
    let names: Vec<_> = folders.iter().map(|f| (f.name.as_str(), f.special_use)).collect();
    assert!(
        names.contains(&("INBOX", None)) && names.contains(&("Trash", Some(SpecialUse::Trash))),
        "{names:?}"
    );
    assert_eq!(folders[0].delimiter, Some('/'));

    let opened = session.select(&FolderName::inbox(), false).await.unwrap();
    assert_eq!((opened.exists, opened.uid_next, opened.read_only), (450, Some(451), false));
    assert!(opened.uid_validity > 0 && opened.new_keywords, "{opened:?}");

    let uids = session.uid_search_from(1).await.unwrap();
    assert_eq!(uids.to_string(), "1:450");
    assert!(session.uid_search_from(1000).await.unwrap().is_empty(), "n:* holds the last one");

    let mut fetch = session.fetch(&uids);
    let mut got = Vec::new();
    while let Some(mail) = fetch.next().await.unwrap() {
        assert_eq!(
            (mail.truncated, mail.size_mismatch, mail.rfc822_size),
            (None, false, Some(mail.body.len() as u64))
        );
        assert!(mail.internal_date.unwrap() > 1_600_000_000_000_000);
        got.push((mail.uid, mail.body));
    }
    assert!(fetch.missing().is_empty());
    let expected: Vec<_> = mails.iter().enumerate().map(|(i, m)| (i as u32 + 1, crlf(m))).collect();
    assert_eq!(got, expected);

    let target = session.create("Vyřízené/2024").await.unwrap();
    assert!(
        matches!(session.create("Vyřízené/2024").await, Err(SessionError::Refused(r)) if r.code.as_deref() == Some("ALREADYEXISTS"))
    );
    let moved = session.uid_move(&UidSet::range(1, 250), &target).await.unwrap();
    assert_eq!((moved.done.len(), moved.mapping.len(), moved.mapping[9]), (250, 250, (10, 10)));
    assert!(moved.left_flagged.is_empty() && moved.dest_uid_validity.is_some());
    assert_eq!(session.status(&target).await.unwrap().messages, Some(250));
    let listed = session.list().await.unwrap();
    assert!(listed.iter().any(|f| f.name == "Vyřízené/2024" && f.wire_name == target));

    session.uid_add_flags(&UidSet::range(251, 260), &["\\Seen", "$Filed"]).await.unwrap();
    session.uid_remove_flags(&UidSet::range(260, 260), &["$Filed"]).await.unwrap();
    let listed = session.uid_list(&UidSet::range(1, 300)).await.unwrap();
    assert_eq!((listed.len(), listed[0].uid, listed[9].uid), (50, 251, 260));
    assert_eq!(listed.iter().filter(|m| m.flags.contains(&"\\Seen".into())).count(), 10);
    assert_eq!(listed[0].rfc822_size, Some(crlf(&mails[250]).len() as u64));
    let mail = session.fetch(&UidSet::from(260)).next().await.unwrap().unwrap();
    assert!(
        mail.flags.contains(&"\\Seen".into()) && !mail.flags.contains(&"$Filed".into()),
        "{:?}",
        mail.flags
    );

    let when = 1_700_000_000_000_000;
    let letter = crlf(&message(9999));
    let appended = session.append(&target, &["\\Seen"], Some(when), letter.clone()).await.unwrap().unwrap();
    assert_eq!(Some(appended.uid_validity), moved.dest_uid_validity);
    session.select(&target, true).await.unwrap();
    assert_eq!(
        session.uid_search_header("Message-ID", "<9999@firma.example>").await.unwrap(),
        appended.uid.into()
    );
    let mail = session.fetch(&appended.uid.into()).next().await.unwrap().unwrap();
    assert_eq!((mail.internal_date, mail.body), (Some(when), letter));
    session.logout().await.unwrap();

    let log = log.0.lock().unwrap().join("\n");
    assert!(log.contains("> L1 AUTHENTICATE PLAIN ****") && log.contains("UID SEARCH"), "{log}");
    assert!(log.lines().last().unwrap().contains("BYE Logging out"), "{log}");
    assert!(log.contains("BODY[] {117 bytes})"), "{log}");
    assert!(!log.contains("AGFubgB0ZXN0") && !log.contains("Body 17"));
}

#[tokio::test]
async fn messages_above_the_limit_are_cut_and_the_rest_is_read_away() {
    let dovecot = Dovecot::start();
    let mut large = message(1);
    large.extend(b"x".repeat(300_000));
    dovecot.fill("ann", "INBOX", [&large, &message(2)]).unwrap();
    let mut server = plain(&dovecot);
    server.limits.message_bytes = 100_000;
    let mut session = open(&server).await;
    session.select(&FolderName::inbox(), true).await.unwrap();
    let mut fetch = session.fetch(&UidSet::range(1, 2));
    let first = fetch.next().await.unwrap().unwrap();
    assert_eq!(
        (first.body.len(), first.truncated, first.size_mismatch),
        (100_000, Some(crlf(&large).len() as u64), false)
    );
    assert_eq!(fetch.next().await.unwrap().unwrap().body, crlf(&message(2)));
    assert_eq!(fetch.next().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_gone_is_missing_and_a_dropped_fetch_leaves_the_session_usable() {
    let dovecot = Dovecot::start();
    dovecot.fill("ann", "INBOX", (1..=900).map(message)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    session.select(&FolderName::inbox(), false).await.unwrap();
    let mut fetch = session.fetch(&UidSet::range(1, 900));
    for uid in 1..=3 {
        assert_eq!(fetch.next().await.unwrap().unwrap().uid, uid);
    }
    drop(fetch);
    assert_eq!(session.uid_search_from(898).await.unwrap().to_string(), "898:900");
    dovecot.expunge("ann", "INBOX", "UID 2:4").unwrap();
    let wanted = UidSet::range(1, 6);
    let mut fetch = session.fetch(&wanted);
    let mut got = UidSet::new();
    while let Some(mail) = fetch.next().await.unwrap() {
        assert_eq!(mail.body, crlf(&message(mail.uid as usize)));
        got.insert(mail.uid);
    }
    assert_eq!(got.union(&fetch.missing()), wanted);
    assert!(fetch.missing().difference(&UidSet::range(2, 4)).is_empty());
}

#[tokio::test]
async fn without_move_messages_are_copied_and_exactly_they_are_removed() {
    let dovecot = Dovecot::start_with(&Options { without: vec!["MOVE".into()], ..Options::default() });
    dovecot.fill("ann", "INBOX", (1..=4).map(message)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    assert!(!session.offers("MOVE") && session.offers("UIDPLUS"));
    session.select(&FolderName::inbox(), false).await.unwrap();
    // Somebody else's mark must survive our expunge.
    session.uid_add_flags(&4.into(), &["\\Deleted"]).await.unwrap();
    let moved = session.uid_move(&UidSet::range(1, 2), &FolderName::encode("Trash")).await.unwrap();
    assert_eq!(
        (moved.mapping, moved.left_flagged.len(), moved.copied_only.len()),
        (vec![(1, 1), (2, 2)], 0, 0)
    );
    assert_eq!(session.uid_search_from(1).await.unwrap().to_string(), "3:4");
}

#[tokio::test]
async fn without_uidplus_moved_messages_stay_flagged() {
    let dovecot = Dovecot::start_with(&Options {
        without: vec!["MOVE".into(), "UIDPLUS".into()],
        ..Options::default()
    });
    dovecot.fill("ann", "INBOX", (1..=2).map(message)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    session.select(&FolderName::inbox(), false).await.unwrap();
    let moved = session.uid_move(&1.into(), &FolderName::encode("Trash")).await.unwrap();
    assert_eq!(moved.left_flagged, 1.into());
    assert_eq!(session.uid_search_from(1).await.unwrap().to_string(), "1:2");
    assert_eq!(session.status(&FolderName::encode("Trash")).await.unwrap().messages, Some(1));
    assert!(matches!(session.uid_delete(&2.into()).await, Err(SessionError::NotOffered("UIDPLUS"))));
}

#[tokio::test]
async fn a_move_to_a_missing_folder_is_refused_by_name_and_moves_nothing() {
    let dovecot = Dovecot::start();
    dovecot.fill("ann", "INBOX", (1..=2).map(message)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    session.select(&FolderName::inbox(), false).await.unwrap();
    let failed = session.uid_move(&UidSet::range(1, 2), &FolderName::encode("Nowhere")).await.unwrap_err();
    assert!(matches!(&failed.error, SessionError::Refused(r) if r.is_missing_folder()), "{failed}");
    assert!(failed.moved.done.is_empty() && failed.in_doubt.is_empty());
    assert_eq!(session.uid_search_from(1).await.unwrap().len(), 2);
    let missing = session.select(&FolderName::encode("Nowhere"), true).await.unwrap_err();
    let told = missing.at(Stage::Select, &plain(&dovecot));
    assert_eq!((told.kind, told.stage), (ConnectErrorKind::MissingFolder, Stage::Select));
}

#[tokio::test]
async fn idle_tells_of_a_new_message_at_once_and_of_nothing_at_the_end() {
    let dovecot = Dovecot::start();
    dovecot.deliver("ann", "INBOX", message(1)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    session.select(&FolderName::inbox(), true).await.unwrap();
    assert_eq!(session.idle(Duration::from_secs(5)).await.unwrap(), IdleEvent::Changed, "never searched");
    session.uid_search_from(1).await.unwrap();
    assert_eq!(session.idle(Duration::from_millis(300)).await.unwrap(), IdleEvent::Timeout);
    // Dropped in the middle, the session goes on.
    let waiting = tokio::time::timeout(Duration::from_millis(100), session.idle(Duration::from_secs(9)));
    assert!(waiting.await.is_err());
    assert_eq!(session.uid_search_from(1).await.unwrap().len(), 1);
    let (event, ()) = tokio::join!(session.idle(Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        dovecot.deliver("ann", "INBOX", message(2)).unwrap();
    });
    assert_eq!(event.unwrap(), IdleEvent::Changed);
    assert_eq!(session.uid_search_from(2).await.unwrap().to_string(), "2");
}

#[tokio::test]
async fn tls_is_verified_and_every_failure_names_its_stage() {
    let dovecot = Dovecot::start();
    for tls in [Tls::Implicit, Tls::StartTls] {
        let session = open(&secured(&dovecot, tls)).await;
        assert!(session.offers("IDLE"));
        session.logout().await.unwrap();
        let stranger = Server { trust: Trust::Platform, ..secured(&dovecot, tls) };
        let error = refused(&stranger, "test").await;
        assert_eq!(
            (error.stage, error.kind),
            (Stage::Tls, ConnectErrorKind::Certificate(CertificateProblem::UnknownIssuer)),
            "{error:?}"
        );
        let other_name = Server { host: "127.0.0.2".into(), ..secured(&dovecot, tls) };
        let error = refused(&other_name, "test").await;
        assert_eq!(
            (error.stage, error.kind),
            (Stage::Tls, ConnectErrorKind::Certificate(CertificateProblem::WrongName)),
            "{error:?}"
        );
    }
    let cases = [
        (
            Server { port: dovecot.imap_port, ..secured(&dovecot, Tls::Implicit) },
            Stage::Tls,
            ConnectErrorKind::NotTls,
        ),
        (Server::new("no-such-host.invalid", 993, Tls::Implicit), Stage::Dns, ConnectErrorKind::UnknownHost),
        (Server::new("127.0.0.1", 1, Tls::None), Stage::Tcp, ConnectErrorKind::Refused),
    ];
    for (server, stage, kind) in cases {
        let error = refused(&server, "test").await;
        assert_eq!((error.stage, error.kind), (stage, kind), "{error:?}");
        assert!(!error.message.is_empty() && !error.remedy.is_empty());
    }
    let expired = Dovecot::start_with(&Options { expired_certificate: true, ..Options::default() });
    let error = refused(&secured(&expired, Tls::Implicit), "test").await;
    assert_eq!(error.kind, ConnectErrorKind::Certificate(CertificateProblem::Expired), "{error:?}");
    let error = refused(&plain(&dovecot), "wrong-password").await;
    assert_eq!((error.stage, error.kind), (Stage::Login, ConnectErrorKind::WrongPassword), "{error:?}");
    assert!(!error.message.contains("wrong-password"));
}

#[tokio::test]
async fn odd_passwords_and_names_are_carried_as_they_are() {
    let odd = r"h{5}e\slo*č";
    let dovecot = Dovecot::start_with(&Options { password: odd.into(), ..Options::default() });
    let credentials = Credentials::password("ann", odd);
    let mut session = Session::connect(&plain(&dovecot), &credentials).await.unwrap();
    for name in ["quote\"d", "back\\slash", "a & b", "žluťoučký kůň", "{5}", "(x) [y] *%"] {
        let wire_name = match session.create(name).await {
            Ok(wire_name) => wire_name,
            Err(SessionError::Refused(r)) => panic!("{name}: {r}"),
            Err(e) => panic!("{name}: {e}"),
        };
        assert!(
            session.list().await.unwrap().iter().any(|f| f.name == name && f.wire_name == wire_name),
            "{name}"
        );
        session.select(&wire_name, false).await.unwrap();
    }
    // T17: a line break in a name reaches the server inside of a literal and does nothing else.
    let sly = FolderName::from(&b"x\r\nL99 DELETE Trash"[..]);
    assert!(matches!(session.select(&sly, false).await, Err(SessionError::Refused(_))));
    assert!(session.list().await.unwrap().iter().any(|f| f.name == "Trash"));
}

#[tokio::test]
async fn a_renumbered_folder_shows_another_uid_validity_and_the_same_bytes() {
    let dovecot = Dovecot::start();
    dovecot.fill("ann", "INBOX", (1..=3).map(message)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    let before = session.select(&FolderName::inbox(), false).await.unwrap();
    dovecot.expunge("ann", "INBOX", "UID 1").unwrap();
    dovecot.add_flags("ann", "INBOX", "UID 3", "\\Flagged").unwrap();
    session.uid_search_from(1).await.unwrap();
    // Only a command that may change the numbers of messages tells who is gone.
    session.noop().await.unwrap();
    let listed = session.uid_list(&UidSet::range(1, 3)).await.unwrap();
    assert_eq!(
        listed.iter().map(|m| (m.uid, m.flags.contains(&"\\Flagged".into()))).collect::<Vec<_>>(),
        [(2, false), (3, true)]
    );
    let renumbered = dovecot.renumber("ann", "INBOX").unwrap();
    // The session was thrown out, and says so.
    let error = session.noop().await.unwrap_err();
    assert!(error.ends_session(), "{error:?}");
    let mut session = open(&plain(&dovecot)).await;
    let after = session.select(&FolderName::inbox(), false).await.unwrap();
    assert_eq!((after.uid_validity, after.exists), (renumbered, 2));
    assert_ne!(after.uid_validity, before.uid_validity);
    let uids = session.uid_search_from(1).await.unwrap();
    assert_eq!(uids.to_string(), "1:2");
    assert_eq!(session.fetch(&uids).next().await.unwrap().unwrap().body, crlf(&message(2)));
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 2);
}

#[tokio::test]
async fn a_server_that_is_stopped_is_heard_and_its_mail_is_there_when_it_is_back() {
    let dir = std::env::temp_dir().join(format!("lc-back-{}", std::process::id()));
    let options =
        Options { base_dir: Some(dir.clone()), mail_format: MailFormat::Mdbox, ..Options::default() };
    let dovecot = Dovecot::start_with(&options);
    dovecot.deliver("ann", "INBOX", message(1)).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    session.select(&FolderName::inbox(), false).await.unwrap();
    session.uid_search_from(1).await.unwrap();
    let stop = tokio::task::spawn_blocking(move || dovecot.stop());
    let error = session.idle(Duration::from_secs(20)).await.unwrap_err();
    assert!(matches!(error, SessionError::Bye(_) | SessionError::Lost { .. }), "{error:?}");
    stop.await.unwrap();
    let dovecot = Dovecot::start_with(&options);
    let mut session = open(&plain(&dovecot)).await;
    session.select(&FolderName::inbox(), true).await.unwrap();
    assert_eq!(session.fetch(&1.into()).next().await.unwrap().unwrap().body, crlf(&message(1)));
    drop(dovecot);
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a5_dovecot_is_signed_in_to_by_the_strongest_mechanism_it_offers() {
    let strongest = [
        ("plain login scram-sha-256 scram-sha-1 cram-md5", "SCRAM-SHA-256"),
        ("plain login scram-sha-1 cram-md5", "SCRAM-SHA-1"),
        ("plain login cram-md5", "PLAIN"),
        ("cram-md5", "CRAM-MD5"),
    ];
    for (offered, used) in strongest {
        // LOGIN as a command comes before the mechanisms that are only a makeshift.
        let locked = if offered == "cram-md5" { "disable_plaintext_auth = yes\nssl = yes\n" } else { "" };
        let extra_config = format!("auth_mechanisms = {offered}\n{locked}");
        let dovecot = Dovecot::start_with(&Options { extra_config, ..Options::default() });
        let log = Arc::new(Lines::default());
        open(&plain(&dovecot).with_log(log.clone())).await.noop().await.unwrap();
        let lines = log.0.lock().unwrap().join("\n");
        assert!(lines.contains(&format!("> L1 AUTHENTICATE {used}")), "{offered}: {lines}");
        assert!(!lines.contains("L2 AUTHENTICATE"), "{lines}");
        let said = lines.lines().filter(|line| line.starts_with("> ")).collect::<String>();
        assert!(!said.contains("dGVzdA") && !said.contains("biw"), "{lines}");
        if used == "SCRAM-SHA-256" {
            let error = refused(&plain(&dovecot), "wrong-one").await;
            assert_eq!(
                (error.stage, error.kind),
                (Stage::Login, ConnectErrorKind::WrongPassword),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a5_a_password_stored_in_another_form_than_the_offered_proof_needs_is_still_accepted() {
    let extra_config = "auth_mechanisms = plain scram-sha-256\n";
    let dovecot = Dovecot::start_with(&Options {
        password: "{SHA256}n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=".into(),
        extra_config: extra_config.into(),
        ..Options::default()
    });
    let mut session = open(&plain(&dovecot)).await;
    session.noop().await.unwrap();
}
