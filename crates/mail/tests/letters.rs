//! Letters: `testdata/mail/<what-it-shows>.eml` beside `<what-it-shows>.expect`, the letter as it is
//! understood, printed. `UPDATE_EXPECT=1` writes the expectations anew: read the difference before
//! you commit it.

#![allow(clippy::unwrap_used, missing_docs)]

use mail::{Address, Letter};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn mails() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/mail");
    let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut mails: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
    mails.sort();
    mails
}

#[test]
fn b8_letters_are_understood_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    let mails = mails();
    assert!(mails.len() >= 25);
    for path in mails {
        let raw = std::fs::read(&path).unwrap();
        let shown = show(&mail::parse::parse(&raw));
        let file = path.with_extension("expect");
        if update {
            std::fs::write(&file, &shown).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != shown {
            wrong.push(format!("{}:\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "understood otherwise:\n{}", wrong.join("\n"));
}

#[test]
fn letters_come_back_byte_for_byte() {
    for path in mails() {
        let raw = std::fs::read(&path).unwrap();
        let (split, letter) = mail::open(&raw);
        assert_eq!(letter, mail::parse::parse(&raw), "{}", path.display());
        let parts: HashMap<_, _> = split.parts.iter().map(|part| (part.hash, part.bytes.to_vec())).collect();
        let joined = mail::split::join(split.header, &split.skeleton, |hash| parts.get(hash).cloned());
        assert!(joined.unwrap() == raw, "{}", path.display());
    }
}

fn show(letter: &Letter) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            writeln!(out, "{name}: {value}").unwrap();
        }
    };
    line("message-id", letter.message_id.as_deref().unwrap_or_default());
    line("in-reply-to", &letter.in_reply_to.join(" "));
    line("references", &letter.references.join(" "));
    line("date", &letter.date.map(|date| date.to_string()).unwrap_or_default());
    line("subject", &letter.subject);
    let lists = [
        ("from", &letter.from),
        ("sender", &letter.sender),
        ("reply-to", &letter.reply_to),
        ("to", &letter.to),
        ("cc", &letter.cc),
        ("bcc", &letter.bcc),
    ];
    for (name, list) in lists {
        list.iter().for_each(|address| line(name, &person(address)));
    }
    line("list-id", letter.list_id.as_deref().unwrap_or_default());
    line("auto-submitted", letter.auto_submitted.as_deref().unwrap_or_default());
    line("precedence", letter.precedence.as_deref().unwrap_or_default());
    if let Some(path) = &letter.return_path {
        line("return-path", &format!("<{path}>"));
    }
    letter.authentication_results.iter().for_each(|value| line("authentication-results", value));
    for file in &letter.attachments {
        let name = file.name.as_deref().unwrap_or("-");
        let id = file.content_id.as_ref().map(|id| format!(" cid:{id}")).unwrap_or_default();
        let inline = if file.inline { " inline" } else { "" };
        line("attachment", &format!("{name}, {}, {} bytes{inline}{id}", file.content_type, file.size_bytes));
    }
    let defects: Vec<_> = letter.defects.iter().map(|defect| defect.name()).collect();
    line("defects", &defects.join(" "));
    for (name, text) in [("text", Some(&letter.text)), ("html", letter.html.as_ref())] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            writeln!(out, "{name}:").unwrap();
            text.lines().for_each(|line| writeln!(out, "  {line}").unwrap());
        }
    }
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn person(address: &Address) -> String {
    match &address.name {
        Some(name) => format!("{name} <{}>", address.address),
        None => address.address.clone(),
    }
}
