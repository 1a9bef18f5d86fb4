//! Nothing is lost, nothing is doubled, whatever happens to the program.

use crate::mails::{self, Dice, Mail};
use crate::on_both_programs;
use crate::program::Program;
use std::collections::HashMap;
use std::time::Duration;
use testkit::dovecot::Dovecot;

on_both_programs! {
    fn a21_fifty_kills_lose_nothing_and_double_nothing(program) {
        let dovecot = Dovecot::start();
        let mails = mails::mixed(1000);
        let cases = ["--processed", "Processed", "--create-cases", "--process", "Helpdesk", "--team", "Support"];
        program.connect(&dovecot, "helpdesk", "helpdesk@acme.example", &cases);
        let mut dice = Dice(50);
        let mut in_the_middle = 0;
        for kill in 0..50 {
            // Mail goes on arriving: a hundred for every five kills.
            if kill % 5 == 0 {
                let portion = &mails[kill * 20..(kill + 5) * 20];
                dovecot.fill("helpdesk", "INBOX", portion.iter().map(|mail| &mail.raw)).unwrap();
            }
            let mut serving = program.serve();
            serving.url();
            std::thread::sleep(Duration::from_millis(dice.roll(150)));
            serving.kill();
            in_the_middle += usize::from(left_in_inbox(&dovecot) > 0);
        }
        println!("{in_the_middle} of 50 kills left work undone");
        assert!(in_the_middle >= 15, "only {in_the_middle} of 50 kills hit the work: the test shows too little");
        let serving = program.serve();
        program.wait_for(1000);
        serving.stop();
        // What the last rounds did not come to settle.
        program.run(&["scan"]);
        everything_is_there_once(program, &dovecot, &mails);
    }

    fn b1_copies_in_two_mailboxes_are_one_message_with_two_occurrences(program) {
        let dovecot = Dovecot::start();
        let mail = |to: &str| format!("Delivered-To: {to}\r\nReceived: from a by {to}; Mon, 2 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@firma.example>\r\nFrom: Ann <ann@firma.example>\r\nTo: orders@acme.example, helpdesk@acme.example\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\nSubject: Copy\r\n\r\n{}", "The same text in both. ".repeat(300));
        for user in ["helpdesk", "orders"] {
            let address = format!("{user}@acme.example");
            dovecot.deliver(user, "INBOX", mail(&address)).unwrap();
            program.connect(&dovecot, user, &address, &["--create-cases"]);
        }
        let summary = program.run(&["scan"]);
        assert!(summary.contains("helpdesk@acme.example INBOX: 1 seen, 1 filed"), "{summary}");
        assert_eq!(program.count("SELECT COUNT(*) FROM messages"), 1);
        assert_eq!(program.count("SELECT COUNT(*) FROM occurrences WHERE state = 'filed'"), 2);
        assert_eq!(program.count("SELECT COUNT(*) FROM bodies"), 1);
        assert_eq!(program.count("SELECT COUNT(*) FROM records WHERE kind = 'case'"), 1);
        assert!(program.run(&["verify"]).contains("2 stored messages rebuilt, 0 wrong"));
    }

    fn a23_import_twice_is_import_once_and_has_no_side_effects(program) {
        let mails = mails::mixed(200);
        let mbox: Vec<u8> = mails.iter().flat_map(|mail| [b"From ann@firma.example Mon Nov  2 10:00:00 2026\n", mail.raw.as_slice(), b"\n\n"].concat()).collect();
        let path = program.file("old.mbox", &mbox);
        let first = program.run(&["import", &path]);
        assert!(first.starts_with("200 imported, 0 were there already"), "{first}");
        let again = program.run(&["import", &path]);
        assert!(again.starts_with("0 imported, 200 were there already"), "{again}");
        assert_eq!(program.count("SELECT COUNT(*) FROM records WHERE kind = 'case'"), 0);
        let at = program.look("SELECT received_at FROM messages WHERE subject LIKE '%token00000'", |row| row.get::<i64>(0).unwrap());
        assert_eq!(at, [1_793_574_000_000_000], "2 November 2026, midnight in Prague");
        program.run(&["verify"]);
        assert_eq!(program.json(&["ledger", "--json"])[0]["difference"], 0);
    }
}

/// Messages that were not settled yet, counted without disturbing the server.
fn left_in_inbox(dovecot: &Dovecot) -> usize {
    let inbox = dovecot.maildir("helpdesk", "INBOX");
    ["cur", "new"].iter().map(|part| std::fs::read_dir(inbox.join(part)).map_or(0, Iterator::count)).sum()
}

/// The check after every ordeal.
fn everything_is_there_once(program: &Program, dovecot: &Dovecot, mails: &[Mail]) {
    let total = mails.len() as i64;
    let mut subjects: HashMap<String, usize> = HashMap::new();
    for subject in program.look("SELECT subject FROM messages", |row| row.get::<String>(0).unwrap()) {
        let token = subject.rsplit(' ').next().unwrap_or_default().to_owned();
        *subjects.entry(token).or_default() += 1;
    }
    let aside = program.look("SELECT uid, reason FROM occurrences WHERE state = 'quarantined'", |row| {
        (row.get::<i64>(0).unwrap(), row.get::<String>(1).unwrap())
    });
    assert_eq!(aside, [], "nothing is put aside because of a kill");
    for token in mails.iter().filter_map(|mail| mail.token.as_ref()) {
        assert_eq!(subjects.get(token), Some(&1), "{token}");
    }
    let copies = mails.iter().filter(|mail| mail.is_copy).count() as i64;
    assert_eq!(program.count("SELECT COUNT(*) FROM messages"), total - copies);
    assert_eq!(program.count("SELECT COUNT(*) FROM occurrences WHERE state = 'filed'"), total);
    assert_eq!(dovecot.count("helpdesk", "INBOX").unwrap(), 0);
    assert_eq!(dovecot.count("helpdesk", "Processed").unwrap() as i64, total);
    let threads = program.count("SELECT COUNT(*) FROM threads WHERE merged_into IS NULL");
    assert_eq!(
        program.count("SELECT COUNT(DISTINCT case_id) FROM threads WHERE merged_into IS NULL"),
        threads
    );
    assert_eq!(
        program.count("SELECT COUNT(*) FROM records WHERE kind = 'case' AND merged_into IS NULL"),
        threads
    );
    assert_eq!(
        program.count("SELECT COALESCE(SUM(messages), 0) FROM threads WHERE merged_into IS NULL"),
        total - copies
    );
    let ledger = program.json(&["ledger", "--json"]);
    assert_eq!(
        (&ledger[0]["seen"], &ledger[0]["filed"], &ledger[0]["difference"]),
        (&total.into(), &total.into(), &0.into()),
        "{ledger}"
    );
    assert_eq!(program.json(&["verify", "--json"]), serde_json::json!({ "checked": total, "wrong": [] }));
}
