//! What is read and written to decide who gets a case: members, how busy they are, whose turn it is.

use crate::params;
use crate::sql::{Error, Params, Row, Sql, Tx};
use model::{Distribution, MailboxId, RecordId, TeamId, Time, UserId};

/// How cases of a mailbox are shared, and when they have to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Who gets a new case.
    pub how: Distribution,
    /// Of direct: this user.
    pub user: Option<UserId>,
    /// The team that shares them: the chosen one, else the mailbox's first.
    pub team: Option<TeamId>,
    /// The team as it was chosen; `None`: the mailbox's first.
    pub chosen_team: Option<TeamId>,
    /// Minutes within which a first answer is due; `None`: no target.
    pub reply_within_min: Option<i64>,
    /// Days after closing within which a mail opens the case again; `None`: always.
    pub reopen_within_days: Option<i64>,
    /// The team's working hours, JSON; empty: always.
    pub hours: String,
}

const SHARING: &str = "SELECT m.distribution, m.distribution_user_id, m.distribution_team_id, \
     COALESCE(m.distribution_team_id, (SELECT MIN(mt.team_id) FROM mailbox_teams mt WHERE mt.mailbox_id = m.id)), \
     m.reply_within_min, m.reopen_within_days, \
     (SELECT t.working_hours FROM teams t WHERE t.id = COALESCE(m.distribution_team_id, \
       (SELECT MIN(mt.team_id) FROM mailbox_teams mt WHERE mt.mailbox_id = m.id))) \
     FROM mailboxes m WHERE m.id = $1";

/// How cases of a mailbox are shared.
pub async fn sharing(sql: &mut impl Sql, mailbox: MailboxId) -> Result<Option<Sharing>, Error> {
    let Some(row) = sql.query_opt(SHARING, params![mailbox]).await? else { return Ok(None) };
    Ok(Some(Sharing {
        how: how_of(&row, 0)?,
        user: row.get(1)?,
        chosen_team: row.get(2)?,
        team: row.get(3)?,
        reply_within_min: row.get(4)?,
        reopen_within_days: row.get(5)?,
        hours: row.get::<Option<String>>(6)?.unwrap_or_default(),
    }))
}

/// How a team shares new cases: by the first of the mailboxes whose cases it shares; `None`: it does not.
pub async fn of_team(sql: &mut impl Sql, team: TeamId) -> Result<Option<Distribution>, Error> {
    let text = "SELECT m.distribution FROM mailboxes m WHERE m.distribution IN ('round_robin', 'least_busy') \
                AND COALESCE(m.distribution_team_id, (SELECT MIN(mt.team_id) FROM mailbox_teams mt WHERE mt.mailbox_id = m.id)) = $1 \
                ORDER BY m.id LIMIT 1";
    let row = sql.query_opt(text, params![team]).await?;
    row.map(|row| how_of(&row, 0)).transpose()
}

/// A word of a later version shares nothing: the case stands open to all.
fn how_of(row: &Row, at: usize) -> Result<Distribution, Error> {
    Ok(Distribution::of(&row.get::<String>(at)?).unwrap_or(Distribution::None))
}

/// Writes how cases of a mailbox are shared.
pub async fn set_sharing(tx: &mut Tx, mailbox: MailboxId, sharing: &Sharing) -> Result<(), Error> {
    let text = "UPDATE mailboxes SET distribution = $2, distribution_user_id = $3, distribution_team_id = $4, \
                reply_within_min = $5, reopen_within_days = $6 WHERE id = $1";
    let Sharing { how, user, chosen_team, reply_within_min, reopen_within_days, .. } = sharing;
    let params = params![mailbox, how.word(), *user, *chosen_team, *reply_within_min, *reopen_within_days];
    tx.execute(text, params).await.map(drop)
}

/// When somebody takes cases, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Availability {
    /// Away from then; `None`: not away.
    pub away_from: Option<Time>,
    /// Away until then; `None` with `away_from`: until further notice.
    pub away_until: Option<Time>,
    /// Who gets meanwhile what is theirs directly.
    pub deputy: Option<UserId>,
    /// Open cases they take at most; `None`: any number.
    pub capacity: Option<i64>,
    /// Working hours, JSON; empty: always.
    pub hours: String,
}

/// Somebody who may be given cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Whether they may sign in.
    pub active: bool,
    /// When they take cases.
    pub availability: Availability,
    /// Their open cases.
    pub open: i64,
    /// Those of them that should have been answered by `now`.
    pub overdue: i64,
}

const MEMBER: &str = "SELECT u.id, u.name, u.active, u.away_from, u.away_until, u.deputy_id, u.capacity, u.working_hours, \
     (SELECT COUNT(*) FROM records r WHERE r.assignee_id = u.id AND r.kind = 'case' AND r.status = 'open' AND r.merged_into IS NULL), \
     (SELECT COUNT(*) FROM records r WHERE r.assignee_id = u.id AND r.kind = 'case' AND r.status = 'open' AND r.merged_into IS NULL AND r.due_at < $2) \
     FROM users u";

