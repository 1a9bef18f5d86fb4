//! The disk is full, or says that it could not write. SQLite only: PostgreSQL's disk is its own server's business.

use crate::mails;
use crate::program::Program;
use std::time::{Duration, Instant};
use testkit::dovecot::Dovecot;

const MAILS: usize = 40;
/// A round that failed is tried again after some seconds.
const SOON: Duration = Duration::from_secs(90);

/// Serves on a disk where a system call fails as ordered (`strace -e inject`), until all is filed and moved; the server
/// must at no moment have lost what is not yet ours.
fn serve_on_a_bad_disk(order: &str) {
    let (program, dovecot) = (Program::on_sqlite(), Dovecot::start());
    let mails = mails::mixed(MAILS);
    dovecot.fill("ann", "INBOX", mails.iter().map(|mail| &mail.raw)).unwrap();
    program.connect(&dovecot, "ann", "ann@acme.example", &["--processed", "Processed", "--create-cases"]);
    let mut serving = program.serve_under_strace(order);
    let began = Instant::now();
    let files = |folder: &str| {
        let folder = dovecot.maildir("ann", folder);
        let count = |part: &str| std::fs::read_dir(folder.join(part)).map_or(0, Iterator::count);
        count("cur") + count("new")
    };
    while files("Processed") < MAILS {
        // What has left INBOX is on our disk before.
        let filed = program.count("SELECT COUNT(*) FROM occurrences WHERE state = 'filed'");
        let moved = files("Processed") as i64;
        assert!(moved <= filed.max(program.count("SELECT COUNT(*) FROM occurrences WHERE state = 'filed'")));
        if serving.ended(Duration::ZERO).is_some() {
            // It may end of it, as long as the next start goes on.
            serving = program.serve();
        }
        assert!(began.elapsed() < SOON, "{moved} moved, {filed} filed\n{}", program.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    serving.kill();
    assert!(program.strace_log().contains("(INJECTED)"), "the disk never failed");
    let copies = mails.iter().filter(|mail| mail.is_copy).count();
    assert_eq!(program.count("SELECT COUNT(*) FROM messages"), (MAILS - copies) as i64);
    assert_eq!((files("INBOX"), files("Processed")), (0, MAILS));
    assert_eq!(program.json(&["ledger", "--json"])[0]["difference"], 0);
    assert_eq!(program.json(&["verify", "--json"]), serde_json::json!({ "checked": MAILS, "wrong": [] }));
}

#[test]
fn c19_a_disk_that_is_full_for_a_while_leaves_the_server_untouched_and_all_goes_on_afterwards() {
    serve_on_a_bad_disk("pwrite64:error=ENOSPC:when=40..41");
}

#[test]
fn c20_a_disk_that_cannot_say_whether_it_has_written_loses_and_doubles_nothing() {
    for commit in [4, 6] {
        serve_on_a_bad_disk(&format!("fsync:error=EIO:when={commit}..{commit}"));
    }
}
