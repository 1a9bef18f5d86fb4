use proptest::strategy::Strategy;

use super::{Action, Bounce, Kind, code, recognise};

fn read(raw: &[u8]) -> Option<Bounce> {
    recognise(raw, &crate::parse::parse(raw))
}

const REPORT: &str = "From: MAILER-DAEMON@mx.b.example\r\nTo: ann@a.example\r\nSubject: Undelivered\r\n\
Message-ID: <dsn-1@mx.b.example>\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n\
--x\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n";

fn report(status: &str) -> Bounce {
    let raw = format!(
        "{REPORT}--x\r\nContent-Type: message/delivery-status\r\n\r\n{status}\r\n\
--x\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: ann@a.example\r\nMessage-ID:\r\n <orig-1@a.example>\r\n\r\n--x--\r\n"
    );
    read(raw.as_bytes()).unwrap()
}

#[test]
fn b9_each_recipient_of_a_delivery_status_is_read() {
    let bounce = report(
        "Reporting-MTA: dns; mx.b.example\r\nOriginal-Envelope-Id: env-7\r\n\r\n\
Original-Recipient: rfc822;Ben@b.example\r\nFinal-Recipient: rfc822; ben@inner.b.example\r\n\
Action: failed (permanent)\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n  <ben@inner.b.example>:\r\n\tno such user\r\n\r\n\
Final-Recipient: RFC822;<carla@b.example>\r\nAction: Delayed\r\nStatus: 4.4.7 (expired)\r\n",
    );
    assert_eq!(bounce.kind, Kind::Failure);
    assert_eq!(bounce.envelope_id.as_deref(), Some("env-7"));
    assert_eq!(bounce.original_message_id.as_deref(), Some("orig-1@a.example"));
    let [ben, carla] = &bounce.recipients[..] else { panic!("{bounce:?}") };
    assert_eq!((ben.address.as_str(), ben.action), ("Ben@b.example", Action::Failed));
    assert_eq!((ben.status.as_deref(), ben.permanent, ben.dead), (Some("5.1.1"), Some(true), true));
    assert_eq!(ben.diagnostic.as_deref(), Some("smtp; 550 5.1.1 <ben@inner.b.example>: no such user"));
    assert_eq!((carla.address.as_str(), carla.action), ("carla@b.example", Action::Delayed));
    assert_eq!((carla.permanent, carla.dead), (Some(false), false));
}

#[test]
fn b9_a_delay_and_a_receipt_are_no_failures() {
    let delay = report("Final-Recipient: rfc822; ben@b.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n");
    assert_eq!((delay.kind, delay.is_failure()), (Kind::Delay, false));
    let done = report("Final-Recipient: rfc822; ben@b.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n");
    assert_eq!((done.kind, done.recipients[0].permanent), (Kind::Success, None));
}

#[test]
fn b9_groups_without_blank_lines_and_types_are_read() {
    let bounce = report(
        "Final-Recipient: ben@b.example\nAction: failed\nStatus: 5.2.2\n\
Final-Recipient: carla@b.example\nAction: failed\nStatus: 5.1.2\n",
    );
    let read: Vec<_> = bounce.recipients.iter().map(|r| (r.address.as_str(), r.permanent, r.dead)).collect();
    assert_eq!(read, [("ben@b.example", Some(true), false), ("carla@b.example", Some(true), true)]);
}

#[test]
fn b9_a_full_mailbox_is_permanent_but_not_dead() {
    let bounce = report(
        "Final-Recipient: rfc822; ben@b.example\nAction: failed\nStatus: 5.1.1\n\
Diagnostic-Code: smtp; 552 5.2.2 over quota\n",
    );
    assert_eq!(bounce.recipients[0].status.as_deref(), Some("5.2.2"));
    assert!(!bounce.recipients[0].dead);
}

