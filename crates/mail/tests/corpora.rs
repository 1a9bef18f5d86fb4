//! Real messages of public projects (read where they lie, never copied): none may fail, and what is
//! understood is compared with what their authors expect. Skipped where the folder is missing.

#![allow(clippy::unwrap_used, missing_docs)]

use mail::{Address, Letter};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use unicode_normalization::UnicodeNormalization;

fn corpora() -> Option<PathBuf> {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let dir = std::env::var_os("LETTERCASE_CORPORA").map_or(near, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    println!("skipped: no corpora at {}", dir.display());
    None
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The limit of the design is 5 s for a message; this is the debug build, on a machine that does other things.
const BUSY_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn every_file_is_a_letter_and_comes_back_byte_for_byte() {
    let Some(dir) = corpora() else { return };
    let mut paths = Vec::new();
    files(&dir, &mut paths);
    for path in &paths {
        let raw = std::fs::read(path).unwrap();
        let start = Instant::now();
        let (split, letter) = mail::open(&raw);
        mail::fingerprint::identity(&letter);
        let parts: HashMap<_, _> = split.parts.iter().map(|part| (part.hash, part.bytes.to_vec())).collect();
        let joined = mail::split::join(split.header, &split.skeleton, |hash| parts.get(hash).cloned());
        assert!(joined.unwrap() == raw, "{}", path.display());
        assert!(start.elapsed() < BUSY_LIMIT, "{}: {:?}", path.display(), start.elapsed());
        for (index, file) in letter.attachments.iter().enumerate() {
            let bytes = mail::parse::attachment(&raw, index).unwrap();
            assert_eq!(bytes.len() as u64, file.size_bytes, "{}", path.display());
        }
    }
    println!("{} files", paths.len());
}

#[test]
fn every_file_is_inspected_in_time() {
    let Some(dir) = corpora() else { return };
    let mut paths = Vec::new();
    files(&dir, &mut paths);
    let (mut slowest, mut bytes) = ((Duration::ZERO, PathBuf::new()), 0);
    for path in paths {
        let raw = std::fs::read(&path).unwrap();
        let start = Instant::now();
        let inspection = mail::inspect::inspect(&raw);
        serde_json::to_string(&inspection).unwrap();
        bytes += raw.len();
        slowest = slowest.max((start.elapsed(), path));
    }
    println!("{bytes} bytes; slowest: {:?} {}", slowest.0, slowest.1.display());
    assert!(slowest.0 < BUSY_LIMIT);
}

fn expected(dir: &Path, name: &str) -> Vec<(String, Vec<u8>, Value)> {
    let text = std::fs::read_to_string(dir.join("expected").join(name)).unwrap();
    let set: Value = serde_json::from_str(&text).unwrap();
    let item = |item: &Value| {
        let file = item["file"].as_str().unwrap();
        (
            item["id"].as_str().unwrap().to_owned(),
            std::fs::read(dir.join(file)).unwrap(),
            item["expect"].clone(),
        )
    };
    set["items"].as_array().unwrap().iter().map(item).collect()
}

/// Expectations that are another library's peculiarity and would be wrong for people: what, which message,
/// why. They are printed and not counted.
const CONTESTED: &[(&[&str], &str, &str)] = &[
    (
        &["subject", "from address", "from name", "to"],
        "raw_email_incorrect_header.eml",
        "the header does not end at its first malformed line: what follows is plainly header",
    ),
    (
        &["subject", "from address", "from name"],
        "example13.eml",
        "blanks before the colon are allowed (RFC 5322 4.5), and one stray line does not make a header text",
    ),
    (&["subject"], "example14.eml", "the blank between a text and an encoded word is shown (RFC 2047 6.2)"),
    (
        &["from address", "from name"],
        "mix_caps_content_type.eml",
        "`Big Bug bb@bug.com` is a name and an address; one cannot write to the whole",
    ),
    (&["to"], "missing_body.eml", "a group without members is nobody"),
    (&["to"], "raw_email11.eml", "a recipient without a domain is one of the local machine"),
    (&["to"], "raw_email_with_at_display_name.eml", "an `@` in a display name makes it no address"),
    (
        &["attachment count"],
        "missing_content_disposition.eml",
        "a picture without a name is all the message has, and must be reachable",
    ),
    (
        &["attachment count", "sizes"],
        "multipart_report_multiple_status.eml",
        "texts of the returned message are no attachments of the report, Content-ID or not",
    ),
    (
        &["attachment count", "sizes"],
        "text_with_content_id.eml",
        "the text of a message is no attachment of it, Content-ID or not",
    ),
    (
        &["text leaves"],
        "malformedHeaderStartsBody-nocrlfcrlf.msg",
        "a header is not over at a malformed line",
    ),
    (&["binary leaves"], "frag.msg", "a part is not read on behind its boundary because that is damaged"),
    (&["binary leaves"], "multi-frag.msg", "the last two characters of base64 without padding are a byte"),
];

fn is_contested(what: &str, id: &str) -> bool {
    CONTESTED.iter().any(|(those, message, _)| *message == id && those.contains(&what))
}

#[derive(Default)]
struct Score {
    names: Vec<&'static str>,
    /// Right, of how many, and contested.
    hits: HashMap<&'static str, (usize, usize, usize)>,
}

impl Score {
    fn count(&mut self, what: &'static str, id: &str, hit: bool, detail: impl FnOnce() -> String) {
        if !self.names.contains(&what) {
            self.names.push(what);
        }
        let entry = self.hits.entry(what).or_default();
        if !hit && is_contested(what, id) {
            entry.2 += 1;
            return;
        }
        entry.1 += 1;
        if hit {
            entry.0 += 1;
        } else {
            println!("  {what} {id}: {}", detail());
        }
    }

    fn print(&self, set: &str) {
        for name in &self.names {
            let (hits, all, contested) = self.hits[name];
            let besides = if contested > 0 { format!(", {contested} contested") } else { String::new() };
            println!("score MIME {set}, {name}: {hits}/{all}{besides}");
        }
    }

    fn missed(&self, what: &str) -> usize {
        let (hits, all, _) = self.hits[what];
        all - hits
    }
}

fn plain(text: &str) -> String {
    text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(text: &str) -> String {
    text.nfc().filter(|c| !c.is_whitespace()).collect()
}

fn addresses(list: &[Address]) -> Vec<String> {
    list.iter().map(|address| plain(&address.address).to_lowercase()).collect()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| plain(text.as_str().unwrap()).to_lowercase()).collect()
}

#[test]
fn b10_mime_set_imap_tools() {
    let Some(dir) = corpora() else { return };
    let mut score = Score::default();
    for (id, raw, expect) in expected(&dir, "mime-imap_tools.json") {
        let letter = mail::parse::parse(&raw);
        let text = |key: &str| plain(expect[key].as_str().unwrap_or_default());
        if id != "invalid_subject_characters.eml" {
            let subject = plain(&letter.subject);
            score.count("subject", &id, subject == text("subject"), || {
                format!("{subject:?}, not {:?}", text("subject"))
            });
        }
        let from = letter.from.first().cloned().unwrap_or_default();
        let from_name = plain(from.name.as_deref().unwrap_or_default());
        score.count(
            "from address",
            &id,
            plain(&from.address).to_lowercase() == text("from_address").to_lowercase(),
            || format!("{:?}, not {:?}", from.address, text("from_address")),
        );
        score.count("from name", &id, from_name == text("from_name"), || {
            format!("{from_name:?}, not {:?}", text("from_name"))
        });
        for (what, list) in [("to", &letter.to), ("cc", &letter.cc)] {
            score.count(what, &id, addresses(list) == strings(&expect[what]), || {
                format!("{:?}, not {:?}", addresses(list), strings(&expect[what]))
            });
        }
        let shown = words(&letter.text);
        let (want_text, want_html) = (text("text"), text("html"));
        let html = words(letter.html.as_deref().unwrap_or_default());
        score.count("text present", &id, want_text.is_empty() || !shown.is_empty(), String::new);
        score.count("html present", &id, want_html.is_empty() || !html.is_empty(), String::new);
        score.count("text", &id, shown.contains(&words(&want_text)), || {
            format!("{:.200}\n    not {want_text:.200}", letter.text)
        });
        score.count("html", &id, html == words(&want_html), || {
            format!("{html:.200}\n    not {want_html:.200}")
        });
        attachments(&mut score, &id, &letter, &expect["attachments"]["items"]);
    }
    score.print("imap_tools");
    for what in ["subject", "from address", "from name", "to", "cc", "text present", "html present"] {
        assert_eq!(score.missed(what), 0, "{what}");
    }
    for what in ["attachment count", "attachments", "sizes"] {
        assert_eq!(score.missed(what), 0, "{what}");
    }
}

fn attachments(score: &mut Score, id: &str, letter: &Letter, items: &Value) {
    let wanted: Vec<(String, u64)> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (plain(item["name"].as_str().unwrap_or_default()), item["size"].as_u64().unwrap()))
        .collect();
    let ours: Vec<(String, u64, &str)> = letter
        .attachments
        .iter()
        .map(|file| {
            (plain(file.name.as_deref().unwrap_or_default()), file.size_bytes, file.content_type.as_str())
        })
        .collect();
    score.count("attachment count", id, ours.len() == wanted.len(), || format!("{ours:?}, not {wanted:?}"));
    let named = wanted.iter().filter(|(name, _)| !name.is_empty());
    let found = named.clone().all(|(name, _)| ours.iter().any(|file| file.0 == *name));
    score.count("attachments", id, found, || format!("{ours:?}, not {wanted:?}"));
    let near = |a: u64, b: u64, is_text: bool| a == b || is_text && a.abs_diff(b) <= a.max(b) / 20 + 2;
    let sized = wanted.iter().all(|(_, size)| {
        ours.iter()
            .any(|file| near(file.1, *size, file.2.starts_with("text/") || file.2.starts_with("message/")))
    });
    score.count("sizes", id, sized, || format!("{ours:?}, not {wanted:?}"));
}

#[test]
fn b10_mime_set_mime4j() {
    let Some(dir) = corpora() else { return };
    let mut score = Score::default();
    let mut folder = HashMap::new();
    let text = std::fs::read_to_string(dir.join("expected/mime-mime4j.json")).unwrap();
    let set: Value = serde_json::from_str(&text).unwrap();
    for item in set["items"].as_array().unwrap() {
        folder.insert(
            item["id"].as_str().unwrap().to_owned(),
            dir.join(item["file"].as_str().unwrap()).parent().unwrap().to_owned(),
        );
    }
    for (id, raw, expect) in expected(&dir, "mime-mime4j.json") {
        let leaves = mail::parse::parse(&raw);
        let mut all = Leaves::default();
        collect(&raw, &leaves, 0, &mut all);
        for leaf in expect["leaves"].as_array().unwrap() {
            let Some(file) = leaf["decoded_file"].as_str() else {
                continue;
            };
            let bytes = std::fs::read(folder[&id].join(file)).unwrap();
            let is_text = leaf["leaf"] == "text";
            let what = if is_text { "text leaves" } else { "binary leaves" };
            score.count(what, &id, all.has(&bytes, is_text), || {
                format!(
                    "{file} ({} bytes): {:.120?}; {:.300?}",
                    bytes.len(),
                    String::from_utf8_lossy(&bytes),
                    all.texts
                )
            });
        }
    }
    score.print("mime4j");
    assert_eq!((score.missed("text leaves"), score.missed("binary leaves")), (0, 0));
}

/// Everything in a message and the messages attached to it.
#[derive(Default)]
struct Leaves {
    texts: Vec<String>,
    hashes: Vec<[u8; 32]>,
    files: Vec<Vec<u8>>,
}

impl Leaves {
    fn has(&self, bytes: &[u8], is_text: bool) -> bool {
        let wanted = words(&String::from_utf8_lossy(bytes));
        let ascii = |text: &str| text.chars().filter(char::is_ascii).collect::<String>();
        let loose = |file: &Vec<u8>| words(&String::from_utf8_lossy(file)) == wanted;
        self.files.iter().any(|file| file == bytes || is_text && loose(file))
            || self.hashes.contains(blake3::hash(bytes).as_bytes())
            // The expected bytes are in the charset of the part.
            || is_text && self.texts.iter().any(|text| ascii(text).contains(&ascii(&wanted)))
    }
}

fn collect(raw: &[u8], letter: &Letter, depth: usize, all: &mut Leaves) {
    all.hashes.extend(letter.leaves.iter().map(|leaf| leaf.hash));
    all.texts.push(words(&letter.text));
    all.texts.push(words(letter.html.as_deref().unwrap_or_default()));
    for (index, file) in letter.attachments.iter().enumerate() {
        let bytes = mail::parse::attachment(raw, index).unwrap();
        if file.content_type == "message/rfc822" && depth < 10 {
            collect(&bytes, &mail::parse::parse(&bytes), depth + 1, all);
        }
        all.files.push(bytes);
    }
}

/// Damaged real mail: `cargo nextest run -p mail --release --run-ignored only mutated`, seconds in
/// `MUTATE_S` (60).
#[test]
#[ignore = "takes minutes; run it in a release build"]
fn mutated_mail_is_a_letter_and_comes_back_byte_for_byte() {
    let Some(dir) = corpora() else { return };
    let mut paths = Vec::new();
    files(&dir, &mut paths);
    let seconds = std::env::var("MUTATE_S").map_or(60, |text| text.parse().unwrap());
    let mails: Vec<_> =
        paths.iter().map(|path| std::fs::read(path).unwrap()).filter(|raw| raw.len() < 100_000).collect();
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    let (start, mut count) = (Instant::now(), 0u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        let mut raw = mails[next() % mails.len()].clone();
        for _ in 0..next() % 12 {
            mutate(&mut raw, &mails[next() % mails.len()], &mut next);
        }
        let (split, letter) = mail::open(&raw);
        let parts: HashMap<_, _> = split.parts.iter().map(|part| (part.hash, part.bytes.to_vec())).collect();
        let joined = mail::split::join(split.header, &split.skeleton, |hash| parts.get(hash).cloned());
        assert!(joined.unwrap() == raw);
        let mut files = letter.attachments.iter();
        mail::parse::each_attachment(&raw, |bytes| {
            assert_eq!(blake3::hash(bytes).as_bytes(), &files.next().unwrap().hash)
        });
        mail::fold::fold(&letter.text);
        let bounce = mail::bounce::recognise(&raw, &letter);
        assert!(bounce.is_none_or(|bounce| bounce.recipients.len() <= mail::bounce::MAX_RECIPIENTS));
        mail::receipt::recognise(&raw, &letter);
        mail::list::recognise(&letter);
        mail::calendar::of_letter(&raw, &letter);
        if let Some(html) = &letter.html {
            let images = mail::sanitize::Images::Blocked { inline: "/i/" };
            let folded = mail::sanitize::folded(html, images).html;
            assert_eq!(mail::sanitize::safe(&folded, images).html, folded);
        }
        count += 1;
    }
    println!("{count} messages");
}

fn mutate(raw: &mut Vec<u8>, other: &[u8], next: &mut impl FnMut() -> usize) {
    let at = next() % (raw.len() + 1);
    match next() % 5 {
        0 if at < raw.len() => raw[at] = next() as u8,
        1 => raw.truncate(at.max(1)),
        2 => drop(raw.drain(at..(at + next() % 64).min(raw.len()))),
        3 => {
            let from = next() % (other.len() + 1);
            let piece = &other[from..(from + next() % 256).min(other.len())];
            raw.splice(at..at, piece.iter().copied());
        }
        _ => {
            let until = (at + next() % 512).min(raw.len());
            let piece = raw[at..until].to_vec();
            raw.splice(at..at, piece);
        }
    }
}
