//! `mailbox show`, `set`, `password`, `clear`: one mailbox, by its address or its number.

use super::{Address, json, on_or_off, user_named};
use crate::{config::Config, open};
use anyhow::{Context, Result, bail};
use desk::Desk;
use desk::mailbox::{self as verbs, MailboxChange, OutgoingChoice};
use desk::may::Actor;
use model::{MailboxMode, Protocol, Time, Tls};
use std::path::PathBuf;
use std::process::ExitCode;
use store::mailboxes::{self, Mailbox};

/// Which to show.
#[derive(clap::Args)]
pub struct Show {
    /// The mailbox's address, or its number where several have the address.
    mailbox: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What to change.
#[derive(clap::Args)]
pub struct Set {
    /// The mailbox's address, or its number where several have the address.
    mailbox: String,
    /// Fetch from now on.
    #[arg(long)]
    active: bool,
    /// Fetch no more; what was fetched stays readable.
    #[arg(long, conflicts_with = "active")]
    inactive: bool,
    /// Its name as people see it.
    #[arg(long)]
    name: Option<String>,
    /// The login of whoever may change it without being administrator.
    #[arg(long, value_name = "LOGIN")]
    keeper: Option<String>,
    /// Nobody keeps it any more.
    #[arg(long, conflicts_with = "keeper")]
    no_keeper: bool,
    /// Of a personal mailbox: the login of its owner.
    #[arg(long, value_name = "LOGIN")]
    owner: Option<String>,
    /// imap or pop3; not once mail was received.
    #[arg(long)]
    protocol: Option<String>,
    /// file or synchronise; not once mail was received.
    #[arg(long)]
    mode: Option<String>,
    /// How it sends: smtp://USER@HOST:PORT. Without USER it signs in as for receiving.
    #[arg(long, value_name = "URL")]
    smtp: Option<String>,
    /// Protection of outgoing mail: none, starttls or implicit.
    #[arg(long, value_name = "TLS", default_value = "implicit", requires = "smtp")]
    smtp_tls: String,
    /// A file whose first line is the password for sending, or - for standard input.
    #[arg(long, value_name = "FILE", requires = "smtp")]
    smtp_password_file: Option<PathBuf>,
    /// It sends no more.
    #[arg(long, conflicts_with = "smtp")]
    no_smtp: bool,
    /// Whether users may send from it, as their role says: on or off.
    #[arg(long, value_name = "ON|OFF")]
    shared: Option<String>,
    /// Whether Lettercase may delete on the server at all: on or off.
    #[arg(long, value_name = "ON|OFF")]
    delete_on_server: Option<String>,
}

/// Whose password.
#[derive(clap::Args)]
pub struct Password {
    /// The mailbox's address, or its number where several have the address.
    mailbox: String,
    /// A file whose first line is the password, or - for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
}

/// What to clear.
#[derive(clap::Args)]
pub struct Clear {
    /// The mailbox's address, or its number where several have the address.
    mailbox: String,
    /// Only what arrived before this moment, such as 2024-01-01T00:00:00Z.
    #[arg(long, value_name = "MOMENT")]
    before: Option<String>,
    /// Do it; without this it is only counted.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The mailbox of an address or number.
pub(super) async fn find(desk: &Desk, named: &str) -> Result<Mailbox> {
    let all = mailboxes::all(&mut &desk.db).await?;
    let is = |one: &Mailbox| one.address.eq_ignore_ascii_case(named) || one.id.to_string() == named;
    let mut found: Vec<Mailbox> = all.into_iter().filter(is).collect();
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) => bail!("there is no mailbox {named}"),
        (Some(_), more) => {
            bail!("{} mailboxes have the address {named}: say which by its number (mailbox list)", more + 1)
        }
    }
}

