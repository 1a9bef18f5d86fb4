//! Archives of public projects, threaded as their authors expect (read where they lie, never copied).
#![allow(clippy::unwrap_used)]

mod office;

use desk::import::{Batch, Import};
use mail::mbox::{Entry, Mbox};
use model::{MessageId, ThreadId, Time};
use office::Office;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use store::messages;
use store::sql::Db;
use testkit::on_both;

fn corpora() -> Option<PathBuf> {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let dir = std::env::var_os("LETTERCASE_CORPORA").map_or(near, PathBuf::from);
    dir.is_dir().then_some(dir)
}

/// The letters of an archive.
fn letters(path: &Path) -> Vec<Vec<u8>> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let message = |entry: Result<Entry, _>| match entry.unwrap() {
        Entry::Message(raw) => raw,
        Entry::TooLarge(size) => panic!("{size} bytes"),
    };
    Mbox::new(file, 1 << 20).map(message).collect()
}

async fn newest(db: &Db) -> MessageId {
    let all = messages::by_thread(&mut &*db, (ThreadId(0), MessageId(0)), 1000).await.unwrap();
    all.iter().map(|one| one.message).max().unwrap_or(MessageId(0))
}

/// Which letters are together, by their numbers; copies of one message count as that message.
async fn threads(db: &Db, letters: Vec<Vec<u8>>) -> (Vec<usize>, BTreeSet<BTreeSet<usize>>) {
    let office = Office::new(db.clone());
    let before = newest(db).await;
    let mut import = Import::begin(&office.receive, None).await.unwrap();
    let mut batch = Batch::default();
    let mut first: HashMap<[u8; 32], usize> = HashMap::new();
    let mut same = Vec::new();
    for (number, raw) in letters.into_iter().enumerate() {
        let identity = mail::fingerprint::identity(&mail::parse::parse(&raw));
        same.push(*first.entry(identity).or_insert(number + 1));
        batch.push(raw, Time(1));
    }
    import.file(batch).await.unwrap();
    let numbers: BTreeSet<usize> = same.iter().copied().collect();
    // Messages get their ids in the order in which they were first seen.
    let mut all = messages::by_thread(&mut &*db, (ThreadId(0), MessageId(0)), 1000).await.unwrap();
    all.retain(|one| one.message > before);
    let mut ids: Vec<MessageId> = all.iter().map(|one| one.message).collect();
    ids.sort();
    let number: HashMap<MessageId, usize> = ids.into_iter().zip(numbers).collect();
    let mut found: HashMap<ThreadId, BTreeSet<usize>> = HashMap::new();
    for one in all {
        found.entry(one.thread).or_default().insert(number[&one.message]);
    }
    (same, found.into_values().collect())
}

on_both! {
    async fn b8_archives_are_threaded_as_expected(db: Db) {
        let Some(dir) = corpora() else { return println!("skipped: no corpora") };
        let expected: Value = serde_json::from_slice(&std::fs::read(dir.join("expected/threads-dev.json")).unwrap()).unwrap();
        let items = expected["items"].as_array().unwrap();
        let mut right = 0;
        for (archive, item) in items.iter().enumerate() {
            let letters = letters(&dir.join(item["file"].as_str().unwrap()));
            // They use the same ids: each archive gets its own.
            let own = |raw: Vec<u8>| String::from_utf8(raw).unwrap().replace("@b>", &format!("@b{archive}>")).into_bytes();
            let (same, found) = threads(&db, letters.into_iter().map(own).collect()).await;
            let number = |value: &Value| same[value.as_u64().unwrap() as usize - 1];
            let wanted: BTreeSet<BTreeSet<usize>> = item["expect"]["threads"].as_array().unwrap().iter()
                .map(|thread| thread.as_array().unwrap().iter().map(number).collect()).collect();
            right += usize::from(found == wanted);
            if found != wanted {
                println!("{}: {found:?} instead of {wanted:?}", item["id"]);
            }
        }
        println!("threads: {right} of {} archives as expected", items.len());
        assert_eq!(right, items.len());
    }
}
