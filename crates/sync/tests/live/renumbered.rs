//! Folders whose numbers change: nothing is new, nothing is lost, and what is in doubt is asked about.

use crate::others::server;
use crate::post_room::{PostRoom, Server, folder, letter, letters};
use model::AfterFiling::{Leave, Move};
use std::collections::HashMap;
use sync::visit::RoundError;
use testkit::dovecot::Dovecot;
use testkit::scripted::{Folder, ImapServer, Mailbox, Manner, Message};

/// A mailbox whose INBOX has these letters under these numbers.
fn numbered(uid_validity: u32, letters: Vec<(u32, Vec<u8>)>) -> Mailbox {
    let uid_next = letters.last().map_or(1, |(uid, _)| uid + 1);
    let message = |(uid, body)| Message { uid, flags: Vec::new(), body };
    let messages = letters.into_iter().map(message).collect();
    let mut mailbox = Mailbox::with_inbox(Vec::<Vec<u8>>::new());
    mailbox.folders.insert("INBOX".into(), Folder { uid_validity, uid_next, messages });
    mailbox
}

async fn scripted(mailbox: Mailbox) -> ImapServer {
    ImapServer::start(mailbox, Manner::default(), Vec::new()).await.unwrap()
}

fn at(server: &ImapServer) -> Server<'_> {
    Server { host: "127.0.0.1", port: server.address.port(), user: "ann", password: "x" }
}

/// The letter as a server gives it that puts messages together anew: other bytes, the same message.
fn rewritten(letter: &[u8]) -> Vec<u8> {
    [b"Received: from store-7 by store-9; Mon, 2 Nov 2026 10:00:01 +0100\r\n".as_slice(), letter].concat()
}

async fn thousands(room: PostRoom) {
    const MAILS: usize = 3000;
    // One in ten is there twice.
    let all: Vec<Vec<u8>> = (0..MAILS).map(|number| letter(number - usize::from(number % 10 == 9))).collect();
    let before = scripted(numbered(11, (1..).zip(all.clone()).collect())).await;
    let id = room.connect(at(&before), vec![folder("INBOX", Leave)]).await;
    assert_eq!(room.round(id).await, (3000, 3000, 0, 0));
    let (ledger, messages) = (room.ledger(id).await, room.number("SELECT COUNT(*) FROM messages").await);
    // From the last to the first, with gaps, under another numbering.
    let after = scripted(numbered(12, (1..).map(|at| at * 3).zip(all.into_iter().rev()).collect())).await;
    room.moved_to(id, after.address.port()).await;
    assert_eq!(room.round(id).await, (3000, 0, 0, 0), "all are read, none is new");
    assert_eq!(room.ledger(id).await, ledger);
    assert_eq!((ledger.seen, ledger.filed, ledger.difference), (3000, 3000, 0));
    assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, messages);
    assert_eq!(room.number("SELECT COUNT(*) FROM records WHERE kind = 'case'").await, messages);
    assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE uidvalidity = 12").await, 3000);
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a21_c16_a_renumbered_mailbox_of_thousands_brings_nothing_new_and_loses_nothing() {
    thousands(PostRoom::new().await).await;
}

#[tokio::test]
async fn a21_c16_a_renumbered_mailbox_brings_nothing_new_on_postgresql() {
    thousands(PostRoom::on_postgres().await).await;
}

#[tokio::test]
async fn a21_two_identical_copies_stay_two_on_a_renumbered_dovecot() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    let copies = [letter(0), letter(0), letter(0), letter(1)];
    dovecot.fill("ann", "INBOX", copies).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    assert_eq!(room.round(id).await, (4, 4, 0, 0));
    dovecot.expunge("ann", "INBOX", "UID 2").unwrap();
    dovecot.renumber("ann", "INBOX").unwrap();
    dovecot.deliver("ann", "INBOX", letter(2)).unwrap();
    assert_eq!(room.round(id).await, (4, 1, 0, 0));
    let ledger = room.ledger(id).await;
    assert_eq!((ledger.seen, ledger.filed, ledger.difference), (5, 5, 0), "the expunged copy is remembered");
    let there = "SELECT COUNT(*) FROM occurrences o JOIN folders f ON f.id = o.folder_id AND f.uidvalidity = o.uidvalidity";
    assert_eq!(room.number(there).await, 4, "as many as the server has");
}

#[tokio::test]
async fn a21_messages_that_a_server_puts_together_anew_are_known_by_what_was_written() {
    let before = scripted(numbered(11, (1..).zip(letters(0..40)).collect())).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&before), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    let anew: Vec<Vec<u8>> = letters(0..40).iter().map(|letter| rewritten(letter)).collect();
    let after = scripted(numbered(12, (1..).zip(anew).collect())).await;
    room.moved_to(id, after.address.port()).await;
    assert_eq!(room.round(id).await, (40, 0, 0, 0));
    let ledger = room.ledger(id).await;
    assert_eq!((ledger.seen, ledger.filed, ledger.difference), (40, 40, 0));
    room.has_each_once(id, 40).await;
    let occurrence = room.number("SELECT MIN(id) FROM occurrences WHERE uid = 7").await;
    let bytes =
        desk::bytes::of_occurrence(&mut &room.desk().db, model::OccurrenceId(occurrence)).await.unwrap();
    assert_eq!(bytes.unwrap(), rewritten(&letter(6)), "its bytes are those the server has now");
}

