//! Rounds that go on by themselves.

use crate::others::server;
use crate::post_room::{PostRoom, Server, folder, letter, letters};
use desk::mailbox::{self, MailboxChange, Phase, Rounds};
use desk::may::Actor;
use desk::people::NewUser;
use desk::seal::Secret;
use model::AfterFiling::{Leave, Move};
use model::Time;
use std::time::Duration;
use store::leases;
use sync::supervisor::Limits;
use sync::visit::{self, RoundError};
use testkit::dovecot::{Dovecot, Options};
use testkit::scripted::{ImapServer, Mailbox, Manner, Play, Step};
use tokio::net::TcpListener;

/// Long enough for a busy machine, and shorter than the patience with a server that is silent (120 s).
const SOON: Duration = Duration::from_secs(60);

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
async fn c25_servers_that_are_dead_silent_or_drip_delay_nobody_else() {
    let (dovecot, room) = (quick(), PostRoom::new().await);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let drip = |text: &str| Step::Drip(text.as_bytes().to_vec(), Duration::from_millis(300));
    let greeting = Play::start(vec![drip("* OK I come, by and by, ")]).await.unwrap();
    let ok = || Step::Say("{tag} OK done\r\n".into());
    let script = vec![
        Step::Say("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n".into()),
        Step::Hear("LIST"),
        Step::Say("* LIST () \"/\" INBOX\r\n".into()),
        ok(),
        Step::Hear("SELECT"),
        Step::Say("* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n".into()),
        ok(),
        Step::Hear("SEARCH"),
        Step::Say("* SEARCH 1\r\n".into()),
        ok(),
        Step::Hear("FETCH"),
        Step::Say("* 1 FETCH (UID 1 BODY[] {4000000}\r\n".into()),
        drip("Subject: for ever\r\n"),
    ];
    let body = Play::start(script).await.unwrap();
    let mut bad = Vec::new();
    let ports = [1, silent.local_addr().unwrap().port(), greeting.address.port(), body.address.port()];
    for port in ports.into_iter().chain((0..20).map(|_| body.address.port())) {
        let server = Server { host: "127.0.0.1", port, user: "carla", password: "x" };
        bad.push(room.connect(server, vec![folder("INBOX", Move)]).await);
    }
    let good = ["ann", "ben", "carla", "dana", "emil", "fero", "gita", "hugo", "iva", "jan"];
    for (number, user) in good.into_iter().enumerate() {
        dovecot.fill(user, "INBOX", letters(number * 10..number * 10 + 10)).unwrap();
        room.connect(server(&dovecot, user), vec![folder("INBOX", Move)]).await;
    }
    let serving = room.serve();
    println!("100 messages of ten mailboxes were filed after {:?}", room.filed(100, SOON).await);
    for (number, user) in good.into_iter().enumerate() {
        dovecot.deliver(user, "INBOX", letter(100 + number)).unwrap();
    }
    println!("and ten more after {:?}", room.filed(110, SOON).await);
    assert_eq!(serving.supervisor.state(bad[0]).unwrap().phase, Phase::Failed);
}

