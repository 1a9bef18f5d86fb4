//! A whole session, broken at every line of the server's answers, and a byte before and after each (P1, P3).

use std::time::Duration;

use testkit::scripted::{Cut, Fault, Maildrop, Pop3Manner, Pop3Server, Recording};
use wire::pop3::{Quit, Session, SessionError};
use wire::{ConnectError, Credentials, Server, Timeouts, Tls};

/// Breaks tried at the same time.
const AT_ONCE: usize = 24;
const HANG: Duration = Duration::from_secs(60);

fn bodies() -> Vec<Vec<u8>> {
    let sly = b"Subject: sly\r\n\r\n.\r\n..\r\n+OK\r\n-ERR no\r\n.\r\n".to_vec();
    let large = [b"Subject: large\r\n\r\n".to_vec(), b"0123456789abcd\r\n".repeat(6_000)].concat();
    vec![b"Subject: one\r\n\r\nfirst\r\n".to_vec(), b"\r\n".to_vec(), large, sly]
}

fn server_at(server: &Pop3Server, reply: Duration) -> Server {
    let mut at = Server::new("127.0.0.1", server.address.port(), Tls::None);
    at.timeouts = Timeouts { connect: Duration::from_secs(5), reply };
    at
}

#[derive(Debug)]
enum Failure {
    Connect(ConnectError),
    Session(SessionError),
    Quit(Quit),
}

impl From<ConnectError> for Failure {
    fn from(e: ConnectError) -> Self {
        Self::Connect(e)
    }
}

impl From<SessionError> for Failure {
    fn from(e: SessionError) -> Self {
        Self::Session(e)
    }
}

/// What a run knows for certain.
#[derive(Debug, Default)]
struct Seen {
    complete: Vec<(u32, Vec<u8>)>,
    marked: bool,
    updated: bool,
}

/// The golden session: everything a round of ours does.
async fn round(server: &Server, seen: &mut Seen) -> Result<(), Failure> {
    let mut session = Session::connect(server, &Credentials::password("ann", "secret")).await?;
    let messages = session.stat().await?.messages;
    let ids = session.uidl().await?;
    assert_eq!(ids.len(), messages as usize, "a list that was cut short is no list");
    session.list().await?;
    if messages > 0 {
        session.top(1, 0).await?;
    }
    let mut letters = session.retrieve(ids.iter().map(|(number, _)| *number));
    while let Some(letter) = letters.next().await? {
        assert_eq!(letter.refused, None);
        seen.complete.push((letter.number, letter.body));
    }
    let numbers: Vec<u32> = seen.complete.iter().map(|(number, _)| *number).collect();
    assert!(session.delete(&numbers).await?.is_empty());
    seen.marked = true;
    match session.quit().await {
        Quit::Updated => seen.updated = true,
        quit => return Err(Failure::Quit(quit)),
    }
    Ok(())
}

/// The sound session, for its boundaries.
async fn record(manner: &Pop3Manner) -> Recording {
    let server = Pop3Server::start(Maildrop::with(bodies()), manner.clone(), vec![]).await.unwrap();
    let mut seen = Seen::default();
    round(&server_at(&server, Duration::from_secs(5)), &mut seen).await.unwrap();
    assert_eq!(seen.complete.len(), bodies().len());
    assert!(seen.updated && server.maildrop().mails.is_empty());
    server.recording(0).unwrap()
}

/// One broken session, then a sound one that gets the rest.
async fn break_once(manner: Pop3Manner, fault: Fault, reply: Duration) {
    let what = format!("{fault:?}");
    let server = Pop3Server::start(Maildrop::with(bodies()), manner, vec![fault]).await.unwrap();
    let mut first = Seen::default();
    let outcome = tokio::time::timeout(HANG, round(&server_at(&server, reply), &mut first)).await;
    match outcome.unwrap_or_else(|_| panic!("{what}: hangs")) {
        Ok(()) => panic!("{what}: not noticed"),
        Err(Failure::Connect(e)) => assert!(!e.message.is_empty() && !e.remedy.is_empty(), "{what}: {e:?}"),
        Err(Failure::Session(e)) => assert!(e.ends_session(), "{what}: {e}"),
        Err(Failure::Quit(quit)) => assert!(matches!(quit, Quit::Lost(_)), "{what}: {quit:?}"),
    }
    for (number, body) in &first.complete {
        assert!(*body == bodies()[*number as usize - 1], "{what}: message {number} is not whole");
    }
    let left = server.maildrop().mails.len();
    assert!(left == bodies().len() || (left == 0 && first.marked), "{what}: removed before QUIT");
    let mut second = Seen::default();
    let sound = round(&server_at(&server, Duration::from_secs(10)), &mut second).await;
    sound.unwrap_or_else(|e| panic!("{what}, then {e:?}"));
    assert_eq!(second.complete.len(), left, "{what}: something was never read");
}

