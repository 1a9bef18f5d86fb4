//! Mailboxes received by POP3: what a break, a server or somebody else may do at every step.

use crate::post_room::{PostRoom, Server, folder, letter, letters};
use model::AfterFiling::Leave;
use model::MailboxId;
use std::collections::BTreeSet;
use testkit::by_hand::Hand;
use testkit::cyrus::{self, Cyrus};
use testkit::dovecot::{Dovecot, Options};
use testkit::scripted::{AtQuit, Cut, Fault, Maildrop, Pop3Manner, Pop3Server};

const MAILS: usize = 6;

/// When messages are deleted on the server.
#[derive(Clone, Copy, PartialEq)]
enum Delete {
    Never,
    AfterDays(i64),
}

async fn connect(room: &PostRoom, port: u16, delete: Delete) -> MailboxId {
    let server = Server { host: "127.0.0.1", port, user: "ann", password: "test" };
    let id = room.connect(server, vec![folder("INBOX", Leave)]).await;
    room.run(&format!("UPDATE mailboxes SET protocol = 'pop3' WHERE id = {}", id.0)).await;
    set(room, id, delete).await;
    id
}

async fn set(room: &PostRoom, id: MailboxId, delete: Delete) {
    let (on_server, days) = match delete {
        Delete::Never => (false, "NULL".to_owned()),
        Delete::AfterDays(days) => (true, days.to_string()),
    };
    room.run(&format!(
        "UPDATE mailboxes SET delete_on_server = {on_server}, delete_after_days = {days} WHERE id = {}",
        id.0
    ))
    .await;
}

async fn scripted(manner: &Pop3Manner, faults: Vec<Fault>) -> Pop3Server {
    Pop3Server::start(Maildrop::with(letters(0..MAILS)), manner.clone(), faults).await.unwrap()
}

/// A server without pipelining, so that it can be cut between any two messages.
fn plain() -> Pop3Manner {
    let capabilities = ["USER", "UIDL", "TOP"].map(Into::into).into();
    Pop3Manner { capabilities, ..Pop3Manner::default() }
}

fn dovecot() -> (Dovecot, u16) {
    let dovecot = Dovecot::start();
    let port = dovecot.pop3_port.expect("dovecot-pop3d is installed");
    (dovecot, port)
}

async fn on_each_database() -> [PostRoom; 2] {
    [PostRoom::new().await, PostRoom::on_postgres().await]
}

#[tokio::test]
async fn a5_pop3_mail_is_fetched_once_and_left_on_the_server() {
    for room in on_each_database().await {
        let (dovecot, port) = dovecot();
        dovecot.fill("ann", "INBOX", letters(0..300)).unwrap();
        let id = connect(&room, port, Delete::Never).await;
        assert_eq!(room.round(id).await, (300, 300, 0, 0));
        assert_eq!(room.round(id).await, (0, 0, 0, 0));
        dovecot.deliver("ann", "INBOX", letter(300)).unwrap();
        assert_eq!(room.round(id).await, (1, 1, 0, 0));
        room.has_each_once(id, 301).await;
        assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 301);
        let begun = room.number("SELECT COUNT(*) FROM mailboxes WHERE begun_at IS NOT NULL").await;
        assert_eq!(begun, 1, "a6: the protocol is locked now");
    }
}

