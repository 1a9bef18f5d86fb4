//! What a server offers to those who keep a copy: changes since a moment, compression, names in UTF-8.

use crate::dovecot::{Lines, message, open, plain};
use std::sync::Arc;
use testkit::dovecot::{Dovecot, Options};
use testkit::scripted::{Play, Step};
use wire::imap::{FolderName, Session, UidSet};
use wire::{Credentials, Server, Tls};

fn compressing() -> Dovecot {
    let extra_config = "protocol imap {\n  mail_plugins = zlib imap_zlib\n}\n".to_owned();
    Dovecot::start_with(&Options { extra_config, ..Options::default() })
}

#[tokio::test]
async fn a15_a_compressed_connection_reads_and_writes_the_same_bytes() {
    let dovecot = compressing();
    let mails: Vec<_> = (1..=300).map(message).collect();
    dovecot.fill("ann", "INBOX", &mails).unwrap();
    let lines = Arc::new(Lines::default());
    let mut session = open(&plain(&dovecot).with_log(lines.clone())).await;
    let said = lines.0.lock().unwrap().join("\n");
    assert!(said.contains("COMPRESS DEFLATE") && said.contains("are compressed"), "{said}");
    session.select(&FolderName::inbox(), false).await.unwrap();
    let uids = session.uid_search_from(1).await.unwrap();
    let mut fetched = session.fetch(&uids);
    let mut count = 0;
    while let Some(one) = fetched.next().await.unwrap() {
        let text = String::from_utf8(one.body).unwrap();
        assert!(text.contains(&format!("Body {}\r\n", one.uid)), "{text}");
        count += 1;
    }
    assert_eq!(count, 300);
    // Larger than a stored block, and of bytes that do not repeat.
    let noise = (0..400_000_u64).map(|n| char::from(b'!' + (n * n % 89) as u8)).collect::<Vec<_>>();
    let lines = noise.chunks(70).map(|line| line.iter().collect::<String>()).collect::<Vec<_>>();
    let large = format!("Subject: large\r\n\r\n{}\r\n", lines.join("\r\n")).into_bytes();
    session.append(&FolderName::encode("Sent"), &[], Some(0), large.clone()).await.unwrap();
    session.select(&FolderName::encode("Sent"), true).await.unwrap();
    let back = session.fetch(&UidSet::from(1)).next().await.unwrap().unwrap();
    assert!(back.body == large);
    session.logout().await.unwrap();
}

#[tokio::test]
async fn a15_changes_since_a_moment_are_told_with_what_vanished() {
    let dovecot = Dovecot::start();
    let mails: Vec<_> = (1..=9).map(message).collect();
    dovecot.fill("ann", "INBOX", &mails).unwrap();
    let mut session = open(&plain(&dovecot)).await;
    session.enable().await.unwrap();
    assert!(session.tells_vanished());
    let selected = session.select(&FolderName::inbox(), true).await.unwrap();
    let since = selected.highest_mod_seq.unwrap();
    dovecot.add_flags("ann", "INBOX", "UID 2", "\\Seen").unwrap();
    dovecot.expunge("ann", "INBOX", "UID 5:6").unwrap();
    let opened = session.select(&FolderName::inbox(), true).await.unwrap();
    assert!(opened.highest_mod_seq.unwrap() > since);
    let mut changed = Vec::new();
    let mut hear = |uid, mut flags: Vec<String>| {
        flags.retain(|flag| flag != "\\Recent");
        changed.push((uid, flags));
    };
    let gone = session.uid_flags_since(since, &mut hear).await.unwrap();
    assert_eq!((gone, changed), (Some(UidSet::range(5, 6)), vec![(2, vec!["\\Seen".to_owned()])]));
    assert_eq!(session.exists(), 7, "what had gone before is not counted twice");
    let mut all = 0;
    session.uid_flags(&UidSet::range(1, 9), |_, _| all += 1).await.unwrap();
    assert_eq!(all, 7);
}

#[tokio::test]
async fn a15_folders_come_with_their_numbers_in_one_answer() {
    let dovecot = Dovecot::start();
    dovecot.fill("ann", "INBOX", [message(1), message(2)]).unwrap();
    dovecot.create_folder("ann", "Účty/2026").unwrap();
    let mut session = open(&plain(&dovecot)).await;
    session.enable().await.unwrap();
    let listed = session.list_with_status().await.unwrap();
    let (inbox, status) = listed.iter().find(|(folder, _)| folder.name == "INBOX").unwrap();
    assert_eq!((inbox.selectable, status.as_ref().unwrap().messages), (true, Some(2)));
    assert!(status.as_ref().unwrap().highest_mod_seq.is_some());
    let (_, status) = listed.iter().find(|(folder, _)| folder.name == "Účty/2026").unwrap();
    assert_eq!(status.as_ref().unwrap().messages, Some(0));
}

fn say(text: &str) -> Step {
    Step::Say(text.to_owned())
}

#[tokio::test]
async fn a15_where_names_are_utf_8_they_are_said_and_heard_so() {
    let play = Play::start(vec![
        say("* PREAUTH [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+] ready\r\n"),
        Step::Hear("ENABLE UTF8=ACCEPT"),
        say("* ENABLED UTF8=ACCEPT\r\nL1 OK\r\n"),
        Step::Hear("LIST"),
        say("* LIST () \"/\" \"Účty &amp\"\r\nL2 OK\r\n"),
        Step::Hear("CREATE {7+}"),
        Step::Hear("Košík"),
        say("L3 OK\r\n"),
        Step::Hear("SUBSCRIBE {7+}"),
        Step::Hear("Košík"),
        say("L4 OK\r\n"),
        // A header in UTF-8 is said to be one.
        Step::Hear("UTF8 (~{"),
        Step::Hear("x)"),
        say("L5 OK\r\n"),
    ])
    .await
    .unwrap();
    let mut server = Server::new("127.0.0.1", play.address.port(), Tls::None);
    server.timeouts.reply = std::time::Duration::from_secs(5);
    let mut session = Session::connect(&server, &Credentials::password("ann", "x")).await.unwrap();
    session.enable().await.unwrap();
    assert_eq!(session.list().await.unwrap()[0].name, "Účty &amp");
    let made = session.create("Košík").await;
    assert_eq!(made.unwrap().as_bytes(), "Košík".as_bytes());
    let letter = "Subject: Účty\r\n\r\nx".as_bytes().to_vec();
    session.append(&FolderName::from("Koš".as_bytes()), &[], None, letter).await.unwrap();
}
