//! A whole session, broken at every line and literal boundary of the server's answers, and a byte before and
//! after each (reliability, C2-C4 and C12).

use std::collections::BTreeMap;
use std::time::Duration;

use testkit::scripted::{Cut, Fault, ImapServer, Mailbox, Manner, Recording};
use wire::imap::{Fetched, FolderName, IdleEvent, MoveError, Session, SessionError, UidSet};
use wire::{ConnectError, Credentials, Server, Timeouts, Tls};

/// Breaks tried at the same time.
const AT_ONCE: usize = 24;
const HANG: Duration = Duration::from_secs(60);

fn bodies() -> Vec<Vec<u8>> {
    let sly = b"Subject: sly\r\n\r\n)\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nabc)\r\nL9 OK done\r\n".to_vec();
    let large = [b"Subject: large\r\n\r\n".to_vec(), b"0123456789abcde\n".repeat(6_000)].concat();
    let no_line_end = b"Subject: last\r\n\r\nno line end".to_vec();
    vec![b"Subject: one\r\n\r\nfirst\r\n".to_vec(), Vec::new(), large, sly, b"\r\n".to_vec(), no_line_end]
}

fn server_at(server: &ImapServer, reply: Duration) -> Server {
    let mut at = Server::new("127.0.0.1", server.address.port(), Tls::None);
    at.timeouts = Timeouts { connect: Duration::from_secs(5), reply };
    at
}

#[derive(Debug)]
enum Failure {
    Connect(ConnectError),
    Session(SessionError),
    Move(Box<MoveError>),
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

impl From<Box<MoveError>> for Failure {
    fn from(e: Box<MoveError>) -> Self {
        Self::Move(e)
    }
}

/// What a run knows for certain.
#[derive(Debug, Default)]
struct Seen {
    complete: Vec<Fetched>,
    listed: bool,
    moved: bool,
    logging_out: bool,
}

/// The golden session: everything a round of ours does.
async fn round(server: &Server, seen: &mut Seen) -> Result<(), Failure> {
    let mut session = Session::connect(server, &Credentials::password("ann", "secret")).await?;
    let folders = session.list().await?;
    seen.listed = folders.iter().any(|f| f.wire_name == FolderName::inbox());
    session.status(&FolderName::encode("Processed")).await?;
    session.select(&FolderName::inbox(), false).await?;
    let uids = session.uid_search_from(1).await?;
    let mut fetch = session.fetch(&uids);
    while let Some(message) = fetch.next().await? {
        seen.complete.push(message);
    }
    let done: UidSet = seen.complete.iter().map(|m| m.uid).collect();
    session.uid_add_flags(&done, &["\\Seen"]).await?;
    let all_but_last: UidSet = done.iter().take(5).collect();
    session.uid_move(&all_but_last, &FolderName::encode("Processed")).await?;
    seen.moved = true;
    session.uid_search_from(1).await?;
    session.noop().await?;
    let event = session.idle(Duration::from_millis(20)).await?;
    assert_eq!(event, IdleEvent::Timeout);
    let copy = b"Subject: copy\r\n\r\n".to_vec();
    session.append(&FolderName::encode("Sent"), &["\\Seen"], Some(0), copy).await?;
    seen.logging_out = true;
    Ok(session.logout().await?)
}

fn mailbox() -> Mailbox {
    let mut mailbox = Mailbox::with_inbox(bodies());
    let sent = mailbox.folders["Processed"].clone();
    mailbox.folders.insert("Sent".into(), sent);
    mailbox
}

/// The sound session, for its boundaries.
async fn record(manner: &Manner) -> Recording {
    let server = ImapServer::start(mailbox(), manner.clone(), vec![]).await.unwrap();
    let mut seen = Seen::default();
    round(&server_at(&server, Duration::from_secs(5)), &mut seen).await.unwrap();
    assert!(seen.listed && seen.moved);
    check_complete(&seen, "sound");
    assert_eq!(seen.complete.len(), bodies().len());
    server.recording(0).unwrap()
}

/// Whole, right, and once.
fn check_complete(seen: &Seen, what: &str) {
    let bodies = bodies();
    let mut uids = UidSet::new();
    for message in &seen.complete {
        assert!(uids.insert(message.uid), "{what}: message {} came twice", message.uid);
        assert!(message.truncated.is_none());
        assert!(
            message.body == bodies[message.uid as usize - 1],
            "{what}: message {} is not whole",
            message.uid
        );
    }
}

/// One broken session, then a sound one that gets the rest.
async fn break_once(manner: Manner, fault: Fault, must_fail: bool, reply: Duration) {
    let what = format!("{fault:?}");
    let server = ImapServer::start(mailbox(), manner, vec![fault]).await.unwrap();
    let mut first = Seen::default();
    let outcome = tokio::time::timeout(HANG, round(&server_at(&server, reply), &mut first)).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("{what}: hangs"));
    check_complete(&first, &what);
    match &outcome {
        Ok(()) => assert!(!must_fail || first.logging_out, "{what}: not noticed"),
        Err(Failure::Connect(e)) => assert!(!e.message.is_empty() && !e.remedy.is_empty(), "{what}: {e:?}"),
        Err(Failure::Session(e)) => assert!(e.ends_session() || !must_fail, "{what}: {e}"),
        Err(Failure::Move(e)) => {
            assert!(e.error.ends_session() || !must_fail, "{what}: {e}");
            assert!(
                !e.error.ends_session() || !e.in_doubt.is_empty(),
                "{what}: the batch in flight is in doubt"
            );
        }
    }
    get_the_rest(&server, &first, &what).await;
}

