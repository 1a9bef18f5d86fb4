//! Who gets a case: one user, the members of a team in turn, or whoever has the fewest.
//!
//! Decided in the transaction that files the case. Filings run one at a time over all mailboxes and processes, so whose
//! turn it is and how many cases somebody has are facts, not guesses: cases that arrive side by side, in two processes
//! or around a restart, are shared as evenly as if they came one after the other. The turn is stored with the team.
//!
//! Somebody takes cases who may sign in, is not away, has working hours now and fewer open cases than their capacity.
//! What belongs to one person goes to their deputy while they are away, and waits for the morning at night. Where nobody
//! of a team can take a case it goes to the team as a whole, with an alarm; as soon as somebody can, they get it
//! ([`crate::case::tick`]).
//!
//! Handing something to a team is no other thing than its arriving there: it is shared by the same rule ([`of_team`]).
//! Decided against a rule of the team beside that of its mailbox: two places to look for why somebody got a case.
//!
//! Decided against a queue per person that is filled ahead: it hands out work for people who go home at noon.

mod availability;
mod hours;
mod sharing;

pub use availability::{
    AvailabilityChange, HandedOver, Team, availability, change, hand_over, set_team_hours, team,
};
pub use hours::Hours;
pub use sharing::{SharingChange, change as change_sharing, sharing};

use model::{Distribution, TeamId, Time, UserId};
use std::collections::HashMap;
use store::distribution::{self, Member, Sharing};
use store::sql::{Error, Tx};

/// Whom a case is given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// This user, with their name.
    User(UserId, String),
    /// Nobody can take it now.
    Nobody(Why),
}

model::words! {
    /// Why nobody can take a case; of several reasons the one that ends soonest.
    Why {
        /// No team is in charge, or none was named.
        NoTeam = "no_team",
        /// Nobody who may sign in is in the team.
        NoMember = "no_member",
        /// Everybody is away.
        Away = "away",
        /// Nobody has working hours now.
        Closed = "closed",
        /// Everybody has as many cases as they take.
        Full = "full",
    }
}

/// Cases people were given in this transaction that are not written yet.
pub type Given = HashMap<UserId, i64>;

/// Chooses a member of a team, and remembers whose turn it was.
pub async fn choose(tx: &mut Tx, team: TeamId, how: Distribution, now: Time) -> Result<Chosen, Error> {
    choose_among(tx, team, how, now, &Given::new(), None).await
}

/// The same, in a transaction that has given cases to people and not written them, and `without` one of them.
pub(crate) async fn choose_among(
    tx: &mut Tx,
    team: TeamId,
    how: Distribution,
    now: Time,
    given: &Given,
    without: Option<UserId>,
) -> Result<Chosen, Error> {
    if !matches!(how, Distribution::RoundRobin | Distribution::LeastBusy) {
        return Ok(Chosen::Nobody(Why::NoTeam));
    }
    let mut members = distribution::members(tx, team, now).await?;
    members.retain(|member| Some(member.id) != without);
    let can = |member: &&Member| cannot(member, now, given).is_none();
    let able: Vec<&Member> = members.iter().filter(can).collect();
    let last = distribution::turn(tx, team).await?;
    let Some(one) = in_turn(&able, how, last, given) else {
        let reasons = members.iter().filter_map(|member| cannot(member, now, given));
        return Ok(Chosen::Nobody(reasons.max().unwrap_or(Why::NoMember)));
    };
    distribution::set_turn(tx, team, one.id).await?;
    Ok(Chosen::User(one.id, one.name.clone()))
}

/// Of those who can take it (by id): the next after the one who got the last; of the least busy the next among them.
fn in_turn<'a>(
    able: &[&'a Member],
    how: Distribution,
    last: Option<UserId>,
    given: &Given,
) -> Option<&'a Member> {
    let load = |member: &Member| member.open + given.get(&member.id).copied().unwrap_or(0);
    let least = able.iter().map(|member| load(member)).min()?;
    let asked = |member: &&&Member| how != Distribution::LeastBusy || load(member) == least;
    let after = |member: &&&Member| last.is_none_or(|last| member.id > last);
    able.iter().filter(asked).find(after).or_else(|| able.iter().find(asked)).copied()
}

