//! When people take cases; the page of a team; handing over what somebody gone has left.

use super::{Chosen, Given, Hours, Why, choose_among};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, case};
use model::{Distribution, TeamId, Time, UserId};
use store::changes::{self, Change, ChangeKind, RecordsHeard};
use store::distribution::{self, Availability, Member};
use store::people;
use store::records;
use store::sql::Tx;

/// What is to be changed; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct AvailabilityChange {
    /// Away from then; `Some(None)`: not away.
    pub away_from: Option<Option<Time>>,
    /// Away until then; `Some(None)`: until further notice.
    pub away_until: Option<Option<Time>>,
    /// Who stands in.
    pub deputy: Option<Option<UserId>>,
    /// Open cases they take at most.
    pub capacity: Option<Option<i64>>,
    /// Working hours; `Some(None)`: always.
    pub hours: Option<Option<Hours>>,
}

/// A team and how busy its members are.
#[derive(Clone, Debug)]
pub struct Team {
    /// Which.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Its working hours, in which targets are counted.
    pub hours: Option<Hours>,
    /// Its members, by name.
    pub members: Vec<Member>,
    /// Its open cases that are nobody's.
    pub unassigned: i64,
    /// Those of them that should have been answered.
    pub overdue: i64,
}

/// What became of somebody's cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// Cases that others have now.
    pub given: u64,
    /// Cases that are their team's and nobody's.
    pub unassigned: u64,
}

/// Most that can be entered as capacity.
const MOST_CAPACITY: i64 = 100_000;
/// Cases that are handed over at a time; whoever has more is asked for again.
const MOST_CASES: usize = 2_000;

/// When somebody takes cases: of oneself, and for administrators of all.
pub async fn availability(desk: &Desk, actor: &Actor, user: UserId) -> Result<Member, Refusal> {
    actor.may(Verb::ChangeSettings)?;
    if actor.user != Some(user) {
        actor.may(Verb::ManagePeople).map_err(|_| Refusal::NotFound)?;
    }
    let now = desk.clock.now();
    distribution::member(&mut &desk.db, user, now).await?.ok_or(Refusal::NotFound)
}

/// Changes when somebody takes cases. Being away and who stands in is one's own business; how much somebody takes and
/// when they work is the administrators'.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    user: UserId,
    change: AvailabilityChange,
) -> Result<Member, Refusal> {
    actor.may(Verb::ChangeSettings)?;
    if actor.user != Some(user) || change.capacity.is_some() || change.hours.is_some() {
        actor.may(Verb::ManagePeople)?;
    }
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let before = distribution::member(&mut tx, user, now).await?.ok_or(Refusal::NotFound)?.availability;
    let after = Availability {
        away_from: change.away_from.unwrap_or(before.away_from),
        away_until: change.away_until.unwrap_or(before.away_until),
        deputy: change.deputy.unwrap_or(before.deputy),
        capacity: change.capacity.unwrap_or(before.capacity),
        hours: match change.hours {
            Some(Some(hours)) => hours.checked()?,
            Some(None) => String::new(),
            None => before.hours,
        },
    };
    let after = checked(&mut tx, user, after).await?;
    distribution::set_availability(&mut tx, user, &after).await?;
    changed(&mut tx, user.0, "changed", now).await?;
    let member = distribution::member(&mut tx, user, now).await?.ok_or(Refusal::NotFound)?;
    tx.commit().await?;
    Ok(member)
}

async fn checked(tx: &mut Tx, user: UserId, new: Availability) -> Result<Availability, Refusal> {
    let away_until = new.away_from.and(new.away_until);
    if new.away_from.zip(away_until).is_some_and(|(from, until)| until <= from) {
        return Err(Refusal::invalid(
            "away_until",
            "before_from",
            "The end of an absence is after its begin.",
        ));
    }
    if let Some(deputy) = new.deputy
        && (deputy == user || people::user(tx, deputy).await?.is_none_or(|deputy| !deputy.active))
    {
        let message = "Somebody else who may sign in.";
        return Err(Refusal::invalid("deputy_id", "unknown", message));
    }
    if new.capacity.is_some_and(|most| !(0..=MOST_CAPACITY).contains(&most)) {
        let message = format!("From 0 to {MOST_CAPACITY}.");
        return Err(Refusal::invalid("capacity", "out_of_range", message).with("most", MOST_CAPACITY));
    }
    Ok(Availability { away_until, ..new })
}

async fn changed(tx: &mut Tx, entity_id: i64, action: &'static str, at: Time) -> Result<(), Refusal> {
    let change = Change { kind: ChangeKind::User, entity_id, thread: None, action };
    changes::add(tx, change, at).await?;
    Ok(())
}

/// A team with its members: for who is in it and for administrators.
pub async fn team(desk: &Desk, actor: &Actor, id: TeamId) -> Result<Team, Refusal> {
    actor.may(Verb::SeePeople)?;
    if !actor.administrator && !actor.teams.contains(&id) {
        return Err(Refusal::NotFound);
    }
    let now = desk.clock.now();
    let mut sql = desk.db.snapshot().await?;
    let (name, hours) = distribution::team(&mut sql, id).await?.ok_or(Refusal::NotFound)?;
    let mut members = distribution::members(&mut sql, id, now).await?;
    members.sort_by(|one, other| one.name.cmp(&other.name));
    let (unassigned, overdue) = distribution::unassigned(&mut sql, id, now).await?;
    Ok(Team { id, name, hours: Hours::kept(&hours), members, unassigned, overdue })
}

/// Writes a team's working hours; `None`: always.
pub async fn set_team_hours(
    desk: &Desk,
    actor: &Actor,
    id: TeamId,
    hours: Option<Hours>,
) -> Result<Team, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let text = hours.map_or(Ok(String::new()), |hours| hours.checked())?;
    let mut tx = desk.db.begin().await?;
    distribution::team(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    distribution::set_team_hours(&mut tx, id, &text).await?;
    changed(&mut tx, id.0, "team_changed", desk.clock.now()).await?;
    tx.commit().await?;
    team(desk, actor, id).await
}

/// Takes somebody's cases from them, back to their teams; `how` says whether other members get them at once. For
/// oneself, and for administrators.
pub async fn hand_over(
    desk: &Desk,
    actor: &Actor,
    user: UserId,
    how: Distribution,
) -> Result<HandedOver, Refusal> {
    actor.may(Verb::ChangeCase)?;
    if actor.user != Some(user) {
        actor.may(Verb::ManagePeople)?;
    }
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    people::user(&mut tx, user).await?.ok_or(Refusal::NotFound)?;
    let cases = distribution::cases_of(&mut tx, user, MOST_CASES).await?;
    // All at once, so that nobody is given back what they just had because others are still busy with it.
    for &id in &cases {
        records::give(&mut tx, id, None, Distribution::None, now).await?;
    }
    let mut done = HandedOver::default();
    for id in cases {
        let record = records::record(&mut tx, id, &RecordsHeard::All).await?;
        let team = record.and_then(|record| record.team);
        let chosen = match team {
            Some((team, _)) => choose_among(&mut tx, team, how, now, &Given::new(), Some(user)).await?,
            None => Chosen::Nobody(Why::NoTeam),
        };
        match chosen {
            Chosen::User(other, name) => {
                case::give(desk, &mut tx, id, Some((other, name)), how.word()).await?;
                done.given += 1;
            }
            Chosen::Nobody(_) => {
                case::give(desk, &mut tx, id, None, "handed_over").await?;
                done.unassigned += 1;
            }
        }
    }
    tx.commit().await?;
    Ok(done)
}
