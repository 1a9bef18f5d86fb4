//! The program is ended at every point where that would leave something half done, and at every place of its
//! conversation with a server. Started again, it comes to the same end as if nothing had happened.

use crate::mails::{self, Mail};
use crate::program::Program;
use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::point::POINTS;
use testkit::dovecot::{Dovecot, Options};
use testkit::proxy::{At, Break, Proxy, Toward};
use tokio::runtime::Runtime;

const MAILS: usize = 40;
/// So many that each point is passed five times.
const MAILBOXES: usize = 5;
/// At which passes a point ends the program.
const PASSES: [u32; 3] = [1, 2, 5];
/// Runs side by side.
const SIDE_BY_SIDE: usize = 2;
const SOON: Duration = Duration::from_secs(60);
/// What `std::process::abort` ends with.
const ABORTED: i32 = 6;

/// One way to end the program.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kill {
    /// Not at all; on a server with or without MOVE.
    Never { without_move: bool },
    /// When a point is passed for so many times.
    Point(&'static str, u32),
    /// When the conversation over the wire has come to this place.
    Wire(Break),
}

impl Kill {
    /// Whether the server shall have no MOVE: what is then done instead is where it happens.
    fn without_move(self) -> bool {
        match self {
            Kill::Never { without_move } => without_move,
            Kill::Point(point, _) => point.starts_with("c13"),
            Kill::Wire(place) => {
                let place = format!("{place:?}");
                ["COPY", "STORE", "EXPUNGE"].iter().any(|word| place.contains(word))
            }
        }
    }
}

/// Places of the conversation, with the crash point they belong to.
fn places() -> Vec<Kill> {
    use At::{After, Before};
    let said = |at| Kill::Wire(Break::Stall(Toward::Server, at));
    let heard = |at| Kill::Wire(Break::Stall(Toward::Client, at));
    vec![
        // C1: before anything is fetched.
        said(Before("SELECT")),
        said(Before("UID SEARCH")),
        said(Before("UID FETCH")),
        // C2: in the middle of a literal.
        heard(After("Subject: ")),
        // C3: everything came, but not that it was everything.
        heard(Before("Fetch completed")),
        // C11: nothing is moved yet.
        said(Before("UID MOVE")),
        // C12: the server moves, and we do not hear of it.
        said(After("UID MOVE")),
        heard(Before("Move completed")),
        // C13: copied, and the originals not even flagged.
        said(After("UID COPY")),
        said(Before("UID STORE")),
        // C14: flagged, and not removed.
        said(After("UID STORE")),
        said(Before("UID EXPUNGE")),
        said(After("UID EXPUNGE")),
        // All is done.
        said(Before("IDLE")),
    ]
}

/// All ways of a mailbox that is read by IMAP and filed. POP3 (`tests/pop3.rs`) and what people wish of
/// synchronised mailboxes (operations) do not pass here.
fn kills() -> Vec<Kill> {
    let points = POINTS.iter().map(|(point, _)| *point);
    let points = points.filter(|point| point.starts_with('c') && !point.contains("operation"));
    let points = points.flat_map(|point| PASSES.map(|pass| Kill::Point(point, pass)));
    // Kept and not filed are at most what one run left: it is filed again at once.
    let points = points.filter(|kill| !matches!(kill, Kill::Point("c9_begun_again", 2..)));
    points.chain(places()).collect()
}

struct Sweep {
    new: fn() -> Program,
    mails: Vec<Mail>,
    dovecot: Dovecot,
    without_move: Dovecot,
    wires: Runtime,
}

impl Sweep {
    fn new(new: fn() -> Program) -> Sweep {
        let without = vec!["MOVE".to_owned()];
        Sweep {
            new,
            mails: mails::mixed(MAILS),
            dovecot: Dovecot::start(),
            without_move: Dovecot::start_with(&Options { without, ..Options::default() }),
            wires: Runtime::new().unwrap(),
        }
    }

