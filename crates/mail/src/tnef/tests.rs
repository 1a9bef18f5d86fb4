use std::path::PathBuf;

use super::rtf::{self, Body};
use super::{Tnef, open};

/// An attribute; checksums are not looked at.
fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    [&[level][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
}

fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
    [&super::SIGNATURE.to_le_bytes()[..], &[1, 0], &attributes.concat()].concat()
}

fn property(kind: u16, tag: u16, value: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), tag.to_le_bytes()].concat();
    if matches!(kind, 0x1e | 0x1f | 0x102 | 0x0d) {
        out.extend(1u32.to_le_bytes());
        out.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    }
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn properties(list: &[Vec<u8>]) -> Vec<u8> {
    [&u32::try_from(list.len()).unwrap().to_le_bytes()[..], &list.concat()].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn b10_a_file_has_its_long_name_and_the_body_its_charset() {
    let message = properties(&[
        property(0x1f, 0x0037, &utf16("Nabídka č. 7")),
        property(0x03, 0x3fde, &1250u32.to_le_bytes()),
        property(0x102, 0x1013, &encoding_rs::WINDOWS_1250.encode("<p>Dobrý den, šéfe</p>").0),
    ]);
    let file = properties(&[
        property(0x0b, 0x7ffe, &[1, 0, 0, 0]),
        property(0x1f, 0x3707, &utf16("..\\smlouva a příloha.docx")),
        property(0x1e, 0x3712, b"<img1@a.example>\0"),
        property(0x1e, 0x370e, b"Image/PNG\0"),
    ]);
    let raw = stream(&[
        attribute(1, super::id::OEM_CODEPAGE, &[0xe2, 4, 0, 0, 0, 0, 0, 0]),
        attribute(1, super::id::MESSAGE_PROPS, &message),
        attribute(2, super::id::ATTACH_REND_DATA, &[0; 14]),
        attribute(2, super::id::ATTACH_TITLE, b"SMLOUV~1.DOC\0"),
        attribute(2, super::id::ATTACH_DATA, b"bytes"),
        attribute(2, super::id::ATTACH_PROPS, &file),
    ]);
    let tnef = open(&raw).unwrap();
    assert_eq!(tnef.subject.as_deref(), Some("Nabídka č. 7"));
    assert_eq!(tnef.html.as_deref(), Some("<p>Dobrý den, šéfe</p>"));
    let [file] = &tnef.files[..] else { panic!("{tnef:?}") };
    assert_eq!(file.name.as_deref(), Some("smlouva a příloha.docx"));
    assert_eq!(file.content_id.as_deref(), Some("img1@a.example"));
    assert_eq!((file.content_type.as_deref(), file.inline), (Some("image/png"), true));
    assert_eq!((&file.bytes[..], tnef.damaged), (&b"bytes"[..], false));
}

#[test]
fn b10_a_stream_cut_anywhere_gives_what_was_there() {
    let raw = stream(&[
        attribute(1, super::id::SUBJECT, b"Hi\0"),
        attribute(2, super::id::ATTACH_REND_DATA, &[0; 14]),
        attribute(2, super::id::ATTACH_TITLE, b"a.txt\0"),
        attribute(2, super::id::ATTACH_DATA, b"bytes"),
    ]);
    for end in 0..raw.len() {
        let cut = open(&raw[..end]);
        assert_eq!(cut.is_some(), end >= 4, "{end}");
        assert!(cut.is_none_or(|t| t.files.len() <= 1));
    }
    let whole = open(&raw).unwrap();
    assert_eq!(whole.files[0].name.as_deref(), Some("a.txt"));
    assert_eq!(open(b"not a winmail.dat"), None);
}

#[test]
fn b10_lengths_that_lie_are_not_believed() {
    let huge = u32::MAX.to_le_bytes();
    let lies = [
        [&[1][..], &super::id::MESSAGE_PROPS.to_le_bytes(), &huge, b"xx"].concat(),
        attribute(1, super::id::MESSAGE_PROPS, &huge),
        attribute(1, super::id::MESSAGE_PROPS, &[&[1, 0, 0, 0, 0x1e, 0, 0x37, 0][..], &huge].concat()),
        attribute(
            1,
            super::id::MESSAGE_PROPS,
            &[&[1, 0, 0, 0, 0x1e, 0, 0x37, 0, 1, 0, 0, 0][..], &huge].concat(),
        ),
    ];
    for lie in lies {
        let tnef = open(&stream(&[lie])).unwrap();
        assert_eq!((tnef.damaged, tnef.subject), (true, None));
    }
}

#[test]
fn b10_compressed_rtf_is_expanded() {
    // "{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}" from the dictionary, then letters, then the end.
    let raw = [
        &[0u8; 4][..],
        &100u32.to_le_bytes(),
        b"LZFu",
        &[0; 4],
        &[0b0000_0001, 0, 0x04],
        b"hello {",
        &[0b0000_0010],
        b"!",
        &[0x0d, 0xd0],
    ]
    .concat();
    assert_eq!(rtf::decompress(&raw).as_deref(), Some(&b"{\\rtf1hello {!"[..]));
    assert_eq!(rtf::decompress(b"short"), None);
}

#[test]
fn b10_rtf_becomes_the_text_a_reader_sees() {
    let rtf = br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset238 Arial CE;}}{\*\generator x}\f1 P\'f8\'edli\'9a\par {\f0 caf\'e9}\tab \u269?\u-10179?\u-8704? \{a\}\~b}";
    assert_eq!(rtf::body(rtf), Body::Text("Příliš\ncafé\tč😀 {a}\u{a0}b".into()));
}

