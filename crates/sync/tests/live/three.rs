//! The same stories on Dovecot, Cyrus and Courier: what holds on one server only is no fact.

use crate::post_room::{PostRoom, Server, folder, letter, letters};
use desk::mailbox::{self, FolderChoice, Rounds};
use model::AfterFiling::{Leave, MarkRead, Move};
use model::{MailboxId, OccurrenceId};
use std::any::Any;
use std::cell::{RefCell, RefMut};
use std::time::Duration;
use testkit::by_hand::Hand;
use testkit::courier::Courier;
use testkit::cyrus::{self, Cyrus};
use testkit::dovecot::{Dovecot, Options};

/// One of the three, with Ann's mailbox on it.
struct Three {
    _server: Box<dyn Any>,
    is_courier: bool,
    port: u16,
    /// Another program of hers.
    hand: RefCell<Hand>,
}

impl Three {
    fn dovecot() -> Three {
        // It tells of news quickly.
        let extra_config = "mailbox_idle_check_interval = 1 secs\n".to_owned();
        let dovecot = Dovecot::start_with(&Options { extra_config, ..Options::default() });
        Three::new(dovecot.imap_port, false, dovecot)
    }

    fn cyrus() -> Three {
        let cyrus = Cyrus::start();
        Three::new(cyrus.imap_port, false, cyrus)
    }

    fn courier() -> Three {
        let courier = Courier::start();
        Three::new(courier.imap_port, true, courier)
    }

    fn new(port: u16, is_courier: bool, server: impl Any) -> Three {
        let hand = RefCell::new(Hand::sign_in(port, "ann", cyrus::PASSWORD).unwrap());
        Three { _server: Box::new(server), is_courier, port, hand }
    }

    fn server(&self) -> Server<'_> {
        Server { host: "127.0.0.1", port: self.port, user: "ann", password: cyrus::PASSWORD }
    }

    fn hand(&self) -> RefMut<'_, Hand> {
        self.hand.borrow_mut()
    }

    /// A folder beside INBOX as this server names it.
    fn beside(&self, name: &str) -> String {
        if self.is_courier { format!("INBOX.{name}") } else { name.to_owned() }
    }

    fn fill(&self, folder: &str, numbers: std::ops::Range<usize>) {
        let mut hand = self.hand();
        letters(numbers).iter().for_each(|letter| hand.append(folder, letter).unwrap());
    }

    /// How many messages are in INBOX and in a folder beside it.
    fn counts(&self, beside: &str) -> (u64, u64) {
        let mut hand = self.hand();
        (hand.count("INBOX").unwrap(), hand.count(&self.beside(beside)).unwrap())
    }

    /// Removes messages of INBOX by their sequence numbers.
    fn expunge(&self, numbers: &str) {
        let mut hand = self.hand();
        hand.command("SELECT INBOX").unwrap();
        hand.command(&format!("STORE {numbers} +FLAGS (\\Deleted)")).unwrap();
        hand.command("EXPUNGE").unwrap();
    }

    fn unseen(&self) -> usize {
        let mut hand = self.hand();
        hand.command("SELECT INBOX").unwrap();
        let found = hand.command("SEARCH UNSEEN").unwrap();
        let numbers = found.iter().find_map(|line| line.strip_prefix("* SEARCH"));
        numbers.unwrap_or_default().split_whitespace().count()
    }

    async fn connect(&self, room: &PostRoom, folders: Vec<FolderChoice>) -> MailboxId {
        room.connect(self.server(), folders).await
    }
}

