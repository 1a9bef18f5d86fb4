//! What people write into the form of a mailbox, checked and made one way.

use super::{FolderChoice, MOST_FOLDERS, OutgoingChoice, PROCESSED};
use crate::Refusal;
use crate::may::Actor;
use crate::people::{checked_name, invalid};
use model::{AfterFiling, MailboxId, MailboxKind, MailboxMode, ProcessId, Protocol, Tls, UserId};
use std::collections::HashSet;
use std::net::IpAddr;
use store::mailboxes::{self, Mailbox};
use store::people;
use store::sql::Tx;

/// Longer texts of a form are refused.
const LONGEST: usize = 500;

pub(super) fn owner(
    kind: MailboxKind,
    owner: Option<UserId>,
    actor: &Actor,
) -> Result<Option<UserId>, Refusal> {
    match (kind, owner.or(actor.user)) {
        (MailboxKind::Group, _) => Ok(None),
        (MailboxKind::Personal, Some(owner)) => Ok(Some(owner)),
        (MailboxKind::Personal, None) => Err(invalid("owner_id", "required", "say whose mailbox it is")),
    }
}

/// The folders as they are written: INBOX where none is chosen, moved after filing where nothing is
/// said. By POP3 there is one folder, and nothing in it can be moved or marked; what is synchronised is
/// left where people put it.
pub(super) fn checked_folders(
    mailbox: &Mailbox,
    folders: Vec<FolderChoice>,
) -> Result<Vec<(String, AfterFiling, Option<String>)>, Refusal> {
    if folders.len() > MOST_FOLDERS {
        return Err(
            invalid("folders", "too_many", format!("at most {MOST_FOLDERS}")).with("most", MOST_FOLDERS)
        );
    }
    let inbox =
        FolderChoice { name: "INBOX".into(), after_filing: AfterFiling::Move, processed_folder: None };
    let folders = if folders.is_empty() { vec![inbox] } else { folders };
    let stays = mailbox.protocol == Protocol::Pop3 || mailbox.mode == MailboxMode::Synchronise;
    let chosen: Vec<_> =
        folders.into_iter().map(|folder| checked_folder(folder, stays)).collect::<Result<_, _>>()?;
    if mailbox.protocol == Protocol::Pop3 && (chosen.len() > 1 || chosen[0].0 != "INBOX") {
        return Err(invalid("folders", "pop3_has_one_folder", "by POP3 there is INBOX and no other folder"));
    }
    check_circle(&chosen)?;
    Ok(chosen)
}

fn checked_folder(
    folder: FolderChoice,
    stays: bool,
) -> Result<(String, AfterFiling, Option<String>), Refusal> {
    let name = folder_name(checked_text("folders", &folder.name)?);
    let after = if stays { AfterFiling::Leave } else { folder.after_filing };
    let to = folder.processed_folder.filter(|name| !name.trim().is_empty());
    let to = to.map(|name| checked_text("folders", &name).map(folder_name)).transpose()?;
    let to = match after {
        AfterFiling::Move => Some(to.unwrap_or_else(|| PROCESSED.to_owned())),
        AfterFiling::MarkRead | AfterFiling::Leave => None,
    };
    Ok((name, after, to))
}

/// No folder is there twice, and nothing is moved into one that is read.
fn check_circle(chosen: &[(String, AfterFiling, Option<String>)]) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    if let Some((name, ..)) = chosen.iter().find(|(name, ..)| !names.insert(name)) {
        return Err(invalid("folders", "twice", format!("{name} is there twice")).with("folder", name));
    }
    let circle = chosen.iter().find(|(_, _, to)| to.as_ref().is_some_and(|to| names.contains(to)));
    let Some((name, ..)) = circle else { return Ok(()) };
    let message = format!(
        "what is filed from {name} would be moved into a folder that is read: choose another processed folder"
    );
    Err(invalid("folders", "processed_is_read", message).with("folder", name))
}

/// The folders as they were chosen.
pub(super) fn folders_of(mailbox: &Mailbox) -> Vec<FolderChoice> {
    let choice = |folder: &mailboxes::ChosenFolder| FolderChoice {
        name: folder.name.clone(),
        after_filing: folder.after_filing,
        processed_folder: folder.processed_folder.clone(),
    };
    mailbox.folders.iter().filter(|folder| folder.read).map(choice).collect()
}

/// INBOX is one name in any case (RFC 9051 section 5.1).
pub(super) fn folder_name(name: String) -> String {
    match name.eq_ignore_ascii_case("INBOX") {
        true => "INBOX".to_owned(),
        false => name,
    }
}

pub(crate) fn checked_text(field: &'static str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || text.contains(char::is_control) {
        return Err(invalid(field, "bad_text", format!("1 to {LONGEST} characters on one line"))
            .with("most", LONGEST));
    }
    Ok(text.to_owned())
}

pub(crate) fn checked_host(field: &'static str, host: &str) -> Result<String, Refusal> {
    let host = host.trim().trim_end_matches('.').to_lowercase();
    let odd = |c: char| !(c.is_alphanumeric() || ".-_:".contains(c));
    if host.is_empty() || host.len() > 253 || host.contains(odd) {
        let message = "the server's name or address, like imap.company.example, without a port";
        return Err(invalid(field, "bad_host", message));
    }
    if host.contains(':') && host.parse::<IpAddr>().is_err() {
        let message = "the server's name without the port, which has a field of its own";
        return Err(invalid(field, "host_with_port", message));
    }
    Ok(host)
}

