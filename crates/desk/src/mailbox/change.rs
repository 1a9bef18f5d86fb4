//! A mailbox is changed: by whoever may change what is to be changed.

use super::checked::{Checked, check_people, checked_folders, folders_of, process, set_teams, team_names};
use super::hold::{Hold, may_change};
use super::secret::{Entered, check_grant, enter, server_of, set_credential, set_outgoing_credential};
use super::{MailboxChange, add, default, finish, form_of_server, tell_owner};
use crate::may::Actor;
use crate::people::{checked_address, checked_name};
use crate::{Desk, Refusal, rule};
use model::{MailboxId, MailboxKind, MailboxMode, Reach};
use store::mailboxes::{self, Mailbox};
use store::rules;
use store::sql::Tx;

/// Changes a mailbox. Server, port, protection or user without the password: the stored one is
/// forgotten and the mailbox switched off (unless the password comes with the change). The same holds
/// for the outgoing server and its password, which has no switch.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    change: MailboxChange,
) -> Result<Mailbox, Refusal> {
    let mut tx = desk.db.begin().await?;
    let before = mailboxes::mailbox(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    may_change(Hold::of(actor, &before), &change)?;
    let mut after = changed(actor, &before, &change)?;
    check_lock(&before, &after)?;
    check_people(&mut tx, &after).await?;
    credentials(desk, &mut tx, actor, &before, &mut after, &change).await?;
    switch(actor, &mut after, &change);
    let teams = teams(&before, &after, &change)?;
    if let Some(name) = &change.process {
        after.process = process(&mut tx, name.as_deref()).await?;
    }
    Checked { mailbox: &after, teams: teams.len(), process: after.process.is_some() }.whole()?;
    mailboxes::change(&mut tx, &after).await?;
    if change.folders.is_some() || (before.protocol, before.mode) != (after.protocol, after.mode) {
        let folders = change.folders.unwrap_or_else(|| folders_of(&before));
        mailboxes::choose_folders(&mut tx, id, &checked_folders(&after, folders)?).await?;
        // Of a synchronised one the server says which there are.
        if after.mode == MailboxMode::File {
            rule::folders_changed(desk, &mut tx, id).await?;
        }
    }
    if (before.kind, before.owner) != (after.kind, after.owner) {
        // Other people's filters are tried on its mail now.
        rules::changed(&mut tx).await?;
    }
    set_teams(&mut tx, id, &teams).await?;
    settle_default(&mut tx, &before, &after, change.is_default).await?;
    if after.waits_for_owner() && !before.waits_for_owner() && after.owner != actor.user {
        tell_owner(desk, &mut tx, &after).await?;
    }
    finish(desk, tx, id, "changed").await
}

/// The mailbox with the plain fields changed.
fn changed(actor: &Actor, before: &Mailbox, change: &MailboxChange) -> Result<Mailbox, Refusal> {
    let mut after = before.clone();
    after.kind = change.kind.unwrap_or(before.kind);
    after.owner = match after.kind {
        MailboxKind::Group => None,
        MailboxKind::Personal => change.owner.or(before.owner),
    };
    after.keeper = change.keeper.unwrap_or(before.keeper);
    if let Some(address) = &change.address {
        after.address = checked_address("address", address)?;
    }
    if let Some(name) = &change.name {
        after.name = checked_name("name", name)?;
    }
    after.protocol = change.protocol.unwrap_or(before.protocol);
    after.mode = change.mode.unwrap_or(before.mode);
    (after.host, after.port, after.username) = form_of_server(
        change.host.as_ref().unwrap_or(&before.host),
        change.port.unwrap_or(before.port),
        change.username.as_ref().unwrap_or(&before.username),
    )?;
    after.tls = change.tls.unwrap_or(before.tls);
    if (&after.host, after.port) != (&before.host, before.port) {
        after.reach = add::reach_of(actor);
    }
    after.allow_plain = change.allow_plain.unwrap_or(before.allow_plain);
    after.delete_on_server = change.delete_on_server.unwrap_or(before.delete_on_server);
    after.delete_after_days = match after.delete_on_server {
        true => change.delete_after_days.unwrap_or(before.delete_after_days),
        false => change.delete_after_days.flatten(),
    };
    outgoing(actor, before, &mut after, change)?;
    after.shared = change.shared.unwrap_or(before.shared && after.outgoing.is_some());
    after.create_cases = change.create_cases.unwrap_or(before.create_cases);
    if let Some(id) = &change.authserv_id {
        after.authserv_id = checked_authserv_id(id)?;
    }
    Ok(after)
}

/// One word, as it stands in a header.
fn checked_authserv_id(id: &str) -> Result<String, Refusal> {
    let id = id.trim();
    let is_word =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ';' | '(' | ')' | '"' | '=');
    if id.len() > LONGEST_AUTHSERV_ID || !id.chars().all(is_word) {
        let message =
            "The name is one word, as the server writes it in Authentication-Results: mx.example.com.";
        return Err(Refusal::invalid("authserv_id", "not_a_name", message));
    }
    Ok(id.to_lowercase())
}

