use super::*;
use proptest::prelude::*;

const NAMES: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
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
         Date: Sun, 22 Nov 2026 04:00:00 +0000\r\nMessage-ID: <1.abc@acme.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\
         Auto-Submitted: auto-generated\r\n\r\nOne\r\nTwo\r\n"
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

proptest! {
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
