//! Answers as they really arrive: two installations that answer each other, and a kill at every point between the
//! decision to answer and the copy in the folder of sent mail.
//!
//! The mail servers are real ones (Dovecot: IMAP to read, LMTP to deliver); what is sent goes to a scripted SMTP
//! server, which counts what it was told and what it took.

use crate::program::{Program, Serving};
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};
use testkit::api::Api;
use testkit::dovecot::Dovecot;
use testkit::lmtp;
use testkit::scripted::{SmtpManner, SmtpServer};
use tokio::runtime::Runtime;

const SOON: Duration = Duration::from_secs(60);
/// What `std::process::abort` ends with.
const ABORTED: i32 = 6;
const LOGIN: &str = "zofie";
const PASSWORD: &str = "a long enough password";

/// An installation with a group mailbox that reads by IMAP and sends by SMTP.
struct Office {
    program: Program,
    /// Their name on the mail server.
    user: &'static str,
    address: String,
    /// Takes what they send.
    sink: SmtpServer,
}

impl Office {
    fn new(new: fn() -> Program, servers: &Servers, user: &'static str, more: &[&str]) -> Office {
        let program = new();
        let password = &servers.dovecot.password;
        let account = (user.to_owned(), password.clone());
        let manner = SmtpManner { account, sign_in_first: true, ..SmtpManner::default() };
        let sink = servers.runtime.block_on(SmtpServer::start(manner)).unwrap();
        let smtp = format!("smtp://127.0.0.1:{}", sink.address.port());
        let address = format!("helpdesk@{user}.example");
        let sending = ["--smtp", &smtp, "--smtp-tls", "none", "--shared", "--create-cases"];
        program.connect_at(servers.dovecot.imap_port, password, user, &address, &[&sending, more].concat());
        let mut serving = program.serve();
        let setup = json!({"name": "Žofie", "login": LOGIN, "password": PASSWORD, "language": "en"});
        Api::new(address_of(&mut serving)).post("/setup", &setup).unwrap();
        serving.stop();
        Office { program, user, address, sink }
    }

    /// Answers the first mail of each case from now on.
    fn answers(&self) {
        let mut serving = self.program.serve();
        let mut api = signed_in(&mut serving);
        let text = json!({"language": "en", "body": "Thank you, your case is {{case.number}}."});
        let template = api.post("/templates", &json!({"name": "Received", "texts": [text]})).unwrap();
        let mailbox = api.get("/auto-replies").unwrap()[0]["mailbox_id"].clone();
        let with = json!({ "template_id": template["id"] });
        api.put(&format!("/auto-replies/{mailbox}"), &with).unwrap();
        serving.stop();
    }

    /// Serves, and can be asked to end.
    fn serve(&self) -> Serving {
        let mut serving = self.program.serve();
        serving.url();
        serving
    }

    /// Serves until a point ends it, while something is done.
    fn abort_at(&self, point: &str, meanwhile: impl FnOnce(&mut Serving)) {
        let mut serving = self.program.serve_with(&[("LETTERCASE_FAIL_POINT", point)]);
        meanwhile(&mut serving);
        let ended = serving.ended(SOON);
        let signal = ended.and_then(|status| status.signal());
        assert_eq!(signal, Some(ABORTED), "{point} was not passed: {ended:?}\n{}", self.program.log());
    }

