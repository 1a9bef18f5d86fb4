//! What a server is, and what other people do to it, on a real Dovecot.

use crate::post_room::{PostRoom, Server, folder, letter, letters};
use model::AfterFiling::{Leave, MarkRead, Move};
use sync::visit;
use testkit::dovecot::{Dovecot, Options};

pub fn server<'a>(dovecot: &'a Dovecot, user: &'a str) -> Server<'a> {
    Server { host: &dovecot.host, port: dovecot.imap_port, user, password: &dovecot.password }
}

fn without(capabilities: &[&str]) -> Dovecot {
    let without = capabilities.iter().map(|&name| name.to_owned()).collect();
    Dovecot::try_start(&Options { without, ..Options::default() }).unwrap()
}

#[tokio::test]
async fn a21_a_renumbered_folder_brings_no_new_message_and_loses_none() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..30)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    assert_eq!(room.round(id).await, (30, 30, 0, 0));
    dovecot.renumber("ann", "INBOX").unwrap();
    dovecot.deliver("ann", "INBOX", letter(30)).unwrap();
    assert_eq!(room.round(id).await, (31, 1, 0, 0), "all are read again");
    room.has_each_once(id, 31).await;
    let ledger = room.ledger(id).await;
    assert_eq!((ledger.seen, ledger.filed), (31, 31));
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a21_what_a_renumbering_finds_unsettled_is_moved_under_its_new_number() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..10)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    // Filed, and not moved yet.
    room.run("UPDATE folders SET after_filing = 'move', processed_folder = 'Processed'").await;
    room.run("UPDATE occurrences SET settle = 'due'").await;
    dovecot.renumber("ann", "INBOX").unwrap();
    room.round(id).await;
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 0);
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), 10);
    room.has_each_once(id, 10).await;
}

#[tokio::test]
async fn a21_mail_that_others_move_and_delete_meanwhile_is_accounted_for() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..20)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    dovecot.expunge("ann", "INBOX", "UID 3:7").unwrap();
    dovecot.create_folder("ann", "Old").unwrap();
    dovecot.doveadm(&["move", "-u", "ann", "Old", "mailbox", "INBOX", "UID", "10:12"]).unwrap();
    // This one comes and goes while nobody looks.
    dovecot.deliver("ann", "INBOX", letter(20)).unwrap();
    dovecot.doveadm(&["mailbox", "status", "-u", "ann", "uidnext", "INBOX"]).unwrap();
    dovecot.expunge("ann", "INBOX", "UID 21").unwrap();
    dovecot.deliver("ann", "INBOX", letter(21)).unwrap();
    assert_eq!(room.round(id).await, (1, 1, 0, 0));
    room.has_each_once(id, 21).await;
    // Somebody puts three back: copies of what is known.
    dovecot.doveadm(&["move", "-u", "ann", "INBOX", "mailbox", "Old", "ALL"]).unwrap();
    assert_eq!(room.round(id).await, (3, 3, 0, 0));
    room.has_each_once(id, 21).await;
}

#[tokio::test]
async fn a21_what_others_take_away_before_it_is_settled_is_no_trouble() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..5)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    room.run("UPDATE folders SET after_filing = 'move', processed_folder = 'Processed'").await;
    room.run("UPDATE occurrences SET settle = 'due'").await;
    dovecot.expunge("ann", "INBOX", "UID 1:2").unwrap();
    room.round(id).await;
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), 3);
    assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE settle = 'moved'").await, 5);
}

#[tokio::test]
async fn filed_mail_is_marked_read_or_left_as_it_is() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    let unread = |user: &str| {
        let said =
            dovecot.doveadm(&["-f", "tab", "mailbox", "status", "-u", user, "unseen", "INBOX"]).unwrap();
        said.lines().last().unwrap().rsplit('\t').next().unwrap().parse::<u64>().unwrap()
    };
    for (user, after, left) in [("ann", MarkRead, 0), ("ben", Leave, 4)] {
        dovecot.fill(user, "INBOX", letters(0..4)).unwrap();
        let id = room.connect(server(&dovecot, user), vec![folder("INBOX", after)]).await;
        assert_eq!(room.round(id).await, (4, 4, 0, 0));
        assert_eq!((unread(user), dovecot.count(user, "INBOX").unwrap()), (left, 4));
        assert_eq!(room.round(id).await, (0, 0, 0, 0));
        assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE settle = 'due'").await, 0);
    }
}

#[tokio::test]
async fn a_processed_folder_that_does_not_exist_is_made() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..250)).unwrap();
    let mut choice = folder("INBOX", Move);
    choice.processed_folder = Some("Done/Vyřízeno & co".into());
    let id = room.connect(server(&dovecot, "ann"), vec![choice]).await;
    assert_eq!(room.round(id).await, (250, 250, 0, 0));
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 0);
    assert_eq!(dovecot.count("ann", "Done/Vyřízeno & co").unwrap(), 250);
    assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE settle = 'moved'").await, 250);
}

#[tokio::test]
async fn a_server_without_move_has_each_message_once_in_the_processed_folder() {
    let (dovecot, room) = (without(&["MOVE"]), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..120)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    assert_eq!(room.round(id).await, (120, 120, 0, 0));
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    assert_eq!(
        (dovecot.count("ann", "INBOX").unwrap(), dovecot.count("ann", "Processed").unwrap()),
        (0, 120)
    );
    room.has_each_once(id, 120).await;
}

#[tokio::test]
async fn a_server_without_move_and_uidplus_keeps_flagged_originals_and_nobody_elses_mail_is_expunged() {
    let (dovecot, room) = (without(&["MOVE", "UIDPLUS"]), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..10)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    assert_eq!(room.round(id).await, (10, 10, 0, 0));
    dovecot.deliver("ann", "INBOX", letter(10)).unwrap();
    assert_eq!(room.round(id).await, (1, 1, 0, 0));
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    assert_eq!(
        (dovecot.count("ann", "INBOX").unwrap(), dovecot.count("ann", "Processed").unwrap()),
        (11, 11)
    );
    room.has_each_once(id, 11).await;
}

#[tokio::test]
async fn what_a_server_will_not_move_stays_is_said_and_moves_when_it_can() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..5)).unwrap();
    let mut choice = folder("INBOX", Move);
    choice.processed_folder = Some("not//possible".into());
    let id = room.connect(server(&dovecot, "ann"), vec![choice]).await;
    let source = room.source(id).await;
    let mut visit = visit::begin(&room.receive, &source).await.unwrap();
    for _ in 0..20 {
        let summary = visit.round(&|_, _, _| {}).await.unwrap().remove(0);
        assert!(summary.refused.is_some());
    }
    assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE settle = 'failed'").await, 5);
    let summary = visit.round(&|_, _, _| {}).await.unwrap().remove(0);
    assert_eq!(summary.refused, None, "it was asked often enough");
    room.has_each_once(id, 5).await;
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 5);
    room.run("UPDATE folders SET processed_folder = 'Processed'").await;
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), 5);
}
