//! `mailbox`: connected mail accounts, for scripts.

use crate::{config::Config, open};
use anyhow::{Context, Result, bail};
use desk::mailbox::{self as verbs, FolderChoice, NewMailbox};
use desk::may::Actor;
use model::{AfterFiling, MailboxKind, Protocol, Tls};
use std::path::PathBuf;
use std::process::ExitCode;
use store::mailboxes::{self, Mailbox};

/// What to do with mailboxes.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Connect a mailbox. It is off until it is switched on, with --active or on its page.
    Add(Box<Add>),
    /// List the mailboxes.
    List(List),
    /// Try a mailbox's connection: sign in and list the folders, change nothing.
    Test(Test),
}

/// The new mailbox.
#[derive(clap::Args)]
pub struct Add {
    /// It belongs to a process and its teams.
    #[arg(long, required_unless_present = "personal", conflicts_with = "personal")]
    group: bool,
    /// It belongs to one person.
    #[arg(long)]
    personal: bool,
    /// Of a personal mailbox: the login of its owner.
    #[arg(long, value_name = "LOGIN", requires = "personal")]
    owner: Option<String>,
    /// Its mail address.
    #[arg(long)]
    address: String,
    /// Its name as people see it; the address if none.
    #[arg(long)]
    name: Option<String>,
    /// imap://USER@HOST:PORT (993 with implicit TLS and 143 otherwise, where no port is given).
    #[arg(long, value_name = "URL", required_unless_present = "pop3", conflicts_with = "pop3")]
    imap: Option<String>,
    /// pop3://USER@HOST:PORT (995 with implicit TLS and 110 otherwise, where no port is given).
    #[arg(long, value_name = "URL")]
    pop3: Option<String>,
    /// Delete messages on the POP3 server so many days after they were kept (0: at once); never without it.
    #[arg(long, value_name = "DAYS", requires = "pop3")]
    delete_after_days: Option<u16>,
    /// Protection: none (only to this machine itself), starttls or implicit.
    #[arg(long, default_value = "implicit")]
    tls: String,
    /// A file whose first line is the password, or - for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A folder to read; may be given several times.
    #[arg(long, value_name = "NAME", default_value = "INBOX")]
    folder: Vec<String>,
    /// Move filed messages to this folder on the server (the default, to "Processed").
    #[arg(long, value_name = "NAME", conflicts_with = "pop3")]
    processed: Option<String>,
    /// Mark filed messages as read on the server.
    #[arg(long, conflicts_with_all = ["processed", "pop3"])]
    mark_read: bool,
    /// Touch nothing on the server.
    #[arg(long, conflicts_with_all = ["processed", "mark_read"])]
    leave: bool,
    /// The first mail of each thread makes a case.
    #[arg(long)]
    create_cases: bool,
    /// Its process, made if new.
    #[arg(long, value_name = "NAME")]
    process: Option<String>,
    /// A team in charge, made if new; may be given several times.
    #[arg(long, value_name = "NAME")]
    team: Vec<String>,
    /// Fetch from now on.
    #[arg(long)]
    active: bool,
}

/// How to show them.
#[derive(clap::Args)]
pub struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Which to try.
#[derive(clap::Args)]
pub struct Test {
    /// The mailbox's address.
    address: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(config: &Config, command: Command) -> Result<ExitCode> {
    match command {
        Command::Add(add) => add_one(config, *add).await,
        Command::List(list) => print_all(config, &list).await,
        Command::Test(test) => try_one(config, &test).await,
    }
}

async fn add_one(config: &Config, add: Add) -> Result<ExitCode> {
    let tls = Tls::of(&add.tls).context("--tls must be none, starttls or implicit")?;
    let server = match (&add.imap, &add.pop3) {
        (_, Some(url)) => Address::of(Protocol::Pop3, url, tls)?,
        (Some(url), None) => Address::of(Protocol::Imap, url, tls)?,
        (None, None) => bail!("--imap or --pop3 is needed"),
    };
    let desk = open::desk(config).await?;
    let owner = match &add.owner {
        None => None,
        Some(login) => {
            let user = store::people::user_by_login(&mut &desk.db, login).await?;
            Some(user.with_context(|| format!("there is no user with the login {login}"))?.0.id)
        }
    };
    let kind = if add.group { MailboxKind::Group } else { MailboxKind::Personal };
    let new = NewMailbox {
        folders: folders(&add),
        name: add.name.unwrap_or_default(),
        owner,
        protocol: server.protocol,
        delete_on_server: add.delete_after_days.is_some(),
        delete_after_days: add.delete_after_days,
        host: server.host,
        port: server.port,
        tls: server.tls,
        username: server.user,
        password: add.password_file.as_deref().map(super::password_of).transpose()?,
        process: add.process,
        teams: add.team,
        create_cases: add.create_cases,
        active: add.active,
        ..NewMailbox::new(kind, add.address)
    };
    let mailbox = verbs::add(&desk, &Actor::machine(), new).await?;
    super::say(format_args!("{} is mailbox {}, {}", mailbox.address, mailbox.id, on_or_off(&mailbox)));
    Ok(ExitCode::SUCCESS)
}

fn folders(add: &Add) -> Vec<FolderChoice> {
    let after_filing = match (add.mark_read, add.leave) {
        (true, _) => AfterFiling::MarkRead,
        (_, true) => AfterFiling::Leave,
        _ => AfterFiling::Move,
    };
    let choice = |name: &String| FolderChoice {
        name: name.clone(),
        after_filing,
        processed_folder: add.processed.clone(),
    };
    add.folder.iter().map(choice).collect()
}

/// What a mailbox's URL says.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    protocol: Protocol,
    user: String,
    host: String,
    port: u16,
    tls: Tls,
}

