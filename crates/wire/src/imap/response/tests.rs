use super::*;
use crate::imap::frame::Literal;

fn parse(text: &str) -> Response {
    let line = Line { text: text.as_bytes().to_vec(), literals: Vec::new() };
    Response::parse(&line, 20).unwrap()
}

fn uids(text: &str) -> UidSet {
    text.parse().unwrap()
}

#[test]
fn status_responses_have_code_and_words_and_may_lack_both() {
    let Response::Said(said) = parse("* OK [UIDVALIDITY 3857529045] UIDs valid") else { panic!() };
    assert_eq!((said.code, said.text.as_str()), (Some(Code::UidValidity(3_857_529_045)), "UIDs valid"));
    let Response::Tagged { tag, said } = parse("L3 no") else { panic!() };
    assert_eq!(
        (tag.as_str(), said.condition, said.code, said.text.as_str()),
        ("L3", Condition::No, None, "")
    );
    let Response::Said(said) = parse("* OK [PERMANENTFLAGS (\\Answered $x \\*)]") else { panic!() };
    assert_eq!(said.code, Some(Code::PermanentFlags(vec!["\\Answered".into(), "$x".into(), "\\*".into()])));
    let Response::Said(said) = parse("* bye [unclosed") else { panic!() };
    assert_eq!((said.condition, said.code), (Condition::Bye, None));
    let Response::Tagged { said, .. } = parse("L4 OK [COPYUID 7 5:6,9 3,2:1] Done") else { panic!() };
    assert_eq!(
        said.code,
        Some(Code::CopyUid { uid_validity: 7, from: vec![(5, 6), (9, 9)], to: vec![(3, 3), (2, 1)] })
    );
    let Response::Tagged { said, .. } = parse("L4 OK [COPYUID 7 x y] Done") else { panic!() };
    assert_eq!(said.code, Some(Code::Other("COPYUID".into())));
}

#[test]
fn folders_are_read_however_they_are_written() {
    let name = |text: &str| match parse(text) {
        Response::List { name, delimiter, .. } => (String::from_utf8(name).unwrap(), delimiter),
        other => panic!("{other:?}"),
    };
    assert_eq!(name(r#"* LIST (\HasNoChildren) "/" INBOX"#), ("INBOX".into(), Some('/')));
    assert_eq!(name(r#"* LIST () NIL Inbox"#), ("INBOX".into(), None));
    assert_eq!(name(r#"* XLIST (\Spam) "." "a \"b\" [c]""#), (r#"a "b" [c]"#.into(), Some('.')));
    assert_eq!(name(r#"* LIST () "/" Sent Items"#), ("Sent Items".into(), Some('/')));
    assert_eq!(name(r#"* LIST () "\\" a\b"#), (r"a\b".into(), Some('\\')));
    assert_eq!(name(r#"* LIST () "/" Old ("CHILDINFO" ("SUBSCRIBED"))"#), ("Old".into(), Some('/')));
    assert_eq!(parse("* LIST nonsense"), Response::Other);
}

#[test]
fn searches_are_read_in_every_form() {
    assert_eq!(parse("* SEARCH"), Response::Search(UidSet::new()));
    assert_eq!(parse("* SEARCH 9 2 3  (MODSEQ 917162500)"), Response::Search(uids("2:3,9")));
    let all = Response::Esearch { tag: Some("L5".into()), all: uids("1:3,7") };
    assert_eq!(parse(r#"* ESEARCH (TAG "L5") UID ALL 1:3,7"#), all);
    assert_eq!(
        parse(r#"* ESEARCH (TAG "L5") UID"#),
        Response::Esearch { tag: Some("L5".into()), all: UidSet::new() }
    );
    assert_eq!(
        parse("* VANISHED (EARLIER) 41,43:116"),
        Response::Vanished { earlier: true, uids: uids("41,43:116") }
    );
    let Response::Status { items, .. } = parse("* STATUS \"a b\" (MESSAGES 231 UIDNEXT 44292 )") else {
        panic!()
    };
    assert_eq!(items, [("MESSAGES".to_owned(), 231), ("UIDNEXT".to_owned(), 44_292)]);
}

#[test]
fn a_fetch_is_held_to_the_grammar() {
    let fetch = |text: &str, literals: Vec<(usize, Literal)>| {
        Response::parse(&Line { text: text.as_bytes().to_vec(), literals }, 20)
    };
    let Ok(Response::Fetch(got)) = fetch(
        "* 1 FETCH (BODY[]  FLAGS (\\Seen x) RFC822.SIZE 5 INTERNALDATE \" 1-Jan-1970 00:00:01 +0000\" UID 7)",
        vec![(18, Literal::Streamed(5))],
    ) else {
        panic!()
    };
    let expected = FetchResponse {
        uid: Some(7),
        flags: Some(vec!["\\Seen".into(), "x".into()]),
        internal_date: Some(1_000_000),
        size: Some(5),
        body: Body::Streamed(5),
    };
    assert_eq!(got, expected);
    let Ok(Response::Fetch(got)) = fetch("* 1 FETCH (UID 7 BODY[] NIL INTERNALDATE NIL)", vec![]) else {
        panic!()
    };
    assert_eq!((got.body, got.internal_date), (Body::Absent, None));
    let Ok(Response::Fetch(got)) = fetch("* 1 FETCH (UID 7 BODY[] \"short\")", vec![]) else { panic!() };
    assert_eq!(got.body, Body::Inline(b"short".to_vec()));
    for broken in [
        "* 1 FETCH (UID 7 BODY[])",
        "* 1 FETCH (UID 7",
        "* 1 FETCH UID 7",
        "* 1 FETCH (UID 7))",
        "* 1 FETCH (BODY[] \"a\" BODY[] \"b\")",
    ] {
        assert_eq!(fetch(broken, vec![]), Err(ProtocolError::BrokenFetch), "{broken}");
    }
}

#[test]
fn a_line_that_is_no_response_is_an_error() {
    for text in [
        "220 smtp.firma.example ESMTP",
        "SSH-2.0-OpenSSH_9.6",
        "+OK POP3 ready",
        "Dear Ann, OK?",
        "L1 MAYBE",
        "HTTP/1.1 400 Bad",
    ] {
        let line = Line { text: text.as_bytes().to_vec(), literals: Vec::new() };
        let parsed = Response::parse(&line, 20);
        assert!(matches!(parsed, Err(ProtocolError::NotAResponse(_))), "{text}: {parsed:?}");
    }
    assert_eq!(parse(""), Response::Other);
}

#[test]
fn a_namespace_tells_what_names_of_own_folders_begin_with() {
    let personal = |text: &str| match parse(text) {
        Response::Namespace { personal } => Some(String::from_utf8(personal).unwrap()),
        _ => None,
    };
    let courier = r##"* NAMESPACE (("INBOX." ".")) NIL (("#shared." ".")("shared." "."))"##;
    assert_eq!(personal(courier).as_deref(), Some("INBOX."));
    assert_eq!(personal(r#"* NAMESPACE (("" "/")) NIL NIL"#).as_deref(), Some(""));
    assert_eq!(personal("* NAMESPACE NIL NIL NIL"), None);
}