/// Prints one mailbox.
pub async fn show(config: &Config, show: &Show) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let mailbox = find(&desk, &show.mailbox).await?;
    let shown = json(&mailbox);
    match show.json {
        true => super::super::print_json(&shown)?,
        false => {
            for (key, value) in shown.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                super::super::say(format_args!("{key:<20} {value}"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Changes one mailbox.
pub async fn set(config: &Config, set: Set) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let mailbox = find(&desk, &set.mailbox).await?;
    let change = change_of(&desk, set).await?;
    let after = verbs::change(&desk, &Actor::machine(), mailbox.id, change).await?;
    super::super::say(format_args!("{} is mailbox {}, {}", after.address, after.id, on_or_off(&after)));
    Ok(ExitCode::SUCCESS)
}

async fn change_of(desk: &Desk, set: Set) -> Result<MailboxChange> {
    let keeper = match (&set.keeper, set.no_keeper) {
        (Some(login), _) => Some(Some(user_named(desk, login).await?)),
        (None, true) => Some(None),
        (None, false) => None,
    };
    let owner = match &set.owner {
        Some(login) => Some(user_named(desk, login).await?),
        None => None,
    };
    let outgoing = match &set.smtp {
        Some(url) => Some(Some(outgoing(url, &set.smtp_tls, set.smtp_password_file.as_deref())?)),
        None => set.no_smtp.then_some(None),
    };
    let of = |word: &Option<String>, what: &str| word.as_deref().map(|word| switch(word, what)).transpose();
    Ok(MailboxChange {
        active: (set.active || set.inactive).then_some(set.active),
        keeper,
        owner,
        outgoing,
        protocol: set.protocol.as_deref().map(protocol).transpose()?,
        mode: set.mode.as_deref().map(mode).transpose()?,
        shared: of(&set.shared, "--shared")?,
        delete_on_server: of(&set.delete_on_server, "--delete-on-server")?,
        name: set.name,
        ..MailboxChange::default()
    })
}

/// An outgoing server as its URL says.
pub(super) fn outgoing(url: &str, tls: &str, password: Option<&std::path::Path>) -> Result<OutgoingChoice> {
    let tls = Tls::of(tls).context("--smtp-tls must be none, starttls or implicit")?;
    let Address { user, host, port, tls } = Address::of_smtp(url, tls)?;
    let password = password.map(super::super::password_of).transpose()?;
    Ok(OutgoingChoice { host, port, tls, username: user, password })
}

pub(super) fn protocol(word: &str) -> Result<Protocol> {
    Protocol::of(word).context("--protocol must be imap or pop3")
}

pub(super) fn mode(word: &str) -> Result<MailboxMode> {
    MailboxMode::of(word).context("--mode must be file or synchronise")
}

fn switch(word: &str, what: &str) -> Result<bool> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => bail!("{what} must be on or off"),
    }
}

/// Tries a password and stores it if the server accepts it.
pub async fn password(config: &Config, form: &Password) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let mailbox = find(&desk, &form.mailbox).await?;
    let password = super::super::password_of(&form.password_file)?;
    let machine = Actor::machine();
    let (outcome, saved) = verbs::fill_in(&desk, &machine, mailbox.id, password, sync::test::test).await?;
    if let Some(trouble) = outcome.trouble {
        eprintln!("{}", super::failure(&trouble));
    }
    match saved {
        Some(saved) => {
            super::super::say(format_args!(
                "{} is mailbox {}, {}",
                saved.address,
                saved.id,
                on_or_off(&saved)
            ));
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(ExitCode::FAILURE),
    }
}

/// Clears an inactive mailbox, or says what that would remove.
pub async fn clear(config: &Config, clear: &Clear) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let mailbox = find(&desk, &clear.mailbox).await?;
    let before = clear.before.as_deref().map(moment).transpose()?;
    let machine = Actor::machine();
    let mut sum = verbs::Clearing::default();
    loop {
        let step = match clear.yes {
            true => verbs::clear(&desk, &machine, mailbox.id, before).await?,
            false => verbs::preview_clearing(&desk, &machine, mailbox.id, before).await?,
        };
        sum.messages += step.messages;
        sum.bytes += step.bytes;
        (sum.left, sum.on_server) = (step.left, step.on_server);
        if !clear.yes || step.left == 0 || step.messages == 0 {
            break;
        }
    }
    if clear.json {
        super::super::print_json(&serde_json::json!({
            "messages": sum.messages, "bytes": sum.bytes, "left": sum.left, "on_server": sum.on_server,
        }))?;
    } else {
        let (was, server) = (
            if clear.yes { "cleared" } else { "would be cleared (--yes does it)" },
            if sum.on_server { ", also on the server" } else { "" },
        );
        super::super::say(format_args!("{} messages, {} bytes {was}{server}", sum.messages, sum.bytes));
    }
    Ok(ExitCode::SUCCESS)
}

fn moment(text: &str) -> Result<Time> {
    let moment: jiff::Timestamp =
        text.parse().with_context(|| format!("--before must be like 2024-01-01T00:00:00Z, and is {text}"))?;
    Ok(Time(moment.as_microsecond()))
}