impl Address {
    /// Reads `imap://USER@HOST:PORT` or `pop3://...`. The user may contain `@` as it is: the last one ends it.
    fn of(protocol: Protocol, url: &str, tls: Tls) -> Result<Address> {
        let scheme = protocol.word();
        let (rest, tls) = match url.split_once("://") {
            Some((name, rest)) if name == scheme => (rest, tls),
            Some((name, rest)) if name.strip_suffix('s') == Some(scheme) => (rest, Tls::Implicit),
            _ => bail!("--{scheme} must be like {scheme}://USER@HOST:PORT, and is {url}"),
        };
        let (user, place) = rest.trim_end_matches('/').rsplit_once('@').with_context(|| {
            format!("--{scheme} names no user: {scheme}://USER@HOST:PORT is needed, not {url}")
        })?;
        let usual = match (protocol, tls) {
            (Protocol::Imap, Tls::Implicit) => 993,
            (Protocol::Imap, _) => 143,
            (Protocol::Pop3, Tls::Implicit) => 995,
            (Protocol::Pop3, _) => 110,
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().with_context(|| format!("--{scheme} has no number as port: {port}"))?)
            }
            _ => (place, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Address { protocol, user: user.replace("%40", "@"), host: host.to_owned(), port, tls })
    }
}

async fn print_all(config: &Config, list: &List) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let all = mailboxes::all(&mut &desk.db).await?;
    if list.json {
        super::print_json(&all.iter().map(json).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    for mailbox in &all {
        let folders: Vec<&str> = mailbox.folders.iter().map(|folder| folder.name.as_str()).collect();
        super::say(format_args!(
            "{}  {}  {}  {}:{} ({})  {}",
            mailbox.id,
            mailbox.address,
            mailbox.kind,
            mailbox.host,
            mailbox.port,
            folders.join(", "),
            on_or_off(mailbox)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn json(mailbox: &Mailbox) -> serde_json::Value {
    let folders: Vec<_> = mailbox.folders.iter().map(|folder| &folder.name).collect();
    serde_json::json!({
        "id": mailbox.id, "address": mailbox.address, "name": mailbox.name, "kind": mailbox.kind, "protocol": mailbox.protocol,
        "host": mailbox.host, "port": mailbox.port, "tls": mailbox.tls, "username": mailbox.username, "has_password": mailbox.has_secret,
        "folders": folders, "create_cases": mailbox.create_cases, "active": mailbox.active,
    })
}

fn on_or_off(mailbox: &Mailbox) -> &'static str {
    if mailbox.active { "on" } else { "off" }
}

async fn try_one(config: &Config, test: &Test) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let all = mailboxes::all(&mut &desk.db).await?;
    let mailbox = all.iter().find(|mailbox| mailbox.address.eq_ignore_ascii_case(&test.address));
    let mailbox = mailbox.with_context(|| format!("there is no mailbox {}", test.address))?;
    let login = verbs::login(&desk, mailbox.id).await?;
    let login = login.with_context(|| format!("the password of {} has not been entered", mailbox.address))?;
    let outcome = sync::test::test(login).await;
    let code = if outcome.trouble.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if test.json {
        let folders: Vec<_> = outcome
            .folders
            .iter()
            .map(
                |f| serde_json::json!({"name": f.name, "special_use": f.special_use, "messages": f.messages}),
            )
            .collect();
        super::print_json(
            &serde_json::json!({ "ok": outcome.trouble.is_none(), "log": outcome.log, "folders": folders, "error": outcome.trouble }),
        )?;
        return Ok(code);
    }
    outcome.log.iter().for_each(|line| super::say(format_args!("{line}")));
    outcome
        .folders
        .iter()
        .for_each(|folder| super::say(format_args!("{:<40} {:>9} messages", folder.name, folder.messages)));
    if let Some(trouble) = outcome.trouble {
        eprintln!(
            "Connecting to the mailbox failed! ({}) {} {}",
            trouble.stage, trouble.message, trouble.remedy
        );
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_user_host_and_port() {
        let read = |protocol, url: &str, tls| {
            let address = Address::of(protocol, url, tls).unwrap();
            (address.user, address.host, address.port, address.tls)
        };
        let of = |url: &str, tls| read(Protocol::Imap, url, tls);
        let helpdesk = "helpdesk@acme.example";
        assert_eq!(
            of("imap://helpdesk@acme.example@127.0.0.1:31143", Tls::None),
            (helpdesk.into(), "127.0.0.1".into(), 31143, Tls::None)
        );
        assert_eq!(
            of("imap://helpdesk%40acme.example@mail.acme.example", Tls::StartTls),
            (helpdesk.into(), "mail.acme.example".into(), 143, Tls::StartTls)
        );
        assert_eq!(of("imaps://ann@[::1]/", Tls::None), ("ann".into(), "::1".into(), 993, Tls::Implicit));
        let pop3 = |url: &str, tls| read(Protocol::Pop3, url, tls);
        assert_eq!(pop3("pop3://ann@pop", Tls::StartTls), ("ann".into(), "pop".into(), 110, Tls::StartTls));
        assert_eq!(pop3("pop3s://ann@pop", Tls::None), ("ann".into(), "pop".into(), 995, Tls::Implicit));
        for wrong in ["mail.acme.example", "imap://mail.acme.example", "pop3://ann@pop"] {
            assert!(Address::of(Protocol::Imap, wrong, Tls::None).is_err(), "{wrong}");
        }
    }
}