    /// Runs them all, some at a time. Says of each that went wrong what did.
    fn all(&self, kills: &[Kill]) -> Vec<String> {
        let undisturbed = [false, true]
            .map(|without_move| self.run(usize::from(without_move), Kill::Never { without_move }));
        let (next, wrong) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(kill) = kills.get(number) else { break };
                        let expected = &undisturbed[usize::from(kill.without_move())];
                        let became = self.run(2 + number, *kill);
                        if became != *expected {
                            wrong.lock().unwrap().push(format!("{kill:?}: {}", became.against(expected)));
                        }
                    }
                });
            }
        });
        wrong.into_inner().unwrap()
    }

    /// One installation with five new mailboxes: ended as ordered, started again, and left alone until all is done.
    fn run(&self, number: usize, kill: Kill) -> Picture {
        let dovecot = if kill.without_move() { &self.without_move } else { &self.dovecot };
        let program = (self.new)();
        let wire = match kill {
            Kill::Wire(place) => {
                let breaks = vec![Some(place)];
                Some(self.wires.block_on(Proxy::start(dovecot.imap_port, breaks)).unwrap())
            }
            _ => None,
        };
        let mails = self.mails_for(kill);
        let users: Vec<String> = (0..MAILBOXES).map(|mailbox| format!("r{number}-{mailbox}")).collect();
        for (mailbox, user) in users.iter().enumerate() {
            let own = mails.iter().skip(mailbox).step_by(MAILBOXES);
            dovecot.fill(user, "INBOX", own.map(|mail| &mail.raw)).unwrap();
            let through = wire.as_ref().filter(|_| mailbox == 0).map(|wire| wire.address.port());
            let port = through.unwrap_or(dovecot.imap_port);
            let address = format!("{user}@acme.example");
            program.connect_at(port, &dovecot.password, user, &address, &["--create-cases"]);
        }
        end_it(&program, kill, wire.as_ref());
        let serving = program.serve();
        await_done(&program, &|| files(dovecot, &users, "INBOX"), mails.len());
        serving.kill();
        Picture::of(&program, files(dovecot, &users, "Processed"))
    }

    /// Without MOVE a mail without a Message-ID may be copied twice (`sync::settle`): not of this test.
    fn mails_for(&self, kill: Kill) -> Vec<&Mail> {
        let has_id =
            |mail: &Mail| mail.token.is_some() && mail.raw.windows(13).any(|word| word == b"Message-ID: <");
        self.mails.iter().filter(|mail| !kill.without_move() || has_id(mail)).collect()
    }
}

/// Serves until the program has ended as it was ordered to.
fn end_it(program: &Program, kill: Kill, wire: Option<&Proxy>) {
    match kill {
        Kill::Never { .. } => {}
        Kill::Point(point, pass) => {
            if point == "c9_begun_again" {
                abort_at(program, "c8_kept:2");
            }
            abort_at(program, &format!("{point}:{pass}"));
        }
        Kill::Wire(place) => {
            let serving = program.serve();
            let began = Instant::now();
            while !wire.is_some_and(Proxy::has_struck) {
                assert!(began.elapsed() < SOON, "{place:?} was not come to\n{}", program.log());
                std::thread::sleep(Duration::from_millis(5));
            }
            serving.kill();
        }
    }
}

fn abort_at(program: &Program, order: &str) {
    let mut serving = program.serve_with(&[("LETTERCASE_FAIL_POINT", order)]);
    let ended = serving.ended(SOON);
    let signal = ended.and_then(|status| status.signal());
    assert_eq!(signal, Some(ABORTED), "{order} was not passed: {ended:?}\n{}", program.log());
}