/// Each story as a test on each of the three.
macro_rules! on_three {
    ($($story:ident: $dovecot:ident, $cyrus:ident, $courier:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $dovecot() {
            $story(Three::dovecot(), PostRoom::new().await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $cyrus() {
            $story(Three::cyrus(), PostRoom::new().await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $courier() {
            $story(Three::courier(), PostRoom::new().await).await;
        }
    )*};
}

on_three! {
    moved:
        a5_filed_mail_is_moved_into_a_folder_that_is_made_on_dovecot,
        a5_filed_mail_is_moved_into_a_folder_that_is_made_on_cyrus,
        a5_filed_mail_is_moved_into_a_folder_that_is_made_on_courier;
    marked_or_left:
        a5_filed_mail_is_marked_read_or_left_on_dovecot,
        a5_filed_mail_is_marked_read_or_left_on_cyrus,
        a5_filed_mail_is_marked_read_or_left_on_courier;
    large_and_empty:
        a5_large_and_empty_messages_come_back_byte_by_byte_from_dovecot,
        a5_large_and_empty_messages_come_back_byte_by_byte_from_cyrus,
        a5_large_and_empty_messages_come_back_byte_by_byte_from_courier;
    odd_names:
        a5_folders_of_odd_names_are_listed_and_read_on_dovecot,
        a5_folders_of_odd_names_are_listed_and_read_on_cyrus,
        a5_folders_of_odd_names_are_listed_and_read_on_courier;
    renumbered:
        c16_a_renumbered_folder_brings_no_new_message_and_loses_none_on_dovecot,
        c16_a_renumbered_folder_brings_no_new_message_and_loses_none_on_cyrus,
        c16_a_renumbered_folder_brings_no_new_message_and_loses_none_on_courier;
    news:
        a5_new_mail_is_filed_while_the_rounds_run_on_dovecot,
        a5_new_mail_is_filed_while_the_rounds_run_on_cyrus,
        a5_new_mail_is_filed_while_the_rounds_run_on_courier;
    gone_meanwhile:
        c22_mail_that_others_take_away_meanwhile_is_accounted_for_on_dovecot,
        c22_mail_that_others_take_away_meanwhile_is_accounted_for_on_cyrus,
        c22_mail_that_others_take_away_meanwhile_is_accounted_for_on_courier;
}

async fn moved(server: Three, room: PostRoom) {
    server.fill("INBOX", 0..130);
    let mut choice = folder("INBOX", Move);
    choice.processed_folder = Some("Hotovo & vyřízeno".into());
    let id = server.connect(&room, vec![choice]).await;
    assert_eq!(room.round(id).await, (130, 130, 0, 0));
    assert_eq!(server.counts("Hotovo &- vy&AVkA7Q-zeno"), (0, 130));
    server.fill("INBOX", 130..133);
    assert_eq!(room.round(id).await, (3, 3, 0, 0));
    assert_eq!(server.counts("Hotovo &- vy&AVkA7Q-zeno"), (0, 133));
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    room.has_each_once(id, 133).await;
}

async fn marked_or_left(server: Three, room: PostRoom) {
    server.fill("INBOX", 0..4);
    let id = server.connect(&room, vec![folder("INBOX", Leave)]).await;
    assert_eq!(room.round(id).await, (4, 4, 0, 0));
    assert_eq!(server.unseen(), 4, "reading leaves no trace");
    room.run("UPDATE folders SET after_filing = 'mark_read'").await;
    server.fill("INBOX", 4..7);
    assert_eq!(room.round(id).await, (3, 3, 0, 0));
    assert_eq!(server.unseen(), 4, "what was filed before the change stays as it was");
    assert_eq!(folder("INBOX", MarkRead).processed_folder, None);
    assert_eq!(server.hand().count("INBOX").unwrap(), 7);
    room.has_each_once(id, 7).await;
}

async fn large_and_empty(server: Three, room: PostRoom) {
    let mut large = letter(0);
    let line = b"0123456789 abcdefghijklmnopqrstuvwxyz \xc5\x99\xed\xff 0123456789\r\n";
    large.extend(line.iter().cycle().take(line.len() * 100_000));
    let bare = b"Subject: nothing else\r\n\r\n".to_vec();
    for message in [&large, &bare, &letter(1)] {
        server.hand().append("INBOX", message).unwrap();
    }
    let id = server.connect(&room, vec![folder("INBOX", Leave)]).await;
    assert_eq!(room.round(id).await, (3, 3, 0, 0));
    for (occurrence, message) in (1..).zip([large, bare, letter(1)]) {
        let kept = desk::bytes::of_occurrence(&mut &room.desk().db, OccurrenceId(occurrence)).await.unwrap();
        assert!(kept.unwrap() == message, "message {occurrence} is another one");
    }
    assert_eq!(room.ledger(id).await.difference, 0);
}

async fn odd_names(server: Three, room: PostRoom) {
    // As they go over the wire, and as people see them.
    let names = [
        ("Do&AWE-l&AOE- po&AWE-ta", "Došlá pošta"),
        ("A &- B (1) [2] 100", "A & B (1) [2] 100"),
        ("&Xnh5jw-", "幸福"),
        ("two  spaces'", "two  spaces'"),
    ];
    let mut choices = Vec::new();
    for (number, (wire, name)) in names.into_iter().enumerate() {
        server.hand().command(&format!("CREATE \"{}\"", server.beside(wire))).unwrap();
        server.hand().append(&server.beside(wire), letter(number)).unwrap();
        choices.push(folder(&server.beside(name), Leave));
    }
    let login = mailbox::login(room.desk(), server.connect(&room, choices).await).await.unwrap().unwrap();
    let outcome = sync::test::test(login).await;
    for (_, name) in names {
        let name = server.beside(name);
        assert!(outcome.folders.iter().any(|folder| folder.name == name), "{name}: {:?}", outcome.folders);
    }
    let id = MailboxId(room.number("SELECT MAX(id) FROM mailboxes").await);
    let summaries = room.try_round(id).await.unwrap();
    assert_eq!(summaries.iter().map(|summary| summary.filed).collect::<Vec<_>>(), [1; 4]);
    assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 4);
}

async fn renumbered(server: Three, room: PostRoom) {
    let orders = server.beside("Orders");
    server.hand().command(&format!("CREATE {orders}")).unwrap();
    server.fill(&orders, 0..30);
    let id = server.connect(&room, vec![folder(&orders, Leave)]).await;
    assert_eq!(room.round(id).await, (30, 30, 0, 0));
    let before = room.number("SELECT uidvalidity FROM folders WHERE listed <> ''").await;
    // Courier numbers by the second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.hand().renumber(&orders).unwrap();
    server.fill(&orders, 30..32);
    room.try_round(id).await.unwrap();
    assert_ne!(room.number("SELECT uidvalidity FROM folders WHERE listed <> ''").await, before);
    room.has_each_once(id, 32).await;
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
}

async fn news(server: Three, room: PostRoom) {
    let soon = Duration::from_secs(90);
    let id = server.connect(&room, vec![folder("INBOX", Move)]).await;
    let serving = room.serve();
    for number in 0..3 {
        server.fill("INBOX", number..number + 1);
        // Courier is asked once a minute; here somebody presses the button.
        if server.is_courier {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            serving.supervisor.scan_now(id);
        }
        room.filed(number as i64 + 1, soon).await;
    }
}

async fn gone_meanwhile(server: Three, room: PostRoom) {
    server.fill("INBOX", 0..20);
    let id = server.connect(&room, vec![folder("INBOX", Leave)]).await;
    assert_eq!(room.round(id).await, (20, 20, 0, 0));
    server.expunge("3:7");
    // This one comes and goes while nobody looks.
    server.fill("INBOX", 20..21);
    server.expunge("16");
    server.fill("INBOX", 21..22);
    assert_eq!(room.round(id).await, (1, 1, 0, 0));
    // Filed and due, and then taken away by somebody else.
    room.run("UPDATE folders SET after_filing = 'move', processed_folder = 'Processed'").await;
    room.run("UPDATE occurrences SET settle = 'due'").await;
    server.expunge("1:2");
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    assert_eq!(server.counts("Processed"), (0, 14));
    room.has_each_once(id, 21).await;
}
