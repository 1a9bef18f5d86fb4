//! `mailbox`: connected mail accounts, for scripts.

mod change;

use crate::{config::Config, open};
use anyhow::{Context, Result, bail};
use desk::mailbox::{self as verbs, FolderChoice, NewMailbox};
use desk::may::Actor;
use model::{AfterFiling, MailboxKind, Protocol, Tls, UserId};
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
    /// Show one mailbox.
    Show(change::Show),
    /// Change one mailbox: on and off, keeper, sending.
    Set(Box<change::Set>),
    /// Try a password and store it if the server accepts it.
    Password(change::Password),
    /// Clear an inactive mailbox, so that the database gets smaller.
    Clear(change::Clear),
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
    /// The login of whoever may change it without being administrator.
    #[arg(long, value_name = "LOGIN")]
    keeper: Option<String>,
    /// imap://USER@HOST:PORT (993 with implicit TLS and 143 otherwise, where no port is given).
    #[arg(long, value_name = "URL", required_unless_present = "pop3", conflicts_with = "pop3")]
    imap: Option<String>,
    /// pop3://USER@HOST:PORT (995 with implicit TLS and 110 otherwise, where no port is given).
    #[arg(long, value_name = "URL")]
    pop3: Option<String>,
    /// What is done with its folders: file (read the chosen ones) or synchronise (all, both ways).
    #[arg(long, default_value = "file")]
    mode: String,
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
    /// How it sends: smtp://USER@HOST:PORT. Without USER it signs in as for receiving.
    #[arg(long, value_name = "URL")]
    smtp: Option<String>,
    /// Protection of outgoing mail: none, starttls or implicit.
    #[arg(long, value_name = "TLS", default_value = "implicit", requires = "smtp")]
    smtp_tls: String,
    /// A file whose first line is the password for sending, where it is another one.
    #[arg(long, value_name = "FILE", requires = "smtp")]
    smtp_password_file: Option<PathBuf>,
    /// Users may send from it, as their role says.
    #[arg(long, requires = "smtp")]
    shared: bool,
    /// Lettercase may delete on the server.
    #[arg(long)]
    delete_on_server: bool,
    /// Its process, made if new.
    #[arg(long, value_name = "NAME")]
    process: Option<String>,
    /// A team in charge, made if new; may be given several times.
    #[arg(long, value_name = "NAME")]
    team: Vec<String>,
    /// What lies in its folders already is history: true dates, no cases, no notifications.
    #[arg(long)]
    history: bool,
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
    /// The mailbox's address, or its number where several have the address.
    #[arg(value_name = "MAILBOX")]
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
        Command::Show(show) => change::show(config, &show).await,
        Command::Set(set) => change::set(config, *set).await,
        Command::Password(password) => change::password(config, &password).await,
        Command::Clear(clear) => change::clear(config, &clear).await,
        Command::Test(test) => try_one(config, &test).await,
    }
}

async fn add_one(config: &Config, add: Add) -> Result<ExitCode> {
    let tls = Tls::of(&add.tls).context("--tls must be none, starttls or implicit")?;
    let (protocol, server) = match (&add.imap, &add.pop3) {
        (_, Some(url)) => (Protocol::Pop3, Address::of(Protocol::Pop3, url, tls)?),
        (Some(url), None) => (Protocol::Imap, Address::of(Protocol::Imap, url, tls)?),
        (None, None) => bail!("--imap or --pop3 is needed"),
    };
    let outgoing = match &add.smtp {
        Some(url) => Some(change::outgoing(url, &add.smtp_tls, add.smtp_password_file.as_deref())?),
        None => None,
    };
    let desk = open::desk(config).await?;
    let owner = match &add.owner {
        None => None,
        Some(login) => Some(user_named(&desk, login).await?),
    };
    let keeper = match &add.keeper {
        None => None,
        Some(login) => Some(user_named(&desk, login).await?),
    };
    let kind = if add.group { MailboxKind::Group } else { MailboxKind::Personal };
    let new = NewMailbox {
        folders: folders(&add),
        name: add.name.unwrap_or_default(),
        owner,
        delete_on_server: add.delete_on_server || add.delete_after_days.is_some(),
        delete_after_days: add.delete_after_days,
        host: server.host,
        port: server.port,
        tls: server.tls,
        username: server.user,
        password: add.password_file.as_deref().map(super::password_of).transpose()?,
        process: add.process,
        teams: add.team,
        create_cases: add.create_cases,
        keeper,
        protocol,
        mode: change::mode(&add.mode)?,
        outgoing,
        shared: add.shared,
        history: add.history,
        active: add.active,
        ..NewMailbox::new(kind, add.address)
    };
    let mailbox = verbs::add(&desk, &Actor::machine(), new).await?;
    super::say(format_args!("{} is mailbox {}, {}", mailbox.address, mailbox.id, on_or_off(&mailbox)));
    Ok(ExitCode::SUCCESS)
}