/// Why somebody cannot take a case, if they cannot.
fn cannot(member: &Member, now: Time, given: &Given) -> Option<Why> {
    let open = member.open + given.get(&member.id).copied().unwrap_or(0);
    if !member.active {
        Some(Why::NoMember)
    } else if is_away(member, now) {
        Some(Why::Away)
    } else if Hours::kept(&member.availability.hours).is_some_and(|hours| !hours.contain(now)) {
        Some(Why::Closed)
    } else if member.availability.capacity.is_some_and(|most| open >= most) {
        Some(Why::Full)
    } else {
        None
    }
}

fn is_away(member: &Member, now: Time) -> bool {
    let availability = &member.availability;
    availability.away_from.is_some_and(|from| from <= now)
        && availability.away_until.is_none_or(|until| now < until)
}

/// This user, or who stands in for them; nobody's working hours are asked.
pub(crate) async fn direct(tx: &mut Tx, user: UserId, now: Time, given: &Given) -> Result<Chosen, Error> {
    let mut at = user;
    let mut why = Why::NoMember;
    for _ in 0..MOST_DEPUTIES {
        let Some(member) = distribution::member(tx, at, now).await? else { break };
        let open = member.open + given.get(&member.id).copied().unwrap_or(0);
        match (member.active, is_away(&member, now), member.availability.deputy) {
            (true, false, _) if member.availability.capacity.is_some_and(|most| open >= most) => {
                return Ok(Chosen::Nobody(Why::Full));
            }
            (true, false, _) => return Ok(Chosen::User(member.id, member.name)),
            (active, _, deputy) => {
                why = if active { Why::Away } else { Why::NoMember };
                let Some(next) = deputy else { break };
                at = next;
            }
        }
    }
    Ok(Chosen::Nobody(why))
}

/// Chooses as a mailbox shares its cases.
pub(crate) async fn share(
    tx: &mut Tx,
    sharing: &Sharing,
    now: Time,
    given: &Given,
) -> Result<Option<Chosen>, Error> {
    Ok(Some(match (sharing.how, sharing.user, sharing.team) {
        (Distribution::None, ..) => return Ok(None),
        (Distribution::Direct, Some(user), _) => direct(tx, user, now, given).await?,
        (Distribution::Direct, None, _) | (_, _, None) => Chosen::Nobody(Why::NoTeam),
        (how, _, Some(team)) => choose_among(tx, team, how, now, given, None).await?,
    }))
}

/// Whom a team gives what somebody hands to it, and how it shares: as with new cases of the first mailbox that it shares
/// the cases of. `None`: it shares nothing, or only `from` could take what they just gave away; then it is the team's
/// until somebody takes it.
pub(crate) async fn of_team(
    tx: &mut Tx,
    team: TeamId,
    now: Time,
    from: Option<UserId>,
) -> Result<Option<(Distribution, Chosen)>, Error> {
    let Some(how) = distribution::of_team(tx, team).await? else { return Ok(None) };
    let chosen = choose_among(tx, team, how, now, &Given::new(), from).await?;
    if let (Chosen::Nobody(_), Some(from)) = (&chosen, from)
        && named_member(tx, team, from, now).await?.is_some()
    {
        return Ok(None);
    }
    Ok(Some((how, chosen)))
}

/// The name of a user who is in a team, may sign in and is not away.
pub(crate) async fn named_member(
    tx: &mut Tx,
    team: TeamId,
    user: UserId,
    now: Time,
) -> Result<Option<String>, Error> {
    let members = distribution::members(tx, team, now).await?;
    let here = |member: &Member| member.id == user && member.active && !is_away(member, now);
    Ok(members.into_iter().find(here).map(|member| member.name))
}

