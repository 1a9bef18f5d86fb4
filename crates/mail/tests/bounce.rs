//! Bounces and automatic answers, measured against the corpora.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use mail::bounce::{Bounce, Kind, recognise};
use mail::{autoreply, parse};
use serde_json::Value;

fn corpora() -> Option<PathBuf> {
    let path = std::env::var_os("LETTERCASE_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"));
    if !path.is_dir() {
        println!("skipped: no corpora at {}", path.display());
        return None;
    }
    Some(path)
}

fn items(root: &Path, set: &str) -> Vec<Value> {
    let json = std::fs::read(root.join("expected").join(set)).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    json["items"].as_array().unwrap().clone()
}

fn read(root: &Path, item: &Value) -> (Option<Bounce>, Option<&'static str>) {
    let raw = std::fs::read(root.join(item["file"].as_str().unwrap())).unwrap();
    let letter = parse::parse(&raw);
    (recognise(&raw, &letter), autoreply::reason(&letter))
}

fn is_bounce(bounce: &Option<Bounce>) -> bool {
    bounce.as_ref().is_some_and(|b| matches!(b.kind, Kind::Failure | Kind::Delay))
}

fn classes(bounce: &Bounce) -> Vec<String> {
    let class = |p: Option<bool>| p.map_or("?", |p| if p { "5" } else { "4" });
    let mut classes: Vec<String> = bounce.recipients.iter().map(|r| class(r.permanent).to_owned()).collect();
    classes.sort();
    classes
}

fn statuses(bounce: &Bounce) -> Vec<String> {
    let mut all: Vec<String> = bounce.recipients.iter().filter_map(|r| r.status.clone()).collect();
    all.sort();
    all
}

#[test]
fn b9_bounces_of_many_systems_are_recognised() {
    let Some(root) = corpora() else { return };
    let items = items(&root, "bounce-sisimai-dev.json");
    let (mut kind, mut count, mut class, mut status, mut dead) = (0, 0, 0, 0, 0);
    let mut reports = 0;
    for item in &items {
        let expect = &item["expect"];
        let (bounce, auto) = read(&root, item);
        let id = item["id"].as_str().unwrap();
        let right_kind = if expect["is_feedback_report"] == true {
            bounce.as_ref().is_some_and(|b| b.kind == Kind::Complaint)
        } else if expect["is_success_dsn"] == true {
            bounce.as_ref().is_some_and(|b| b.kind == Kind::Success)
        } else if expect["is_auto_reply"] == true {
            bounce.is_none() && auto.is_some()
        } else {
            is_bounce(&bounce) && auto.is_none()
        };
        kind += usize::from(right_kind);
        if !right_kind {
            println!("KIND {id}: {bounce:?} {auto:?}");
        }
        if expect["is_bounce"] != true {
            continue;
        }
        reports += 1;
        let Some(bounce) = bounce else { continue };
        let expected = expect["reports"].as_array().unwrap();
        let right_count = bounce.recipients.len() == expected.len();
        count += usize::from(right_count);
        let strings = |key: &str| {
            let mut all: Vec<String> =
                expected.iter().filter_map(|r| r[key].as_str()).map(str::to_owned).collect();
            all.sort();
            all
        };
        let right_class = classes(&bounce) == strings("status_class");
        class += usize::from(right_class);
        let known = strings("status");
        let right_status = known.iter().all(|s| statuses(&bounce).contains(s));
        status += usize::from(right_status);
        let right_dead = bounce.recipients.iter().any(|r| r.dead) == (expect["hard_any"] == true);
        dead += usize::from(right_dead);
        if !(right_count && right_class && right_status && right_dead) {
            println!(
                "{}{}{}{} {id}: {} {:?}",
                if right_count { "" } else { "COUNT " },
                if right_class { "" } else { "CLASS " },
                if right_status { "" } else { "STATUS " },
                if right_dead { "" } else { "DEAD " },
                expected
                    .iter()
                    .map(|r| format!("{}/{}/{} ", r["status"], r["status_class"], r["reason"]))
                    .collect::<String>(),
                bounce.recipients
            );
        }
    }
    // Not recognised, on purpose: a bounce that a person forwards. Of another class, on purpose: a delay that
    // says for how long it will be tried. "Hard" follows another vocabulary there: an unknown user who is
    // told of after the text ("filtered") counts as soft.
    println!("score bounces sisimai, recognised: {kind}/{}", items.len());
    for (what, hits) in [("recipients", count), ("class", class), ("status", status), ("hard", dead)] {
        println!("score bounces sisimai, {what}: {hits}/{reports}");
    }
    let share = |n: usize, percent: usize| n * 100 >= reports * percent;
    assert!(kind + 1 >= items.len());
    assert!(share(count, 99) && share(class, 99) && share(status, 99) && share(dead, 91));
}

