use super::{Arrivals, INBOX, Mailbox, SENT, Sample, records};
use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn header(mail: &[u8], name: &str) -> Option<String> {
    let text = text(mail);
    let head = text.split("\r\n\r\n").next().unwrap_or_default().to_owned();
    let start = format!("{name}: ");
    head.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned))
}

#[test]
fn the_same_moment_gives_the_same_mails() {
    let (one, two) = (Sample::new(now()), Sample::new(now()));
    assert_eq!(one.mails.len(), two.mails.len());
    assert!(one.mails.iter().zip(&two.mails).all(|(a, b)| a.bytes == b.bytes));
}

#[test]
fn there_are_some_three_hundred_of_three_weeks() {
    let sample = Sample::new(now());
    assert!((280..=380).contains(&sample.mails.len()), "{}", sample.mails.len());
    let three_weeks = now() - Duration::from_secs(23 * 86_400);
    assert!(sample.mails.iter().all(|mail| mail.at > three_weeks && mail.at <= now()));
    for mailbox in Mailbox::ALL {
        let count =
            sample.mails.iter().filter(|mail| mail.mailbox == mailbox && mail.folder == INBOX).count();
        assert!(count >= 12, "{mailbox:?} has {count}");
    }
}

#[test]
fn every_mail_is_whole() {
    for mail in Sample::new(now()).mails {
        let shown = text(&mail.bytes);
        assert!(shown.contains("\r\n\r\n"), "no blank line: {shown}");
        assert!(!shown.replace("\r\n", "").contains('\n'), "a bare line feed: {shown}");
        assert!(header(&mail.bytes, "From").is_some() && header(&mail.bytes, "Date").is_some(), "{shown}");
        assert!(!shown.contains("{order}") && !shown.contains("{model}"), "a place is not filled: {shown}");
        let longest = mail.bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
        assert!(longest < 998, "a line of {longest} bytes: {shown}");
    }
}

#[test]
fn it_has_what_companies_get() {
    let mails = Sample::new(now()).mails;
    let count = |what: &str| mails.iter().filter(|mail| text(&mail.bytes).contains(what)).count();
    assert!(count("\r\nIn-Reply-To: ") > 100);
    assert!(count("\r\nList-Id: ") >= 9);
    assert!(count("multipart/report") >= 4);
    assert!(count("Auto-Submitted: auto-replied") >= 8);
    assert!(count("charset=windows-1250") >= 10 && count("charset=iso-8859-2") >= 5);
    assert!(count("application/pdf") >= 10 && count("image/png") >= 10 && count("text/csv") >= 4);
    assert!(count("Content-ID: ") >= 2 && count("winmail.dat") == 1 && count("text/calendar") == 4);
    let without_id = mails.iter().filter(|mail| header(&mail.bytes, "Message-ID").is_none()).count();
    assert_eq!(without_id, 2);
}

#[test]
fn message_ids_are_unique_but_for_copies() {
    let mails = Sample::new(now()).mails;
    let ids: Vec<_> = mails.iter().filter_map(|mail| header(&mail.bytes, "Message-ID")).collect();
    let different: HashSet<_> = ids.iter().collect();
    assert_eq!(ids.len() - different.len(), 2, "two mails came to two mailboxes");
}

#[test]
fn new_mail_goes_on_in_threads() {
    let mut arrivals = Arrivals::new(7);
    let mails: Vec<_> = (0..60).map(|n| arrivals.next(now() + Duration::from_secs(20 * n))).collect();
    let replies = mails.iter().filter(|mail| header(&mail.bytes, "In-Reply-To").is_some()).count();
    assert!((15..=45).contains(&replies), "{replies}");
    assert!(mails.iter().any(|mail| mail.folder == SENT));
    assert!(
        mails.iter().all(|mail| header(&mail.bytes, "Received").is_none()),
        "it is still to be delivered"
    );
}

#[test]
fn what_belongs_to_an_account_comes_after_it() {
    let mut seen = HashSet::new();
    for record in records() {
        assert!(record.account.as_ref().is_none_or(|account| seen.contains(account)), "{record:?}");
        seen.insert(record.name);
    }
    assert!(seen.len() > 40);
}

#[test]
fn pictures_and_documents_really_open() {
    let png = super::files::shelf_png(40, 30, 1);
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(&[0xAE, 0x42, 0x60, 0x82]));
    let pdf = text(&super::files::pdf(&["Objednávka 7 (č. 2)".into()]));
    let at: usize = pdf.lines().rev().nth(1).unwrap().parse().unwrap();
    assert!(pdf[at..].starts_with("xref\n") && pdf.contains("(Objednavka 7 c. 2) Tj"));
    let first: usize = pdf[at..].lines().nth(3).unwrap()[..10].parse().unwrap();
    assert!(pdf[first..].starts_with("1 0 obj"));
}
