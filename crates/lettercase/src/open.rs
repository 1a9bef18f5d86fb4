//! The desk of a data folder: database, key, clock.

use crate::config::Config;
use anyhow::{Context, Result, bail};
use desk::Desk;
use desk::clock::Clock;
use desk::seal::Seal;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use store::sql::{Db, Options};

/// Opens the database (making or updating it) and the key file.
pub async fn desk(config: &Config) -> Result<Desk> {
    let folder = &config.data;
    // Everybody's mail is in there: nobody else on this machine may look.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let clock = Clock::system();
    let db = match &config.database {
        None => {
            let path = folder.join("lettercase.db");
            Db::open_sqlite(&path, Options::default())
                .await
                .with_context(|| format!("the database {} cannot be opened", path.display()))?
        }
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Db::open_postgres(url, Options::default())
                .await
                .context("the PostgreSQL database cannot be opened")?
        }
        Some(_) => bail!(
            "the setting `database` must begin with postgres:// (leave it out for SQLite in the data folder)"
        ),
    };
    store::migrate::run(&db, clock.now()).await.context("the database cannot be brought up to date")?;
    let seal = Seal::open_or_create(&folder.join("key"))?;
    let desk = Desk { db, clock, seal };
    // Everything else works without it, also entering the passwords anew.
    if let Err(error) = desk::mailbox::check_key(&desk).await {
        eprintln!("lettercase: {error:#}; until then no mailbox is read");
    }
    Ok(desk)
}
