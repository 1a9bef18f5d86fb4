//! `threads`: every thread with its messages.

use crate::{config::Config, open};
use anyhow::Result;
use model::{MessageId, ThreadId};
use serde::Serialize;
use store::messages::{self, ThreadMessage};

/// How to show it.
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Thread {
    thread: i64,
    messages: Vec<String>,
}

/// Threads read at a time.
const BATCH: i64 = 1000;

/// Runs the command.
pub async fn run(config: &Config, args: Args) -> Result<()> {
    let desk = open::desk(config).await?;
    let mut threads: Vec<Thread> = Vec::new();
    let (mut after, mut more) = ((ThreadId(0), MessageId(0)), true);
    while more {
        let batch = messages::by_thread(&mut &desk.db, after, BATCH).await?;
        more = batch.len() as i64 == BATCH;
        for ThreadMessage { thread, message, mid } in batch {
            after = (thread, message);
            if threads.last().is_none_or(|last| last.thread != thread.0) {
                threads.push(Thread { thread: thread.0, messages: Vec::new() });
            }
            if let Some(last) = threads.last_mut() {
                last.messages.push(super::name_of(&mid, message));
            }
        }
    }
    if args.json {
        return super::print_json(&threads);
    }
    for thread in threads {
        super::say(format_args!("{}: {}", thread.thread, thread.messages.join(" ")));
    }
    Ok(())
}
