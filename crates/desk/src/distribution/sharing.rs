//! How a mailbox shares its cases, and how soon they have to be answered.

use crate::mailbox::{self, Hold, Part};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use model::{Distribution, MailboxId, MailboxKind, TeamId, UserId};
use store::changes::{self, Change, ChangeKind};
use store::distribution::{self, Sharing};
use store::sql::Tx;
use store::{mailboxes, people};

/// What is to be changed; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct SharingChange {
    /// Who gets a new case.
    pub how: Option<Distribution>,
    /// Of direct: this user.
    pub user: Option<Option<UserId>>,
    /// The team that shares them; `Some(None)`: the mailbox's first.
    pub team: Option<Option<TeamId>>,
    /// Minutes within which an answer is due; `Some(None)`: no target.
    pub reply_within_min: Option<Option<i64>>,
    /// Days after closing within which a mail opens the case again; `Some(None)`: always.
    pub reopen_within_days: Option<Option<i64>>,
}

/// Longest target, in minutes: a year.
const LONGEST_TARGET_MIN: i64 = 366 * 24 * 60;
/// Most days after which a closed case is past: ten years.
const MOST_DAYS: i64 = 3_660;

/// How a mailbox shares its cases, for who may see its settings.
pub async fn sharing(desk: &Desk, actor: &Actor, id: MailboxId) -> Result<Sharing, Refusal> {
    mailbox::get(desk, actor, id).await?;
    distribution::sharing(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)
}

/// Changes it. Cases that are there keep who has them.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    change: SharingChange,
) -> Result<Sharing, Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    let mut tx = desk.begin_filing().await?;
    let mailbox = mailboxes::mailbox(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    Hold::of(actor, &mailbox).may(Part::Settings)?;
    let before = distribution::sharing(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let after = Sharing {
        how: change.how.unwrap_or(before.how),
        user: change.user.unwrap_or(before.user),
        chosen_team: change.team.unwrap_or(before.chosen_team),
        reply_within_min: change.reply_within_min.unwrap_or(before.reply_within_min),
        reopen_within_days: change.reopen_within_days.unwrap_or(before.reopen_within_days),
        ..before
    };
    let has_team = after.chosen_team.is_some() || !mailbox.teams.is_empty();
    check(&mut tx, &after, mailbox.kind, has_team).await?;
    distribution::set_sharing(&mut tx, id, &after).await?;
    let told = Change { kind: ChangeKind::Mailbox, entity_id: id.0, thread: None, action: "changed" };
    changes::add(&mut tx, told, desk.clock.now()).await?;
    let sharing = distribution::sharing(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    tx.commit().await?;
    Ok(sharing)
}

async fn check(tx: &mut Tx, new: &Sharing, kind: MailboxKind, has_team: bool) -> Result<(), Refusal> {
    let refused = |field, code, message: &str| Err(Refusal::invalid(field, code, message));
    if kind == MailboxKind::Personal && new.how != Distribution::None {
        return refused("distribution", "group_only", "Only a group's mailbox shares its cases.");
    }
    let user = match new.user {
        Some(user) => people::user(tx, user).await?.filter(|user| user.active),
        None => None,
    };
    match new.how {
        Distribution::Direct if user.is_none() => {
            return refused("user_id", "required", "Say who gets the cases.");
        }
        Distribution::RoundRobin | Distribution::LeastBusy if !has_team => {
            return refused("team_id", "required", "Say which team shares the cases.");
        }
        _ => {}
    }
    if new.user.is_some() && user.is_none() {
        return refused("user_id", "unknown", "There is no such user, or they may not sign in any more.");
    }
    if let Some(team) = new.chosen_team
        && distribution::team(tx, team).await?.is_none()
    {
        return refused("team_id", "unknown", "There is no such team.");
    }
    within("reply_within_min", new.reply_within_min, LONGEST_TARGET_MIN)?;
    within("reopen_within_days", new.reopen_within_days, MOST_DAYS)
}

fn within(field: &'static str, value: Option<i64>, most: i64) -> Result<(), Refusal> {
    match value {
        Some(value) if value < 1 || value > most => {
            Err(Refusal::invalid(field, "out_of_range", format!("From 1 to {most}.")).with("most", most))
        }
        _ => Ok(()),
    }
}
