//! How quickly lists, counts, threads and search answer over many threads.
//!
//! `cargo run -p store --release --example reading_speed -- [threads] [sqlite|postgres]` fills a new
//! database (default: 100,000 threads of one message, a tenth of them open cases, 20 mailboxes) and
//! prints the median and the 95th percentile of each question.
#![allow(clippy::unwrap_used)]

use model::{MailboxId, ThreadId, Time, UserId};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use store::people::Access;
use store::search::{self, Field, IndexRow, Query, Search};
use store::sql::{Db, Tx};
use store::threads::{Filter, Part, Reader, View};
use store::{messages, params};

const ROUNDS: usize = 40;
/// Time spent in the index while filling.
static INDEXING_US: AtomicU64 = AtomicU64::new(0);

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let threads: i64 = args.next().map_or(100_000, |n| n.parse().unwrap());
    let folder = testkit::folder::Folder::new().unwrap();
    let db = match args.next().as_deref() {
        Some("postgres") => {
            let url = testkit::postgres::database().unwrap();
            Db::open_postgres(&url, Default::default()).await.unwrap()
        }
        _ => Db::open_sqlite(&folder.path().join("a.db"), Default::default()).await.unwrap(),
    };
    store::migrate::run(&db, Time(0)).await.unwrap();
    let begun = Instant::now();
    for first in (1..=threads).step_by(2000) {
        let mut tx = db.begin().await.unwrap();
        fill(&mut tx, first, (first + 1999).min(threads)).await;
        tx.commit().await.unwrap();
    }
    if db.engine() == store::sql::Engine::Postgres {
        let mut tx = db.begin().await.unwrap();
        tx.script("ANALYZE").await.unwrap();
        tx.commit().await.unwrap();
    }
    let (filled, indexing) =
        (begun.elapsed().as_secs_f64(), INDEXING_US.load(Ordering::Relaxed) as f64 / 1e6);
    println!("{:?}: {threads} threads filled in {filled:.1} s, of which {indexing:.1} s index", db.engine());
    lists(&db, threads).await;
    searches(&db).await;
}

/// Numbers without an order, the same each time.
fn noise(n: i64) -> i64 {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) >> 20).rem_euclid(1 << 40)
}

/// A word that is the rarer the larger the number it is made of.
fn word(n: i64) -> String {
    let rank = (1u64 << (noise(n) % 15)) + (noise(n + 7) as u64 % 97);
    format!("word{rank}")
}