/// Connections that are open now.
fn open_connections(server: &ImapServer) -> usize {
    (0..).map_while(|number| server.recording(number)).filter(|recording| !recording.ended).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_more_mailboxes_than_one_server_takes_connections_share_them() {
    let room = PostRoom::new().await;
    let server =
        ImapServer::start(Mailbox::with_inbox(letters(0..1)), Manner::default(), Vec::new()).await.unwrap();
    let mut mailboxes = Vec::new();
    for user in ["ann", "ben", "carla", "dana", "emil", "fero"] {
        let place = Server { host: "127.0.0.1", port: server.address.port(), user, password: "x" };
        mailboxes.push(room.connect(place, vec![folder("INBOX", Leave)]).await);
    }
    let _serving = room.serve_within(Limits { connections_per_server: 2 });
    let began = std::time::Instant::now();
    while room.number("SELECT COUNT(*) FROM occurrences").await < mailboxes.len() as i64 {
        assert!(open_connections(&server) <= 2);
        assert!(began.elapsed() < SOON, "some mailboxes never had their turn");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(open_connections(&server) <= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_rounds_that_bring_nothing_are_written_down_together_and_tell_nobody() {
    let room = PostRoom::new().await;
    let quiet =
        ImapServer::start(Mailbox::with_inbox(letters(0..1)), Manner::default(), Vec::new()).await.unwrap();
    let place = Server { host: "127.0.0.1", port: quiet.address.port(), user: "ann", password: "x" };
    let id = room.connect(place, vec![folder("INBOX", Leave)]).await;
    let serving = room.serve();
    room.filed(1, SOON).await;
    while serving.supervisor.state(id).unwrap().phase != Phase::Idle {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let changes = room.number("SELECT MAX(id) FROM changes").await;
    for rounds in 2..5 {
        serving.supervisor.scan_now(id);
        while opened(&quiet) < rounds {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(room.number("SELECT MAX(id) FROM changes").await, changes);
    let before = room.number("SELECT last_success_at FROM mailboxes").await;
    serving.end().await;
    assert!(room.number("SELECT last_success_at FROM mailboxes").await > before, "the last one is not lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c18_a_mailbox_has_one_process_and_another_takes_over_when_that_one_is_gone() {
    let (dovecot, room) = (quick(), PostRoom::new().await);
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    let first = room.serve();
    dovecot.deliver("ann", "INBOX", letter(0)).unwrap();
    room.filed(1, SOON).await;
    let second = crate::post_room::serve(room.second().await, Limits::default());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(second.supervisor.state(id).unwrap().phase, Phase::Off, "the first one has it");
    first.end().await;
    second.supervisor.settings_changed(id);
    dovecot.deliver("ann", "INBOX", letter(1)).unwrap();
    room.filed(2, SOON).await;
    assert_eq!(room.number("SELECT epoch FROM leases").await, 2);
}

async fn sleeper(room: PostRoom) {
    let (dovecot, awake) = (Dovecot::start(), room.second().await);
    dovecot.fill("ann", "INBOX", letters(0..20)).unwrap();
    let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Move)]).await;
    let source = room.source(id).await;
    let taken = |holder: &'static str, now: i64| {
        let db = &room.desk().db;
        async move {
            let mut tx = db.begin().await.unwrap();
            leases::beat(&mut tx, holder, Time(now + 20)).await.unwrap();
            let leases = leases::take(&mut tx, holder, &[id], Time(now)).await.unwrap();
            tx.commit().await.unwrap();
            leases
        }
    };
    let first = taken("first", 0).await.remove(0);
    assert_eq!(taken("second", 10).await, [], "the first one is alive");
    let mut asleep = visit::begin(&room.receive.under(first), &source).await.unwrap();
    let second = taken("second", 21).await.remove(0);
    assert_eq!(second.epoch, first.epoch + 1);
    // The first one wakes in the middle of its round.
    let error = asleep.round(&|_, _, _| {}).await.unwrap_err();
    assert!(matches!(error, RoundError::Store(store::sql::Error::TakenOver)), "{error:?}");
    for table in ["occurrences", "messages", "blobs"] {
        assert_eq!(room.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 20);
    let mut visit = visit::begin(&awake.under(second), &source).await.unwrap();
    visit.round(&|_, _, _| {}).await.unwrap();
    room.has_each_once(id, 20).await;
    assert_eq!(dovecot.count("ann", "Processed").unwrap(), 20);
    // Nor does it settle: what is due now belongs to the second.
    dovecot.deliver("ann", "INBOX", letter(20)).unwrap();
    asleep.round(&|_, _, _| {}).await.unwrap_err();
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 1);
}

#[tokio::test]
async fn c18_a_process_that_slept_while_another_took_over_writes_and_moves_nothing() {
    sleeper(PostRoom::new().await).await;
}

#[tokio::test]
async fn c18_a_node_that_slept_while_another_took_over_writes_and_moves_nothing_on_postgresql() {
    sleeper(PostRoom::on_postgres().await).await;
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

/// Somebody to be told.
async fn administrator(room: &PostRoom) {
    let new = NewUser {
        login: "ann".into(),
        name: "Ann".into(),
        password: Secret::new("correct horse battery staple"),
        language: desk::people::Language::English,
        role: None,
        addresses: Vec::new(),
        teams: Vec::new(),
    };
    desk::people::set_up(room.desk(), new).await.unwrap();
}

/// What was told, oldest first, divided by spaces.
async fn told(room: &PostRoom) -> String {
    let rows =
        room.desk().db.query("SELECT kind FROM notifications ORDER BY id", store::params![]).await.unwrap();
    let kinds: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    kinds.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_c25_a_wrong_password_is_told_after_the_second_failure_and_only_once() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    administrator(&room).await;
    let wrong = Server { password: "not this one", ..server(&dovecot, "ann") };
    let id = room.connect(wrong, vec![folder("INBOX", Leave)]).await;
    let serving = room.serve();
    let began = std::time::Instant::now();
    let failures = "SELECT COUNT(*) FROM changes WHERE kind = 'mailbox' AND action = 'failed'";
    while room.number(failures).await < 3 {
        assert!(began.elapsed() < 4 * SOON, "it was not tried again");
        serving.supervisor.scan_now(id);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(told(&room).await, "mailbox_failed");
}

#[tokio::test]
async fn a14_silence_is_told_once_until_a_round_comes_to_its_end() {
    for room in [PostRoom::new().await, PostRoom::on_postgres().await] {
        administrator(&room).await;
        let dovecot = Dovecot::start();
        let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
        let long_ago = Time(room.desk().clock.now().0 - 2 * 3600 * 1_000_000);
        mailbox::rounds_succeeded(room.desk(), vec![(id, long_ago)]).await.unwrap();
        mailbox::tell_of_silence(room.desk(), room.desk().clock.now()).await.unwrap();
        assert_eq!(told(&room).await, "", "nobody looked before");
        for _ in 0..3 {
            mailbox::tell_of_silence(room.desk(), long_ago).await.unwrap();
        }
        assert_eq!(told(&room).await, "mailbox_silent");
        mailbox::round_succeeded(room.desk(), id).await.unwrap();
        mailbox::tell_of_silence(room.desk(), long_ago).await.unwrap();
        assert_eq!(told(&room).await, "mailbox_silent");
        mailbox::rounds_succeeded(room.desk(), vec![(id, long_ago)]).await.unwrap();
        mailbox::tell_of_silence(room.desk(), long_ago).await.unwrap();
        assert_eq!(told(&room).await, "mailbox_silent mailbox_silent", "another silence");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a21_a_guarded_mailbox_stops_is_told_of_and_goes_on_when_somebody_says_so() {
    let room = PostRoom::new().await;
    administrator(&room).await;
    let start = |uid_validity, numbers| {
        let mut mailbox = Mailbox::with_inbox(letters(numbers));
        mailbox.folders.get_mut("INBOX").unwrap().uid_validity = uid_validity;
        ImapServer::start(mailbox, Manner::default(), Vec::new())
    };
    let before = start(1, 0..40).await.unwrap();
    let place = Server { host: "127.0.0.1", port: before.address.port(), user: "ann", password: "x" };
    let id = room.connect(place, vec![folder("INBOX", Leave)]).await;
    room.round(id).await;
    let after = start(2, 100..140).await.unwrap();
    room.moved_to(id, after.address.port()).await;
    let serving = room.serve();
    while told(&room).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(told(&room).await, "mailbox_paused");
    room.has_each_once(id, 40).await;
    let state = mailbox::get(room.desk(), &Actor::machine(), id).await.unwrap();
    assert!(state.paused.unwrap().contains("guard_paused"));
    mailbox::resume(room.desk(), &Actor::machine(), id).await.unwrap();
    serving.supervisor.settings_changed(id);
    room.filed(80, SOON).await;
    room.has_each_once(id, 80).await;
}
