//! Brings the schema up to date, from numbered texts that are part of the program.
//!
//! `migrations/NNNN_name.sql` is one text for both databases. `{blob}`, `{real}` and `{json}` stand
//! for column types; lines between `-- only: sqlite` (or `postgres`) and `-- end` are for that
//! database. The text is given to the database as a whole, which divides it at `;` itself, so
//! triggers work too.
//!
//! Each migration is one transaction, recorded in `migrations` with the hash of its text. A text that
//! changed after it was applied, or a database newer than the program, is refused: both would
//! otherwise run on a schema nobody has tested. There is no way back down: restore the backup.

use crate::params;
use crate::sql::{Db, Engine, Error, Row, Sql, Tx};
use model::Time;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place in the order; never reused.
    pub number: i64,
    /// What it brings, in a word.
    pub name: &'static str,
    /// SQL with tokens and sections, see the module.
    pub text: &'static str,
}

macro_rules! migration {
    ($number:literal, $name:literal, $file:literal) => {
        Migration { number: $number, name: $name, text: include_str!(concat!("../migrations/", $file)) }
    };
}

/// All migrations of this program, in order. An applied one is never edited; add the next.
pub const ALL: &[Migration] = &[
    migration!(1, "spine", "0001_spine.sql"),
    migration!(2, "access_by_thread", "0002_access_by_thread.sql"),
    migration!(3, "small_sets", "0003_small_sets.sql"),
    migration!(4, "gateway", "0004_gateway.sql"),
    migration!(5, "filing", "0005_filing.sql"),
];

/// The lock that keeps two nodes from migrating at once.
const LOCK: i64 = 0x6c65_7474_6572_6361;

/// Applies what is missing of [`ALL`]; gives the number of migrations applied.
pub async fn run(db: &Db, now: Time) -> Result<usize, Error> {
    apply(db, ALL, now).await
}

/// As [`run`], with any list: for tests.
pub async fn apply(db: &Db, migrations: &[Migration], now: Time) -> Result<usize, Error> {
    let mut applied = 0;
    // Each round applies one or finds nothing left.
    for _ in 0..=migrations.len() {
        match apply_next(db, migrations, now).await? {
            true => applied += 1,
            false => break,
        }
    }
    Ok(applied)
}

async fn apply_next(db: &Db, migrations: &[Migration], now: Time) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    if db.engine() == Engine::Postgres {
        // Both the wait for another node's migration and a migration may take long.
        tx.script("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
    }
    tx.lock(LOCK).await?;
    let next = match first_missing(&mut tx, migrations).await? {
        Some(next) => next,
        None => {
            tx.commit().await?;
            return Ok(false);
        }
    };
    let text = text_for(next, db.engine())?;
    if db.engine() == Engine::Sqlite {
        // Lets a migration rebuild a table that others point to; checked again at the end.
        tx.script("PRAGMA defer_foreign_keys = ON").await?;
    }
    tx.script(&text).await.map_err(|error| next.wrong(error.to_string()))?;
    let row = params![next.number, next.name, hash(next), now];
    tx.execute("INSERT INTO migrations (number, name, hash, applied_at) VALUES ($1, $2, $3, $4)", row)
        .await?;
    tx.commit().await?;
    tracing::info!(number = next.number, name = next.name, "migration applied");
    Ok(true)
}

/// Compares what was applied with what the program knows.
async fn first_missing<'a>(tx: &mut Tx, migrations: &'a [Migration]) -> Result<Option<&'a Migration>, Error> {
    tx.script(
        "CREATE TABLE IF NOT EXISTS migrations (
           number BIGINT PRIMARY KEY,
           name TEXT NOT NULL,
           hash TEXT NOT NULL,
           applied_at BIGINT NOT NULL
         )",
    )
    .await?;
    let applied = tx.query("SELECT number, name, hash FROM migrations ORDER BY number", params![]).await?;
    for (index, row) in applied.iter().enumerate() {
        compare(row, migrations.get(index))?;
    }
    Ok(migrations.get(applied.len()))
}

fn compare(row: &Row, known: Option<&Migration>) -> Result<(), Error> {
    let (number, name, applied) = (row.get(0)?, row.get(1)?, row.get::<String>(2)?);
    let reason = match known {
        None => "was applied by a newer version of the program; start that version",
        Some(known) if known.number != number => "was applied, but this program does not have it",
        Some(known) if hash(known) != applied => "was changed after it had been applied",
        Some(_) => return Ok(()),
    };
    Err(Error::Migration { number, name, reason: reason.to_owned() })
}

impl Migration {
    fn wrong(&self, reason: String) -> Error {
        Error::Migration { number: self.number, name: self.name.to_owned(), reason }
    }
}

/// A word that changes with any of [`ALL`]: for tests that keep a migrated database to copy.
pub fn fingerprint() -> String {
    let mut hasher = blake3::Hasher::new();
    for migration in ALL {
        hasher.update(hash(migration).as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn hash(migration: &Migration) -> String {
    blake3::hash(migration.text.as_bytes()).to_hex().to_string()
}

/// The migration's text for one database: sections chosen, tokens replaced.
fn text_for(migration: &Migration, engine: Engine) -> Result<String, Error> {
    let mut text = String::with_capacity(migration.text.len());
    let mut only = None;
    for line in migration.text.lines() {
        match line.trim() {
            "-- only: sqlite" => only = Some(Engine::Sqlite),
            "-- only: postgres" => only = Some(Engine::Postgres),
            "-- end" => only = None,
            _ if only.is_none_or(|only| only == engine) => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    if only.is_some() {
        return Err(migration.wrong("a section has no `-- end`".to_owned()));
    }
    let (blob, real) = match engine {
        Engine::Sqlite => ("BLOB", "REAL"),
        Engine::Postgres => ("BYTEA", "DOUBLE PRECISION"),
    };
    let text = text.replace("{blob}", blob).replace("{real}", real).replace("{json}", "TEXT");
    match unknown_token(&text) {
        Some(token) => Err(migration.wrong(format!("{{{token}}} stands for nothing"))),
        None => Ok(text),
    }
}

fn unknown_token(text: &str) -> Option<&str> {
    let words = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    words
        .map(|(word, _)| word)
        .find(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}
