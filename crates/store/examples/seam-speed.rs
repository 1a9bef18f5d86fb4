//! How fast the seam is: `cargo run --release -p store --example seam-speed`.
//!
//! Prints one line per measurement, for SQLite in a temporary folder and a throw-away PostgreSQL.
#![allow(clippy::unwrap_used)]

use std::time::Instant;
use store::params;
use store::sql::{Db, Options, Params, pick};
use testkit::folder::Folder;

const ROWS: i64 = 100_000;
const BATCH: i64 = 1_000;
const HEAD: &str = "INSERT INTO m (id, key, a, b, c, d, e, f, g, h) VALUES";
const FIND: &str = "SELECT id, a, b, c, d, e, f, g FROM m WHERE key = $1";

#[tokio::main]
async fn main() {
    let folder = Folder::new().unwrap();
    let file = folder.path().join("speed.db");
    measure(Db::open_sqlite(&file, Options::default()).await.unwrap()).await;
    let url = testkit::postgres::database().unwrap();
    measure(Db::open_postgres(&url, Options::default()).await.unwrap()).await;
}

async fn measure(db: Db) {
    let name = format!("{:?}", db.engine());
    create(&db).await;
    let since = Instant::now();
    for batch in 0..ROWS / BATCH {
        let mut tx = db.begin().await.unwrap();
        let rows = (batch * BATCH..(batch + 1) * BATCH).map(row).collect();
        tx.insert_many(HEAD, "ON CONFLICT DO NOTHING", rows).await.unwrap();
        tx.commit().await.unwrap();
    }
    report(&name, "insert_many, 1,000 rows a transaction: rows/s", ROWS, since);

    let since = Instant::now();
    for batch in 0..20 {
        let keys = (0..BATCH).map(|i| params![key((i * 97 + batch) % ROWS)]).collect();
        assert_eq!(db.query_many(FIND, keys).await.unwrap().len() as i64, BATCH);
    }
    report(&name, "query_many, 1,000 keys a call: rows/s", 20 * BATCH, since);

    for tasks in [1, 8] {
        let since = Instant::now();
        together(tasks, |task| look_up(db.clone(), task)).await;
        report(&name, &format!("query, {tasks} tasks: rows/s"), tasks * 5_000, since);
    }
    for tasks in [1, 16] {
        let since = Instant::now();
        together(tasks, |task| commit_each(db.clone(), ROWS * tasks + task * 1_000)).await;
        report(&name, &format!("one row a transaction, {tasks} tasks: commits/s"), tasks * 200, since);
    }
    report_memory(&name);
    db.close().await;
}

async fn create(db: &Db) {
    let blob = pick(db.engine(), "BLOB", "BYTEA");
    let mut tx = db.begin().await.unwrap();
    let sql = "CREATE TABLE m (id BIGINT PRIMARY KEY, key {blob} UNIQUE, a BIGINT, b BIGINT, c TEXT, d TEXT,
               e TEXT, f BIGINT, g BOOLEAN, h TEXT)";
    tx.script(&sql.replace("{blob}", blob)).await.unwrap();
    tx.commit().await.unwrap();
}

fn key(id: i64) -> [u8; 16] {
    // Spread like a hash, so that the index is not filled in order.
    (id as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes()
}

fn row(id: i64) -> Params {
    let subject = format!("Order {id}: confirmation of delivery next week");
    params![id, key(id), id / 3, 17, subject, "ann@a.example", "ben@b.example", id * 7, id % 2 == 0, "inbox"]
}

async fn look_up(db: Db, task: i64) {
    for i in 0..5_000 {
        let found = db.query_opt(FIND, params![key((i * 31 + task) % ROWS)]).await.unwrap();
        assert!(found.is_some());
    }
}

async fn commit_each(db: Db, from: i64) {
    for id in from..from + 200 {
        let mut tx = db.begin().await.unwrap();
        tx.insert_many(HEAD, "", vec![row(id + 10_000_000)]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn together<R: Future<Output = ()> + Send + 'static>(tasks: i64, work: impl Fn(i64) -> R) {
    let running: Vec<_> = (0..tasks).map(|task| tokio::spawn(work(task))).collect();
    for task in running {
        task.await.unwrap();
    }
}

fn report(engine: &str, what: &str, count: i64, since: Instant) {
    println!("{engine:>9} {what:<55} {:>9.0}", count as f64 / since.elapsed().as_secs_f64());
}

fn report_memory(engine: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    println!("{engine:>9} memory: {line}");
}