/// Bytes of a domain (RFC 1035), which it is as a rule.
const LONGEST_AUTHSERV_ID: usize = 253;

fn outgoing(
    actor: &Actor,
    before: &Mailbox,
    after: &mut Mailbox,
    change: &MailboxChange,
) -> Result<(), Refusal> {
    let Some(choice) = &change.outgoing else { return Ok(()) };
    after.outgoing = choice.as_ref().map(|choice| add::outgoing(actor, choice)).transpose()?;
    if let (Some(before), Some(after)) = (&before.outgoing, &mut after.outgoing) {
        (after.has_secret, after.grant) = (before.has_secret, before.grant);
        if (&after.host, after.port) == (&before.host, before.port) && after.reach == Reach::Public {
            after.reach = before.reach;
        }
    }
    Ok(())
}

/// Protocol and mode are locked once mail was downloaded: the numbers its messages have on the server
/// mean nothing in another protocol, and what is synchronised cannot become what was moved away.
fn check_lock(before: &Mailbox, after: &Mailbox) -> Result<(), Refusal> {
    let same = (before.protocol, before.mode) == (after.protocol, after.mode);
    if same || before.begun_at.is_none() {
        return Ok(());
    }
    let message = format!(
        "Mail of {} was already received, so its protocol cannot be changed any more. Set this mailbox inactive, add a \
         new one for the same address, and move the messages over.",
        before.address
    );
    let refusal = Refusal::conflict("protocol_locked", message);
    Err(refusal.with("address", &before.address).with("protocol", before.protocol).with("mode", before.mode))
}

/// Enters what was given for receiving and sending, and forgets what was entered for other servers.
async fn credentials(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    before: &Mailbox,
    after: &mut Mailbox,
    change: &MailboxChange,
) -> Result<(), Refusal> {
    let grant = change.grant.flatten();
    if let Some(grant) = grant {
        check_grant(tx, actor, grant).await?;
    }
    let outgoing_elsewhere = outgoing_server(before) != outgoing_server(after);
    let given = change.password.clone().map(Entered::Password).or(grant.map(Entered::Grant));
    match given {
        Some(credential) => enter(desk, tx, after, &credential).await?,
        None if server_of(before) != server_of(after) || change.grant == Some(None) => {
            set_credential(desk, tx, after, &Entered::None).await?;
            after.active = false;
        }
        None => {}
    }
    let choice = change.outgoing.as_ref().and_then(Option::as_ref);
    match Entered::of_outgoing(choice, change.password.as_ref(), grant) {
        Some(credential) => set_outgoing_credential(desk, tx, after, &credential).await,
        // Where the user is the same, what was given for receiving was entered for sending too.
        None if outgoing_elsewhere && !(given_for_both(after, change)) => {
            set_outgoing_credential(desk, tx, after, &Entered::None).await
        }
        None => Ok(()),
    }
}

fn given_for_both(after: &Mailbox, change: &MailboxChange) -> bool {
    let given = change.password.is_some() || change.grant.flatten().is_some();
    given && after.outgoing.as_ref().is_some_and(|outgoing| outgoing.username.is_empty())
}

/// What a password for sending was entered for; `None` where nothing is sent.
fn outgoing_server(mailbox: &Mailbox) -> Option<(&str, u16, model::Tls, &str)> {
    let outgoing = mailbox.outgoing.as_ref()?;
    let user = if outgoing.username.is_empty() { &mailbox.username } else { &outgoing.username };
    Some((&outgoing.host, outgoing.port, outgoing.tls, user))
}

/// The names of its teams; a personal one has none.
fn teams(before: &Mailbox, after: &Mailbox, change: &MailboxChange) -> Result<Vec<String>, Refusal> {
    match &change.teams {
        Some(names) => team_names(names),
        None if after.kind == MailboxKind::Personal => Ok(Vec::new()),
        None => Ok(before.teams.iter().map(|(_, name)| name.clone()).collect()),
    }
}

/// On and off. One that waits for its owner, switched on by somebody else, starts when it can.
fn switch(actor: &Actor, after: &mut Mailbox, change: &MailboxChange) {
    let waits_for_other = after.waits_for_owner() && after.owner != actor.user;
    match change.active {
        Some(true) if waits_for_other => (after.active, after.starts) = (false, true),
        Some(on) => (after.active, after.starts) = (on, false),
        None => {}
    }
}

async fn settle_default(
    tx: &mut Tx,
    before: &Mailbox,
    after: &Mailbox,
    chosen: Option<bool>,
) -> Result<(), Refusal> {
    default::settle(tx, after, chosen).await?;
    let gone = before.owner != after.owner;
    let switched_off = before.active && !after.active && chosen.is_none();
    match before.owner {
        Some(owner) if gone || switched_off => Ok(default::hand_on(tx, owner, after.id).await?),
        _ => Ok(()),
    }
}
