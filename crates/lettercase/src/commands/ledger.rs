//! `ledger`: everything the servers ever had, and where it is (A21).

use crate::{config::Config, open};
use anyhow::Result;
use store::folders::{self, LedgerRow};

/// How to show it.
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(config: &Config, args: Args) -> Result<()> {
    let desk = open::desk(config).await?;
    let rows = folders::ledger(&mut &desk.db, None).await?;
    match args.json {
        true => super::print_json(&rows.iter().map(json).collect::<Vec<_>>()),
        false => {
            print(&rows);
            Ok(())
        }
    }
}

fn json(row: &LedgerRow) -> serde_json::Value {
    serde_json::json!({
        "mailbox": row.mailbox, "folder": row.folder, "seen": row.seen, "filed": row.filed, "filtered": row.filtered,
        "quarantined": row.quarantined, "waiting": row.waiting, "vanished": row.vanished, "cleared": row.cleared, "difference": row.difference,
    })
}

fn print(rows: &[LedgerRow]) {
    let line = |cells: [&str; 10]| {
        let [mailbox, folder, rest @ ..] = cells;
        super::say(format_args!(
            "{mailbox:<32} {folder:<20} {}",
            rest.map(|cell| format!("{cell:>11}")).join(" ")
        ));
    };
    line([
        "mailbox",
        "folder",
        "seen",
        "filed",
        "filtered",
        "quarantined",
        "waiting",
        "vanished",
        "cleared",
        "difference",
    ]);
    for row in rows {
        let numbers = [
            row.seen,
            row.filed,
            row.filtered,
            row.quarantined,
            row.waiting,
            row.vanished,
            row.cleared,
            row.difference,
        ]
        .map(|n| n.to_string());
        let [a, b, c, d, e, f, g, h] = &numbers;
        line([&row.mailbox, &row.folder, a, b, c, d, e, f, g, h]);
    }
}
