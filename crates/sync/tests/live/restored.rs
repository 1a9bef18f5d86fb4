//! Our own database, restored from an older backup; and what lies in a mailbox before it is connected.

use crate::others::server;
use crate::post_room::{PostRoom, folder, letter, letters};
use desk::mailbox::{self, NewMailbox, Rounds};
use desk::may::Actor;
use model::AfterFiling::{Leave, Move};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use testkit::dovecot::Dovecot;

fn back_up(dir: &Path) {
    fs::copy(dir.join("test.db"), dir.join("backup.db")).unwrap();
}

fn restore(dir: &Path) {
    fs::copy(dir.join("backup.db"), dir.join("test.db")).unwrap();
}

#[tokio::test]
async fn c24_reconcile_finds_all_that_was_moved_since_the_backup_of_our_database_and_each_once() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    // One is there twice.
    let first: Vec<Vec<u8>> = letters(0..10).into_iter().chain([letter(3)]).collect();
    dovecot.fill("ann", "INBOX", first).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    room.round(id).await;
    let room = room.closed(back_up).await;
    dovecot.fill("ann", "INBOX", letters(10..40)).unwrap();
    room.round(id).await;
    room.has_each_once(id, 40).await;
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), 41);
    // Somebody took two away, and put one of their own in.
    dovecot.expunge("ann", "Processed", "UID 1:2").unwrap();
    dovecot.deliver("ann", "Processed", letter(99)).unwrap();
    let room = room.closed(restore).await;
    dovecot.deliver("ann", "INBOX", letter(50)).unwrap();
    assert_eq!(room.round(id).await, (1, 1, 0, 0), "the rest is in the processed folder");
    room.has_each_once(id, 11).await;
    let source = room.source(id).await;
    let done = sync::reconcile::run(&room.receive, &source).await.unwrap();
    assert_eq!((done.looked, done.filed, done.quarantined, done.complete), (41, 31, 0, true));
    room.has_each_once(id, 42).await;
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), 41, "nothing is moved again");
    let again = sync::reconcile::run(&room.receive, &source).await.unwrap();
    assert_eq!((again.looked, again.filed), (41, 0));
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    room.has_each_once(id, 42).await;
    let ledger = store::folders::ledger(&mut &room.desk().db, Some(id)).await.unwrap();
    assert!(ledger.iter().all(|row| row.difference == 0), "{ledger:?}");
}

#[tokio::test]
async fn c24_reconcile_of_a_sound_database_fetches_nothing_whole() {
    for room in [PostRoom::new().await, PostRoom::on_postgres().await] {
        let dovecot = Dovecot::start();
        dovecot.fill("ann", "INBOX", letters(0..30)).unwrap();
        let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
        room.round(id).await;
        let occurrences = room.number("SELECT COUNT(*) FROM occurrences").await;
        let done = sync::reconcile::run(&room.receive, &room.source(id).await).await.unwrap();
        assert_eq!((done.looked, done.filed), (30, 0));
        assert_eq!(room.number("SELECT COUNT(*) FROM occurrences").await, occurrences);
        room.has_each_once(id, 30).await;
    }
}

#[tokio::test]
async fn a23_what_lies_in_a_folder_when_it_is_first_read_can_be_history() {
    for room in [PostRoom::new().await, PostRoom::on_postgres().await] {
        let dovecot = Dovecot::start();
        dovecot.fill("ann", "INBOX", letters(0..20)).unwrap();
        let new = room.new_mailbox(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]);
        let new = NewMailbox { history: true, ..new };
        let id = mailbox::add(room.desk(), &Actor::machine(), new).await.unwrap().id;
        assert_eq!(room.round(id).await, (20, 20, 0, 0));
        dovecot.fill("ann", "INBOX", letters(20..23)).unwrap();
        assert_eq!(room.round(id).await, (3, 3, 0, 0));
        assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 23);
        assert_eq!(
            room.number("SELECT COUNT(*) FROM records WHERE kind = 'case'").await,
            3,
            "only of what came since"
        );
        // 2 November 2026, 9:00 UTC: the date of the letters, not that of their delivery.
        let dated = "SELECT COUNT(*) FROM messages WHERE received_at = 1793610000000000";
        assert_eq!(room.number(dated).await, 20);
        // A renumbering makes neither mail of history nor history of mail.
        dovecot.renumber("ann", "INBOX").unwrap();
        dovecot.deliver("ann", "INBOX", letter(23)).unwrap();
        assert_eq!(room.round(id).await, (24, 1, 0, 0));
        assert_eq!(room.number("SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 4);
    }
}

/// Lets a client talk to a server and notes every line the client says.
fn overheard(port: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, said) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let notes = said.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                std::io::copy(&mut answers, &mut back).ok();
                back.shutdown(std::net::Shutdown::Both).ok();
            });
            let (notes, mut forward) = (notes.clone(), server);
            std::thread::spawn(move || {
                let mut lines = BufReader::new(client.take(1 << 20));
                let mut line = Vec::new();
                while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                    notes.lock().unwrap().push(String::from_utf8_lossy(&line).trim_end().to_owned());
                    forward.write_all(&line).ok();
                    line.clear();
                }
                forward.shutdown(std::net::Shutdown::Both).ok();
            });
        }
    });
    (here, said)
}

#[tokio::test]
async fn a11_the_protocol_log_shows_no_folder_but_the_chosen_ones_and_the_target() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    for name in ["INBOX", "Private", "Handover", "Orders"] {
        dovecot.fill("ann", name, letters(0..5)).unwrap();
    }
    let (port, said) = overheard(dovecot.imap_port);
    let place = crate::post_room::Server { port, ..server(&dovecot, "ann") };
    let id = room.connect(place, vec![folder("Handover", Move), folder("Orders", Leave)]).await;
    let serving = room.serve();
    room.filed(5, std::time::Duration::from_secs(60)).await;
    dovecot.deliver("ann", "Handover", letter(5)).unwrap();
    serving.supervisor.scan_now(id);
    room.filed(6, std::time::Duration::from_secs(60)).await;
    while dovecot.count("ann", "Processed").unwrap() < 6 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    serving.end().await;
    let said = said.lock().unwrap().clone();
    let names = |line: &&String| {
        ["SELECT", "EXAMINE", "STATUS", "CREATE", "MOVE", "COPY", "APPEND"]
            .iter()
            .any(|word| line.contains(word))
    };
    let opened: std::collections::BTreeSet<String> = said
        .iter()
        .filter(names)
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let verb = if words[1] == "UID" { words[2] } else { words[1] };
            format!("{verb} {}", words.last().unwrap().trim_matches('"'))
        })
        .collect();
    let expected = ["CREATE Processed", "EXAMINE Orders", "MOVE Processed", "SELECT Handover"];
    assert_eq!(opened.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{said:#?}");
    for other in ["Private", "INBOX"] {
        assert!(!said.iter().any(|line| line.contains(other)), "{other} was named: {said:#?}");
    }
    assert!(
        !said
            .iter()
            .any(|line| line.contains("DELE") || line.contains("EXPUNGE") || line.contains("\\Deleted"))
    );
}
