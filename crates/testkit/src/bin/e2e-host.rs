//! `e2e-host`: what the browser tests run against, until standard input closes.
//!
//! A Dovecot with the newer part of the sample, a Lettercase that has filed it, and a second one on an
//! empty folder, each on a free port and in a temporary folder. Says one line of JSON when all is ready:
//! `{"url","login","password","empty_url","mailbox":{"host","port","pop3_port","username","password",
//! "address","smtp_port"},"synchronised","large"}`. `mailbox` is one that is not connected yet and has several folders;
//! `synchronised` and `large` are further users of the same server: one to be kept in step, one with a
//! message that is too large to be taken.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use testkit::acme::{self, ADMINISTRATOR, PASSWORD};
use testkit::api::Api;
use testkit::dovecot::Dovecot;
use testkit::folder::Folder;
use testkit::program::{Program, binary, free_port};
use testkit::sample::{Sample, SampleMail};
use testkit::scripted::{SmtpManner, SmtpServer};
use tokio::signal::unix::{SignalKind, signal};

/// A user of the mail server whose mailbox nobody has connected.
const FURTHER: &str = "sales@acme.example";
/// Another one, to be synchronised.
const SYNCHRONISED: &str = "eva@acme.example";
/// Another one, whose mailbox holds a message above the limit of 50 MiB.
const LARGE: &str = "press-archive@acme.example";
/// A recipient whom the outgoing server refuses.
const GONE: &str = "gone@firma.example";
const LARGE_BYTES: usize = 51 << 20;
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
    add_users(&dovecot, &mails)?;

    // Whoever may read mail here may send through this one, which keeps it in memory.
    let account = (FURTHER.to_owned(), dovecot.password.clone());
    let replies = [(GONE.to_owned(), "550 5.1.1 no such user".to_owned())].into();
    let outgoing = SmtpServer::start(SmtpManner { account, replies, ..SmtpManner::default() }).await?;

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
    acme::set_up(&mut api, &dovecot, None)?;
    await_filed(&mut api, u64::try_from(mails.len())?).await?;
    let ready = json!({
        "url": api.url(),
        "login": ADMINISTRATOR.login,
        "password": PASSWORD,
        "empty_url": Api::new(empty.address).url(),
        "mailbox": {
            "host": dovecot.host,
            "port": dovecot.imap_port,
            "pop3_port": dovecot.pop3_port,
            "smtp_port": outgoing.address.port(),
            "username": FURTHER,
            "password": dovecot.password,
            "address": FURTHER,
        },
        "synchronised": SYNCHRONISED,
        "large": LARGE,
    });
    println!("{ready}");
    input_closed().await
}

/// The users whose mailboxes the tests connect.
fn add_users(dovecot: &Dovecot, mails: &[SampleMail]) -> Result<()> {
    let some = |from: usize, count: usize| mails.iter().skip(from).take(count).map(|mail| &mail.bytes);
    dovecot.fill(FURTHER, "INBOX", some(0, 5))?;
    dovecot.fill(FURTHER, "Archive", some(5, 2))?;
    dovecot.fill(FURTHER, "Projects/Alpha", some(7, 3))?;
    dovecot.fill(SYNCHRONISED, "INBOX", some(10, 6))?;
    dovecot.fill(SYNCHRONISED, "Sent", some(16, 2))?;
    dovecot.fill(SYNCHRONISED, "Projects/Alpha", some(18, 1))?;
    let head = "From: Ann <ann@acme.example>\r\nTo: press-archive@acme.example\r\nSubject: The whole archive\r\n\
                Message-ID: <large@acme.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n\r\n";
    let mut large = head.as_bytes().to_vec();
    large.resize(LARGE_BYTES, b'a');
    large
        .chunks_mut(78)
        .skip(4)
        .filter(|line| line.len() == 78)
        .for_each(|line| line[76..].copy_from_slice(b"\r\n"));
    dovecot.deliver(LARGE, "INBOX", &large)
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