/// The user of a login.
async fn user_named(desk: &desk::Desk, login: &str) -> Result<UserId> {
    let user = store::people::user_by_login(&mut &desk.db, &login.to_lowercase()).await?;
    Ok(user.with_context(|| format!("there is no user with the login {login}"))?.0.id)
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
    user: String,
    host: String,
    port: u16,
    tls: Tls,
}

impl Address {
    /// Reads `imap://USER@HOST:PORT` or `pop3://...`. The user may contain `@` as it is: the last one ends it.
    fn of(protocol: Protocol, url: &str, tls: Tls) -> Result<Address> {
        let scheme = protocol.word();
        let ports = match protocol {
            Protocol::Imap => [993, 143],
            Protocol::Pop3 => [995, 110],
        };
        let address = Address::read(url, scheme, tls, ports)?;
        if address.user.is_empty() {
            bail!("--{scheme} names no user: {scheme}://USER@HOST:PORT is needed, not {url}");
        }
        Ok(address)
    }

    /// Reads `smtp://USER@HOST:PORT`; the user may be missing.
    fn of_smtp(url: &str, tls: Tls) -> Result<Address> {
        Address::read(url, "smtp", tls, [465, 587])
    }

    /// `ports` are the usual ones with implicit TLS and without.
    fn read(url: &str, scheme: &str, tls: Tls, ports: [u16; 2]) -> Result<Address> {
        let (rest, tls) = match url.split_once("://") {
            Some((name, rest)) if name == scheme => (rest, tls),
            Some((name, rest)) if name.strip_suffix('s') == Some(scheme) => (rest, Tls::Implicit),
            _ => bail!("--{scheme} must be like {scheme}://USER@HOST:PORT, and is {url}"),
        };
        let rest = rest.trim_end_matches('/');
        let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let usual = if tls == Tls::Implicit { ports[0] } else { ports[1] };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().with_context(|| format!("--{scheme} has no number as port: {port}"))?)
            }
            _ => (place, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Address { user: user.replace("%40", "@"), host: host.to_owned(), port, tls })
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
    let teams: Vec<_> = mailbox.teams.iter().map(|(_, name)| name).collect();
    let outgoing = mailbox.outgoing.as_ref().map(|one| {
        serde_json::json!({
            "host": one.host, "port": one.port, "tls": one.tls, "username": one.username, "has_password": one.has_secret,
        })
    });
    serde_json::json!({
        "mode": mailbox.mode, "owner_id": mailbox.owner, "keeper_id": mailbox.keeper, "outgoing": outgoing,
        "shared": mailbox.shared, "delete_on_server": mailbox.delete_on_server, "teams": teams,
        "process": mailbox.process.as_ref().map(|(_, name)| name), "waiting_for_owner": mailbox.waits_for_owner(),
        "protocol_locked": mailbox.begun_at.is_some(),
        "id": mailbox.id, "address": mailbox.address, "name": mailbox.name, "kind": mailbox.kind, "protocol": mailbox.protocol,
        "host": mailbox.host, "port": mailbox.port, "tls": mailbox.tls, "username": mailbox.username, "has_password": mailbox.has_secret,
        "folders": folders, "create_cases": mailbox.create_cases, "active": mailbox.active,
    })
}

fn on_or_off(mailbox: &Mailbox) -> &'static str {
    if mailbox.active { "on" } else { "off" }
}

fn failure(trouble: &verbs::Trouble) -> String {
    format!("Connecting to the mailbox failed! ({}) {} {}", trouble.stage, trouble.message, trouble.remedy)
}

async fn try_one(config: &Config, test: &Test) -> Result<ExitCode> {
    let desk = open::desk(config).await?;
    let mailbox = change::find(&desk, &test.address).await?;
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
        eprintln!("{}", failure(&trouble));
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
