//! `lettercase`: the mail gateway and shared inbox, as one program.
//!
//! Here the crates are wired together and configuration is read; nowhere else.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commands;
mod config;
mod open;
mod probe;

use clap::{Parser, Subcommand};
use commands::{
    import, inspect, ledger, mailbox, reconcile, scan, search, serve, threads, token, user, verify,
};
use std::process::ExitCode;

/// Mail gateway and shared inbox: connects mailboxes, keeps every message once, files it where it belongs.
#[derive(Parser)]
#[command(name = "lettercase", version, about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    place: config::Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run: fetch from all active mailboxes and serve the interface and the API, until Ctrl+C.
    Serve(serve::Args),
    /// Add, list and test mailboxes.
    #[command(subcommand)]
    Mailbox(mailbox::Command),
    /// Read the active mailboxes once to their end.
    Scan(scan::Args),
    /// Take in history from mbox files, Maildir folders or EML files: no cases, no replies, true dates.
    Import(import::Args),
    /// Show what Lettercase understands of one message. Needs no database.
    Inspect(inspect::Args),
    /// Search the archive.
    Search(search::Args),

    /// List the threads and their messages.
    Threads(threads::Args),
    /// Show, per folder, everything the server ever had and where it is.
    Ledger(ledger::Args),
    /// Find mail in the processed folders that a database restored from a backup does not know.
    Reconcile(reconcile::Args),
    /// Rebuild every stored message and compare it with its hash.
    Verify(verify::Args),
    /// Add users.
    #[command(subcommand)]
    User(user::Command),
    /// Make API tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Print the API's OpenAPI document.
    Openapi,
    /// Read letters from standard input and say of each that one lives on.
    #[command(hide = true)]
    Probe,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("lettercase: another TLS provider is installed already; this is a fault of the program");
        return ExitCode::FAILURE;
    }
    if let Command::Probe = cli.command {
        return probe::child();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a process that was started can start its threads");
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lettercase: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match cli.command {
        Command::Inspect(args) => return inspect::run(&args).map(done),
        Command::Openapi => {
            print!("{}", server::openapi());
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let config = config::read(cli.place)?;
    match cli.command {
        Command::Serve(args) => serve::run(config, args).await.map(done),
        Command::Mailbox(command) => mailbox::run(&config, command).await,
        Command::Scan(args) => scan::run(&config, args).await,
        Command::Import(args) => import::run(&config, args).await.map(done),

        Command::Search(args) => search::run(&config, args).await.map(done),
        Command::Threads(args) => threads::run(&config, args).await.map(done),
        Command::Ledger(args) => ledger::run(&config, args).await.map(done),
        Command::Reconcile(args) => reconcile::run(&config, args).await.map(done),
        Command::Verify(args) => verify::run(&config, args).await,
        Command::User(command) => user::run(&config, command).await.map(done),
        Command::Token(command) => token::run(&config, command).await.map(done),
        Command::Inspect(_) | Command::Openapi | Command::Probe => Ok(ExitCode::SUCCESS),
    }
}