#[test]
fn b10_html_inside_rtf_is_taken_out() {
    let rtf = br"{\rtf1\ansi\ansicpg1250\fromhtml1 {\fonttbl{\f0 Arial;}}{\*\htmltag64 <p>}\htmlrtf {\b \htmlrtf0 Dobr\'fd den{\*\htmltag84 &nbsp;}\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}{\*\mhtmltag1 x}}";
    assert_eq!(rtf::body(rtf), Body::Html("<p>Dobrý den&nbsp;</p>".into()));
}

#[test]
fn hostile_streams_take_linear_time() {
    let empty = properties(&[property(0x03, 1, &[0; 4])]);
    for raw in [
        stream(&vec![attribute(2, super::id::ATTACH_REND_DATA, &[]); 100_000]),
        stream(&vec![attribute(1, super::id::MESSAGE_PROPS, &empty); 50_000]),
    ] {
        assert!(open(&raw).unwrap().files.len() <= super::MAX_FILES);
    }
    for unit in ["{", "}", "\\", "\\u1 ", "\\'", "\\f1 a", "{\\*", "a"] {
        let _ = rtf::body(unit.repeat(1_000_000 / unit.len()).as_bytes());
    }
}

#[test]
fn b10_winmail_files_of_the_corpora_are_opened() {
    let root = std::env::var_os("LETTERCASE_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"));
    let folder = root.join("mimekit/data/UnitTests/TestData/tnef");
    if !folder.is_dir() {
        println!("skipped: no corpora at {}", root.display());
        return;
    }
    let (mut right, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "tnef") {
            continue;
        }
        let tnef = open(&std::fs::read(&path).unwrap()).unwrap();
        let Ok(extracted) = std::fs::read_dir(path.with_extension("")) else {
            println!("{}: {}", path.display(), summary(&tnef));
            continue;
        };
        for file in extracted {
            let file = file.unwrap().path();
            if has(&tnef, file.file_name().unwrap().to_str().unwrap(), &std::fs::read(&file).unwrap()) {
                right += 1;
            } else {
                wrong.push(format!("{} of {}", file.display(), summary(&tnef)));
            }
        }
    }
    println!("tnef: {right} files right, {} wrong: {wrong:#?}", wrong.len());
    assert_eq!(wrong.len(), 0);
}

/// Whether an opened stream has a file that another program took out of it. That program kept the
/// interface id before objects and wrote a notice of 89 bytes for each embedded message; the text
/// files were stored with LF.
fn has(tnef: &Tnef, name: &str, bytes: &[u8]) -> bool {
    let lf = |bytes: &[u8]| bytes.iter().copied().filter(|&b| b != b'\r').collect::<Vec<u8>>();
    let same = |ours: &[u8]| lf(ours) == lf(bytes) || bytes.get(16..) == Some(ours);
    let untitled = name.to_lowercase().starts_with("untitled");
    match name {
        "message.rtf" => tnef.rtf.as_deref().is_some_and(same),
        // In another charset where it is not ASCII.
        "message.html" => tnef.html.as_ref().is_some_and(|h| !h.is_ascii() || same(h.as_bytes())),
        "message.txt" => tnef.text.as_ref().is_some_and(|t| same(t.as_bytes())),
        _ if untitled && bytes.len() == 89 => bytes.starts_with(b"This attachment is a MAPI"),
        _ => tnef.files.iter().any(|f| (untitled || f.name.as_deref() == Some(name)) && same(&f.bytes)),
    }
}

fn summary(tnef: &Tnef) -> String {
    let files: Vec<_> = tnef.files.iter().map(|f| (&f.name, f.bytes.len())).collect();
    format!(
        "{files:?} rtf {:?} html {:?} text {:?} damaged {}",
        tnef.rtf.as_ref().map(Vec::len),
        tnef.html.as_ref().map(String::len),
        tnef.text.as_ref().map(String::len),
        tnef.damaged
    )
}