#[test]
fn b9_notices_in_words_are_read() {
    for (head, body, kind, address, status, permanent, dead) in [
        (
            "From: MAILER-DAEMON@b.example\nSubject: failure notice",
            "Hi. This is the qmail-send program at b.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<ben@b.example>:\nRemote host said: 550 5.1.1 no such user\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <o@a.example>\nTo: carla@b.example\n",
            Kind::Failure,
            "ben@b.example",
            Some("5.1.1"),
            true,
            true,
        ),
        (
            "From: Mail Delivery System <Mailer-Daemon@b.example>\nX-Failed-Recipients: ben@b.example\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender",
            "A message that you sent could not be delivered to one or more of its recipients.\n\n  ben@b.example\n    host mx.b.example: 452 4.2.2 mailbox full\n",
            Kind::Failure,
            "ben@b.example",
            Some("4.2.2"),
            false,
            false,
        ),
        (
            "Return-Path: <>\nFrom: postmaster@b.example\nSubject: Nedoručitelná zpráva",
            "Vaši zprávu nebylo možné doručit adresátovi ben@b.example: uživatel neexistuje (550 user unknown)\n",
            Kind::Failure,
            "ben@b.example",
            None,
            true,
            true,
        ),
        (
            "From: MAILER-DAEMON@b.example\nSubject: Warning: message delayed",
            "Your message to ben@b.example has been delayed. It will be retried for 3 more days.\n",
            Kind::Delay,
            "ben@b.example",
            None,
            false,
            false,
        ),
        (
            "Return-Path: <>\nFrom: mail@b.example\nSubject: Undeliverable: offer",
            "Your message did not reach some or all of the intended recipients.\n\n  'ben@b.example' on 3.5.2021 10:00\n    550 5.7.1 blocked by policy\n",
            Kind::Failure,
            "ben@b.example",
            Some("5.7.1"),
            true,
            false,
        ),
    ] {
        let raw = format!("{head}\nTo: ann@a.example\nContent-Type: text/plain; charset=utf-8\n\n{body}");
        let bounce = read(raw.as_bytes()).unwrap_or_else(|| panic!("{raw}"));
        assert_eq!(bounce.kind, kind, "{raw}");
        let [recipient] = &bounce.recipients[..] else { panic!("{bounce:?}") };
        assert_eq!(recipient.address, address);
        assert_eq!(recipient.status.as_deref(), status, "{raw}");
        assert_eq!((recipient.permanent, recipient.dead), (Some(permanent), dead), "{raw}");
    }
}

#[test]
fn b9_what_people_and_responders_write_is_no_bounce() {
    for raw in [
        "From: ben@b.example\nSubject: Undeliverable: offer\n\nYour message to carla@c.example could not be delivered: 550 5.1.1 user unknown\n",
        "Return-Path: <>\nFrom: ben@b.example\nSubject: Automatic reply: offer\nAuto-Submitted: auto-replied\n\nI am away until 5 May; my answer is delayed. Write to carla@c.example.\n",
        "From: postmaster@b.example\nSubject: Maintenance on Sunday\n\nMail will be slow.\n",
        "From: MAILER-DAEMON@b.example\nContent-Type: multipart/report; report-type=disposition-notification; boundary=x\nSubject: Read\n\n--x\n\nread\n--x\nContent-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed\nFinal-Recipient: rfc822;ben@b.example\n\n--x--\n",
        "",
    ] {
        assert_eq!(read(raw.as_bytes()), None, "{raw}");
    }
}

#[test]
fn b9_a_complaint_names_the_one_who_complained() {
    let raw = "From: fbl@b.example\nSubject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=x\n\n--x\n\nspam\n--x\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <ben@b.example>\n\n--x\nContent-Type: message/rfc822\n\nMessage-ID: <o@a.example>\n\nhi\n--x--\n";
    let bounce = read(raw.as_bytes()).unwrap();
    assert_eq!((bounce.kind, bounce.is_failure()), (Kind::Complaint, false));
    assert_eq!(bounce.recipients[0].address, "ben@b.example");
    assert_eq!(bounce.original_message_id.as_deref(), Some("o@a.example"));
}

#[test]
fn codes_are_told_from_addresses_and_versions() {
    assert_eq!(code::status("host 5.1.1.7 says 5.0.0 then (#5.7.509)").as_deref(), Some("5.7.509"));
    assert_eq!(code::status("v5.1.2 a5.1.1 5.1 5.1.1234 x/5.1.1"), None);
    assert_eq!(code::reply_class("said: 450 later"), Some('4'));
    assert_eq!(code::reply_class("mx550.b.example 192.0.2.550 x-550"), None);
}

proptest::proptest! {
    #[test]
    fn b9_any_notice_is_read(pieces in proptest::collection::vec(
        proptest::prop_oneof![
            proptest::sample::select(vec![
                "\n", "\n\n", "To: ", "<ben@b.example>", "@", "550 5.1.1", "5.", ".", "message-id:", "Final-Recipient: rfc822;", "Action: failed",
                "--x\n", "Content-Type: message/delivery-status\n", "could not be delivered to ", "á", "--- below this line is a copy of it.",
            ]).prop_map(str::to_owned),
            "\\PC{0,8}",
        ],
        0..40,
    )) {
        let head = "From: MAILER-DAEMON\nContent-Type: multipart/report; boundary=x\nSubject: Undeliverable\n\n";
        let raw = format!("{head}{}", pieces.concat());
        for recipient in read(raw.as_bytes()).map(|b| b.recipients).unwrap_or_default() {
            proptest::prop_assert!(!recipient.address.is_empty());
        }
    }
}
