//! `reconcile`: finds mail in the processed folders that a restored database does not know.

use crate::probe::Processes;
use crate::{config::Config, open};
use anyhow::{Result, bail};
use desk::receive::Receive;
use std::sync::Arc;
use store::rounds;

/// Which mailbox to look through.
#[derive(clap::Args)]
pub struct Args {
    /// Its address.
    mailbox: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(config: &Config, args: Args) -> Result<()> {
    let desk = open::desk(config).await?;
    let mut sources = rounds::active(&mut &desk.db).await?;
    sources.retain(|source| source.address.eq_ignore_ascii_case(&args.mailbox));
    if sources.is_empty() {
        bail!("there is no active mailbox {}", args.mailbox);
    }
    let receive = Receive::new(desk.clone()).with_probe(Arc::new(Processes::of_this_program()?));
    let mut report = Vec::new();
    for source in &sources {
        let done = sync::reconcile::run(&receive, source).await?;
        if !args.json {
            super::say(format_args!(
                "{}: {} in processed folders, {} of them unknown and filed now, {} quarantined",
                source.address, done.looked, done.filed, done.quarantined
            ));
        }
        report.push(serde_json::json!({
            "mailbox": source.address, "looked": done.looked, "filed": done.filed, "quarantined": done.quarantined,
        }));
    }
    if args.json {
        super::print_json(&report)?;
    }
    desk.db.close().await;
    Ok(())
}