#[tokio::test]
async fn a12_pop3_is_deleted_only_after_durable_storage_and_only_if_asked() {
    for room in on_each_database().await {
        let (dovecot, port) = dovecot();
        dovecot.fill("ann", "INBOX", letters(0..20)).unwrap();
        let id = connect(&room, port, Delete::Never).await;
        room.run("UPDATE mailboxes SET delete_after_days = 0").await;
        room.round(id).await;
        assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 20, "days without the switch delete nothing");
        set(&room, id, Delete::AfterDays(3)).await;
        room.round(id).await;
        assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 20, "nothing was kept for three days yet");
        let four_days = 4 * 24 * 60 * 60 * 1_000_000_i64;
        room.run(&format!("UPDATE occurrences SET kept_at = kept_at - {four_days} WHERE uid <= 12")).await;
        room.run("UPDATE occurrences SET state = 'quarantined', reason = 'test' WHERE uid = 5").await;
        room.round(id).await;
        assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 9, "what is not filed stays");
        let settled = "SELECT COUNT(*) FROM occurrences WHERE settle = 'moved'";
        assert_eq!(room.number(settled).await, 11);
        set(&room, id, Delete::AfterDays(0)).await;
        dovecot.deliver("ann", "INBOX", letter(20)).unwrap();
        assert_eq!(room.round(id).await, (1, 1, 0, 0));
        assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 1);
        room.run("UPDATE occurrences SET state = 'filed' WHERE uid = 5").await;
        room.has_each_once(id, 21).await;
    }
}

/// Cuts the first connection where a line ends, and a byte before and behind; the next rounds must bring all to its
/// end: each message once here, and on the server as asked.
async fn survives_every_cut(manner: Pop3Manner, delete: Delete) {
    let whole = scripted(&manner, Vec::new()).await;
    let room = PostRoom::new().await;
    let id = connect(&room, whole.address.port(), delete).await;
    assert_eq!(room.round(id).await, (6, 6, 0, 0));
    let boundaries = whole.recording(0).unwrap().boundaries;
    assert!(boundaries.len() > 40, "{}", boundaries.len());
    let cuts: BTreeSet<u64> =
        boundaries.into_iter().flat_map(|place| [place - 1, place, place + 1]).collect();
    for cut in cuts {
        let server = scripted(&manner, vec![Fault::Cut { at: cut, how: Cut::Fin }]).await;
        let room = PostRoom::new().await;
        let id = connect(&room, server.address.port(), delete).await;
        drop(room.try_round(id).await);
        let ledger = room.ledger(id).await;
        assert_eq!(ledger.quarantined, 0, "a short message was read, cut after {cut} bytes: {ledger:?}");
        room.try_round(id).await.unwrap();
        room.has_each_once(id, MAILS as i64).await;
        let left = server.maildrop().mails.len();
        assert_eq!(left, if delete == Delete::Never { MAILS } else { 0 }, "cut after {cut} bytes");
    }
}

#[tokio::test]
async fn p1_a_message_that_is_cut_short_is_thrown_away_and_read_again() {
    survives_every_cut(Pop3Manner::default(), Delete::Never).await;
}

#[tokio::test]
async fn p2_p3_a_connection_cut_anywhere_before_quit_is_answered_deletes_late_and_loses_nothing() {
    survives_every_cut(plain(), Delete::AfterDays(0)).await;
}

#[tokio::test]
async fn p3_p4_whatever_quit_did_the_next_list_decides() {
    use AtQuit::{KeepSilently, RefuseAll, RefuseSome, RemoveSilently};
    for (at_quit, left) in [(RemoveSilently, 0), (KeepSilently, 6), (RefuseAll, 6), (RefuseSome, 5)] {
        for room in on_each_database().await {
            let manner = Pop3Manner { at_quit, ..Pop3Manner::default() };
            let odd = scripted(&manner, Vec::new()).await;
            let id = connect(&room, odd.address.port(), Delete::AfterDays(0)).await;
            let first = room.try_round(id).await;
            let says_so = matches!(at_quit, RefuseAll | RefuseSome);
            assert_eq!(first.is_ok_and(|done| done[0].refused.is_some()), says_so, "{at_quit:?}");
            assert_eq!(odd.maildrop().mails.len(), left, "{at_quit:?}");
            assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE settle = 'moved'").await, 0);
            // The same maildrop on a server that works.
            let sound = Pop3Server::start(odd.maildrop(), Pop3Manner::default(), Vec::new()).await.unwrap();
            room.moved_to(id, sound.address.port()).await;
            assert_eq!(room.round(id).await, (0, 0, 0, 0));
            assert_eq!(sound.maildrop().mails.len(), 0, "{at_quit:?}");
            assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE settle = 'moved'").await, 6);
            room.has_each_once(id, MAILS as i64).await;
        }
    }
}

