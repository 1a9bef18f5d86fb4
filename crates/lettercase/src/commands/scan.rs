//! `scan`: one round over the active mailboxes.

use crate::probe::Processes;
use crate::{config::Config, open};
use anyhow::{Result, bail};
use desk::receive::Receive;
use std::process::ExitCode;
use std::sync::Arc;
use store::rounds::{self, Source};
use sync::round;
use sync::visit::{self, FolderSummary, RoundError};

/// Which mailboxes to read.
#[derive(clap::Args)]
pub struct Args {
    /// Only this one.
    #[arg(long, value_name = "ADDRESS")]
    mailbox: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command; succeeds only if every mailbox was read to its end.
pub async fn run(config: &Config, args: Args) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let mut sources = rounds::active(&mut &desk.db).await?;
    if let Some(address) = &args.mailbox {
        sources.retain(|source| source.address.eq_ignore_ascii_case(address));
        if sources.is_empty() {
            bail!("there is no active mailbox {address}");
        }
    }
    let receive = Receive::new(desk.clone()).with_probe(Arc::new(Processes::of_this_program()?));
    let (mut code, mut report) = (ExitCode::SUCCESS, Vec::new());
    for source in &sources {
        match scan(&receive, source, args.json).await {
            Ok(summaries) => report.extend(summaries.iter().map(|summary| show(source, summary, args.json))),
            Err(error) => {
                code = ExitCode::FAILURE;
                report.push(serde_json::json!({ "mailbox": source.address, "error": error.to_string() }));
                eprintln!("{}: {error}{}", source.address, remedy(&error));
            }
        }
    }
    if args.json {
        super::print_json(&report)?;
    }
    desk.db.close().await;
    Ok(code)
}

async fn scan(receive: &Receive, source: &Source, quiet: bool) -> Result<Vec<FolderSummary>, RoundError> {
    let bar = if quiet { indicatif::ProgressBar::hidden() } else { super::bar(&source.address) };
    round::file_waiting(receive, source).await?;
    let mut visit = visit::begin(receive, source).await?;
    let progress = |_: &str, done: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let mut all: Vec<FolderSummary> = Vec::new();
    let read = loop {
        let summaries = match visit.round(&progress).await {
            Ok(summaries) => summaries,
            Err(error) => break Err(error),
        };
        let goes_on = summaries.iter().any(FolderSummary::goes_on);
        for one in summaries {
            match all.iter_mut().find(|known| known.folder == one.folder) {
                Some(known) => known.add(&one),
                None => all.push(one),
            }
        }
        if !goes_on {
            break Ok(all);
        }
    };
    bar.finish_and_clear();
    read
}

fn show(source: &Source, summary: &FolderSummary, quiet: bool) -> serde_json::Value {
    let FolderSummary { folder, seen, filed, skipped, quarantined, refused, .. } = summary;
    if !quiet {
        super::say(format_args!(
            "{} {folder}: {seen} seen, {filed} filed, {skipped} skipped, {quarantined} quarantined",
            source.address
        ));
    }
    if let Some(refused) = refused {
        eprintln!("{} {folder}: filed mail stays there, the server refused: {refused}", source.address);
    }
    serde_json::json!({ "mailbox": source.address, "folder": folder, "seen": seen, "filed": filed, "skipped": skipped, "quarantined": quarantined, "refused": refused })
}

fn remedy(error: &RoundError) -> String {
    match error {
        RoundError::Connect(error) => format!(" {}", error.remedy),
        _ => String::new(),
    }
}