/// Whom to tell of what nobody of a team has: its members; where it has none, the administrators.
pub(crate) async fn people_of(tx: &mut Tx, team: Option<TeamId>, now: Time) -> Result<Vec<UserId>, Error> {
    let mut people = Vec::new();
    if let Some(team) = team {
        let members = distribution::members(tx, team, now).await?;
        people.extend(members.iter().filter(|member| member.active).map(|member| member.id));
    }
    match people.is_empty() {
        true => store::people::administrators(tx).await,
        false => Ok(people),
    }
}

/// Whether somebody who has a case cannot act on it for longer than a night.
pub(crate) async fn is_gone(tx: &mut Tx, user: UserId, now: Time) -> Result<bool, Error> {
    Ok(distribution::member(tx, user, now)
        .await?
        .is_none_or(|member| !member.active || is_away(&member, now)))
}

/// When an answer to mail of now is due.
pub(crate) fn due_at(sharing: &Sharing, now: Time) -> Option<Time> {
    let minutes = sharing.reply_within_min?;
    Some(match Hours::kept(&sharing.hours) {
        Some(hours) => hours.after(now, minutes),
        None => now.plus_s(minutes * 60),
    })
}

/// Deputies of deputies that are asked; a circle ends here.
const MOST_DEPUTIES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use store::distribution::Availability;

    fn member(id: i64, open: i64) -> Member {
        Member {
            id: UserId(id),
            name: format!("user {id}"),
            active: true,
            availability: Availability::default(),
            open,
            overdue: 0,
        }
    }

    fn turn(members: &[Member], how: Distribution, last: Option<i64>) -> Option<i64> {
        let all: Vec<&Member> = members.iter().collect();
        in_turn(&all, how, last.map(UserId), &Given::new()).map(|one| one.id.0)
    }

    #[test]
    fn d2_the_next_in_turn_follows_whoever_was_last_even_if_they_left() {
        let all = [member(2, 9), member(5, 0), member(7, 0)];
        assert_eq!(turn(&all, Distribution::RoundRobin, None), Some(2));
        assert_eq!(turn(&all, Distribution::RoundRobin, Some(2)), Some(5));
        assert_eq!(turn(&all, Distribution::RoundRobin, Some(6)), Some(7));
        assert_eq!(turn(&all, Distribution::RoundRobin, Some(7)), Some(2));
        assert_eq!(turn(&[], Distribution::RoundRobin, Some(7)), None);
    }

    #[test]
    fn d2_of_the_least_busy_the_next_in_turn() {
        let all = [member(2, 1), member(5, 1), member(7, 2)];
        assert_eq!(turn(&all, Distribution::LeastBusy, None), Some(2));
        assert_eq!(turn(&all, Distribution::LeastBusy, Some(2)), Some(5));
        assert_eq!(turn(&all, Distribution::LeastBusy, Some(5)), Some(2));
    }

    #[test]
    fn d2_who_cannot_take_a_case_is_told_why() {
        let (now, none) = (Time(1_000), Given::new());
        let with = |availability| Member { availability, ..member(1, 3) };
        assert_eq!(cannot(&member(1, 3), now, &none), None);
        assert_eq!(cannot(&Member { active: false, ..member(1, 0) }, now, &none), Some(Why::NoMember));
        let full = with(Availability { capacity: Some(4), ..Availability::default() });
        assert_eq!(cannot(&full, now, &none), None);
        assert_eq!(cannot(&full, now, &Given::from([(UserId(1), 1)])), Some(Why::Full));
        let away = |from, until| {
            with(Availability { away_from: Some(Time(from)), away_until: until, ..Availability::default() })
        };
        assert_eq!(cannot(&away(1_001, None), now, &none), None);
        assert_eq!(cannot(&away(1_000, None), now, &none), Some(Why::Away));
        assert_eq!(cannot(&away(1, Some(Time(1_000))), now, &none), None);
    }
}