#[tokio::test]
async fn p4_a_server_that_never_deletes_is_asked_only_so_often() {
    let manner = Pop3Manner { at_quit: AtQuit::RefuseAll, ..Pop3Manner::default() };
    let (server, room) = (scripted(&manner, Vec::new()).await, PostRoom::new().await);
    let id = connect(&room, server.address.port(), Delete::AfterDays(0)).await;
    let source = room.source(id).await;
    let mut visit = sync::visit::begin(&room.receive, &source).await.unwrap();
    for _ in 0..25 {
        visit.round(&|_, _, _| {}).await.unwrap();
    }
    let asked = server.heard().iter().filter(|line| line.starts_with("DELE 1")).count();
    assert_eq!(asked, 20);
    assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE settle = 'failed'").await, 6);
}

#[tokio::test]
async fn p5_a21_uidl_change_of_a_whole_maildrop_brings_no_new_message_and_loses_none() {
    for room in on_each_database().await {
        // Two of them are the same.
        let mut mails = letters(0..40);
        mails.push(letter(7));
        let server =
            Pop3Server::start(Maildrop::with(mails), Pop3Manner::default(), Vec::new()).await.unwrap();
        let id = connect(&room, server.address.port(), Delete::Never).await;
        assert_eq!(room.round(id).await, (41, 41, 0, 0));
        let before = room.ledger(id).await;
        let mut renamed = server.maildrop().with_other_ids("new-");
        renamed.mails.extend(Maildrop::with([letter(90)]).with_other_ids("later-").mails);
        server.replace(renamed);
        let (seen, filed, skipped, quarantined) = room.round(id).await;
        assert_eq!((seen, filed, skipped, quarantined), (42, 1, 0, 0), "all are read again, one is new");
        let ledger = room.ledger(id).await;
        assert_eq!((ledger.seen, ledger.filed, ledger.difference), (before.seen + 1, before.filed + 1, 0));
        assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 41);
        assert_eq!(room.round(id).await, (0, 0, 0, 0));
    }
}

#[tokio::test]
async fn p5_a_maildrop_that_is_another_one_stops_and_asks() {
    let room = PostRoom::new().await;
    let server =
        Pop3Server::start(Maildrop::with(letters(0..40)), Pop3Manner::default(), Vec::new()).await.unwrap();
    let id = connect(&room, server.address.port(), Delete::Never).await;
    room.round(id).await;
    server.replace(Maildrop::with(letters(100..160)).with_other_ids("other-"));
    let error = room.try_round(id).await.unwrap_err();
    assert_eq!(error.trouble().code, "guard_paused", "{error}");
    room.has_each_once(id, 40).await;
}

#[tokio::test]
async fn p6_two_mails_of_one_unique_id_are_two_and_an_id_given_again_is_another_mail() {
    for room in on_each_database().await {
        let mut maildrop = Maildrop::with([letter(0), letter(0), letter(1)]);
        maildrop.mails[1].uidl = "id-1".into();
        let server = Pop3Server::start(maildrop, Pop3Manner::default(), Vec::new()).await.unwrap();
        let id = connect(&room, server.address.port(), Delete::Never).await;
        assert_eq!(room.round(id).await, (3, 3, 0, 0));
        assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE state = 'filed'").await, 3);
        assert_eq!(room.round(id).await, (0, 0, 0, 0));
        let mut less = server.maildrop();
        less.mails.remove(0);
        server.replace(less.clone());
        assert_eq!(room.round(id).await, (0, 0, 0, 0));
        // The id is free again, and the server gives it to another mail.
        less.mails.push(testkit::scripted::Mail { uidl: "id-1".into(), body: letter(2) });
        server.replace(less);
        assert_eq!(room.round(id).await, (1, 1, 0, 0));
        assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 3);
    }
}

