//! Connections that break, and two that work at once.

use crate::others::server;
use crate::post_room::{PostRoom, Server, folder, letter, letters};
use desk::Desk;
use desk::clock::Clock;
use desk::receive::Receive;
use model::AfterFiling::{Leave, Move};
use model::Time;
use std::collections::HashMap;
use sync::visit;
use testkit::dovecot::Dovecot;
use testkit::scripted::{Cut, Fault, ImapServer, Mailbox, Manner};

const MAILS: usize = 6;

async fn scripted(manner: &Manner, faults: Vec<Fault>) -> ImapServer {
    ImapServer::start(Mailbox::with_inbox(letters(0..MAILS)), manner.clone(), faults).await.unwrap()
}

fn at<'a>(server: &ImapServer) -> Server<'a> {
    Server { host: "127.0.0.1", port: server.address.port(), user: "ann", password: "x" }
}

/// How often each body is in a folder.
fn bodies(server: &ImapServer, folder: &str) -> HashMap<Vec<u8>, usize> {
    let mut all = HashMap::new();
    for message in &server.mailbox().folders[folder].messages {
        *all.entry(message.body.clone()).or_default() += 1;
    }
    all
}

/// Cuts the first connection at every place where a line or literal ends; the second round has to
/// bring everything to its end.
async fn survives_every_cut(manner: Manner) {
    let whole = scripted(&manner, Vec::new()).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&whole), vec![folder("INBOX", Move)]).await;
    assert_eq!(room.round(id).await, (6, 6, 0, 0));
    let boundaries = whole.recording(0).unwrap().boundaries;
    assert!(boundaries.len() > 30, "{}", boundaries.len());
    for cut in boundaries.into_iter().flat_map(|place| [place - 1, place]) {
        let server = scripted(&manner, vec![Fault::Cut { at: cut, how: Cut::Fin }]).await;
        let room = PostRoom::new().await;
        let id = room.connect(at(&server), vec![folder("INBOX", Move)]).await;
        drop(room.try_round(id).await);
        room.try_round(id).await.unwrap();
        room.has_each_once(id, MAILS as i64).await;
        let (left, done) = (bodies(&server, "INBOX"), bodies(&server, "Processed"));
        let once: HashMap<_, _> = letters(0..MAILS).into_iter().map(|body| (body, 1)).collect();
        assert_eq!((left.len(), done), (0, once), "cut after {cut} bytes");
    }
}

#[tokio::test]
async fn a21_a_connection_cut_anywhere_loses_and_doubles_nothing() {
    survives_every_cut(Manner::default()).await;
}

#[tokio::test]
async fn c13_c14_a_connection_cut_between_copy_and_expunge_leaves_one_copy_in_the_processed_folder() {
    let capabilities = Manner::default().capabilities.replace(" MOVE", "");
    survives_every_cut(Manner { capabilities, ..Manner::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a21_two_processes_that_read_one_folder_at_once_keep_one_ledger() {
    two_processes(PostRoom::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a21_two_nodes_on_postgresql_that_read_one_folder_at_once_keep_one_ledger() {
    two_processes(PostRoom::on_postgres().await).await;
}

async fn two_processes(room: PostRoom) {
    let dovecot = Dovecot::start();
    let second = room.second().await;
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    let source = room.source(id).await;
    let mut total = 0;
    for _ in 0..6 {
        dovecot.fill("ann", "INBOX", letters(total..total + 40)).unwrap();
        total += 40;
        let one = async {
            let mut visit = visit::begin(&room.receive, &source).await.unwrap();
            visit.round(&|_, _, _| {}).await.unwrap();
        };
        let other = async {
            let mut visit = visit::begin(&second, &source).await.unwrap();
            // It sees more than the first.
            dovecot.deliver("ann", "INBOX", letter(100_000 + total)).unwrap();
            visit.round(&|_, _, _| {}).await.unwrap();
        };
        tokio::join!(one, other);
    }
    room.try_round(id).await.unwrap();
    room.has_each_once(id, total as i64 + 6).await;
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), total as u64 + 6);
}

#[tokio::test]
async fn c17_a_server_set_back_to_a_backup_gives_uids_out_twice_and_nothing_is_missed() {
    let before = scripted(&Manner::default(), Vec::new()).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&before), vec![folder("INBOX", Leave)]).await;
    assert_eq!(room.round(id).await, (6, 6, 0, 0));
    // The backup is older; what came since bears UIDs that others had.
    let restored = [letter(0), letter(1), letter(2), letter(10), letter(11)];
    let after =
        ImapServer::start(Mailbox::with_inbox(restored), Manner::default(), Vec::new()).await.unwrap();
    room.moved_to(id, after.address.port()).await;
    assert_eq!(room.round(id).await, (5, 2, 0, 0));
    room.has_each_once(id, 8).await;
    assert_eq!(room.round(id).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a21_a_cursor_that_passed_something_unkept_is_put_right_by_the_next_connection() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..9)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    room.run("DELETE FROM occurrences WHERE uid IN (3, 4, 9)").await;
    dovecot.expunge("ann", "INBOX", "UID 4").unwrap();
    assert_eq!(room.ledger(id).await.difference, 3);
    assert_eq!(room.round(id).await, (0, 2, 1, 0));
    let ledger = room.ledger(id).await;
    assert_eq!((ledger.seen, ledger.filed, ledger.vanished, ledger.difference), (9, 8, 1, 0));
}

#[tokio::test]
async fn a21_a_cursor_of_an_old_numbering_does_not_move_that_of_the_new_one() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..9)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    let stale = store::folders::read_folders(&mut &room.desk().db, id).await.unwrap().remove(0);
    dovecot.renumber("ann", "INBOX").unwrap();
    dovecot.expunge("ann", "INBOX", "UID 5:9").unwrap();
    room.round(id).await;
    // A round that began before the renumbering keeps what it fetched.
    room.receive.keep(&mut stale.clone(), &mut [], 500).await.unwrap();
    dovecot.fill("ann", "INBOX", letters(20..25)).unwrap();
    assert_eq!(room.round(id).await, (5, 5, 0, 0));
    room.has_each_once(id, 14).await;
}

#[tokio::test]
async fn c21_a_clock_that_jumps_by_years_decides_nothing() {
    const YEAR_S: i64 = 365 * 86_400;
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    let clock = Clock::fixed(Time(1_793_574_000_000_000));
    let receive = Receive::new(Desk { clock: clock.clone(), ..room.desk().clone() });
    let source = room.source(id).await;
    // A year ahead, a year before that was, an hour of summer, a second that leaps.
    for (number, jump) in [0, YEAR_S, -2 * YEAR_S, 3600, -3600, 1].into_iter().enumerate() {
        clock.advance_s(jump);
        dovecot.fill("ann", "INBOX", letters(number * 5..number * 5 + 5)).unwrap();
        let mut visit = visit::begin(&receive, &source).await.unwrap();
        let summary = visit.round(&|_, _, _| {}).await.unwrap().remove(0);
        assert_eq!((summary.seen, summary.filed, summary.quarantined), (5, 5, 0), "after {jump} s");
    }
    room.has_each_once(id, 30).await;
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), 30);
}
