//! `search`: the archive, as its administrator sees it: all of it.

use crate::{config::Config, open};
use anyhow::Result;
use desk::may::Actor;
use desk::search::{self, Hit};

/// What to look for.
#[derive(clap::Args)]
pub struct Args {
    /// Words, "a phrase", begin*, -not, OR, from: to: subject: in:MAILBOX has:attachment before:2026-11-30 after:2026-11-01
    query: String,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(config: &Config, args: Args) -> Result<()> {
    let desk = open::desk(config).await?;
    let (total, hits) =
        search::find(&desk, &Actor::machine(), &args.query, None, 0, args.limit.clamp(1, 10_000)).await?;
    if args.json {
        return super::print_json(&hits.iter().map(json).collect::<Vec<_>>());
    }
    for hit in &hits {
        let from = hit.from();
        super::say(format_args!(
            "{}  {} <{}>  {}",
            super::rfc3339(hit.at()),
            from.name,
            from.address,
            hit.message.subject
        ));
        super::say(format_args!("    {}", hit.snippet.text.replace('\n', " ")));
    }
    super::say(format_args!("{total} found"));
    Ok(())
}

fn json(hit: &Hit) -> serde_json::Value {
    let from = hit.from();
    let writer =
        if from.name.is_empty() { from.address.clone() } else { format!("{} <{}>", from.name, from.address) };
    serde_json::json!({
        "message_id": super::name_of(&hit.message.mid, hit.message.id),
        "thread": hit.message.thread,
        "subject": hit.message.subject,
        "from": writer,
        "date": super::rfc3339(hit.at()),
        "snippet": hit.snippet.text,
    })
}
