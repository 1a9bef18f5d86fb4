//! Rounds that go on by themselves.

use crate::others::server;
use crate::post_room::{PostRoom, Server, folder, letter, letters};
use desk::mailbox::{self, MailboxChange, Phase, Rounds};
use desk::may::Actor;
use model::AfterFiling::{Leave, Move};
use std::time::Duration;
use testkit::dovecot::{Dovecot, Options};
use testkit::scripted::{ImapServer, Mailbox, Manner};
use tokio::net::TcpListener;

const SOON: Duration = Duration::from_secs(10);

/// A Dovecot that tells of news quickly.
fn quick() -> Dovecot {
    let extra_config = "mailbox_idle_check_interval = 1 secs\n".to_owned();
    Dovecot::try_start(&Options { extra_config, ..Options::default() }).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_mail_is_filed_within_seconds_and_so_is_that_of_a_mailbox_added_later() {
    let (dovecot, room) = (quick(), PostRoom::new().await);
    room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    let serving = room.serve();
    dovecot.deliver("ann", "INBOX", letter(0)).unwrap();
    room.filed(1, SOON).await;
    for number in 1..4 {
        // Long enough to be idle again.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        dovecot.deliver("ann", "INBOX", letter(number)).unwrap();
        let took = room.filed(number as i64 + 1, SOON).await;
        println!("filed after {took:?}");
    }
    dovecot.fill("ben", "INBOX", letters(4..9)).unwrap();
    let ben = room.connect(server(&dovecot, "ben"), vec![folder("INBOX", Move)]).await;
    serving.supervisor.settings_changed(ben);
    let took = room.filed(9, SOON).await;
    println!("the new mailbox was read after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_dead_or_silent_delay_nobody_else() {
    let (dovecot, room) = (quick(), PostRoom::new().await);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut dead = Vec::new();
    for port in [1, silent.local_addr().unwrap().port()] {
        let server = Server { host: "127.0.0.1", port, user: "carla", password: "x" };
        dead.push(room.connect(server, vec![folder("INBOX", Move)]).await);
    }
    dovecot.fill("ann", "INBOX", letters(0..50)).unwrap();
    room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    let serving = room.serve();
    let took = room.filed(50, SOON).await;
    println!("50 messages were filed after {took:?}");
    dovecot.deliver("ann", "INBOX", letter(50)).unwrap();
    room.filed(51, SOON).await;
    let failed = serving.supervisor.state(dead[0]).unwrap();
    assert_eq!(failed.phase, Phase::Failed);
}

/// Rounds that were made over the first connection: how often a folder was opened.
fn opened(server: &ImapServer) -> usize {
    let bytes = server.recording(0).map(|recording| recording.bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).matches("* OK [UIDVALIDITY").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_of_two_folders_without_news_is_left_in_peace() {
    let room = PostRoom::new().await;
    let quiet =
        ImapServer::start(Mailbox::with_inbox(letters(0..2)), Manner::default(), Vec::new()).await.unwrap();
    let place = Server { host: "127.0.0.1", port: quiet.address.port(), user: "ann", password: "x" };
    room.connect(place, vec![folder("INBOX", Leave), folder("Processed", Leave)]).await;
    let _serving = room.serve();
    room.filed(2, SOON).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(opened(&quiet) <= 6, "folders were opened {} times within three seconds", opened(&quiet));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_chosen_later_is_read_at_once() {
    let (dovecot, room) = (quick(), PostRoom::new().await);
    dovecot.fill("ann", "Orders", letters(0..3)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    let serving = room.serve();
    dovecot.deliver("ann", "INBOX", letter(3)).unwrap();
    room.filed(1, SOON).await;
    let folders = Some(vec![folder("INBOX", Leave), folder("Orders", Leave), folder("Missing", Leave)]);
    let change = MailboxChange { folders, ..MailboxChange::default() };
    mailbox::change(room.desk(), &Actor::machine(), id, change).await.unwrap();
    serving.supervisor.settings_changed(id);
    room.filed(4, SOON).await;
    // The missing one keeps no other from being read.
    dovecot.deliver("ann", "INBOX", letter(4)).unwrap();
    serving.supervisor.scan_now(id);
    room.filed(5, SOON).await;
}
