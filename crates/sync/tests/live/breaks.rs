//! The wire to a real Dovecot breaks, everywhere and in every way: each broken round is followed by one over a
//! sound wire, after which each message is there once, whole, and settled.
//!
//! What is promised of a wire that changes bytes: in TLS the connection ends, and all is as if it had been cut. In
//! clear nobody can see that a letter of a mail is another one, or the number it is listed under; there the promise
//! is that nothing hangs, nothing is half, nothing leaves the server, and the ledger is right about what was said.
//! A list of capabilities that lost its end is that of a simpler server: what was moved is copied there, and the
//! original stays, flagged `\Deleted`.

use crate::post_room::{PostRoom, Server, folder, letters};
use model::AfterFiling::Move;
use model::{MailboxId, OccurrenceId};
use std::sync::Arc;
use std::time::Duration;
use sync::round::ImapVisit;
use sync::source;
use sync::visit::{RoundError, Visit};
use testkit::dovecot::Dovecot;
use testkit::proxy::{At, Break, Conversation, Proxy, Toward};
use tokio::sync::Semaphore;
use wire::{Tls, Trust};

const MAILS: usize = 3;
/// Runs side by side: most of them wait.
const SIDE_BY_SIDE: usize = 16;
/// Random places that are broken in each way.
const PLACES: usize = 200;
/// Patience of a client whose wire is broken.
const PATIENCE: Duration = Duration::from_millis(250);
/// Slower than 64 bytes a second.
const DRIP: Duration = Duration::from_millis(25);
/// However broken: a round comes to an end in this time.
const END: Duration = Duration::from_secs(60);

/// What may have become of the mails afterwards.
#[derive(Clone, Copy, PartialEq)]
enum Promise {
    /// Each is there once, byte by byte.
    Exact,
    /// As `Exact`, but the originals stayed, flagged `\Deleted`.
    Flagged,
    /// Nothing is half, nothing left the server; what is there twice is flagged where it was.
    Whole,
}

struct Sweep {
    room: PostRoom,
    dovecot: Dovecot,
    tls: bool,
}

/// Numbers that look random and are always the same (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) as usize % sides
    }
}

impl Sweep {
    fn new(room: PostRoom, tls: bool) -> Sweep {
        Sweep { room, dovecot: Dovecot::start(), tls }
    }

    /// One mailbox that nobody has read yet: a round that breaks, then a sound one. Gives what went over the first
    /// connection.
    async fn run(&self, number: usize, broken: Option<Break>, promise: Promise) -> Conversation {
        let user = format!("u{number:05}");
        let mut mails = letters(number * MAILS..(number + 1) * MAILS);
        mails.sort();
        self.dovecot.fill(&user, "INBOX", &mails).unwrap();
        let port = if self.tls { self.dovecot.imaps_port } else { self.dovecot.imap_port };
        let proxy = Proxy::start(port, vec![broken]).await.unwrap();
        let (port, password) = (proxy.address.port(), self.dovecot.password.as_str());
        let server = Server { host: "127.0.0.1", port, user: &user, password };
        let id = self.room.connect(server, vec![folder("INBOX", Move)]).await;
        // A sound wire is not to seem broken because the machine is busy.
        let patience = if broken.is_some() { PATIENCE } else { END };
        let first = tokio::time::timeout(END, self.round(id, patience)).await;
        let first = first.unwrap_or_else(|_| panic!("{broken:?} did not come to an end"));
        // What was garbled may be understood as something that has to be looked into, in a round of its own.
        let rounds = if promise == Promise::Exact { 1 } else { 3 };
        let mut last = Err(RoundError::SetUp(anyhow::anyhow!("no round yet")));
        for _ in 0..rounds {
            last = self.round(id, END).await;
        }
        last.unwrap_or_else(|error| panic!("{broken:?} ({first:?}): the last round: {error}"));
        self.look(id, &user, &mails, promise, broken).await;
        proxy.conversation(0)
    }

    async fn round(&self, id: MailboxId, patience: Duration) -> Result<(), RoundError> {
        let source = self.room.source(id).await;
        let (mut server, credentials) = source::server_of(self.room.desk(), &source).await?;
        (server.timeouts.reply, server.timeouts.connect) = (patience, 4 * patience);
        if self.tls {
            (server.tls, server.trust) = (Tls::Implicit, Trust::Only(self.dovecot.ca_pem.clone()));
        }
        let mut visit = ImapVisit::begin_at(&self.room.receive, &source, server, &credentials).await?;
        visit.round(&|_, _, _| {}).await.map(drop)
    }

    async fn look(
        &self,
        id: MailboxId,
        user: &str,
        mails: &[Vec<u8>],
        promise: Promise,
        broken: Option<Break>,
    ) {
        let ledger = self.room.ledger(id).await;
        assert_eq!((ledger.waiting, ledger.difference), (0, 0), "{broken:?}: {ledger:?}");
        let kept = self.kept(id).await;
        if promise == Promise::Whole {
            let differ = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count();
            let is_whole =
                |one: &Vec<u8>| mails.iter().any(|mail| mail.len() == one.len() && differ(mail, one) <= 1);
            assert!(kept.iter().all(is_whole), "{broken:?}: half a message is kept");
        } else {
            let mut all = kept;
            all.sort();
            assert!(all == mails, "{broken:?}: {} are kept", all.len());
        }
        let (flagged, unflagged) = self.originals(user, "INBOX");
        let (_, moved) = self.originals(user, "Processed");
        let counts = (flagged.len(), unflagged.len(), moved.len());
        let has_copy = |mail: &Vec<u8>| moved.contains(mail);
        assert!(flagged.iter().all(has_copy), "{broken:?}: deleted without a copy: {counts:?}");
        let mut there = [unflagged, moved].concat();
        there.sort();
        assert!(there == mails, "{broken:?}: not each once on the server: {counts:?}");
        match promise {
            Promise::Exact => assert_eq!(counts, (0, 0, MAILS), "{broken:?}"),
            Promise::Flagged => assert_eq!(counts, (MAILS, 0, MAILS), "{broken:?}"),
            Promise::Whole => {}
        }
    }