/// Waits until every mail is filed and settled, and nothing is left in the folders that are read.
fn await_done(program: &Program, left: &dyn Fn() -> usize, mails: usize) {
    let began = Instant::now();
    loop {
        let done = program
            .count("SELECT COUNT(*) FROM occurrences WHERE state = 'filed' AND settle IN ('done', 'moved')");
        if left() == 0 && done >= mails as i64 {
            return;
        }
        assert!(began.elapsed() < SOON, "not done: {done} of {mails}, {} left\n{}", left(), program.log());
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn files(dovecot: &Dovecot, users: &[String], folder: &str) -> usize {
    let folders = users.iter().map(|user| dovecot.maildir(user, folder));
    let parts = folders.flat_map(|folder| ["cur", "new"].map(|part| folder.join(part)));
    parts.map(|part| std::fs::read_dir(part).map_or(0, Iterator::count)).sum()
}

/// What has become of everything, without the numbers that chance gives.
#[derive(Debug, PartialEq)]
struct Picture {
    /// Each message: subject, hash of its identity, messages in its thread, whether that has a case.
    messages: Vec<String>,
    /// Live threads, cases, occurrences by state and settling.
    counts: Vec<(String, i64)>,
    in_processed: usize,
    ledger: Vec<String>,
    verified: String,
}

impl Picture {
    fn of(program: &Program, in_processed: usize) -> Picture {
        let messages = "SELECT m.identity, m.subject, t.messages, t.case_id FROM messages m JOIN threads t ON t.id = m.thread_id";
        let mut messages = program.look(messages, |row| {
            let identity: Vec<u8> = row.get(0).unwrap();
            let (subject, in_thread): (String, i64) = (row.get(1).unwrap(), row.get(2).unwrap());
            let has_case = row.get::<Option<i64>>(3).unwrap().is_some();
            format!("{identity:02x?} {subject:?} of {in_thread} {has_case}")
        });
        messages.sort();
        let count = |what: &str, sql: &str| (what.to_owned(), program.count(sql));
        let mut counts = vec![
            count("threads", "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL"),
            count("cases", "SELECT COUNT(*) FROM records WHERE kind = 'case' AND merged_into IS NULL"),
        ];
        let states =
            "SELECT state, settle, COUNT(*) FROM occurrences GROUP BY state, settle ORDER BY state, settle";
        counts.extend(program.look(states, |row| {
            let (state, settle): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
            (format!("{state} {settle}"), row.get(2).unwrap())
        }));
        let ledger = program.json(&["ledger", "--json"]);
        let line = |row: &serde_json::Value| {
            let all = ["seen", "filed", "waiting", "quarantined", "vanished", "difference"];
            all.map(|key| format!("{key} {}", row[key])).join(", ")
        };
        let ledger = ledger.as_array().unwrap().iter().map(line).collect();
        Picture { messages, counts, in_processed, ledger, verified: program.run(&["verify", "--json"]) }
    }

    /// Where it differs, for people.
    fn against(&self, expected: &Picture) -> String {
        let (ours, theirs): (HashSet<_>, HashSet<_>) =
            (self.messages.iter().collect(), expected.messages.iter().collect());
        format!(
            "\n  messages too many {:?}\n  messages missing {:?}\n  {:?} in Processed {} {:?} {}\n  expected {:?} in Processed {} {:?} {}",
            ours.difference(&theirs).collect::<Vec<_>>(),
            theirs.difference(&ours).collect::<Vec<_>>(),
            self.counts,
            self.in_processed,
            self.ledger,
            self.verified,
            expected.counts,
            expected.in_processed,
            expected.ledger,
            expected.verified
        )
    }
}

fn sweep(new: fn() -> Program) {
    let sweep = Sweep::new(new);
    let began = Instant::now();
    let all = kills();
    let wrong = sweep.all(&all);
    println!("{} kills in {:?}", all.len(), began.elapsed());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn c1_to_c14_a_kill_at_every_point_and_place_comes_to_the_same_end_on_sqlite() {
    sweep(Program::on_sqlite);
}

#[test]
fn c1_to_c14_a_kill_at_every_point_and_place_comes_to_the_same_end_on_postgres() {
    sweep(Program::on_postgres);
}