/// How often each body is in a folder.
fn bodies(server: &ImapServer, folder: &str) -> HashMap<Vec<u8>, usize> {
    let mut all = HashMap::new();
    for message in &server.mailbox().folders[folder].messages {
        *all.entry(message.body.clone()).or_default() += 1;
    }
    all
}

#[tokio::test]
async fn a12_what_was_left_in_place_is_not_moved_by_a_renumbering_and_what_was_moved_is_moved_again() {
    let before = scripted(numbered(11, (1..).zip(letters(0..4)).collect())).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&before), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    // From now on filed mail is moved; the first two were, and a backup brings them back.
    room.run("UPDATE folders SET after_filing = 'move', processed_folder = 'Processed'").await;
    room.run("UPDATE occurrences SET settle = 'moved' WHERE uid <= 2").await;
    let after = scripted(numbered(12, (5..).zip(letters(0..5)).collect())).await;
    room.moved_to(id, after.address.port()).await;
    assert_eq!(room.round(id).await, (5, 1, 0, 0));
    let once = |numbers: &[usize]| -> HashMap<_, _> { numbers.iter().map(|&n| (letter(n), 1)).collect() };
    assert_eq!(bodies(&after, "INBOX"), once(&[2, 3]));
    assert_eq!(bodies(&after, "Processed"), once(&[0, 1, 4]));
}

#[tokio::test]
async fn a21_c17_numbers_given_out_anew_behind_a_higher_uidnext_are_noticed() {
    let before = scripted(numbered(11, (1..).zip(letters(0..50)).collect())).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&before), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    // The backup had forty; since then more have come than were lost. They are longer.
    let late = (100..130).map(|number| [letter(number), b"And more.\r\n".to_vec()].concat());
    let restored: Vec<Vec<u8>> = letters(0..40).into_iter().chain(late).collect();
    let after = scripted(numbered(11, (1..).zip(restored).collect())).await;
    room.moved_to(id, after.address.port()).await;
    room.run("UPDATE folders SET unguarded = TRUE").await;
    assert_eq!(room.round(id).await, (70, 30, 0, 0));
    room.has_each_once(id, 80).await;
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a21_a_folder_that_looks_new_after_a_renumbering_is_asked_about_and_nothing_is_filed() {
    let before = scripted(numbered(11, (1..).zip(letters(0..100)).collect())).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&before), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    let other: Vec<Vec<u8>> = letters(50..100).into_iter().chain(letters(1000..1050)).collect();
    let after = scripted(numbered(12, (1..).zip(other).collect())).await;
    room.moved_to(id, after.address.port()).await;
    for _ in 0..2 {
        let error = room.try_round(id).await.unwrap_err();
        let RoundError::Doubtful { folder, sampled: 50, new: 25 } = &error else { panic!("{error:?}") };
        assert_eq!(folder, "INBOX");
        assert_eq!(error.trouble().code, "guard_paused");
    }
    room.has_each_once(id, 100).await;
    // Somebody says that it is right.
    room.run("UPDATE folders SET unguarded = TRUE").await;
    assert_eq!(room.round(id).await, (100, 50, 0, 0));
    room.has_each_once(id, 150).await;
    assert_eq!(room.number("SELECT COUNT(*) FROM folders WHERE unguarded").await, 0, "it was said once");
}

#[tokio::test]
async fn a21_what_was_said_of_one_folder_is_not_said_of_another_for_ever() {
    let before = scripted(numbered(11, (1..).zip(letters(0..100)).collect())).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&before), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    // Somebody lets the mailbox go on because of another folder; weeks later this one is renumbered.
    room.run("UPDATE folders SET unguarded = TRUE").await;
    room.round(id).await;
    let after = scripted(numbered(12, (1..).zip(letters(1000..1100)).collect())).await;
    room.moved_to(id, after.address.port()).await;
    let error = room.try_round(id).await.unwrap_err();
    assert!(matches!(error, RoundError::Doubtful { .. }), "{error}");
}

#[tokio::test]
async fn c23_a_target_that_is_the_folder_itself_does_not_send_a_message_round_for_ever() {
    let room = PostRoom::new().await;
    let mut inbox = scripted(numbered(11, vec![(1, letter(0))])).await;
    let id = room.connect(at(&inbox), vec![folder("INBOX", Move)]).await;
    let mut refused = None;
    for round in 2..10 {
        let summary = room.try_round(id).await.unwrap().remove(0);
        refused = summary.refused;
        if refused.is_some() {
            assert_eq!(round, 5, "it was moved three times");
            break;
        }
        // What was moved comes in again.
        inbox = scripted(numbered(11, vec![(round, letter(0))])).await;
        room.moved_to(id, inbox.address.port()).await;
    }
    assert!(refused.unwrap().contains("here again each time"));
    assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 1);
}
