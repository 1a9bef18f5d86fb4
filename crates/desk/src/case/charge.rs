//! Who is in charge of a case that somebody changes by hand.

use super::Changes;
use crate::Refusal;
use crate::distribution::{self as share, Chosen};
use crate::notification::Event;
use model::{CaseStatus, Distribution, TeamId, Time, UserId};
use store::records::{CaseChange, CasePart, Record};
use store::sql::Tx;

/// Who decided who is in charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Nobody: it stays.
    Kept,
    /// A person.
    ByHand,
    /// How its team shares cases.
    Shared(Distribution),
    /// The same, but nobody can take it now: it waits.
    Waits(Distribution),
}

impl Given {
    /// The way it was shared, if it was.
    pub(super) fn by(self) -> Option<&'static str> {
        match self {
            Given::Shared(how) | Given::Waits(how) => Some(how.word()),
            Given::Kept | Given::ByHand => None,
        }
    }

    /// How its team shares it as soon as somebody can take it.
    pub(super) fn waits_for(self, part: &CasePart) -> Distribution {
        match self {
            Given::Kept => part.waits_for,
            Given::ByHand | Given::Shared(_) => Distribution::None,
            Given::Waits(how) => how,
        }
    }

    /// What those in charge are told.
    pub(super) fn event(self, record: &Record, new: &CaseChange) -> Option<Event> {
        let is_other_team = new.team.is_some() && new.team != record.team.as_ref().map(|(id, _)| *id);
        match new.assignee {
            Some(user) if record.assignee.as_ref().map(|(id, _)| *id) != Some(user) => Some(Event::Assigned),
            None if matches!(self, Given::Waits(_)) => Some(Event::NobodyAvailable),
            None if is_other_team => Some(Event::TeamNew),
            _ => None,
        }
    }
}

/// Who is in charge. A case that is given to a team and to nobody of it is shared as the team shares what comes to it;
/// one that has somebody keeps them when only its team is corrected.
pub(super) async fn in_charge(
    tx: &mut Tx,
    record: &Record,
    status: CaseStatus,
    wanted: &Changes,
    now: Time,
) -> Result<(Option<UserId>, Option<TeamId>, Given), Refusal> {
    let held = record.assignee.as_ref().map(|(id, _)| *id);
    let team = match wanted.team {
        Some(team) => known_team(tx, team).await?,
        None => record.team.as_ref().map(|(id, _)| *id),
    };
    let by_hand =
        if wanted.assignee.is_some() || wanted.team.is_some() { Given::ByHand } else { Given::Kept };
    let is_closed = wanted.status.unwrap_or(status) == CaseStatus::Closed;
    match (wanted.assignee, wanted.team.flatten()) {
        (Some(Some(user)), _) => Ok((Some(active_user(tx, user).await?), team, by_hand)),
        (None, None) => Ok((held, team, by_hand)),
        (None, Some(_)) if held.is_some() => Ok((held, team, by_hand)),
        (_, Some(team)) if !is_closed => Ok(match share::of_team(tx, team, now, held).await? {
            Some((how, Chosen::User(user, _))) => (Some(user), Some(team), Given::Shared(how)),
            Some((how, Chosen::Nobody(_))) => (None, Some(team), Given::Waits(how)),
            None => (None, Some(team), by_hand),
        }),
        (Some(None), _) | (None, Some(_)) => Ok((None, team, by_hand)),
    }
}

async fn active_user(tx: &mut Tx, id: UserId) -> Result<UserId, Refusal> {
    match store::people::user(tx, id).await? {
        Some(user) if user.active => Ok(id),
        _ => {
            let message = "There is no such user, or they may not sign in any more.";
            Err(Refusal::invalid("assignee_id", "unknown", message))
        }
    }
}

async fn known_team(tx: &mut Tx, id: Option<TeamId>) -> Result<Option<TeamId>, Refusal> {
    let Some(id) = id else { return Ok(None) };
    match store::people::teams(tx).await?.iter().any(|(known, _)| *known == id) {
        true => Ok(Some(id)),
        false => Err(Refusal::invalid("team_id", "unknown", "There is no such team.")),
    }
}
