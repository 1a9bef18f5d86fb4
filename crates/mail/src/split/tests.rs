use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

fn joined(split: &Split<'_>) -> Vec<u8> {
    let parts: HashMap<_, _> = split.parts.iter().map(|part| (part.hash, part.bytes.to_vec())).collect();
    join(split.header, &split.skeleton, |hash| parts.get(hash).cloned()).unwrap()
}

fn message(file: &[u8]) -> Vec<u8> {
    let mut raw = b"From: ann@a.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    base64::encode(file, Recipe { line: 76, crlf: true, padded: true }, &mut raw);
    raw.extend_from_slice(b"\r\n--b--\r\n");
    raw
}

#[test]
fn file_is_stored_decoded_and_message_comes_back() {
    let file: Vec<u8> = (0..9000u32).map(|n| (n * n) as u8).collect();
    let raw = message(&file);
    let split = split(&raw);
    assert_eq!(split.parts.len(), 1);
    assert_eq!(*split.parts[0].bytes, *file);
    assert!(split.skeleton.len() < 250, "{}", split.skeleton.len());
    assert_eq!(joined(&split), raw);
}

#[test]
fn copies_with_other_trace_headers_share_body_and_parts() {
    let file = vec![7; 5000];
    let raw = message(&file);
    let mut copy = b"Received: from elsewhere\r\nDelivered-To: ben@b.example\r\n".to_vec();
    copy.extend_from_slice(&raw);
    let (one, two) = (split(&raw), split(&copy));
    assert_eq!(one.body_hash, two.body_hash);
    assert_eq!(one.skeleton, two.skeleton);
    assert_ne!(one.whole_hash, two.whole_hash);
}

#[test]
fn the_same_file_wrapped_differently_is_one_part() {
    let file = vec![9; 5000];
    let raw = message(&file);
    let text = String::from_utf8(raw.clone()).unwrap().replace("\r\n", "\n").into_bytes();
    let (one, two) = (split(&raw), split(&text));
    assert_eq!(one.parts[0].hash, two.parts[0].hash);
    assert_eq!(joined(&two), text);
}

#[test]
fn parts_of_an_attached_message_are_parts() {
    let inner = message(&vec![3; 4000]);
    let mut raw = b"Content-Type: message/rfc822\r\n\r\n".to_vec();
    raw.extend_from_slice(&inner);
    let split = split(&raw);
    assert_eq!(*split.parts[0].bytes, [3; 4000]);
    assert_eq!(joined(&split), raw);
}

#[test]
fn b10_the_outline_keeps_what_says_something_in_a_file() {
    let filling = "x".repeat(4 * MIN_PART_BYTES);
    for (head, is_kept) in [
        ("Content-Type: application/ms-tnef; name=winmail.dat", true),
        ("Content-Type: application/octet-stream; name=WINMAIL.DAT", true),
        ("Content-Type: text/calendar", true),
        ("Content-Type: application/octet-stream; name=invite.ics", true),
        ("Content-Type: application/pdf; name=a.pdf", false),
    ] {
        let raw = format!(
            "From: a@a.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n{head}\n\n{filling}\n--x--\n"
        );
        let (split, _) = crate::open(raw.as_bytes());
        let parts: HashMap<_, _> = split.parts.iter().map(|part| (part.hash, part.bytes.to_vec())).collect();
        let fetch = |hash: &[u8; 32]| parts.get(hash).cloned();
        let outline = outline(split.header, &split.skeleton, |hash| fetch(hash)).unwrap();
        assert_eq!(String::from_utf8(outline).unwrap().contains(&filling), is_kept, "{head}");
    }
}

#[test]
fn outline_reads_the_same_text_without_the_files() {
    let raw = message(&vec![1; 1_000_000]);
    let split = split(&raw);
    let outline = outline(split.header, &split.skeleton, |_| None).unwrap();
    assert!(outline.len() < 300);
    let (whole, less) = (crate::parse::parse(&raw), crate::parse::parse(&outline));
    assert_eq!(whole.text, less.text);
    assert_eq!(whole.attachments.len(), less.attachments.len());
}

#[test]
fn missing_and_damaged_parts_are_errors() {
    let raw = message(&vec![1; 5000]);
    let split = split(&raw);
    let hash = split.parts[0].hash;
    let fetch = |bytes: Option<Vec<u8>>| join(split.header, &split.skeleton, |_| bytes.clone());
    assert_eq!(fetch(None), Err(JoinError::MissingPart(hash)));
    assert_eq!(fetch(Some(vec![1; 4999])), Err(JoinError::WrongPart(hash)));
    assert_eq!(join(b"", b"", |_| None), Err(JoinError::BadSkeleton));
    for cut in 1..split.skeleton.len() {
        let _ = join(b"", &split.skeleton[..cut], |_| Some(vec![1; 5000]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_come_back(raw in proptest::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert_eq!(joined(&split(&raw)), raw);
    }

    #[test]
    fn any_damaged_message_comes_back(
        file in proptest::collection::vec(any::<u8>(), 2000..4000),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut raw = message(&file);
        for (at, byte) in changes {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        prop_assert_eq!(joined(&split(&raw)), raw);
    }

    #[test]
    fn any_skeleton_is_read_or_refused(skeleton in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = join(b"", &skeleton, |_| Some(vec![0; 3]));
    }
}
