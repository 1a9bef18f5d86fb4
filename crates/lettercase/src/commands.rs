//! What the program can be told to do: one file a command.

pub mod import;
pub mod inspect;
pub mod ledger;
pub mod mailbox;
pub mod reconcile;
pub mod scan;
pub mod search;
pub mod serve;
pub mod threads;
pub mod token;
pub mod user;
pub mod verify;

use anyhow::{Context, Result};
use desk::seal::Secret;
use std::io::{Read, Write};
use std::path::Path;

/// Prints a line. A reader that has seen enough (`| head`) ends the program in silence.
fn say(line: impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a value for programs.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    say(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A password from the first line of a file, or of standard input if the file is `-`.
fn password_of(file: &Path) -> Result<Secret> {
    let text = match file.as_os_str() == "-" {
        true => {
            let mut text = String::new();
            std::io::stdin().take(10_000).read_to_string(&mut text)?;
            text
        }
        false => std::fs::read_to_string(file)
            .with_context(|| format!("the password file {} cannot be read", file.display()))?,
    };
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

/// What a message is called outside: its Message-ID, or where it has none, our number of it.
fn name_of(mid: &str, id: model::MessageId) -> String {
    if mid.is_empty() { format!("lettercase:{id}") } else { mid.to_owned() }
}

/// A moment as RFC 3339 in UTC.
fn rfc3339(at: model::Time) -> String {
    jiff::Timestamp::from_microsecond(at.0).unwrap_or_default().to_string()
}

/// A progress bar where a person watches, none where a program reads.
fn bar(what: &str) -> indicatif::ProgressBar {
    let style =
        indicatif::ProgressStyle::with_template("{prefix} {bar:30} {human_pos}/{human_len} {per_sec} {eta}");
    let style = style.expect("the template is a constant that was tried").progress_chars("█░░");
    indicatif::ProgressBar::new(0).with_style(style).with_prefix(what.to_owned())
}