proptest::proptest! {
    #[test]
    fn b10_any_stream_opens(attributes in proptest::collection::vec((1u8..3, 0usize..9, proptest::collection::vec(0u8..8, 0..60)), 0..12)) {
        let ids = [
            super::id::OEM_CODEPAGE, super::id::SUBJECT, super::id::BODY, super::id::MESSAGE_PROPS, super::id::ATTACH_REND_DATA,
            super::id::ATTACH_TITLE, super::id::ATTACH_DATA, super::id::ATTACH_PROPS, super::id::MESSAGE_CLASS,
        ];
        let list: Vec<_> = attributes.iter().map(|(level, id, data)| attribute(*level, ids[*id], data)).collect();
        proptest::prop_assert!(open(&stream(&list)).is_some());
    }

    #[test]
    fn b10_any_rtf_is_read(rtf in "(\\\\(par|f1|u269|'e1|htmlrtf|htmlrtf0|\\*|\\{|~)|\\{|\\}| |[a-zá]){0,60}", bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = rtf::body(rtf.as_bytes());
        let _ = rtf::body(&bytes);
        let _ = rtf::decompress(&[&[0, 0, 0, 0, 255, 255, 0, 0][..], b"LZFu", &[0; 4], &bytes].concat());
    }
}

/// A message with a winmail.dat.
fn letter(tnef: &[u8]) -> Vec<u8> {
    let lines = tnef
        .chunks(20)
        .map(|line| line.iter().map(|byte| format!("={byte:02X}")).collect::<String>() + "=\n");
    let head = "From: ann@a.example\nSubject: x\nContent-Type: application/ms-tnef; name=winmail.dat\n\
                Content-Transfer-Encoding: quoted-printable\n\n";
    (head.to_owned() + &lines.collect::<String>() + "\n").into_bytes()
}

#[test]
fn b10_a_message_within_a_winmail_dat_is_listed_with_its_files_and_read() {
    let inner = stream(&[
        attribute(1, super::id::SUBJECT, b"Offer\0"),
        attribute(1, super::id::BODY, b"What was offered.\0"),
        attribute(2, super::id::ATTACH_REND_DATA, &[0; 14]),
        attribute(2, super::id::ATTACH_TITLE, b"price.txt\0"),
        attribute(2, super::id::ATTACH_DATA, b"100"),
    ]);
    let object = property(0x0d, 0x3701, &[&[0; 16][..], &inner].concat());
    let raw = letter(&stream(&[
        attribute(1, super::id::SUBJECT, b"Fwd: Offer\0"),
        attribute(2, super::id::ATTACH_REND_DATA, &[0; 14]),
        attribute(2, super::id::ATTACH_PROPS, &properties(&[object])),
    ]));
    let read = crate::parse::parse(&raw);
    assert_eq!(read.text.trim(), "What was offered.");
    let names: Vec<_> = read.attachments.iter().map(|file| file.name.as_deref()).collect();
    assert_eq!(names, [Some("winmail.dat"), Some("Offer"), Some("price.txt")]);
    assert_eq!(crate::parse::attachment(&raw, 2).as_deref(), Some(&b"100"[..]));
}

#[test]
fn b10_a_meeting_request_of_outlook_is_an_invitation() {
    // 2026-03-02 13:00 and 14:30 UTC as FILETIME.
    let at = |micros: u64| (116_444_736_000_000_000 + micros * 10).to_le_bytes();
    let message = properties(&[
        property(0x1f, 0x0037, &utf16("Porada")),
        property(0x40, 0x0060, &at(1_772_456_400_000_000)),
        property(0x40, 0x0061, &at(1_772_461_800_000_000)),
    ]);
    let raw = letter(&stream(&[
        attribute(1, super::id::MESSAGE_CLASS, b"IPM.Schedule.Meeting.Request\0"),
        attribute(1, super::id::MESSAGE_PROPS, &message),
    ]));
    let [event] = &crate::calendar::of_letter(&raw, &crate::parse::parse(&raw))[..] else { panic!() };
    let shown = |when: &Option<crate::calendar::When>| when.as_ref().unwrap().to_string();
    assert_eq!((event.method, event.summary.as_str()), (crate::calendar::Method::Request, "Porada"));
    assert_eq!(
        (shown(&event.start), shown(&event.end)),
        ("2026-03-02T13:00:00Z".to_owned(), "2026-03-02T14:30:00Z".to_owned())
    );
    let note = letter(&stream(&[attribute(1, super::id::MESSAGE_CLASS, b"IPM.Microsoft Mail.Note\0")]));
    assert!(crate::calendar::of_letter(&note, &crate::parse::parse(&note)).is_empty());
}
