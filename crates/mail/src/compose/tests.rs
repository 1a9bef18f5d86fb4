use super::*;
use proptest::prelude::*;

const NAMES: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

fn draft<'a>(name: &'a str, to: &'a [String], subject: &'a str, text: &'a str) -> Draft<'a> {
    Draft {
        from: (name, "helpdesk@acme.example"),
        to,
        subject,
        text,
        at_s: 1_795_320_000,
        message_id: "1.abc@acme.example",
    }
}

#[test]
fn a17_a_notice_is_a_proper_mail_that_says_a_program_wrote_it() {
    let to = ["ann@firma.example".to_owned(), "ben@firma.example".to_owned()];
    let raw = compose(&draft("Acme", &to, "Hello", "One\nTwo"));
    assert_eq!(
        String::from_utf8(raw).unwrap(),
        "From: \"Acme\" <helpdesk@acme.example>\r\nTo: ann@firma.example,\r\n ben@firma.example\r\nSubject: Hello\r\n\
         Date: Sun, 22 Nov 2026 04:00:00 +0000\r\nMessage-ID: <1.abc@acme.example>\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nOne\r\nTwo\r\n"
    );
}

#[test]
fn a17_what_is_not_ascii_comes_back_as_it_was_and_travels_as_ascii() {
    let (subject, text) =
        ("Žluťoučký kůň úpěl ďábelské ódy, a to dlouho a hlasitě", "Příliš žluťoučký kůň. \n\n=.\n.\nKonec");
    let to = ["ann@firma.example".to_owned()];
    let raw = compose(&draft("Škoda \"a\" syn", &to, subject, text));
    assert!(raw.is_ascii() && raw.split(|b| *b == b'\n').all(|line| line.len() <= 78));
    let (_, letter) = crate::open(&raw);
    assert_eq!(letter.subject, subject);
    assert_eq!(letter.from[0].name.as_deref().unwrap(), "Škoda \"a\" syn");
    assert_eq!(letter.text.trim_end(), text);
    assert_eq!(letter.auto_submitted.as_deref(), Some("auto-generated"));
    assert_eq!(letter.defects, []);
}

fn address(name: &str, address: &str) -> Address {
    Address { name: Some(name.to_owned()).filter(|name| !name.is_empty()), address: address.to_owned() }
}

#[test]
fn d4_an_answer_names_the_groups_address_and_the_mail_it_answers() {
    let (to, cc) = ([address("Ann", "ann@firma.example")], [address("", "ben@firma.example")]);
    let written = Answer {
        from: ("Helpdesk", "zofie@acme.example"),
        reply_to: Some(("Helpdesk", "helpdesk@acme.example")),
        to: &to,
        cc: &cc,
        subject: "Re: Hello",
        text: "One",
        at_s: 1_795_320_000,
        message_id: "lc.1.a.b@acme.example",
        in_reply_to: Some("2@firma.example"),
        references: &["0@firma.example".to_owned(), "1@acme.example".to_owned()],
        by: By::Person,
    };
    let raw = String::from_utf8(answer(&written)).unwrap();
    assert_eq!(
        raw.split("MIME-Version").next().unwrap(),
        "From: \"Helpdesk\" <zofie@acme.example>\r\nReply-To: \"Helpdesk\" <helpdesk@acme.example>\r\n\
         To: \"Ann\" <ann@firma.example>\r\nCc: ben@firma.example\r\nSubject: Re: Hello\r\n\
         Date: Sun, 22 Nov 2026 04:00:00 +0000\r\nMessage-ID: <lc.1.a.b@acme.example>\r\n\
         In-Reply-To: <2@firma.example>\r\nReferences: <0@firma.example>\r\n <1@acme.example>\r\n <2@firma.example>\r\n"
    );
    let by_program = String::from_utf8(answer(&Answer { by: By::Program, ..written.clone() })).unwrap();
    assert!(by_program.contains("\r\nAuto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n"));
    let many: Vec<String> = (0..100).map(|n| format!("{n}@firma.example")).collect();
    let raw = answer(&Answer { references: &many, ..written });
    let letter = crate::parse::parse(&raw);
    assert_eq!(letter.references.len(), 30);
    assert_eq!(
        [letter.references[0].as_str(), letter.references[29].as_str()],
        ["0@firma.example", "2@firma.example"]
    );
}

proptest! {
    #[test]
    fn t15_no_value_adds_a_field_to_an_answer(
        name in "[ -~\r\n\t\u{2028}š\"\\\\=?]{0,80}",
        id in "[ -~\r\n\t<>]{0,60}",
        to in "[a-z\r\n<>, :]{0,20}",
    ) {
        let to = [address(&name, &(to + "@firma.example"))];
        let raw = answer(&Answer {
            from: (&name, "helpdesk@acme.example"),
            reply_to: Some((&name, "helpdesk@acme.example")),
            to: &to,
            cc: &to,
            subject: &name,
            text: "x",
            at_s: 0,
            message_id: "1@acme.example",
            in_reply_to: Some(&id),
            references: std::slice::from_ref(&id),
            by: By::Program,
        });
        let text = String::from_utf8(raw).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        let fields = header.split("\r\n").filter(|line| !line.starts_with(' '));
        let odd: Vec<&str> = fields.filter(|line| !line.split_once(": ").is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-'))).collect();
        prop_assert_eq!(odd, Vec::<&str>::new());
        prop_assert_eq!(body, "x\r\n");
    }

    #[test]
    fn t15_no_value_adds_a_field_or_ends_the_header(
        name in "[ -~\r\n\t\u{2028}\u{85}š\"\\\\=?]{0,80}",
        subject in "[ -~\r\n\t\u{2029}\0žé=?]{0,200}",
        to in "[a-z\r\n<>, :]{0,20}",
        text in "[ -~\r\n\u{2028}č.=]{0,300}",
    ) {
        let to = [to + "@firma.example"];
        let raw = compose(&draft(&name, &to, &subject, &text));
        let text = String::from_utf8(raw.clone()).unwrap();
        prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
        let (header, _) = text.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = header
            .split("\r\n")
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split_once(": ").unwrap().0)
            .collect();
        prop_assert_eq!(names, NAMES);
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 998));
        let (_, letter) = crate::open(&raw);
        prop_assert_eq!(letter.from.len(), 1);
        prop_assert_eq!(letter.from[0].address.as_str(), "helpdesk@acme.example");
        prop_assert_eq!(letter.to.len(), 1);
        prop_assert_eq!(letter.subject, one_line(&subject));
    }
}