async fn fill(tx: &mut Tx, first: i64, last: i64) {
    let (mut rows, mut access, mut letters, mut people, mut index) = (vec![], vec![], vec![], vec![], vec![]);
    for id in first..=last {
        let at = Time(noise(id));
        let status = match id % 10 {
            0 => Some("open"),
            1..=5 => Some("closed"),
            _ => None,
        };
        let assignee = (id % 30 == 0).then_some(1_i64);
        let subject = format!("{} {}", word(id), word(id + 1));
        let links = i64::from(id % 3 != 0);
        rows.push(params![
            id,
            &subject,
            "snippet",
            "Ann",
            "ann@firm.example",
            at,
            at,
            id,
            1i64,
            0i64,
            links,
            status,
            assignee
        ]);
        access.push(params![format!("m{}", 1 + id % 20), id, at]);
        let identity = id.to_be_bytes().repeat(4);
        letters.push(params![
            id,
            identity,
            id,
            "in",
            "",
            "",
            "",
            &subject,
            "Ann",
            "ann@firm.example",
            at,
            at,
            9i64,
            "s",
            false,
            0i64,
            "{}",
            "[]",
            0i64
        ]);
        people.push(params![id, "from", 0i64, "Ann", "ann@firm.example"]);
        let body: Vec<String> = (0..60).map(|n| word(id * 64 + n)).collect();
        index.push(IndexRow {
            message_id: model::MessageId(id),
            subject,
            from: format!("ann{} ann{}@firm.example", id % 500, id % 500),
            to: "helpdesk@acme.example".to_owned(),
            body: body.join(" "),
            has_attachment: id % 8 == 0,
        });
    }
    let head = "INSERT INTO threads (id, subject, snippet, from_name, from_address, first_at, last_at, \
                last_message_id, messages, attachments, links, case_status, assignee_id) VALUES";
    tx.insert_many(head, "", rows).await.unwrap();
    tx.insert_many("INSERT INTO thread_access (token, thread_id, last_at) VALUES", "", access).await.unwrap();
    let head = "INSERT INTO messages (id, identity, thread_id, direction, mid, in_reply_to, refs, subject, \
                from_name, from_address, sent_at, received_at, size_bytes, snippet, has_html, attachments, \
                marks, plan, filed_at) VALUES";
    tx.insert_many(head, "", letters).await.unwrap();
    let head = "INSERT INTO participants (message_id, role, position, name, address) VALUES";
    tx.insert_many(head, "", people).await.unwrap();
    let begun = Instant::now();
    search::index(tx, index).await.unwrap();
    INDEXING_US.fetch_add(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
}

/// Asks, and prints what it took.
async fn measure<T>(what: &str, mut ask: impl AsyncFnMut(usize) -> T) {
    let mut took = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let begun = Instant::now();
        ask(round).await;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    println!("{what:<44} p50 {:>8.2} ms   p95 {:>8.2} ms", took[ROUNDS / 2], took[ROUNDS * 95 / 100]);
}

async fn lists(db: &Db, threads: i64) {
    let few = Access::Tokens(vec!["m3".into(), "u9".into()]);
    let one = Access::Tokens(vec!["m3".into()]);
    let many = Access::Tokens((1..=19).map(|n| format!("m{n}")).collect());
    let user = Some(UserId(1));
    for (who, access) in
        [("all", &Access::All), ("one token", &one), ("two tokens", &few), ("19 tokens", &many)]
    {
        for view in [View::Mine, View::Unassigned, View::Open, View::Closed, View::Unlinked, View::All] {
            let filter = Filter { view, part: None, access, user, now: Time(0) };
            let total = store::threads::count(&mut &*db, &filter).await.unwrap();
            measure(&format!("{who}: count {view} ({total})"), async |_| {
                store::threads::count(&mut &*db, &filter).await.unwrap()
            })
            .await;
            measure(&format!("{who}: first page of {view}"), async |_| {
                store::threads::list(&mut &*db, &filter, total, 0, 50).await.unwrap()
            })
            .await;
        }
    }
    let filter = Filter { view: View::All, part: None, access: &Access::All, user, now: Time(0) };
    measure("all: a page anywhere", async |round| {
        let offset = noise(round as i64) % threads;
        store::threads::list(&mut &*db, &filter, threads, offset, 50).await.unwrap()
    })
    .await;
    let filter = Filter {
        view: View::Open,
        part: Some(Part::Mailbox(MailboxId(3))),
        access: &Access::All,
        user,
        now: Time(0),
    };
    let total = store::threads::count(&mut &*db, &filter).await.unwrap();
    measure("all: open of a mailbox, count", async |_| {
        store::threads::count(&mut &*db, &filter).await.unwrap()
    })
    .await;
    measure("all: open of a mailbox, page", async |_| {
        store::threads::list(&mut &*db, &filter, total, 0, 50).await.unwrap()
    })
    .await;
    measure("a thread and its messages", async |round| {
        let id = ThreadId(1 + noise(round as i64) % threads);
        store::threads::row(&mut &*db, id, &Access::All, Reader { user }).await.unwrap();
        messages::of_thread(&mut &*db, id).await.unwrap()
    })
    .await;
}

async fn searches(db: &Db) {
    let words = |field, text: &str, prefix| Query::Words { field, text: text.into(), prefix };
    let any = |text: &str| words(Field::Any, text, false);
    let questions = [
        ("a word in most messages", any("word1")),
        ("a word in some", any("word4097")),
        ("two words", Query::All(vec![any("word1"), any("word1030")])),
        ("a phrase", any("word1 word2")),
        ("word*", words(Field::Any, "word10", true)),
        ("from:", words(Field::From, "ann77@firm.example", false)),
        ("subject:", words(Field::Subject, "word4097", false)),
        ("has:attachment", Query::HasAttachment),
        ("everything", Query::All(vec![])),
    ];
    let few = Access::Tokens(vec!["m3".into(), "u9".into()]);
    for (who, access) in [("all", &Access::All), ("two tokens", &few)] {
        for (name, query) in &questions {
            let search = Search::of(query.clone());
            let total = search::find(&mut &*db, &search, access, 0, 1).await.unwrap().total;
            measure(&format!("{who}: {name} ({total})"), async |_| {
                search::find(&mut &*db, &search, access, 0, 50).await.unwrap()
            })
            .await;
        }
    }
}
