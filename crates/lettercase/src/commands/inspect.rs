//! `inspect`: what is understood of one message, with no database.

use anyhow::{Context, Result};
use std::io::Read;
use std::path::PathBuf;

/// What to inspect.
#[derive(clap::Args)]
pub struct Args {
    /// A file with one message, or - for standard input.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let raw = match args.file.as_os_str() == "-" {
        true => {
            let mut raw = Vec::new();
            std::io::stdin().read_to_end(&mut raw).context("standard input cannot be read")?;
            raw
        }
        false => {
            std::fs::read(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?
        }
    };
    let found = serde_json::to_value(mail::inspect::inspect(&raw))?;
    match args.json {
        true => super::print_json(&found),
        false => {
            print(&found);
            Ok(())
        }
    }
}

/// The same, for people: the short things as lines, then the text.
fn print(found: &serde_json::Value) {
    let Some(fields) = found.as_object() else { return };
    for (name, value) in
        fields.iter().filter(|(name, _)| !["text", "html", "reply_text"].contains(&name.as_str()))
    {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Array(items) if items.is_empty() => {}
            serde_json::Value::String(text) => super::say(format_args!("{name}: {text}")),
            value => super::say(format_args!("{name}: {value}")),
        }
    }
    super::say(format_args!("\n{}", found["text"].as_str().unwrap_or_default()));
}