fn member_of(row: &Row) -> Result<Member, Error> {
    Ok(Member {
        id: row.get(0)?,
        name: row.get(1)?,
        active: row.get(2)?,
        availability: Availability {
            away_from: row.get(3)?,
            away_until: row.get(4)?,
            deputy: row.get(5)?,
            capacity: row.get(6)?,
            hours: row.get(7)?,
        },
        open: row.get(8)?,
        overdue: row.get(9)?,
    })
}

/// The members of a team, by id.
pub async fn members(sql: &mut impl Sql, team: TeamId, now: Time) -> Result<Vec<Member>, Error> {
    let text = format!(
        "{MEMBER} WHERE u.id IN (SELECT tm.user_id FROM team_members tm WHERE tm.team_id = $1) ORDER BY u.id"
    );
    sql.query(&text, params![team, now]).await?.iter().map(member_of).collect()
}

/// One user as a member.
pub async fn member(sql: &mut impl Sql, user: UserId, now: Time) -> Result<Option<Member>, Error> {
    let row = sql.query_opt(&format!("{MEMBER} WHERE u.id = $1"), params![user, now]).await?;
    row.as_ref().map(member_of).transpose()
}

/// Writes when somebody takes cases.
pub async fn set_availability(tx: &mut Tx, user: UserId, new: &Availability) -> Result<(), Error> {
    let text = "UPDATE users SET away_from = $2, away_until = $3, deputy_id = $4, capacity = $5, \
                working_hours = $6 WHERE id = $1";
    let Availability { away_from, away_until, deputy, capacity, hours } = new.clone();
    tx.execute(text, params![user, away_from, away_until, deputy, capacity, hours]).await.map(drop)
}

/// Who got the last case of a team in turn; `None`: nobody yet, or there is no such team.
pub async fn turn(sql: &mut impl Sql, team: TeamId) -> Result<Option<UserId>, Error> {
    let row = sql.query_opt("SELECT turn FROM teams WHERE id = $1", params![team]).await?;
    let turn: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    Ok((turn != 0).then_some(UserId(turn)))
}

/// Remembers who got it.
pub async fn set_turn(tx: &mut Tx, team: TeamId, user: UserId) -> Result<(), Error> {
    tx.execute("UPDATE teams SET turn = $2 WHERE id = $1", params![team, user]).await.map(drop)
}

/// A team's name and working hours (JSON; empty: always).
pub async fn team(sql: &mut impl Sql, id: TeamId) -> Result<Option<(String, String)>, Error> {
    let row = sql.query_opt("SELECT name, working_hours FROM teams WHERE id = $1", params![id]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Writes a team's working hours.
pub async fn set_team_hours(tx: &mut Tx, id: TeamId, hours: &str) -> Result<(), Error> {
    tx.execute("UPDATE teams SET working_hours = $2 WHERE id = $1", params![id, hours]).await.map(drop)
}

/// Open cases of a team that are nobody's, and those of them that should have been answered by `now`.
pub async fn unassigned(sql: &mut impl Sql, team: TeamId, now: Time) -> Result<(i64, i64), Error> {
    let text = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN due_at < $2 THEN 1 ELSE 0 END), 0) FROM records \
                WHERE team_id = $1 AND kind = 'case' AND status = 'open' AND assignee_id IS NULL AND merged_into IS NULL";
    let row = sql.query_one(text, params![team, now]).await?;
    Ok((row.get(0)?, row.get(1)?))
}

/// A case that waits for somebody of its team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The case.
    pub case: RecordId,
    /// Its team.
    pub team: TeamId,
    /// How the team shares it.
    pub how: Distribution,
}

/// Cases that wait for somebody of their team, oldest first.
pub async fn waiting(sql: &mut impl Sql, limit: usize) -> Result<Vec<Waiting>, Error> {
    let text = "SELECT id, team_id, waits_for FROM records WHERE waits_for <> '' AND team_id IS NOT NULL \
                ORDER BY id LIMIT $1";
    let rows = sql.query(text, params![limit]).await?;
    rows.iter()
        .map(|row| Ok(Waiting { case: row.get(0)?, team: row.get(1)?, how: how_of(row, 2)? }))
        .collect()
}

/// Somebody's open and waiting cases, oldest first.
pub async fn cases_of(sql: &mut impl Sql, user: UserId, limit: usize) -> Result<Vec<RecordId>, Error> {
    let text = "SELECT id FROM records WHERE assignee_id = $1 AND kind = 'case' AND status <> 'closed' \
                AND merged_into IS NULL ORDER BY id LIMIT $2";
    let params: Params = params![user, limit];
    sql.query(text, params).await?.iter().map(|row| row.get(0)).collect()
}