async fn sweep(manner: &Pop3Manner, faults: Vec<Fault>, reply: Duration) {
    assert!(faults.len() > 100, "{}", faults.len());
    let mut running = tokio::task::JoinSet::new();
    for fault in faults {
        if running.len() >= AT_ONCE {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(break_once(manner.clone(), fault, reply));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

/// Every boundary and a byte before and after it.
fn offsets(recording: &Recording) -> Vec<u64> {
    let end = recording.bytes.len() as u64;
    let near = |b: &u64| [b.saturating_sub(1), *b, b + 1];
    let mut all: Vec<_> = recording.boundaries.iter().flat_map(near).filter(|at| *at < end).collect();
    all.push(0);
    all.sort_unstable();
    all.dedup();
    all
}

fn manners() -> [Pop3Manner; 2] {
    let old = Pop3Manner { capabilities: Vec::new(), ..Pop3Manner::default() };
    [Pop3Manner::default(), old]
}

#[tokio::test]
async fn p1_pop3_engine_survives_a_cut_at_every_line() {
    for manner in manners() {
        let offsets = offsets(&record(&manner).await);
        let cuts = |how| offsets.iter().map(move |at| Fault::Cut { at: *at, how });
        sweep(&manner, cuts(Cut::Fin).chain(cuts(Cut::Rst)).collect(), Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn p1_pop3_engine_survives_silence_at_every_line() {
    let manner = Pop3Manner::default();
    let stalls = offsets(&record(&manner).await).into_iter().map(|at| Fault::Stall { at }).collect();
    sweep(&manner, stalls, Duration::from_millis(400)).await;
}

#[tokio::test]
async fn a_wrong_byte_anywhere_neither_hangs_nor_panics() {
    let manner = Pop3Manner::default();
    let recording = record(&manner).await;
    let outside = (0..recording.bytes.len() as u64).filter(|at| *at < 600 || at % 4999 == 0);
    let mut running = tokio::task::JoinSet::new();
    for at in outside.step_by(3) {
        if running.len() >= AT_ONCE {
            running.join_next().await.unwrap().unwrap();
        }
        let manner = manner.clone();
        running.spawn(async move {
            let fault = Fault::Garbage { at, byte: 7 };
            let server = Pop3Server::start(Maildrop::with(bodies()), manner, vec![fault]).await.unwrap();
            let at = server_at(&server, Duration::from_millis(400));
            let mut seen = Seen::default();
            let task = tokio::spawn(async move {
                let _ = round(&at, &mut seen).await;
            });
            // The golden session's own assertions may fail: a wrong byte in a list is a wrong list.
            if let Err(error) = tokio::time::timeout(HANG, task).await.expect("it hangs") {
                let panic = error.into_panic();
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                assert!(text.contains("left") || text.contains("assertion"), "{text}");
            }
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_session_in_small_pieces_is_the_same_session() {
    for manner in manners() {
        for bytes in [1, 3, 1000] {
            let maildrop = Maildrop::with(bodies());
            let server =
                Pop3Server::start(maildrop, manner.clone(), vec![Fault::Pieces { bytes }]).await.unwrap();
            let mut seen = Seen::default();
            round(&server_at(&server, Duration::from_secs(10)), &mut seen).await.unwrap();
            let complete: Vec<_> = seen.complete.into_iter().map(|(_, body)| body).collect();
            assert!(complete == bodies());
        }
    }
}
