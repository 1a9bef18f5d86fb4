//! What people write into the form of a mailbox, checked and made one way.

use super::{FolderChoice, MOST_FOLDERS, PROCESSED};
use crate::Refusal;
use crate::may::Actor;
use crate::people::invalid;
use model::{AfterFiling, MailboxKind, Tls, UserId};
use std::collections::HashSet;
use std::net::IpAddr;
use store::mailboxes::Mailbox;

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

pub(super) fn checked_folders(
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
    let mut names = HashSet::new();
    let mut chosen = Vec::with_capacity(folders.len());
    for folder in folders {
        let name = folder_name(checked_text("folders", &folder.name)?);
        if !names.insert(name.clone()) {
            return Err(invalid("folders", "twice", format!("{name} is there twice")).with("folder", name));
        }
        let to = folder.processed_folder.filter(|name| !name.trim().is_empty());
        let to = to.map(|name| checked_text("folders", &name).map(folder_name)).transpose()?;
        let to = match folder.after_filing {
            AfterFiling::Move => Some(to.unwrap_or_else(|| PROCESSED.to_owned())),
            AfterFiling::MarkRead | AfterFiling::Leave => None,
        };
        chosen.push((name, folder.after_filing, to));
    }
    let circle = chosen.iter().find(|(_, _, to)| to.as_ref().is_some_and(|to| names.contains(to)));
    match circle {
        Some((name, _, _)) => {
            let message = format!(
                "what is filed from {name} would be moved into a folder that is read: choose another processed folder"
            );
            Err(invalid("folders", "processed_is_read", message).with("folder", name))
        }
        None => Ok(chosen),
    }
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

pub(crate) fn checked_host(host: &str) -> Result<String, Refusal> {
    let host = host.trim().trim_end_matches('.').to_lowercase();
    let odd = |c: char| !(c.is_alphanumeric() || ".-_:".contains(c));
    if host.is_empty() || host.len() > 253 || host.contains(odd) {
        return Err(invalid(
            "host",
            "bad_host",
            "the server's name or address, like imap.company.example, without a port",
        ));
    }
    if host.contains(':') && host.parse::<IpAddr>().is_err() {
        return Err(invalid(
            "host",
            "host_with_port",
            "the server's name without the port, which has a field of its own",
        ));
    }
    Ok(host)
}

pub(crate) fn checked_port(port: u16) -> Result<u16, Refusal> {
    match port {
        0 => Err(invalid(
            "port",
            "bad_port",
            "a number from 1 to 65535; IMAP has 993 with TLS and 143 without",
        )),
        port => Ok(port),
    }
}

pub(super) fn check_protection(mailbox: &Mailbox) -> Result<(), Refusal> {
    check_plain(mailbox.tls, &mailbox.host)
}

/// Without TLS a password goes only to this machine itself.
pub(crate) fn check_plain(tls: Tls, host: &str) -> Result<(), Refusal> {
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match tls {
        Tls::None if !here => Err(invalid(
            "tls",
            "plain_refused",
            "a password is sent without protection only to this machine itself: choose starttls or implicit",
        )),
        _ => Ok(()),
    }
}

pub(super) fn check_active(mailbox: &Mailbox) -> Result<(), Refusal> {
    match mailbox.active && !mailbox.has_secret {
        true => Err(invalid("password", "password_needed", "enter the mailbox's password to switch it on")),
        false => Ok(()),
    }
}