#[test]
fn b9_bounces_of_the_ruby_set_are_recognised() {
    let Some(root) = corpora() else { return };
    let items = items(&root, "bounce-ruby-bounce-email.json");
    let (mut kind, mut class, mut classed) = (0, 0, 0);
    for item in &items {
        let expect = &item["expect"];
        let (bounce, _) = read(&root, item);
        let right = is_bounce(&bounce) == (expect["is_bounce"] == true);
        kind += usize::from(right);
        if !right {
            println!("KIND {}: {bounce:?}", item["id"]);
        }
        if let (Some(expected), Some(bounce)) = (expect["status_class"].as_str(), &bounce) {
            classed += 1;
            let right = classes(bounce).iter().all(|c| c == expected) && !bounce.recipients.is_empty();
            class += usize::from(right);
            if !right || !statuses(bounce).contains(&expect["status"].as_str().unwrap().to_owned()) {
                println!("{} {expect} {:?}", item["id"], bounce.recipients);
            }
        } else if let Some(b) = &bounce
            && b.recipients.is_empty()
        {
            println!("NO RECIPIENT {}: {b:?}", item["id"]);
        }
    }
    println!("score bounces ruby, recognised: {kind}/{}", items.len());
    println!("score bounces ruby, class: {class}/{classed}");
    assert_eq!((kind, class), (items.len(), classed));
}

#[test]
fn b9_bounces_of_the_php_set_are_recognised() {
    let Some(root) = corpora() else { return };
    let (mut total, mut known) = (0, 0);
    for file in mails(&root.join("php-bounce-handler/data")) {
        let raw = std::fs::read(&file).unwrap();
        let letter = parse::parse(&raw);
        let bounce = recognise(&raw, &letter);
        total += 1;
        known += usize::from(
            bounce.as_ref().is_some_and(|b| !b.recipients.is_empty() || b.kind == Kind::Complaint),
        );
        match &bounce {
            Some(b) if !b.recipients.is_empty() => println!(
                "ok {} {:?} {:?}",
                file.file_name().unwrap().display(),
                b.kind,
                b.recipients
                    .iter()
                    .map(|r| format!("{} {:?} {:?} {}", r.address, r.status, r.permanent, r.dead))
                    .collect::<Vec<_>>()
            ),
            b => println!(
                "?? {} {b:?} | {} | {:?} {:?}",
                file.file_name().unwrap().display(),
                letter.subject,
                autoreply::reason(&letter),
                letter.from
            ),
        }
    }
    println!("score bounces php, recognised: {known}/{total}");
    // The one that is left is the log of a script.
    assert!(known + 1 >= total);
}

fn mails(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "eml" || e == "msg" || e == "txt" || e == "raw") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn b9_ordinary_mail_is_neither_bounce_nor_answer() {
    let Some(root) = corpora() else { return };
    let (mut total, mut reports, mut alarms) = (0, 0, 0);
    for set in [
        "cpython-test-email",
        "django-mailbox",
        "enmime",
        "flanker",
        "greenmail",
        "imap_tools",
        "mailpit",
        "mime4j",
        "mimekit",
        "nodemailer-mailparser",
        "php-imap-webklex",
        "postal-mime",
        "crisp-replies",
        "github-replies",
    ] {
        for file in mails(&root.join(set).join("data")) {
            let raw = std::fs::read(&file).unwrap();
            let letter = parse::parse(&raw);
            total += 1;
            let bounce = recognise(&raw, &letter);
            let auto = autoreply::reason(&letter);
            let name = file.display().to_string();
            let is_report = REPORTS.iter().any(|r| name.contains(r));
            reports += usize::from(is_report);
            if (bounce.is_some() || auto.is_some()) != is_report {
                alarms += 1;
                println!("{} {auto:?} {bounce:?} {:?}", file.display(), letter.subject);
            }
        }
    }
    println!(
        "score ordinary mail, false alarms or misses: {alarms} of {total} mails ({reports} are reports)"
    );
    assert_eq!(alarms, 0);
}

/// Bounces and complaints among the ordinary mail, told by looking at each.
const REPORTS: &[&str] = &[
    "cpython-test-email/data/msg_16.txt",
    "cpython-test-email/data/msg_25.txt",
    "cpython-test-email/data/msg_43.txt",
    "enmime/data/dsn/testdata/",
    "mail/multipart-wo-boundary.raw",
    "fixtures/messages/bounce/",
    "fixtures/messages/complaints/",
    "raw_email_with_mimepart_without_content_type.eml",
    "messages/multipart_report_emails/",
    "mimetools-testmsgs/badbound.msg",
    "messages/bounce.txt",
    "messages/delivery-status",
    "messages/feedback-report.txt",
    "fixtures/delivery-status.eml",
    "messages/example_bounce.eml",
    "fixtures/arf.eml",
    "fixtures/bounce.eml",
];

#[test]
fn b9_hostile_notices_take_linear_time() {
    let head = "From: MAILER-DAEMON@a.example\nSubject: failure notice\n";
    let report = "Content-Type: message/delivery-status\n";
    for (extra, unit) in [
        ("", "<ann@a.example>: user unknown\n"),
        ("", "@"),
        ("", "a@b.example "),
        ("", "550 5.1.1 "),
        ("", "message-id:\n"),
        (report, "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n"),
        (report, "Status: 5.1.1\n"),
        (report, "Status: 5.1.1\n 5"),
    ] {
        let raw = format!("{head}{extra}\n{}", unit.repeat(1_000_000 / unit.len()));
        let letter = parse::parse(raw.as_bytes());
        let started = std::time::Instant::now();
        let bounce = recognise(raw.as_bytes(), &letter);
        assert!(bounce.is_none_or(|b| b.recipients.len() <= mail::bounce::MAX_RECIPIENTS));
        // A second; quadratic time would be an hour.
        assert!(started.elapsed().as_secs() < 200, "{unit}");
    }
}
