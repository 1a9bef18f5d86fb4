//! `demo`: a sample company on a real mail server, with Lettercase beside it, until Ctrl+C. Run by `make demo`.
//!
//! Each start is a fresh one: what is in `demo-data` from the last time goes. The mail server lives in a
//! folder of the system's temporary one, because its users could not reach into somebody's home. Whatever
//! ends the demo ends what it started, by process id.

use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use testkit::acme::{self, ADMINISTRATOR, PASSWORD, Post, USERS};
use testkit::api::Api;
use testkit::dovecot::Dovecot;
use testkit::lmtp;
use testkit::program::{Program, binary};
use testkit::sample::{Arrivals, SENT, Sample, SampleMail};
use tokio::signal::unix::{SignalKind, signal};

/// The first port that is tried, and how many.
const PORTS: (u16, u16) = (8420, 50);
/// How long the first scan may take.
const FILED_WITHIN: Duration = Duration::from_secs(180);
/// Between two new mails.
const PAUSE: Duration = Duration::from_secs(20);
const MARK: &str = "made-by-make-demo";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ended = tokio::select! {
        ended = run() => ended,
        signal = asked_to_end() => signal.map(|()| println!("\nStopping.")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn asked_to_end() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
    Ok(())
}

async fn run() -> Result<()> {
    let folder = std::env::current_dir()?.join("demo-data");
    let _lock = clean(&folder)?;
    let sample = Sample::new(SystemTime::now());
    println!("Lettercase demo: Acme, a maker of workshop furniture that does not exist");
    let dovecot = acme::mail_server(&sample.mails)?;
    println!(
        "  mail server   Dovecot at 127.0.0.1:{}, {} mails in 5 mailboxes",
        dovecot.imap_port,
        sample.mails.len()
    );
    let log = folder.join("lettercase.log");
    let mut program = Program::start(&binary()?, &folder.join("data"), port()?, &log)?;
    println!("  Lettercase    {}, log in {}", Api::new(program.address).url(), shown(&log));
    let mut api = Api::new(program.address);
    acme::administrator(&mut api)?;
    let post = Post::start().await?;
    acme::set_up(&mut api, &dovecot, Some(&post))?;
    await_filed(&mut api, &mut program, sample.mails.len()).await?;
    acme::enliven(&mut api)?;
    invite(&api);
    keep_coming(&dovecot, post, &mut program).await
}

/// Empties the folder, if it is ours; the lock keeps a second demo out.
fn clean(folder: &Path) -> Result<File> {
    let mark = folder.join(MARK);
    if folder.exists() && !mark.exists() {
        bail!("{} is there and was not made by the demo: move it away", folder.display());
    }
    fs::create_dir_all(folder)?;
    let lock = File::create(&mark)?;
    ensure!(lock.try_lock().is_ok(), "a demo is running here already");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => fs::remove_dir_all(&path)?,
            false if path != mark => fs::remove_file(&path)?,
            false => {}
        }
    }
    Ok(lock)
}

/// The first free port from the usual one on.
fn port() -> Result<u16> {
    let (first, count) = PORTS;
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (first..first + count).find(free).with_context(|| format!("no free port from {first} on"))
}

async fn await_filed(api: &mut Api, program: &mut Program, count: usize) -> Result<()> {
    let began = Instant::now();
    let expected = u64::try_from(count)?;
    loop {
        let settled = acme::settled(api)?;
        if settled >= expected {
            break;
        }
        if let Some(ended) = program.ended()? {
            bail!(ended);
        }
        ensure!(began.elapsed() < FILED_WITHIN, "only {settled} of {expected} mails were filed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("  first scan    {expected} mails filed in {:.1} s\n", began.elapsed().as_secs_f32());
    Ok(())
}

fn invite(api: &Api) {
    println!("  Open      {}", api.url());
    println!("  Sign in   {}  password  {PASSWORD}", ADMINISTRATOR.login);
    println!("\n  Others, with the same password:");
    for user in USERS {
        println!(
            "            {:20} {}{}",
            user.login,
            user.role,
            user.team.map(|team| format!(", {team}")).unwrap_or_default()
        );
    }
    println!(
        "\n  A new mail arrives every {} seconds. Ctrl+C ends the demo; the next start is a fresh one.\n",
        PAUSE.as_secs()
    );
}

async fn keep_coming(dovecot: &Dovecot, mut post: Post, program: &mut Program) -> Result<()> {
    let seed = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let mut arrivals = Arrivals::new(seed);
    loop {
        let wake = Instant::now() + PAUSE;
        while Instant::now() < wake {
            if let Some(ended) = program.ended()? {
                bail!(ended);
            }
            for mail in post.pass_on(dovecot)? {
                println!("  sent to     {}", mail.to.join(", "));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let mail = arrivals.next(SystemTime::now());
        deliver(dovecot, &mail)?;
        println!(
            "  {} {}",
            if mail.folder == SENT { "sent by    " } else { "new mail to" },
            mail.mailbox.address()
        );
    }
}

fn deliver(dovecot: &Dovecot, mail: &SampleMail) -> Result<()> {
    let to = mail.mailbox.address();
    if mail.folder == SENT {
        return dovecot.deliver(to, SENT, &mail.bytes);
    }
    let port = dovecot.lmtp_port.context("dovecot-lmtpd is not installed")?;
    lmtp::deliver(port, &writer(&mail.bytes), to, &mail.bytes)
}

/// The address in its From: who is answered. Empty where there is none.
fn writer(mail: &[u8]) -> String {
    let head = String::from_utf8_lossy(mail);
    let from = head.lines().find_map(|line| line.strip_prefix("From: ")).unwrap_or_default();
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address);
    address.trim_end_matches('>').to_owned()
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