async fn get_the_rest(server: &ImapServer, first: &Seen, what: &str) {
    let mut second = Seen::default();
    round(&server_at(server, Duration::from_secs(10)), &mut second)
        .await
        .unwrap_or_else(|e| panic!("{what}, then {e:?}"));
    check_complete(&second, what);
    let (before, after) = (uids(first), uids(&second));
    let all = UidSet::range(1, bodies().len() as u32);
    assert_eq!(before.union(&after), all, "{what}: something was never read");
    let mut kept: BTreeMap<Vec<u8>, i32> = BTreeMap::new();
    let mailbox = server.mailbox();
    for message in mailbox.folders["INBOX"].messages.iter().chain(&mailbox.folders["Processed"].messages) {
        *kept.entry(message.body.clone()).or_default() += 1;
    }
    assert!(
        kept.len() == bodies().len() && kept.values().all(|n| *n == 1),
        "{what}: lost or doubled on the server"
    );
}

fn uids(seen: &Seen) -> UidSet {
    seen.complete.iter().map(|m| m.uid).collect()
}

/// Breaks with all of the faults, some at a time.
async fn sweep(manner: &Manner, faults: Vec<(Fault, bool)>, reply: Duration) {
    let mut running = tokio::task::JoinSet::new();
    for (fault, must_fail) in faults {
        if running.len() >= AT_ONCE {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(break_once(manner.clone(), fault, must_fail, reply));
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

fn manners() -> [Manner; 2] {
    let odd = Manner {
        capabilities: "IMAP4rev1 AUTH=PLAIN UIDPLUS IDLE LITERAL-".into(),
        uid_after_body: true,
        flags_in_between: true,
        size_lie: 3,
        ..Manner::default()
    };
    [Manner::default(), odd]
}

#[tokio::test]
async fn imap_engine_survives_a_cut_at_every_line_and_literal_boundary() {
    // Without MOVE a cut between COPY and EXPUNGE leaves copies, which only a search of the target can tell:
    // that is the caller's part, so the odd server is swept up to its first COPY.
    let [plain, odd] = manners();
    for (manner, stops_at_copy) in [(plain, false), (odd, true)] {
        let recording = record(&manner).await;
        let copied = recording.bytes.windows(9).position(|w| w == b"[COPYUID ").map(|at| at as u64);
        let end = if stops_at_copy { copied.unwrap() - 20 } else { u64::MAX };
        let offsets: Vec<_> = offsets(&recording).into_iter().filter(|at| *at < end).collect();
        assert!(offsets.len() > 100, "{}", offsets.len());
        let cuts = |how| offsets.iter().map(move |at| (Fault::Cut { at: *at, how }, true));
        sweep(&manner, cuts(Cut::Fin).chain(cuts(Cut::Rst)).collect(), Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn imap_engine_survives_silence_at_every_line_and_literal_boundary() {
    let manner = Manner::default();
    let recording = record(&manner).await;
    let stalls = offsets(&recording).into_iter().map(|at| (Fault::Stall { at }, true)).collect();
    sweep(&manner, stalls, Duration::from_millis(400)).await;
}

#[tokio::test]
async fn imap_engine_survives_a_line_said_twice_and_a_wrong_byte_outside_of_messages() {
    for manner in manners() {
        let manner = Manner { capabilities: manner.capabilities + " MOVE", ..manner };
        let recording = record(&manner).await;
        let twice = recording.boundaries.iter().map(|at| (Fault::Duplicate { at: *at }, false));
        // A byte inside of a literal is the message's own and cannot be told from a right one.
        // Nor is a capability that got lost an error: without MOVE and UIDPLUS moved messages stay, flagged.
        let capabilities = lines_with(&recording, b"* CAPABILITY ");
        let outside = (0..recording.bytes.len() as u64)
            .filter(|at| !recording.is_in_literal(*at) && !capabilities.iter().any(|line| line.contains(at)));
        let wrong = outside.step_by(3).map(|at| (Fault::Garbage { at, byte: 7 }, false));
        sweep(&manner, twice.chain(wrong).collect(), Duration::from_millis(400)).await;
    }
}

/// Offsets of all lines that begin like this.
fn lines_with(recording: &Recording, beginning: &[u8]) -> Vec<std::ops::Range<u64>> {
    let starts = std::iter::once(0).chain(recording.boundaries.iter().copied());
    let lines = starts.zip(recording.boundaries.iter().copied());
    lines
        .filter(|(from, _)| recording.bytes[*from as usize..].starts_with(beginning))
        .map(|(from, to)| from..to)
        .collect()
}

#[tokio::test]
async fn a_session_in_small_pieces_is_the_same_session() {
    for manner in manners() {
        for bytes in [1, 3, 1000] {
            let server =
                ImapServer::start(mailbox(), manner.clone(), vec![Fault::Pieces { bytes }]).await.unwrap();
            let mut seen = Seen::default();
            round(&server_at(&server, Duration::from_secs(10)), &mut seen).await.unwrap();
            check_complete(&seen, "in pieces");
            assert_eq!(seen.complete.len(), bodies().len());
            let mismatched = seen.complete.iter().filter(|m| m.size_mismatch).count();
            assert_eq!(mismatched, if manner.size_lie == 0 { 0 } else { bodies().len() });
        }
    }
}