#[tokio::test]
async fn p6_an_id_given_again_right_after_its_message_was_deleted_is_read_before_it_is_deleted() {
    use AtQuit::{Remove, RemoveSilently};
    for (at_quit, days) in [(Remove, 0), (RemoveSilently, 0), (Remove, 3)] {
        for room in on_each_database().await {
            let manner = Pop3Manner { at_quit, ..Pop3Manner::default() };
            let server = scripted(&manner, Vec::new()).await;
            let id = connect(&room, server.address.port(), Delete::AfterDays(0)).await;
            drop(room.try_round(id).await);
            assert_eq!(server.maildrop().mails.len(), 0, "{at_quit:?}");
            set(&room, id, Delete::AfterDays(days)).await;
            // The server counts from 1 again; the first is the one that was there before.
            let mails = [letter(0), letter(100), letter(101)];
            let sound =
                Pop3Server::start(Maildrop::with(mails), Pop3Manner::default(), Vec::new()).await.unwrap();
            room.moved_to(id, sound.address.port()).await;
            assert_eq!(room.round(id).await, (2, 2, 0, 0), "{at_quit:?}");
            assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, MAILS as i64 + 2);
            assert_eq!(room.ledger(id).await.difference, 0);
        }
    }
}

#[tokio::test]
async fn p7_a_server_without_uidl_is_read_only_where_mail_is_deleted_at_once() {
    for room in on_each_database().await {
        let manner = Pop3Manner { has_uidl: false, capabilities: Vec::new(), ..Pop3Manner::default() };
        let mut mails = letters(0..4);
        mails.push(letter(2));
        let at_quit = Pop3Manner { at_quit: AtQuit::KeepSilently, ..manner.clone() };
        let odd = Pop3Server::start(Maildrop::with(mails), at_quit, Vec::new()).await.unwrap();
        let id = connect(&room, odd.address.port(), Delete::Never).await;
        for delete in [Delete::Never, Delete::AfterDays(7)] {
            set(&room, id, delete).await;
            let error = room.try_round(id).await.unwrap_err();
            assert_eq!(error.trouble().code, "pop3_no_uidl", "{error}");
        }
        set(&room, id, Delete::AfterDays(0)).await;
        assert!(room.try_round(id).await.is_err(), "the answer to QUIT is lost");
        assert_eq!(room.number("SELECT COUNT(*) FROM occurrences WHERE state = 'filed'").await, 5);
        // Nothing was removed: the same five are known by their content, and one that came meanwhile is not.
        let mut maildrop = odd.maildrop();
        maildrop.mails.insert(1, testkit::scripted::Mail { uidl: String::new(), body: letter(9) });
        let sound = Pop3Server::start(maildrop, manner, Vec::new()).await.unwrap();
        room.moved_to(id, sound.address.port()).await;
        assert_eq!(room.round(id).await, (1, 1, 0, 0));
        assert_eq!(sound.maildrop().mails.len(), 0);
        let ledger = room.ledger(id).await;
        assert_eq!((ledger.seen, ledger.filed, ledger.difference), (6, 6, 0));
        assert_eq!(room.round(id).await, (0, 0, 0, 0));
    }
}

#[tokio::test]
async fn p8_a_maildrop_that_somebody_else_holds_is_left_to_them_and_read_later() {
    let room = PostRoom::new().await;
    for said in ["-ERR [IN-USE] Do you have another POP session running?", "-ERR maildrop already locked"] {
        let manner = Pop3Manner { refused_logins: (1, said.into()), ..Pop3Manner::default() };
        let server = Pop3Server::start(Maildrop::default(), manner, Vec::new()).await.unwrap();
        let id = connect(&room, server.address.port(), Delete::Never).await;
        let error = room.try_round(id).await.unwrap_err();
        let trouble = error.trouble();
        assert_eq!((trouble.stage.as_str(), trouble.code.as_str()), ("login", "in_use"), "{error}");
        let said: Vec<_> = server.heard();
        assert_eq!(said.iter().filter(|line| line.starts_with("PASS")).count(), 1, "no second try: {said:?}");
        assert_eq!(room.round(id).await, (0, 0, 0, 0));
    }
}

