//! The points at which tests end the program: every place where a crash would leave something half done.
//!
//! A point is a line `point::reached("c10_filing")` in the code of any crate above this one. In release
//! builds it is nothing. In debug builds the environment arms it: `LETTERCASE_FAIL_POINT=c10_filing:3`
//! ends the process when that point is reached for the third time, as abruptly as SIGKILL would: no
//! destructor runs, nothing is flushed or given back. `LETTERCASE_POINT_LOG=FILE` appends the name of each
//! point that is passed, so that a test can see that a point still lies on the way.
//!
//! The numbers are those of the crash points that the tests are named after: `c` for reading by IMAP, `p`
//! for POP3, `s` for sending. Places inside the conversation with a server need no point: a test holds the
//! conversation there (`testkit::proxy`) and kills the program from outside.
//!
//! Decided against errors that a point injects: what fails in the middle is shown with real failures
//! (broken connections, full disks), and what comes back from an injected one is what the test wrote.

/// Every point and what a crash there leaves behind. `tests/tidy.rs` compares it with the code.
pub const POINTS: &[(&str, &str)] = &[
    ("c1_signed_in", "signed in, nothing asked yet"),
    ("c1_listed", "what the server lists is written down, nothing is fetched"),
    ("c2_fetched", "a message has arrived and is only in memory"),
    ("c5_opened", "a batch is taken apart and only in memory"),
    ("c6_keeping", "bytes are written, the cursor is not moved, nothing is committed"),
    ("c8_kept", "bytes and cursor are durable, nothing is filed"),
    ("c9_begun", "it is written down that a batch is about to be opened"),
    ("c9_begun_again", "it is written down that kept messages are about to be opened again"),
    ("c10_filing", "messages, links and cases of a batch are written and not committed"),
    ("c11_filed", "a batch is filed, the server still has it where it was"),
    ("c11_due", "all is filed, settling is about to begin"),
    ("c13_intended", "it is written down what is about to be copied on a server without MOVE"),
    ("p1_signed_in", "POP3: signed in, nothing asked yet"),
    ("p1_listed", "POP3: each listed message has its number, nothing is read"),
    ("p2_due", "POP3: all is filed, nothing is marked for deletion"),
    ("p2_intended", "POP3: it is written down what is about to be marked for deletion"),
    ("p2_marked", "POP3: messages are marked for deletion, QUIT is not said"),
    ("p3_quit", "POP3: the server has deleted, and we have not written that down"),
    ("c12_operation_done", "the server has done what somebody asked for, and we have not written that down"),
    ("c13_operation_begun", "it is written down that an operation is about to be tried"),
    ("s1_signed_in", "SMTP: signed in, nothing said of the mail"),
    ("s2_transmitted", "SMTP: the server has all but the final dot, and nothing of that is written down"),
    ("s3_in_data", "SMTP: it is written down that the final dot is about to be said"),
    ("s4_taken", "SMTP: the server has taken the mail, and we have not written that down"),
    ("s5_noted", "SMTP: it is written down that the mail was sent, and its copy is owed to the mail server"),
    ("c12_settled", "the server has moved or marked a batch, and we have not written that down"),
];

/// This point is reached. Ends the process if a test has armed it.
#[inline]
pub fn reached(point: &'static str) {
    #[cfg(debug_assertions)]
    armed::reached(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

#[cfg(debug_assertions)]
mod armed {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// What the environment asks for.
    struct Armed {
        /// The point that ends the process, and at which pass.
        fatal: Option<(String, u64)>,
        /// Where passed points are noted.
        log: Option<String>,
        /// Passes of the fatal point so far.
        passes: AtomicU64,
    }

    fn armed() -> &'static Armed {
        static ARMED: OnceLock<Armed> = OnceLock::new();
        ARMED.get_or_init(|| Armed {
            fatal: std::env::var("LETTERCASE_FAIL_POINT").ok().map(|order| parsed(&order)),
            log: std::env::var("LETTERCASE_POINT_LOG").ok(),
            passes: AtomicU64::new(0),
        })
    }

    pub(super) fn parsed(order: &str) -> (String, u64) {
        let (point, pass) = order.split_once(':').unwrap_or((order, "1"));
        (point.to_owned(), pass.parse().expect("LETTERCASE_FAIL_POINT is NAME or NAME:N"))
    }

    pub(super) fn reached(point: &str) {
        let armed = armed();
        if let Some(log) = &armed.log {
            let file = OpenOptions::new().create(true).append(true).open(log);
            let written = file.and_then(|mut file| file.write_all(format!("{point}\n").as_bytes()));
            written.expect("the file of LETTERCASE_POINT_LOG can be written");
        }
        if let Some((fatal, pass)) = &armed.fatal
            && fatal == point
            && armed.passes.fetch_add(1, Ordering::SeqCst) + 1 == *pass
        {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_stands_in_the_table_once() {
        for (index, (point, meaning)) in POINTS.iter().enumerate() {
            assert!(!meaning.is_empty());
            assert!(POINTS[..index].iter().all(|(other, _)| other != point), "{point} stands there twice");
        }
    }

    #[cfg(debug_assertions)]
    #[test]
    fn an_order_names_a_point_and_the_pass_that_is_the_last() {
        assert_eq!(armed::parsed("c6_keeping:3"), ("c6_keeping".to_owned(), 3));
        assert_eq!(armed::parsed("c6_keeping"), ("c6_keeping".to_owned(), 1));
    }
}
