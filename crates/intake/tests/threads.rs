//! Threads, measured against the corpora: which letters belong together by the ids they bear and mention.
#![allow(clippy::unwrap_used, missing_docs)]

use intake::plan::thread_ids;
use mail::mbox::{Entry, Mbox};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

const MAX_BYTES: usize = 1 << 20;

/// Expectations that are not what people want, and why.
const CONTESTED: &[(&str, &str)] = &[
    (
        "imaptest-thread",
        "RFC 5256 breaks the loop of two letters that each say they answer the other by leaving out a third that \
         both know; to people all three are one conversation",
    ),
    ("imaptest-thread2", "the same message twice, by its id and its text, is one"),
    ("imaptest-thread4", "a subject alone joins nobody's mail"),
];

fn corpora() -> Option<PathBuf> {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let dir = std::env::var_os("LETTERCASE_CORPORA").map_or(near, PathBuf::from);
    if !dir.is_dir() {
        println!("skipped: no corpora at {}", dir.display());
    }
    dir.is_dir().then_some(dir)
}

/// The letters of a file by thread, counted from 1 in the order of the file.
fn threads(file: &Path) -> BTreeSet<BTreeSet<usize>> {
    let reader = std::io::BufReader::new(std::fs::File::open(file).unwrap());
    let mut threads: Vec<(Vec<String>, BTreeSet<usize>)> = Vec::new();
    for (index, entry) in Mbox::new(reader, MAX_BYTES).enumerate() {
        let Entry::Message(raw) = entry.unwrap() else { panic!("too large") };
        let letter = mail::parse::parse(&raw);
        let mut ids: Vec<String> = thread_ids(&letter).into_iter().map(str::to_owned).collect();
        let mut members = BTreeSet::from([index + 1]);
        // A letter that knows ids of two threads makes them one.
        let (joined, apart): (Vec<_>, Vec<_>) =
            threads.into_iter().partition(|(known, _)| known.iter().any(|id| ids.contains(id)));
        for (known, its) in joined {
            ids.extend(known);
            members.extend(its);
        }
        threads = apart;
        threads.push((ids, members));
    }
    threads.into_iter().map(|(_, members)| members).collect()
}

#[test]
fn b3_threads_of_the_corpora_are_put_together() {
    let Some(dir) = corpora() else { return };
    let text = std::fs::read_to_string(dir.join("expected/threads-dev.json")).unwrap();
    let set: Value = serde_json::from_str(&text).unwrap();
    let contested: HashMap<&str, &str> = CONTESTED.iter().copied().collect();
    let (mut hits, mut all) = (0, 0);
    for item in set["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let wanted: BTreeSet<BTreeSet<usize>> =
            serde_json::from_value(item["expect"]["threads"].clone()).unwrap();
        let found = threads(&dir.join(item["file"].as_str().unwrap()));
        if found != wanted {
            println!("{id}: {found:?}, not {wanted:?} {}", contested.get(id).unwrap_or(&""));
        }
        if !contested.contains_key(id) {
            all += 1;
            hits += usize::from(found == wanted);
        }
    }
    println!("score threads: {hits}/{all}, {} contested", contested.len());
    assert_eq!(hits, all);
}