pub(crate) fn checked_port(field: &'static str, port: u16) -> Result<u16, Refusal> {
    match port {
        0 => Err(invalid(
            field,
            "bad_port",
            "a number from 1 to 65535; with TLS IMAP has 993, POP3 995, SMTP 465",
        )),
        port => Ok(port),
    }
}

/// Without TLS a password goes only to this machine itself, or by explicit choice.
pub(crate) fn check_plain(
    field: &'static str,
    tls: Tls,
    host: &str,
    allow_plain: bool,
) -> Result<(), Refusal> {
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match tls {
        Tls::None if !here && !allow_plain => Err(invalid(
            field,
            "plain_refused",
            "a password is sent without protection only to this machine itself: choose starttls or implicit",
        )),
        _ => Ok(()),
    }
}

/// Host, port and user of an outgoing server.
pub(super) fn checked_outgoing(choice: &OutgoingChoice) -> Result<(String, u16, String), Refusal> {
    let username = match choice.username.trim() {
        "" => String::new(),
        username => checked_text("outgoing.username", username)?,
    };
    Ok((checked_host("outgoing.host", &choice.host)?, checked_port("outgoing.port", choice.port)?, username))
}

/// A mailbox as it is to be written, with how many teams are in charge and whether it has a process.
pub(super) struct Checked<'a> {
    pub mailbox: &'a Mailbox,
    pub teams: usize,
    pub process: bool,
}

impl Checked<'_> {
    /// Whether all of it fits together.
    pub fn whole(&self) -> Result<(), Refusal> {
        let mailbox = self.mailbox;
        check_plain("tls", mailbox.tls, &mailbox.host, mailbox.allow_plain)?;
        if let Some(outgoing) = &mailbox.outgoing {
            check_plain("outgoing.tls", outgoing.tls, &outgoing.host, mailbox.allow_plain)?;
        }
        self.belongs()?;
        self.deletes()?;
        if mailbox.protocol == Protocol::Pop3 && mailbox.mode == MailboxMode::Synchronise {
            return Err(invalid("mode", "needs_imap", "only an IMAP mailbox can be synchronised"));
        }
        match mailbox.active && !mailbox.has_credential() {
            true => {
                Err(invalid("password", "password_needed", "enter the mailbox's password to switch it on"))
            }
            false => Ok(()),
        }
    }

    /// A group's to a process and a team, a person's to somebody.
    fn belongs(&self) -> Result<(), Refusal> {
        let mailbox = self.mailbox;
        match mailbox.kind {
            MailboxKind::Group if !self.process => {
                Err(invalid("process", "required", "say which process the mailbox belongs to"))
            }
            MailboxKind::Group if self.teams == 0 => {
                Err(invalid("teams", "required", "say which team is in charge of the mailbox"))
            }
            MailboxKind::Group if mailbox.shared && mailbox.outgoing.is_none() => Err(invalid(
                "shared",
                "needs_outgoing",
                "a mailbox that is shared for sending needs an outgoing server",
            )),
            MailboxKind::Group => Ok(()),
            MailboxKind::Personal if mailbox.owner.is_none() => {
                Err(invalid("owner_id", "required", "say whose mailbox it is"))
            }
            MailboxKind::Personal if self.teams > 0 => {
                Err(invalid("teams", "not_group", "a personal mailbox belongs to its owner, not to a team"))
            }
            MailboxKind::Personal if mailbox.shared => {
                Err(invalid("shared", "not_group", "only a group mailbox can be shared for sending"))
            }
            MailboxKind::Personal => Ok(()),
        }
    }

    fn deletes(&self) -> Result<(), Refusal> {
        let Some(days) = self.mailbox.delete_after_days else { return Ok(()) };
        let wrong = |code, message: &str| Err(invalid("delete_after_days", code, message));
        match days {
            _ if self.mailbox.protocol != Protocol::Pop3 => {
                wrong("needs_pop3", "only of a POP3 mailbox are messages deleted by their age")
            }
            _ if !self.mailbox.delete_on_server => {
                wrong("needs_delete_on_server", "switch deleting on the server on first")
            }
            0..=MOST_DAYS => Ok(()),
            _ => wrong("too_many", "at most 3650 days"),
        }
    }
}

/// Days after which a message may be deleted on a POP3 server.
const MOST_DAYS: u16 = 3650;

/// Whether owner and keeper are there and may sign in.
pub(super) async fn check_people(tx: &mut Tx, mailbox: &Mailbox) -> Result<(), Refusal> {
    for (field, user) in [("owner_id", mailbox.owner), ("keeper_id", mailbox.keeper)] {
        let Some(user) = user else { continue };
        if people::user(tx, user).await?.is_none_or(|user| !user.active) {
            return Err(invalid(field, "unknown", "there is no such user, or they may not sign in"));
        }
    }
    Ok(())
}

/// The process of this name, made if new.
pub(super) async fn process(tx: &mut Tx, name: Option<&str>) -> Result<Option<(ProcessId, String)>, Refusal> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
    let name = checked_name("process", name)?;
    let (id, _) = people::process_named(tx, &name).await?;
    Ok(Some((id, name)))
}

/// The names of teams, without empty ones.
pub(super) fn team_names(names: &[String]) -> Result<Vec<String>, Refusal> {
    let given = names.iter().filter(|name| !name.trim().is_empty());
    given.map(|name| checked_name("teams", name)).collect()
}

/// Sets the teams in charge, made if new.
pub(super) async fn set_teams(tx: &mut Tx, id: MailboxId, names: &[String]) -> Result<(), Refusal> {
    let mut teams = Vec::with_capacity(names.len());
    for name in names {
        teams.push(people::team_named(tx, name).await?.0);
    }
    Ok(mailboxes::set_teams(tx, id, &teams).await?)
}
