//! `verify`: every stored message is rebuilt and compared with the hash of what the server sent (H2).

use crate::{config::Config, open};
use anyhow::Result;
use desk::bytes;
use model::OccurrenceId;
use std::process::ExitCode;
use store::raw::{self, Pieces};
use store::sql::Db;

/// How to show it.
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Occurrences rebuilt at a time; bounds memory.
const BATCH: i64 = 50;

/// Runs the command; fails if a single byte differs.
pub async fn run(config: &Config, args: Args) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let bar = if args.json { indicatif::ProgressBar::hidden() } else { super::bar("verify") };
    let (mut after, mut checked, mut wrong) = (OccurrenceId(0), 0_u64, Vec::new());
    loop {
        let batch = raw::pieces_after(&mut &desk.db, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.0;
        for (id, pieces) in &batch {
            let fault = match pieces {
                // It was too large to take, or gone before it could be taken.
                Ok(pieces) if pieces.skeleton.is_none() => continue,
                Ok(pieces) => fault(&desk.db, pieces).await,
                Err(error) => Some(error.to_string()),
            };
            checked += 1;
            if let Some(fault) = fault {
                wrong.push(serde_json::json!({ "occurrence": id, "fault": fault }));
            }
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    if args.json {
        super::print_json(&serde_json::json!({ "checked": checked, "wrong": wrong }))?;
    } else {
        wrong.iter().for_each(|one| super::say(format_args!("{one}")));
        super::say(format_args!("{checked} stored messages rebuilt, {} wrong", wrong.len()));
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn fault(db: &Db, pieces: &Pieces) -> Option<String> {
    match bytes::whole(&mut &*db, pieces).await {
        Err(error) => Some(error.to_string()),
        Ok(None) => Some("the body is missing".into()),
        Ok(Some(raw)) if blake3::hash(&raw).as_bytes() != &pieces.hash => {
            Some("the bytes differ from those received".into())
        }
        Ok(Some(_)) => None,
    }
}