    fn wait_until(&self, what: &str, mut is_so: impl FnMut(&Program) -> bool) {
        let began = Instant::now();
        while !is_so(&self.program) {
            assert!(began.elapsed() < SOON, "{what}: not so in time\n{}", self.program.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// How far the copy for somebody is.
    fn states(&self, to: &str) -> Vec<String> {
        let sql = format!("SELECT state FROM outbox_recipients WHERE address = '{to}' ORDER BY outbox_id");
        self.program.look(&sql, |row| row.get(0).unwrap())
    }

    /// How often the server was told of somebody, and how often it took a mail for them.
    fn told_and_taken(&self, to: &str) -> (usize, usize) {
        let told = format!("RCPT TO:<{to}>");
        let told = self.sink.heard().iter().filter(|line| line.starts_with(&told)).count();
        let taken = self.sink.received().iter().filter(|one| one.to.iter().any(|one| one == to)).count();
        (told, taken)
    }
}

/// The servers that all offices share.
struct Servers {
    dovecot: Dovecot,
    runtime: Runtime,
}

impl Servers {
    fn start() -> Servers {
        Servers { dovecot: Dovecot::start(), runtime: Runtime::new().unwrap() }
    }
}

fn address_of(serving: &mut Serving) -> std::net::SocketAddr {
    serving.url().trim_start_matches("http://").parse().unwrap()
}

fn signed_in(serving: &mut Serving) -> Api {
    let mut api = Api::new(address_of(serving));
    api.post("/session", &json!({"login": LOGIN, "password": PASSWORD})).unwrap();
    api
}

fn letter(from: &str, to: &str, subject: &str) -> String {
    let id = subject.replace(' ', "-");
    format!(
        "From: Ann Example <{from}>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@firma.example>\r\n\
         Date: Mon, 2 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nHello, could you please help me?\r\n"
    )
}

// Two installations that answer each other ----------------------------------------------------------------

/// What the way between two installations leaves of a mail.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// All of it.
    Faithful,
    /// Nothing of what says that a program wrote it, or which mail it answers: as from a responder that knows no rules.
    Naive,
}

/// A pair whose mail is carried from each one's SMTP server into the other's mailbox.
struct Pair {
    offices: [Office; 2],
    way: Way,
    /// Mails carried from each, and put into each one's mailbox in all.
    carried: [usize; 2],
    delivered: [i64; 2],
}

impl Pair {
    /// Puts a mail that a person wrote into a mailbox.
    fn write(&mut self, servers: &Servers, to: usize, subject: &str) {
        let (from, to_address) = (self.offices[1 - to].address.clone(), self.offices[to].address.clone());
        let raw = letter(&from, &to_address, subject);
        self.deliver(servers, to, &from, raw.as_bytes());
    }

    fn deliver(&mut self, servers: &Servers, to: usize, sender: &str, raw: &[u8]) {
        let port = servers.dovecot.lmtp_port.expect("dovecot-lmtpd is installed");
        lmtp::deliver(port, sender, self.offices[to].user, raw).unwrap();
        self.delivered[to] += 1;
    }

    /// Carries what was sent since the last time.
    fn carry(&mut self, servers: &Servers) {
        for from in [0, 1] {
            for mail in self.offices[from].sink.received().into_iter().skip(self.carried[from]) {
                self.carried[from] += 1;
                let office = &self.offices[1 - from];
                assert!(mail.to.iter().all(|one| *one == office.address), "{:?}", mail.to);
                let (sender, raw) = match self.way {
                    Way::Faithful => (mail.from.clone(), mail.message()),
                    Way::Naive => (self.offices[from].address.clone(), stripped(&mail.message())),
                };
                self.deliver(servers, 1 - from, &sender, &raw);
            }
        }
    }

    /// Carries until nothing is on its way anywhere: all that was delivered is filed, nothing waits to be sent, and all
    /// that was sent was delivered. That a look finds twice the same shows that nothing moved between its questions.
    fn rest(&mut self, servers: &Servers) {
        let began = Instant::now();
        let mut before = None;
        loop {
            self.carry(servers);
            let count = |sql: &str| [0, 1].map(|at: usize| self.offices[at].program.count(sql));
            let filed = count(
                "SELECT COUNT(*) FROM occurrences o JOIN folders f ON f.id = o.folder_id \
                 WHERE f.name = 'INBOX' AND o.state = 'filed'",
            );
            let waiting =
                count("SELECT COUNT(*) FROM outbox_recipients WHERE state IN ('queued', 'in_data')");
            let queued = count("SELECT COUNT(*) FROM outbox");
            let sent = [0, 1].map(|at: usize| self.offices[at].sink.received().len());
            let is_at_rest = filed == self.delivered && waiting == [0, 0] && sent == self.carried;
            let now = (filed, queued, sent);
            if is_at_rest && before == Some(now) {
                return;
            }
            before = Some(now);
            assert!(began.elapsed() < SOON, "{now:?}, delivered {:?}", self.delivered);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The mail without any sign of what it is.
fn stripped(raw: &[u8]) -> Vec<u8> {
    const SIGNS: [&str; 6] = [
        "auto-submitted",
        "x-auto-response-suppress",
        "precedence",
        "references",
        "in-reply-to",
        "message-id",
    ];
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut is_kept = true;
    let kept: Vec<&str> = head
        .split("\r\n")
        .filter(|line| {
            if !line.starts_with([' ', '\t']) {
                let name = line.split(':').next().unwrap_or_default().to_lowercase();
                is_kept = !SIGNS.contains(&name.as_str());
            }
            is_kept
        })
        .collect();
    format!("{}\r\n\r\n{body}", kept.join("\r\n")).into_bytes()
}

/// What two installations send each other in all: after the first mail, and after six more.
fn exchange(new: fn() -> Program, way: Way) -> [[usize; 2]; 2] {
    let servers = Servers::start();
    let offices = ["alpha", "beta"].map(|user| Office::new(new, &servers, user, &["--leave"]));
    offices.iter().for_each(Office::answers);
    let serving: Vec<Serving> = offices.iter().map(Office::serve).collect();
    let mut pair = Pair { offices, way, carried: [0, 0], delivered: [0, 0] };
    pair.write(&servers, 0, "First of all");
    pair.rest(&servers);
    let first = pair.carried;
    for number in 0..3 {
        pair.write(&servers, 0, &format!("To alpha {number}"));
        pair.write(&servers, 1, &format!("To beta {number}"));
        pair.rest(&servers);
    }
    serving.into_iter().for_each(Serving::stop);
    [first, pair.carried]
}

fn two_gateways(new: fn() -> Program) {
    // What is honest is never answered: an automatic reply says what it is. Later each answers the other's people once.
    assert_eq!(exchange(new, Way::Faithful), [[1, 0], [1, 1]]);
    // What is not stops at the limit of a day for each.
    assert_eq!(exchange(new, Way::Naive), [[1, 1], [1, 1]]);
}

#[test]
fn d3_t26_two_installations_that_answer_each_other_stop_after_two_mails_on_sqlite() {
    two_gateways(Program::on_sqlite);
}

#[test]
fn d3_t26_two_installations_that_answer_each_other_stop_after_two_mails_on_postgres() {
    two_gateways(Program::on_postgres);
}

// Killed while it answers -----------------------------------------------------------------------------------

/// Where the program is killed, how far the reply may be after the next start, how often its server was told of the
/// recipient, and how often it took the mail.
type Killed =
    (&'static str, &'static [&'static str], std::ops::RangeInclusive<usize>, std::ops::RangeInclusive<usize>);

/// Before the final dot a server has taken nothing, and is told again: that is what it hears twice. Once it is written
/// down that the dot is about to be said nobody knows what became of it, and nothing is ever said again by itself.
const KILLED: [Killed; 7] = [
    ("c10_filing", &["sent"], 1..=1, 1..=1),
    // The outbox may begin before the point is come to.
    ("c11_filed", &["sent", "ambiguous"], 1..=2, 0..=1),
    ("s1_signed_in", &["sent"], 1..=1, 1..=1),
    ("s2_transmitted", &["sent"], 2..=2, 1..=1),
    ("s3_in_data", &["ambiguous"], 1..=1, 0..=0),
    ("s4_taken", &["ambiguous"], 1..=1, 1..=1),
    ("s5_noted", &["sent"], 1..=1, 1..=1),
];

fn kills_of_an_automatic_reply(new: fn() -> Program) {
    let servers = Servers::start();
    let office = Office::new(new, &servers, "alpha", &["--leave"]);
    office.answers();
    for (number, (point, states, told, taken)) in (1..).zip(KILLED) {
        let writer = format!("ann{number}@firma.example");
        let mail = letter(&writer, &office.address, &format!("Broken {number}"));
        servers.dovecot.deliver(office.user, "INBOX", mail).unwrap();
        office.abort_at(point, |_| {});
        let serving = office.serve();
        let ended = "SELECT COUNT(*) FROM outbox_recipients WHERE state IN ('sent', 'ambiguous')";
        office.wait_until(point, |program| program.count(ended) == number);
        serving.stop();
        for table in ["outbox", "auto_replies", "records WHERE kind = 'case'"] {
            let there = office.program.count(&format!("SELECT COUNT(*) FROM {table}"));
            assert_eq!(there, number, "{point}: {table}");
        }
        let state = office.states(&writer);
        assert!(states.contains(&state[0].as_str()), "{point}: {state:?}");
        let (was_told, was_taken) = office.told_and_taken(&writer);
        assert!(told.contains(&was_told), "{point}: told {was_told} times");
        assert!(taken.contains(&was_taken), "{point}: taken {was_taken} times");
        assert!(state[0] != "sent" || was_taken == 1, "{point}: it is sent where a server has it");
    }
    assert!(office.program.run(&["verify"]).contains(", 0 wrong"));
}

#[test]
fn d3_c10_to_s5_a_kill_at_any_point_leaves_one_automatic_reply_on_sqlite() {
    kills_of_an_automatic_reply(Program::on_sqlite);
}

#[test]
fn d3_c10_to_s5_a_kill_at_any_point_leaves_one_automatic_reply_on_postgres() {
    kills_of_an_automatic_reply(Program::on_postgres);
}

// The copy of what somebody sent ------------------------------------------------------------------------------

/// Where the program is killed while somebody's answer is sent, and whether a copy of it lies in Sent then.
const COPIES: [(&str, u64); 7] = [
    ("s1_signed_in", 1),
    ("s2_transmitted", 1),
    ("s3_in_data", 0),
    ("s4_taken", 0),
    ("s5_noted", 1),
    ("c13_operation_begun", 1),
    ("c12_operation_done", 1),
];

fn kills_of_a_persons_answer(new: fn() -> Program) {
    let servers = Servers::start();
    let dovecot = &servers.dovecot;
    let mail = letter("ann@firma.example", "helpdesk@alpha.example", "Broken");
    dovecot.deliver("alpha", "INBOX", mail).unwrap();
    dovecot.deliver("alpha", "Sent", letter("helpdesk@alpha.example", "ben@firma.example", "Older")).unwrap();
    let office = Office::new(new, &servers, "alpha", &["--mode", "synchronise"]);
    office.sink.change(|manner| {
        manner.replies.insert("gone@firma.example".into(), "550 5.1.1 no such user".into());
    });
    let mut serving = office.program.serve();
    let mut api = signed_in(&mut serving);
    office.wait_until("both are filed", |program| program.count("SELECT COUNT(*) FROM messages") == 2);
    let threads = api.get("/threads?view=all&limit=10").unwrap();
    let thread = threads["rows"].as_array().unwrap().iter().find(|row| row["subject"] == "Broken").unwrap();
    let path = format!("/threads/{}/reply", thread["id"]);
    api.post(&path, &answer("gone@firma.example")).unwrap();
    office.wait_until("it is refused", |_| office.states("gone@firma.example") == ["failed"]);
    serving.stop();

    let mut copies: u64 = 0;
    for (number, (point, copy)) in (1..).zip(COPIES) {
        let to = format!("ann{number}@firma.example");
        office.abort_at(point, |serving| {
            // The answer is queued when this returns; whether its sender hears so depends on how fast the kill is.
            signed_in(serving).post(&path, &answer(&to)).ok();
        });
        let serving = office.serve();
        let expected = if copy == 1 { "sent" } else { "ambiguous" };
        office.wait_until(point, |_| office.states(&to) == [expected]);
        copies += copy;
        let done = "SELECT COUNT(*) FROM operations WHERE kind = 'append' AND state = 'done'";
        office.wait_until(point, |program| program.count(done) == copies as i64);
        serving.stop();
        // What is owed to a mailbox is done in its order: had the refused one or an ambiguous one asked for a copy, it
        // would lie there before those that follow.
        assert_eq!(dovecot.count("alpha", "Sent").unwrap(), 1 + copies, "{point}");
    }
    assert_eq!(office.program.count("SELECT COUNT(*) FROM operations"), copies as i64);
}

fn answer(to: &str) -> Value {
    json!({"body": "Switch it on, please.", "to": [{"address": to}], "quote": false})
}

#[test]
fn f4_s1_to_s11_what_was_sent_lies_once_among_sent_mail_and_what_was_not_never_on_sqlite() {
    kills_of_a_persons_answer(Program::on_sqlite);
}

#[test]
fn f4_s1_to_s11_what_was_sent_lies_once_among_sent_mail_and_what_was_not_never_on_postgres() {
    kills_of_a_persons_answer(Program::on_postgres);
}
