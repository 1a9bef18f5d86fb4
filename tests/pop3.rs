//! A mailbox received by POP3, and the program ended at every point of its rounds that would leave something half done.
//! Started again, it comes to the same end as if nothing had happened.

use crate::mails::{self, Mail};
use crate::on_both_programs;
use crate::program::Program;
use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt;
use store::point::POINTS;
use testkit::dovecot::Dovecot;

const MAILS: usize = 40;
/// What `std::process::abort` ends with.
const ABORTED: i32 = 6;
/// Points of the way that letters of all protocols go, with the pass that ends the program.
const SHARED: [(&str, u32); 9] = [
    ("c2_fetched", 1),
    ("c2_fetched", 25),
    ("c9_begun", 1),
    ("c5_opened", 1),
    ("c6_keeping", 1),
    ("c8_kept", 1),
    ("c10_filing", 1),
    ("c11_filed", 1),
    ("c9_begun_again", 1),
];

/// What has become of everything, without the numbers that chance gives.
#[derive(Debug, PartialEq)]
struct Picture {
    messages: Vec<String>,
    counts: Vec<i64>,
    left: u64,
}

fn connect(program: &Program, dovecot: &Dovecot, user: &str, delete_at_once: bool) {
    let password = program.file("password", dovecot.password.as_bytes());
    let address = format!("{user}@acme.example");
    let url = format!("pop3://{user}@127.0.0.1:{}", dovecot.pop3_port.unwrap());
    let mut arguments =
        vec!["mailbox", "add", "--group", "--address", &address, "--pop3", &url, "--tls", "none"];
    arguments.extend(["--password-file", &password, "--process", "Helpdesk", "--team", "Support"]);
    arguments.extend(["--create-cases", "--active"]);
    if delete_at_once {
        arguments.extend(["--delete-after-days", "0"]);
    }
    program.run(&arguments);
}

/// Makes a round that ends by itself or as it was ordered to. Says whether it was ended.
fn scan(program: &Program, order: Option<&str>) -> bool {
    let mut command = program.command(&["scan"]);
    command.envs(order.map(|order| ("LETTERCASE_FAIL_POINT", order)));
    let output = command.output().unwrap();
    let aborted = output.status.signal() == Some(ABORTED);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(aborted || output.status.success(), "{order:?}: {said}");
    aborted
}

fn picture(program: &Program, dovecot: &Dovecot, user: &str) -> Picture {
    let messages =
        "SELECT m.identity, m.subject, t.messages FROM messages m JOIN threads t ON t.id = m.thread_id";
    let mut messages = program.look(messages, |row| {
        let (identity, subject): (Vec<u8>, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        format!("{identity:02x?} {subject:?} of {}", row.get::<i64>(2).unwrap())
    });
    messages.sort();
    let counts = [
        "SELECT COUNT(*) FROM occurrences WHERE state = 'filed'",
        "SELECT COUNT(*) FROM occurrences",
        "SELECT COUNT(*) FROM occurrences WHERE settle = 'moved'",
        "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL",
        "SELECT COUNT(*) FROM records WHERE kind = 'case' AND merged_into IS NULL",
    ];
    let counts = counts.map(|sql| program.count(sql)).into();
    let ledger = program.json(&["ledger", "--json"]);
    assert_eq!((&ledger[0]["seen"], &ledger[0]["difference"]), (&MAILS.into(), &0.into()), "{ledger}");
    assert_eq!(program.json(&["verify", "--json"])["wrong"], serde_json::json!([]));
    Picture { messages, counts, left: dovecot.count(user, "INBOX").unwrap() }
}

/// One installation with a new mailbox: ended as ordered, then a round that ends by itself.
fn run(program: &Program, dovecot: &Dovecot, mails: &[Mail], user: &str, order: Option<&str>) -> Picture {
    dovecot.fill(user, "INBOX", mails.iter().map(|mail| &mail.raw)).unwrap();
    connect(program, dovecot, user, true);
    if let Some(order) = order {
        if order.starts_with("c9_begun_again") {
            assert!(scan(program, Some("c8_kept:1")));
        }
        assert!(scan(program, Some(order)), "{order} was not passed");
        let left = dovecot.count(user, "INBOX").unwrap();
        let expected = if order.starts_with("p3") { 0 } else { MAILS as u64 };
        assert_eq!(left, expected, "{order}: without QUIT the server removes nothing");
        let filed = program.count("SELECT COUNT(*) FROM occurrences WHERE state = 'filed'");
        assert!(left as i64 + filed >= MAILS as i64, "{order}: removed before it was filed");
    }
    scan(program, None);
    picture(program, dovecot, user)
}

fn sweep(new: fn() -> Program, name: &str) {
    let (dovecot, mails) = (Dovecot::start(), mails::mixed(MAILS));
    let undisturbed = run(&new(), &dovecot, &mails, &format!("{name}-whole"), None);
    assert_eq!((undisturbed.left, undisturbed.counts[0]), (0, MAILS as i64));
    let ours = POINTS.iter().map(|(point, _)| *point).filter(|point| point.starts_with('p'));
    let all: Vec<(&str, u32)> = ours.map(|point| (point, 1)).chain(SHARED).collect();
    assert!(all.iter().any(|(point, _)| *point == "p3_quit"), "{all:?}");
    for (number, (point, pass)) in all.into_iter().enumerate() {
        let order = format!("{point}:{pass}");
        let became = run(&new(), &dovecot, &mails, &format!("{name}-{number}"), Some(&order));
        assert_eq!(became, undisturbed, "{order}");
    }
}

#[test]
fn p1_p2_p3_a_kill_at_every_point_of_a_pop3_round_comes_to_the_same_end_on_sqlite() {
    sweep(Program::on_sqlite, "sqlite");
}

#[test]
fn p1_p2_p3_a_kill_at_every_point_of_a_pop3_round_comes_to_the_same_end_on_postgres() {
    sweep(Program::on_postgres, "postgres");
}

on_both_programs! {
    fn a5_pop3_a_mailbox_is_connected_tested_and_served(program) {
        let dovecot = Dovecot::start();
        let mails = mails::mixed(MAILS);
        dovecot.fill("ann", "INBOX", mails.iter().map(|mail| &mail.raw)).unwrap();
        connect(program, &dovecot, "ann", false);
        let listed = program.json(&["mailbox", "list", "--json"]);
        assert_eq!((&listed[0]["protocol"], listed[0]["folders"].as_array().unwrap().len()), (&"pop3".into(), 1));
        let tested = program.json(&["mailbox", "test", "ann@acme.example", "--json"]);
        assert_eq!((&tested["ok"], &tested["folders"][0]["messages"]), (&true.into(), &MAILS.into()));
        let serving = program.serve();
        program.wait_for(MAILS as i64);
        serving.stop();
        let tokens: HashSet<_> = mails.iter().filter_map(|mail| mail.token.clone()).collect();
        assert!(program.count("SELECT COUNT(*) FROM messages") >= tokens.len() as i64);
        assert_eq!(dovecot.count("ann", "INBOX").unwrap(), MAILS as u64, "nothing is deleted unless asked for");
    }
}
