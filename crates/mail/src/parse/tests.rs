use super::*;
use proptest::prelude::*;

#[test]
fn nothing_is_a_letter() {
    let letter = parse(b"");
    assert!(letter.defects.contains(&Defect::Empty));
    assert_eq!(letter.text, "");
}

#[test]
fn bytes_without_a_header_are_text() {
    let letter = parse("Ahoj, tohle není e-mail.\n".as_bytes());
    assert_eq!(letter.text, "Ahoj, tohle není e-mail.\n");
    assert!(letter.defects.contains(&Defect::NoHeader));
}

#[test]
fn a_header_behind_blank_lines_is_read() {
    let letter = parse(b"   \r\n\r\nSubject: late\r\nFrom: ann@a.example\r\n\r\nText\r\n");
    assert_eq!((letter.subject.as_str(), letter.text.as_str()), ("late", "Text\n"));
    let letter = parse(b"\nNote: this is a text.\n\nText\n");
    assert_eq!(letter.text, "\nNote: this is a text.\n\nText\n");
}

#[test]
fn attachment_is_fetched_again_by_its_index() {
    let raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHi\n--b\nContent-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nYWJj\n--b\n\nfile\nbegin 644 cat.txt\n#0V%T\n`\nend\n--b--\n";
    let letter = parse(raw);
    let names: Vec<_> = letter.attachments.iter().map(|file| file.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["a.png", "cat.txt"]);
    assert_eq!(attachment(raw, 0).as_deref(), Some(&b"abc"[..]));
    assert_eq!(attachment(raw, 1).as_deref(), Some(&b"Cat"[..]));
    assert_eq!(attachment(raw, 2), None);
    assert_eq!(letter.text, "Hi\nfile\n");
}

#[test]
fn t20_nesting_and_parts_end_at_their_limits() {
    let nested = b"Content-Type: message/rfc822\n\n".repeat(20_000);
    assert!(parse(&nested).defects.contains(&Defect::PartLimit));
    let mut deep = Vec::new();
    for level in 0..5_000 {
        deep.extend_from_slice(
            format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n").as_bytes(),
        );
    }
    assert!(parse(&deep).defects.contains(&Defect::PartLimit));
    let mut many = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
    many.extend(b"--b\n\nx\n".repeat(100_000));
    assert!(parse(&many).defects.contains(&Defect::PartLimit));
}

#[test]
fn t21_bombs_in_the_header_take_linear_time() {
    let start = std::time::Instant::now();
    let addresses = format!("To: {}\n\nx", "a@a.example, ".repeat(100_000));
    assert!(parse(addresses.as_bytes()).defects.contains(&Defect::AddressLimit));
    let params: String = (0..100_000).map(|n| format!(" name*{n}*=x;")).collect();
    parse(format!("Content-Type: text/plain;{params}\n\nx").as_bytes());
    let fields = "A: b\n".repeat(200_000);
    assert!(parse(fields.as_bytes()).defects.contains(&Defect::HeaderLimit));
    // A second; quadratic time would be an hour.
    assert!(start.elapsed().as_secs() < 200, "{:?}", start.elapsed());
}

#[test]
fn t21_a_header_above_its_limit_is_kept_raw() {
    let mut raw = b"Subject: long\nX-Long: ".to_vec();
    raw.resize(part::MAX_HEADER_BYTES + 1000, b'x');
    raw.extend_from_slice(b"\nTo: ann@a.example\n\nbody\n");
    let (split, letter) = open(&raw);
    assert!(letter.defects.contains(&Defect::HeaderLimit));
    assert_eq!(letter.subject, "long");
    assert_eq!(split.header.len() + split.parts.len(), part::MAX_HEADER_BYTES);
}

#[test]
fn t21_a_header_bomb_in_a_part_is_not_read() {
    let mut raw = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nText\n--b\n".to_vec();
    raw.extend(b"a:\n".repeat(5_000_000));
    raw.extend_from_slice(b"\nx\n--b--\n");
    let (split, letter) = open(&raw);
    assert!(letter.defects.contains(&Defect::PartLimit));
    assert_eq!((letter.subject.as_str(), letter.text.as_str()), ("x", "Text"));
    let parts: usize = split.parts.iter().map(|part| part.bytes.len()).sum();
    assert!(split.header.len() + split.skeleton.len() + parts >= raw.len());
}

#[test]
fn opening_gives_the_same_letter_as_parsing() {
    let raw = b"From: a@a.example\nContent-Type: message/rfc822\n\nSubject: x\n\nbody\n";
    let (split, letter) = open(raw);
    assert_eq!(letter, parse(raw));
    assert_eq!(split.whole_hash, split::split(raw).whole_hash);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_are_a_letter(raw in proptest::collection::vec(any::<u8>(), 0..2000)) {
        parse(&raw);
    }

    #[test]
    fn any_pile_of_mime_is_a_letter(
        pieces in proptest::collection::vec(0usize..14, 0..60),
    ) {
        const PIECES: [&str; 14] = [
            "Content-Type: multipart/mixed; boundary=\"b\"\r\n", "Content-Type: multipart/alternative; boundary=c\n",
            "\r\n", "--b\r\n", "--b--\r\n", "--c\n", "--c--\n", "Content-Type: message/rfc822\r\n\r\n",
            "Content-Transfer-Encoding: base64\r\n", "YWJj\r\n", "Content-Type: text/html\n", "begin 644 x\n", "=?utf-8?q?", "From: <",
        ];
        let raw: String = pieces.iter().map(|&at| PIECES[at]).collect();
        let (split, letter) = open(raw.as_bytes());
        prop_assert_eq!(&letter, &parse(raw.as_bytes()));
        prop_assert!(split.header.len() <= raw.len());
        for index in 0..letter.attachments.len() {
            let bytes = attachment(raw.as_bytes(), index).unwrap();
            prop_assert_eq!(*blake3::hash(&bytes).as_bytes(), letter.attachments[index].hash);
        }
    }
}