#[tokio::test]
async fn p8_dovecot_lets_nobody_else_in_and_the_round_after_reads_all() {
    let extra_config = "protocol pop3 {\n  pop3_lock_session = yes\n}\n".into();
    let dovecot = Dovecot::start_with(&Options { extra_config, ..Options::default() });
    let port = dovecot.pop3_port.unwrap();
    dovecot.fill("ann", "INBOX", letters(0..3)).unwrap();
    let room = PostRoom::new().await;
    let id = connect(&room, port, Delete::Never).await;
    let server = wire::Server::new("127.0.0.1", port, wire::Tls::None);
    let credentials = wire::Credentials::password("ann", "test");
    let held = wire::pop3::Session::connect(&server, &credentials).await.unwrap();
    let error = room.try_round(id).await.unwrap_err();
    assert_eq!(error.trouble().code, "in_use", "{error}");
    assert_eq!(held.quit().await, wire::pop3::Quit::Updated);
    assert_eq!(room.round(id).await, (3, 3, 0, 0));
}

#[tokio::test]
async fn p9_a_provider_that_hides_what_was_read_loses_nothing_here() {
    let manner = Pop3Manner { hides_what_was_read: true, ..Pop3Manner::default() };
    let (server, room) = (scripted(&manner, Vec::new()).await, PostRoom::new().await);
    let id = connect(&room, server.address.port(), Delete::Never).await;
    assert_eq!(room.round(id).await, (6, 6, 0, 0));
    assert_eq!(server.maildrop().mails.len(), 0);
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    room.has_each_once(id, 6).await;
}

#[tokio::test]
async fn p10_numbers_of_a_session_mean_nothing_to_the_next() {
    for room in on_each_database().await {
        let (server, room) = (scripted(&Pop3Manner::default(), Vec::new()).await, room);
        let id = connect(&room, server.address.port(), Delete::Never).await;
        room.round(id).await;
        // Others delete the first ones, mail comes, and the server sorts anew.
        let mut maildrop = server.maildrop();
        maildrop.mails.drain(0..2);
        maildrop.mails.extend(Maildrop::with(letters(10..12)).with_other_ids("x").mails);
        maildrop.mails.reverse();
        server.replace(maildrop);
        set(&room, id, Delete::AfterDays(7)).await;
        let old = "UPDATE occurrences SET kept_at = 0 WHERE uid = 4";
        room.run(old).await;
        assert_eq!(room.round(id).await, (2, 2, 0, 0));
        room.has_each_once(id, 8).await;
        let left: Vec<String> = server.maildrop().mails.into_iter().map(|mail| mail.uidl).collect();
        assert_eq!(left, ["xid-2", "xid-1", "id-6", "id-5", "id-3"], "exactly the old one is deleted");
    }
}

#[tokio::test]
async fn a21_a_pop3_message_that_is_listed_and_not_given_is_put_aside_in_the_end() {
    let manner = Pop3Manner { withheld: [2].into(), ..Pop3Manner::default() };
    let (server, room) = (scripted(&manner, Vec::new()).await, PostRoom::new().await);
    let id = connect(&room, server.address.port(), Delete::Never).await;
    for _ in 0..5 {
        assert_eq!(room.try_round(id).await.unwrap_err().trouble().code, "withheld");
    }
    set(&room, id, Delete::AfterDays(0)).await;
    let (_, _, _, quarantined) = room.round(id).await;
    assert_eq!(quarantined, 1);
    let ledger = room.ledger(id).await;
    assert_eq!((ledger.seen, ledger.filed, ledger.quarantined, ledger.difference), (6, 5, 1, 0));
    assert_eq!(server.maildrop().mails.len(), 1, "what could not be read stays on the server");
}

