//! How fast a folder of messages is opened: `cargo run --release -p mail --example open_speed -- DIR`.
//!
//! Reads every file below DIR into memory, then opens each ([`mail::open`]) on one thread, several
//! rounds, and prints messages and megabytes a second, beside the parts of that work on their own.

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

const ROUNDS: usize = 3;

fn main() -> std::io::Result<()> {
    let dir = std::env::args().nth(1).expect("usage: open_speed DIR");
    let mut messages = Vec::new();
    collect(Path::new(&dir), &mut messages)?;
    let bytes: usize = messages.iter().map(Vec::len).sum();
    println!("{} messages, {:.1} MB", messages.len(), bytes as f64 / 1e6);
    measure("open", &messages, |raw| mail::open(raw).0.parts.len());
    measure("open + identity", &messages, |raw| mail::fingerprint::identity(&mail::open(raw).1)[0].into());
    measure("parse", &messages, |raw| mail::parse::parse(raw).text.len());
    measure("split", &messages, |raw| mail::split::split(raw).parts.len());
    measure("fold(text)", &messages, |raw| mail::fold::fold(&mail::parse::parse(raw).text).len());
    at_rest(&messages);
    measure("blake3 of all", &messages, |raw| blake3::hash(raw).as_bytes()[0].into());
    Ok(())
}

/// What sharing saves: distinct messages, and bytes to be stored before compression.
fn at_rest(messages: &[Vec<u8>]) {
    let (mut mails, mut bodies, mut parts) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut bytes = 0;
    for raw in messages {
        let (split, letter) = mail::open(raw);
        mails.insert(mail::fingerprint::identity(&letter));
        bytes += split.header.len();
        if bodies.insert(split.body_hash) {
            bytes += split.skeleton.len();
        }
        let new = split.parts.iter().filter(|part| parts.insert(part.hash));
        bytes += new.map(|part| part.bytes.len()).sum::<usize>();
    }
    println!(
        "{} mails, {} bodies, {} parts, {:.1} MB at rest",
        mails.len(),
        bodies.len(),
        parts.len(),
        bytes as f64 / 1e6
    );
}

fn collect(dir: &Path, messages: &mut Vec<Vec<u8>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, messages)?;
        } else {
            messages.push(std::fs::read(path)?);
        }
    }
    Ok(())
}

fn measure(what: &str, messages: &[Vec<u8>], work: impl Fn(&[u8]) -> usize) {
    let bytes: usize = messages.iter().map(Vec::len).sum();
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let sum: usize = messages.iter().map(|raw| work(raw)).sum();
        std::hint::black_box(sum);
        best = best.min(start.elapsed().as_secs_f64());
    }
    let (rate, speed) = (messages.len() as f64 / best, bytes as f64 / best / 1e6);
    println!("{what:16} {rate:9.0} messages/s {speed:8.0} MB/s {:6.1} us each", 1e6 / rate);
}
