//! A mailbox is added: with its process and teams where they are new, off unless asked to be on.

use super::checked::{
    Checked, check_people, checked_folders, checked_outgoing, owner, process, set_teams, team_names,
};
use super::hold::may_add;
use super::secret::{Entered, check_grant, set_credential, set_outgoing_credential};
use super::{NewMailbox, OutgoingChoice, default, finish, form_of_server, tell_owner};
use crate::may::Actor;
use crate::people::{checked_address, checked_name};
use crate::{Desk, Refusal};
use model::Reach;
use store::mailboxes::{self, Mailbox, Outgoing};

/// Adds a mailbox. A personal one that somebody else sets up without a password waits for its owner,
/// who is told.
pub async fn add(desk: &Desk, actor: &Actor, new: NewMailbox) -> Result<Mailbox, Refusal> {
    may_add(actor, &new)?;
    let mut draft = draft(actor, &new)?;
    let waits_for_other = draft.waits_for_owner() && draft.owner != actor.user;
    if waits_for_other && draft.active {
        (draft.active, draft.starts) = (false, true);
    }
    let folders = checked_folders(&draft, new.folders.clone())?;
    let teams = team_names(&new.teams)?;
    let mut tx = desk.db.begin().await?;
    check_people(&mut tx, &draft).await?;
    if let Some(grant) = new.grant {
        check_grant(&mut tx, actor, grant).await?;
    }
    draft.process = process(&mut tx, new.process.as_deref()).await?;
    Checked { mailbox: &draft, teams: teams.len(), process: draft.process.is_some() }.whole()?;
    let id = mailboxes::add(&mut tx, &draft, desk.clock.now()).await?;
    draft.id = id;
    if new.history {
        mailboxes::set_history(&mut tx, id).await?;
    }
    mailboxes::choose_folders(&mut tx, id, &folders).await?;
    set_teams(&mut tx, id, &teams).await?;
    if let Some(password) = &new.password {
        set_credential(desk, &mut tx, &mut draft, &Entered::Password(password.clone())).await?;
    }
    let outgoing = Entered::of_outgoing(new.outgoing.as_ref(), new.password.as_ref(), new.grant);
    if let Some(credential) = outgoing {
        set_outgoing_credential(desk, &mut tx, &mut draft, &credential).await?;
    }
    default::settle(&mut tx, &draft, new.is_default.then_some(true)).await?;
    if waits_for_other {
        tell_owner(desk, &mut tx, &draft).await?;
    }
    finish(desk, tx, id, "added").await
}

fn draft(actor: &Actor, new: &NewMailbox) -> Result<Mailbox, Refusal> {
    let server = form_of_server(&new.host, new.port, &new.username)?;
    let mut draft = Mailbox {
        owner: owner(new.kind, new.owner, actor)?,
        keeper: new.keeper,
        protocol: new.protocol,
        mode: new.mode,
        host: server.0,
        port: server.1,
        username: server.2,
        tls: new.tls,
        reach: reach_of(actor),
        allow_plain: new.allow_plain,
        has_secret: new.password.is_some(),
        grant: new.grant.filter(|_| new.password.is_none()),
        delete_on_server: new.delete_on_server,
        delete_after_days: new.delete_after_days,
        outgoing: new.outgoing.as_ref().map(|choice| outgoing(actor, choice)).transpose()?,
        shared: new.shared,
        create_cases: new.create_cases,
        active: new.active,
        ..Mailbox::new(new.kind, &checked_address("address", &new.address)?)
    };
    draft.name = match new.name.trim() {
        "" => draft.address.clone(),
        name => checked_name("name", name)?,
    };
    Ok(draft)
}

/// Where a server that this person chose may be.
pub(crate) fn reach_of(actor: &Actor) -> Reach {
    if actor.administrator { Reach::Anywhere } else { Reach::Public }
}

/// An outgoing server as chosen, without its credential.
pub(super) fn outgoing(actor: &Actor, choice: &OutgoingChoice) -> Result<Outgoing, Refusal> {
    checked_outgoing(choice).map(|(host, port, username)| Outgoing {
        host,
        port,
        tls: choice.tls,
        username,
        reach: reach_of(actor),
        has_secret: false,
        grant: None,
    })
}