#[tokio::test]
async fn a21_pop3_mail_that_others_take_before_it_is_fetched_is_accounted_for() {
    let room = PostRoom::new().await;
    let cut = Fault::Cut { at: 260, how: Cut::Fin };
    let server = scripted(&plain(), vec![cut]).await;
    let id = connect(&room, server.address.port(), Delete::Never).await;
    assert!(room.try_round(id).await.is_err());
    let kept = room.number("SELECT COUNT(*) FROM occurrences").await;
    assert_eq!(room.ledger(id).await.seen, 6, "all are listed");
    let mut maildrop = server.maildrop();
    maildrop.mails.pop();
    server.replace(maildrop);
    let (_, filed, skipped, _) = room.round(id).await;
    assert_eq!((filed as i64, skipped), (5 - kept, 1));
    let ledger = room.ledger(id).await;
    assert_eq!((ledger.seen, ledger.filed, ledger.vanished, ledger.difference), (6, 5, 1, 0));
}

#[tokio::test]
async fn a9_the_test_of_a_pop3_mailbox_names_its_steps_and_what_is_odd_about_the_server() {
    let login = |port: u16| desk::mailbox::Login {
        protocol: model::Protocol::Pop3,
        host: "127.0.0.1".into(),
        port,
        tls: model::Tls::None,
        reach: model::Reach::Anywhere,
        allow_plain: false,
        username: "ann".into(),
        credential: desk::mailbox::Credential::Password(desk::seal::Secret::new("test")),
    };
    let (dovecot, port) = dovecot();
    dovecot.fill("ann", "INBOX", letters(0..3)).unwrap();
    let outcome = sync::test::test(login(port)).await;
    assert_eq!((outcome.trouble, outcome.notes.len()), (None, 0));
    assert_eq!((outcome.folders[0].name.as_str(), outcome.folders[0].messages), ("INBOX", 3));
    assert!(outcome.log.iter().any(|line| line.contains("UIDL")), "{:?}", outcome.log);
    assert!(!outcome.log.iter().any(|line| line.contains("RETR") || line.contains("DELE")));
    let manner = Pop3Manner { has_uidl: false, ..plain() };
    let manner = Pop3Manner { capabilities: vec!["USER".into()], ..manner };
    let server = scripted(&manner, Vec::new()).await;
    assert_eq!(sync::test::test(login(server.address.port())).await.notes, ["pop3_no_uidl"]);
}

#[tokio::test]
async fn a5_a12_a_maildrop_on_cyrus_is_read_after_scram_and_deleted_when_asked() {
    let (cyrus, room) = (Cyrus::start(), PostRoom::new().await);
    let mut hand = Hand::sign_in(cyrus.imap_port, "ann", cyrus::PASSWORD).unwrap();
    letters(0..40).iter().for_each(|letter| hand.append("INBOX", letter).unwrap());
    let id = connect(&room, cyrus.pop3_port, Delete::Never).await;
    let login = desk::mailbox::login(room.desk(), id).await.unwrap().unwrap();
    let tested = sync::test::test(login).await;
    assert_eq!((tested.trouble, tested.folders[0].messages), (None, 40));
    let said = tested.log.join("\n");
    assert!(said.contains("AUTH SCRAM-SHA-256") && !said.contains("PASS"), "{said}");
    assert_eq!(room.round(id).await, (40, 40, 0, 0));
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    hand.append("INBOX", letter(40)).unwrap();
    assert_eq!(room.round(id).await, (1, 1, 0, 0));
    assert_eq!(hand.count("INBOX").unwrap(), 41);
    set(&room, id, Delete::AfterDays(0)).await;
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
    assert_eq!(hand.count("INBOX").unwrap(), 0);
    room.has_each_once(id, 41).await;
}
