//! A mailbox of the shelf as its answer: with the names of its people, its state and its ledger.

use super::shape::{
    Ledger, Mailbox, MailboxError, MailboxFolder, MailboxGrant, MailboxOutgoing, MailboxState, Paused,
    Progress,
};
use crate::App;
use crate::problem::Problem;
use crate::shape::{Moment, UserName};
use desk::mailbox::{Hold, LastError, Part, Phase, RoundState};
use desk::may::Actor;
use model::{MailboxId, Time, UserId};
use std::collections::HashMap;
use store::folders::LedgerRow;
use store::mailboxes::{self, ChosenFolder};
use store::people;

/// Mailboxes for somebody to see.
pub(super) async fn shown(
    app: &App,
    actor: &Actor,
    mailboxes: Vec<mailboxes::Mailbox>,
    ledger: &[LedgerRow],
) -> Result<Vec<Mailbox>, Problem> {
    let mut reader = &app.desk.db;
    let mut users: Vec<UserId> = mailboxes.iter().flat_map(|one| [one.owner, one.keeper]).flatten().collect();
    users.sort();
    users.dedup();
    let names = people::names(&mut reader, &users).await?;
    let default = match actor.user {
        Some(user) => people::default_mailbox(&mut reader, user).await?,
        None => None,
    };
    let mut rows = Vec::with_capacity(mailboxes.len());
    for mailbox in mailboxes {
        let grant = match mailbox.grant {
            Some(grant) => mailboxes::granted(&mut reader, grant).await?.map(granted),
            None => None,
        };
        let look = Look { app, actor, names: &names, default };
        rows.push(Mailbox { grant, ..look.at(mailbox, ledger) });
    }
    Ok(rows)
}

fn granted(granted: mailboxes::Granted) -> MailboxGrant {
    MailboxGrant {
        provider_id: granted.provider.0,
        provider: granted.provider_name,
        expires_at: granted.expires_at.map(Moment),
        error: granted.error,
    }
}

/// Who looks, and what is known beside the mailbox.
struct Look<'a> {
    app: &'a App,
    actor: &'a Actor,
    names: &'a HashMap<UserId, String>,
    default: Option<MailboxId>,
}

impl Look<'_> {
    fn at(&self, mailbox: mailboxes::Mailbox, ledger: &[LedgerRow]) -> Mailbox {
        let ledger = sum(ledger.iter().filter(|row| row.mailbox_id == mailbox.id.0));
        let state = state(self.app, &mailbox, &ledger);
        let may_edit = Hold::of(self.actor, &mailbox).may(Part::Settings).is_ok();
        Mailbox {
            id: mailbox.id.0,
            kind: mailbox.kind,
            waiting_for_owner: mailbox.waits_for_owner(),
            starts: mailbox.starts,
            address: mailbox.address,
            name: mailbox.name,
            protocol: mailbox.protocol,
            protocol_locked: mailbox.begun_at.is_some(),
            mode: mailbox.mode,
            host: mailbox.host,
            port: mailbox.port,
            tls: mailbox.tls,
            username: mailbox.username,
            has_password: mailbox.has_secret,
            allow_plain: mailbox.allow_plain,
            grant: None,
            owner_id: mailbox.owner.map(|id| id.0),
            owner: self.name(mailbox.owner),
            keeper: self.name(mailbox.keeper),
            process: mailbox.process.map(|(id, name)| UserName { id: id.0, name }),
            teams: mailbox.teams.into_iter().map(|(id, name)| UserName { id: id.0, name }).collect(),
            create_cases: mailbox.create_cases,
            authserv_id: mailbox.authserv_id,
            authserv_seen: None,
            active: mailbox.active,
            delete_on_server: mailbox.delete_on_server,
            delete_after_days: mailbox.delete_after_days,
            outgoing: mailbox.outgoing.map(outgoing),
            shared: mailbox.shared,
            is_default: self.default == Some(mailbox.id),
            may_edit,
            paused: mailbox.paused.as_deref().and_then(paused),
            folders: mailbox.folders.into_iter().map(folder).collect(),
            state,
            ledger,
        }
    }

    fn name(&self, user: Option<UserId>) -> Option<UserName> {
        let id = user?;
        Some(UserName { id: id.0, name: self.names.get(&id).cloned().unwrap_or_default() })
    }
}

fn folder(folder: ChosenFolder) -> MailboxFolder {
    MailboxFolder {
        id: folder.id.0,
        name: folder.name,
        read: folder.read,
        after_filing: folder.after_filing,
        processed_folder: folder.processed_folder,
    }
}

fn outgoing(outgoing: mailboxes::Outgoing) -> MailboxOutgoing {
    MailboxOutgoing {
        host: outgoing.host,
        port: outgoing.port,
        tls: outgoing.tls,
        username: outgoing.username,
        has_password: outgoing.has_secret || outgoing.grant.is_some(),
    }
}

fn paused(text: &str) -> Option<Paused> {
    let why: LastError = serde_json::from_str(text).ok()?;
    let desk::mailbox::Trouble { code, params, message, .. } = why.trouble;
    Some(Paused { at: why.at.into(), code, params, message })
}

fn sum<'a>(rows: impl Iterator<Item = &'a LedgerRow>) -> Ledger {
    rows.fold(Ledger::default(), |mut sum, row| {
        sum.seen += row.seen;
        sum.filed += row.filed;
        sum.filtered += row.filtered;
        sum.quarantined += row.quarantined;
        sum.waiting += row.waiting;
        sum.vanished += row.vanished;
        sum.cleared += row.cleared;
        sum.difference += row.difference;
        sum
    })
}

fn state(app: &App, mailbox: &mailboxes::Mailbox, ledger: &Ledger) -> MailboxState {
    let last_error: Option<LastError> =
        mailbox.last_error.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let now = app.desk.clock.now();
    // Just switched on or off, and the rounds have not looked yet: then the settings are right.
    let off = |round: &RoundState| round.phase == Phase::Off;
    let round = app.rounds.state(mailbox.id).filter(|round| mailbox.active && !off(round));
    let round = round.unwrap_or_else(|| resting(mailbox.active, last_error.is_some()));
    let lag = |at: Time| now.0.saturating_sub(at.0).max(0) / 1_000_000;
    MailboxState {
        phase: round.phase,
        last_success_at: mailbox.last_success_at.map(Moment),
        last_error: last_error
            .map(|error| MailboxError { at: error.at.into(), trouble: error.trouble.into() }),
        backlog: ledger.waiting + ledger.difference,
        lag_s: mailbox.last_success_at.map(lag),
        progress: round.progress.map(|(done, total)| Progress { done, total }),
        silent: mailbox.alarmed_at.is_some(),
    }
}

/// What the database alone tells, where the rounds run in no or another process.
fn resting(active: bool, failed: bool) -> RoundState {
    let phase = match (active, failed) {
        (false, _) => Phase::Off,
        (true, true) => Phase::Failed,
        (true, false) => Phase::Idle,
    };
    RoundState { phase, progress: None }
}
