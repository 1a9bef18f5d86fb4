//! Verdicts: the fields above a letter, and what is believed of them.

use super::*;
use crate::parse::parse;

fn verdict_of(fields: &str) -> Verdict {
    let raw = format!("{fields}From: Ann <ann@firm.example>\r\nSubject: x\r\n\r\nx\r\n");
    verdict(&parse(raw.as_bytes()), "mx.acme.example")
}

fn results(value: &str) -> Verdict {
    verdict_of(&format!("Authentication-Results: mx.acme.example; {value}\r\n"))
}

#[test]
fn b8_dmarc_decides_where_the_server_asked_it() {
    assert_eq!(results("dmarc=pass (p=none) header.from=firm.example"), Verdict::Pass);
    assert_eq!(
        results("dmarc=fail header.from=firm.example; spf=pass smtp.mailfrom=firm.example"),
        Verdict::Fail
    );
    assert_eq!(
        results("spf=pass smtp.mailfrom=a@firm.example; dmarc=none header.from=firm.example"),
        Verdict::Pass
    );
    // A verdict about another writer says nothing of this one.
    assert_eq!(results("dmarc=pass header.from=other.example"), Verdict::None);
}

#[test]
fn b8_a_signature_or_a_sender_counts_for_its_own_domain_only() {
    assert_eq!(results("dkim=pass header.d=firm.example"), Verdict::Pass);
    assert_eq!(results("dkim=pass header.i=@mail.firm.example header.s=k"), Verdict::Pass);
    assert_eq!(results("dkim=fail header.d=firm.example; dkim=pass header.d=firm.example"), Verdict::Pass);
    assert_eq!(results("dkim=pass header.d=bulk.example"), Verdict::None);
    assert_eq!(results("dkim=pass header.d=notfirm.example"), Verdict::None);
    assert_eq!(results("dkim=pass header.d=example"), Verdict::None);
    assert_eq!(results("spf=pass smtp.mailfrom=bounces@firm.example"), Verdict::Pass);
    assert_eq!(results("spf=fail smtp.mailfrom=firm.example"), Verdict::Fail);
    assert_eq!(results("spf=softfail smtp.mailfrom=firm.example"), Verdict::None);
    assert_eq!(
        results("spf=fail smtp.mailfrom=firm.example; dkim=pass header.d=firm.example"),
        Verdict::Pass
    );
    assert_eq!(results("none"), Verdict::None);
}

#[test]
fn t14_only_the_named_servers_topmost_run_is_believed() {
    let ours = |result: &str| {
        format!("Authentication-Results: mx.acme.example; dmarc={result} header.from=firm.example\r\n")
    };
    let foreign = "Authentication-Results: elsewhere.example; dmarc=pass header.from=firm.example\r\n";
    let hop = "Received: from a by mx.acme.example; Mon, 2 Mar 2026 08:00:00 +0000\r\n";
    assert_eq!(verdict_of(""), Verdict::Unknown);
    assert_eq!(verdict_of(foreign), Verdict::Unknown);
    assert_eq!(verdict_of(&format!("{foreign}{}", ours("fail"))), Verdict::Fail);
    assert_eq!(verdict_of(&format!("{}{hop}{}", ours("none"), ours("pass"))), Verdict::None);
    assert_eq!(verdict_of(&format!("{}{foreign}{}", ours("none"), ours("pass"))), Verdict::None);
    assert_eq!(verdict_of(&format!("{}{}", ours("fail"), ours("pass"))), Verdict::Fail);
    // Two programs of one server write a field each.
    let signed = "Authentication-Results: MX.acme.example; dkim=pass header.d=firm.example\r\n";
    assert_eq!(verdict_of(&format!("{}{signed}", ours("none"))), Verdict::Pass);
}

#[test]
fn b8_nobody_is_believed_where_no_server_is_named() {
    let raw = "Authentication-Results: ; dmarc=pass\r\nFrom: ann@firm.example\r\n\r\nx";
    assert_eq!(verdict(&parse(raw.as_bytes()), ""), Verdict::Unknown);
}

#[test]
fn b8_comments_quotes_versions_and_folding_are_read() {
    let field = Field::read(
        "\"mx.acme.example\" 1;\tdkim/1 = pass (good; (really) \\) x)\r\n reason=\"a; b\" header.d = Firm.Example; x",
    );
    let properties = vec![("reason".into(), "a; b".into()), ("header.d".into(), "firm.example".into())];
    let dkim = Outcome { method: "dkim".into(), result: "pass".into(), properties };
    assert_eq!(field, Some(Field { server: "mx.acme.example".into(), results: vec![dkim] }));
    assert_eq!(Field::read("spf=pass smtp.mailfrom=a.example; dkim=none"), None);
    assert_eq!(Field::read(""), None);
}

#[test]
fn b8_what_a_server_calls_itself_is_read() {
    assert_eq!(server("mx.google.com; spf=pass").as_deref(), Some("mx.google.com"));
    assert_eq!(server("; spf=pass"), None);
}

#[test]
fn t20_a_field_of_any_size_is_read_up_to_a_limit() {
    let long = format!("mx.acme.example{}; dmarc=pass", "(".repeat(1 << 20));
    assert_eq!(results(&"a=b;".repeat(100_000)), Verdict::None);
    assert_eq!(Field::read(&long).unwrap().results, []);
}
