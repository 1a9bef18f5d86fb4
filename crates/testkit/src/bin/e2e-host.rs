//! `e2e-host`: what the browser tests run against, until standard input closes.
//!
//! A Dovecot with the newer part of the sample, a Lettercase that has filed it, and a second one on an
//! empty folder, each on a free port and in a temporary folder. Says one line of JSON when all is ready:
//! `{"url","login","password","empty_url","mailbox":{"host","port","username","password","address"}}`,
//! where `mailbox` is one that is not connected yet.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use testkit::acme::{self, ADMINISTRATOR, PASSWORD};
use testkit::api::Api;
use testkit::folder::Folder;
use testkit::program::{Program, binary, free_port};
use testkit::sample::Sample;
use tokio::signal::unix::{SignalKind, signal};

/// A user of the mail server whose mailbox nobody has connected.
const FURTHER: &str = "sales@acme.example";
const MAILS: usize = 150;
const FILED_WITHIN: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ended = tokio::select! {
        ended = run() => ended,
        ended = asked_to_end() => ended,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("e2e-host: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn asked_to_end() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    Ok(())
}

async fn run() -> Result<()> {
    let binary = binary()?;
    let folder = Folder::new()?;
    let mut mails = Sample::new(SystemTime::now()).mails;
    mails.drain(..mails.len().saturating_sub(MAILS));
    let dovecot = acme::mail_server(&mails)?;
    let further = mails.iter().take(5).map(|mail| &mail.bytes);
    dovecot.fill(FURTHER, "INBOX", further)?;

    let start = |name: &str| {
        Program::start(
            &binary,
            &folder.path().join(name),
            free_port()?,
            &folder.path().join(format!("{name}.log")),
        )
    };
    let (filled, empty) = (start("filled")?, start("empty")?);
    let mut api = Api::new(filled.address);
    acme::administrator(&mut api)?;
    acme::set_up(&mut api, &dovecot)?;
    await_filed(&mut api, u64::try_from(mails.len())?).await?;
    let ready = json!({
        "url": api.url(),
        "login": ADMINISTRATOR.login,
        "password": PASSWORD,
        "empty_url": Api::new(empty.address).url(),
        "mailbox": {
            "host": dovecot.host,
            "port": dovecot.imap_port,
            "username": FURTHER,
            "password": dovecot.password,
            "address": FURTHER,
        },
    });
    println!("{ready}");
    input_closed().await
}

/// Waits on a thread of its own, which nothing has to wait for in turn when a signal comes first.
async fn input_closed() -> Result<()> {
    let (closed, waiting) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Whatever ends the input ends the host.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        closed.send(()).ok();
    });
    waiting.await.context("standard input")
}

async fn await_filed(api: &mut Api, expected: u64) -> Result<()> {
    let began = Instant::now();
    loop {
        let settled = acme::settled(api)?;
        if settled >= expected {
            return Ok(());
        }
        ensure!(began.elapsed() < FILED_WITHIN, "only {settled} of {expected} mails were filed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