    async fn kept(&self, id: MailboxId) -> Vec<Vec<u8>> {
        let db = &self.room.desk().db;
        let text = "SELECT id FROM occurrences WHERE mailbox_id = $1 AND state = 'filed'";
        let rows = db.query(text, store::params![id]).await.unwrap();
        let mut kept = Vec::new();
        for row in rows {
            let occurrence = OccurrenceId(row.get(0).unwrap());
            kept.push(desk::bytes::of_occurrence(&mut &*db, occurrence).await.unwrap().unwrap());
        }
        kept
    }

    /// The mails in a folder of the server: those flagged `\Deleted`, and the others.
    fn originals(&self, user: &str, folder: &str) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let folder = self.dovecot.maildir(user, folder);
        let (mut flagged, mut unflagged) = (Vec::new(), Vec::new());
        let parts = ["new", "cur"].iter().filter_map(|part| std::fs::read_dir(folder.join(part)).ok());
        for file in parts.flatten().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            let is_deleted = name.split_once(":2,").is_some_and(|(_, flags)| flags.contains('T'));
            let mails = if is_deleted { &mut flagged } else { &mut unflagged };
            mails.push(std::fs::read(file.path()).unwrap());
        }
        (flagged, unflagged)
    }

    /// Runs all of them, some at a time.
    async fn all(self: &Arc<Self>, breaks: Vec<(Break, Promise)>) {
        let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        let runs = breaks.into_iter().enumerate().map(|(number, (broken, promise))| {
            let (sweep, places) = (self.clone(), places.clone());
            tokio::spawn(async move {
                let _place = places.acquire().await.unwrap();
                sweep.run(number + 1, Some(broken), promise).await;
            })
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap();
        }
        // No message went astray into another mailbox either.
        let strays = "SELECT COUNT(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM occurrences o WHERE o.message_id = m.id)";
        assert_eq!(self.room.number(strays).await, 0);
    }
}

/// At each line that the server says, and one byte before and behind it.
fn at_each_line(golden: &Conversation) -> Vec<(Break, Promise)> {
    let ends =
        golden.to_client.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u64 + 1);
    let places = ends.zip(1..).flat_map(|(at, line)| [At::Byte(at - 1), At::Line(line), At::Byte(at + 1)]);
    places.map(|at| (Break::Fin(Toward::Client, at), Promise::Exact)).collect()
}

/// At random places of what either side says, in each way.
fn at_random(golden: &Conversation, places: usize, garbled: Promise) -> Vec<(Break, Promise)> {
    let mut dice = Dice(0x1e77_e6ca);
    let (down, up) = (golden.to_client.len(), golden.to_server.len());
    let mut breaks = Vec::new();
    for _ in 0..places {
        let place = dice.roll(down + up);
        let (toward, at) = match place.checked_sub(down) {
            None => (Toward::Client, At::Byte(place as u64)),
            Some(place) => (Toward::Server, At::Byte(place as u64)),
        };
        let bits = 1 + dice.roll(255) as u8;
        breaks.extend([
            (Break::Fin(toward, at), Promise::Exact),
            (Break::Reset(toward, at), Promise::Exact),
            (Break::Stall(toward, at), Promise::Exact),
            (Break::Drip(toward, at, DRIP), Promise::Exact),
            (Break::Garble(toward, at, bits), garbled),
        ]);
    }
    breaks
}

async fn in_clear(room: PostRoom, places: usize) {
    let sweep = Arc::new(Sweep::new(room, false));
    let golden = sweep.run(0, None, Promise::Exact).await;
    let lines = at_each_line(&golden);
    assert!(lines.len() > 100, "the golden conversation has {} places", lines.len());
    let random = at_random(&golden, places, Promise::Whole);
    sweep.all([lines, random].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c2_a_wire_that_is_cut_silent_slow_or_garbled_anywhere_loses_and_doubles_nothing_on_sqlite() {
    in_clear(PostRoom::new().await, PLACES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c2_a_wire_that_is_cut_silent_slow_or_garbled_anywhere_loses_and_doubles_nothing_on_postgres() {
    in_clear(PostRoom::on_postgres().await, PLACES / 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c2_a_list_of_capabilities_that_ends_early_leaves_originals_flagged_beside_their_copies() {
    let sweep = Arc::new(Sweep::new(PostRoom::new().await, false));
    let golden = sweep.run(0, None, Promise::Exact).await.to_client;
    // The second one, that follows signing in, is the one that counts; neither MOVE nor UIDPLUS comes first in it.
    let code = b"[CAPABILITY IMAP4rev1 ";
    let ends = golden.windows(code.len()).zip(code.len()..).filter(|(words, _)| words == code);
    let space = ends.map(|(_, end)| end as u64 - 1).nth(1).unwrap();
    let early = Break::Garble(Toward::Client, At::Byte(space), b' ' ^ b']');
    sweep.all(vec![(early, Promise::Flagged)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c2_in_tls_a_garbled_byte_is_a_cut() {
    let sweep = Arc::new(Sweep::new(PostRoom::new().await, true));
    let golden = sweep.run(0, None, Promise::Exact).await;
    sweep.all(at_random(&golden, PLACES / 10, Promise::Exact)).await;
}
