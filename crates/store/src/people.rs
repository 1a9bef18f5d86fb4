//! Users, roles, teams, processes; who belongs where.
//!
//! A user has one role, which carries the levels. Logins are kept lower case, so that `Ann` and `ann`
//! are one person. [`Access`] is the other half of permission: `desk` decides whether somebody may do
//! a thing at all, `Access` narrows every statement to the threads they may see.

mod access;
mod sessions;

pub use access::Access;
pub use sessions::*;

use crate::counters;
use crate::params;
use crate::sql::{Error, Params, Row, Sql, Tx};
use model::{GroupMail, Level, MailboxId, ProcessId, RoleId, TeamId, Time, UserId};
use std::collections::HashMap;

/// A named set of rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name, unique.
    pub name: String,
    /// Sets up mailboxes, people and roles.
    pub administrator: bool,
    /// How far its holders see mail.
    pub mail: Level,
    /// How far they see records.
    pub records: Level,
    /// Whether they may connect personal mailboxes of their own.
    pub own_mailboxes: bool,
    /// From which shared group mailboxes they may send.
    pub group_mail: GroupMail,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// What they type to sign in, lower case.
    pub login: String,
    /// Their name as others see it.
    pub name: String,
    /// Their role with its levels.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Language of the interface.
    pub language: String,
    /// Light, dark, or as the system.
    pub theme: String,
    /// How close the rows of lists stand.
    pub density: String,
    /// Whether single keys do things.
    pub shortcuts: bool,
}

/// Whom a user belongs to and what belongs to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongings {
    /// Their teams.
    pub teams: Vec<TeamId>,
    /// The group mailboxes of these teams.
    pub team_mailboxes: Vec<MailboxId>,
    /// Their personal mailboxes.
    pub own_mailboxes: Vec<MailboxId>,
}

const USER: &str = "SELECT u.id, u.login, u.name, u.active, u.language, u.theme, u.density, u.shortcuts, \
     r.id, r.name, r.administrator, r.mail, r.records, r.own_mailboxes, r.group_mail, u.password_hash \
     FROM users u JOIN roles r ON r.id = u.role_id";

fn user_of(row: &Row) -> Result<User, Error> {
    Ok(User {
        id: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        active: row.get(3)?,
        language: row.get(4)?,
        theme: row.get(5)?,
        density: row.get(6)?,
        shortcuts: row.get(7)?,
        role: role_of(row, 8)?,
    })
}

fn role_of(row: &Row, at: usize) -> Result<Role, Error> {
    // A word this program does not know is no right.
    let level = |word: String| Level::of(&word).unwrap_or(Level::No);
    Ok(Role {
        id: row.get(at)?,
        name: row.get(at + 1)?,
        administrator: row.get(at + 2)?,
        mail: level(row.get(at + 3)?),
        records: level(row.get(at + 4)?),
        own_mailboxes: row.get(at + 5)?,
        group_mail: GroupMail::of(&row.get::<String>(at + 6)?).unwrap_or(GroupMail::No),
    })
}

/// Whether there is any user: before the first, the program asks for set-up.
pub async fn any_user(sql: &mut impl Sql) -> Result<bool, Error> {
    Ok(sql.query_opt("SELECT id FROM users LIMIT 1", params![]).await?.is_some())
}

/// One user.
pub async fn user(sql: &mut impl Sql, id: UserId) -> Result<Option<User>, Error> {
    let row = sql.query_opt(&format!("{USER} WHERE u.id = $1"), params![id]).await?;
    row.as_ref().map(user_of).transpose()
}

/// The user of a login (lower case), with the hash of their password.
pub async fn user_by_login(sql: &mut impl Sql, login: &str) -> Result<Option<(User, String)>, Error> {
    let row = sql.query_opt(&format!("{USER} WHERE u.login = $1"), params![login]).await?;
    row.map(|row| Ok((user_of(&row)?, row.get(15)?))).transpose()
}

/// Those of `ids` who may sign in, each with whom they belong to.
pub async fn active(sql: &mut impl Sql, ids: &[UserId]) -> Result<Vec<(User, Belongings)>, Error> {
    let asked = || ids.iter().map(|id| params![*id]).collect();
    let users = sql.query_many(&format!("{USER} WHERE u.id = $1"), asked()).await?;
    let belongings = sql.query_many(BELONGINGS, asked()).await?;
    let mut out = Vec::with_capacity(ids.len());
    for (users, belongings) in users.iter().zip(&belongings) {
        if let Some(user) = users.first().map(user_of).transpose()?.filter(|user| user.active) {
            out.push((user, belongings_of(belongings)?));
        }
    }
    Ok(out)
}

/// All users by name.
pub async fn users(sql: &mut impl Sql) -> Result<Vec<User>, Error> {
    let rows = sql.query(&format!("{USER} ORDER BY u.name, u.id"), params![]).await?;
    rows.iter().map(user_of).collect()
}

/// What is written of a new user.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// Lower case; taken already is an [`Error::Conflict`].
    pub login: &'a str,
    /// Their name.
    pub name: &'a str,
    /// A hash in PHC string format, never the password.
    pub password_hash: &'a str,
    /// Their role.
    pub role: RoleId,
    /// Language of the interface.
    pub language: &'a str,
    /// When.
    pub at: Time,
}

/// Adds a user; messages that are there already count as read by them.
pub async fn add_user(tx: &mut Tx, new: NewUser<'_>) -> Result<UserId, Error> {
    let id = UserId(counters::take(tx, "users", 1).await?);
    let newest = tx.query_one("SELECT COALESCE(MAX(id), 0) FROM messages", params![]).await?;
    let read_before: i64 = newest.get(0)?;
    tx.execute(
        "INSERT INTO users (id, login, name, password_hash, role_id, active, language, theme, density, \
         shortcuts, read_before, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'system', 'comfortable', $8, $9, $10)",
        params![
            id,
            new.login,
            new.name,
            new.password_hash,
            new.role,
            true,
            new.language,
            true,
            read_before,
            new.at
        ],
    )
    .await?;
    Ok(id)
}

/// Writes everything of a user that may change but the password.
pub async fn change_user(tx: &mut Tx, user: &User) -> Result<(), Error> {
    tx.execute(
        "UPDATE users SET name = $2, role_id = $3, active = $4, language = $5, theme = $6, density = $7, \
         shortcuts = $8 WHERE id = $1",
        params![
            user.id,
            &user.name,
            user.role.id,
            user.active,
            &user.language,
            &user.theme,
            &user.density,
            user.shortcuts
        ],
    )
    .await?;
    Ok(())
}

/// Writes a new hash of a user's password.
pub async fn change_password(tx: &mut Tx, id: UserId, password_hash: &str) -> Result<(), Error> {
    tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", params![id, password_hash]).await?;
    Ok(())
}

/// How many active administrators there are besides `id`.
pub async fn other_administrators(sql: &mut impl Sql, id: UserId) -> Result<i64, Error> {
    let text = "SELECT COUNT(*) FROM users u JOIN roles r ON r.id = u.role_id \
                WHERE r.administrator = $1 AND u.active = $1 AND u.id <> $2";
    sql.query_one(text, params![true, id]).await?.get(0)
}

/// The mail addresses of a user, sorted.
pub async fn addresses(sql: &mut impl Sql, id: UserId) -> Result<Vec<String>, Error> {
    let text = "SELECT address FROM user_addresses WHERE user_id = $1 ORDER BY address";
    sql.query(text, params![id]).await?.iter().map(|row| row.get(0)).collect()
}

/// Replaces the mail addresses (lower case) of a user.
pub async fn set_addresses(tx: &mut Tx, id: UserId, addresses: &[String]) -> Result<(), Error> {
    tx.execute("DELETE FROM user_addresses WHERE user_id = $1", params![id]).await?;
    let rows = addresses.iter().map(|address| params![id, address]).collect();
    let head = "INSERT INTO user_addresses (user_id, address) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", rows).await?;
    Ok(())
}

/// Replaces the teams of a user.
pub async fn set_teams(tx: &mut Tx, id: UserId, teams: &[TeamId]) -> Result<(), Error> {
    tx.execute("DELETE FROM team_members WHERE user_id = $1", params![id]).await?;
    let rows = teams.iter().map(|team| params![*team, id]).collect();
    let head = "INSERT INTO team_members (team_id, user_id) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", rows).await?;
    Ok(())
}

const BELONGINGS: &str = "SELECT 't' AS what, team_id AS id FROM team_members WHERE user_id = $1 \
     UNION SELECT 'm', mt.mailbox_id FROM team_members tm \
       JOIN mailbox_teams mt ON mt.team_id = tm.team_id \
       JOIN mailboxes m ON m.id = mt.mailbox_id AND m.kind = 'group' WHERE tm.user_id = $1 \
     UNION SELECT 'o', id FROM mailboxes WHERE owner_id = $1 ORDER BY 1, 2";

/// A user's teams and mailboxes.
pub async fn belongings(sql: &mut impl Sql, id: UserId) -> Result<Belongings, Error> {
    belongings_of(&sql.query(BELONGINGS, params![id]).await?)
}

fn belongings_of(rows: &[Row]) -> Result<Belongings, Error> {
    let mut out = Belongings::default();
    for row in rows {
        match row.get::<String>(0)?.as_str() {
            "t" => out.teams.push(row.get(1)?),
            "m" => out.team_mailboxes.push(row.get(1)?),
            _ => out.own_mailboxes.push(row.get(1)?),
        }
    }
    Ok(out)
}

/// All roles, in the order they were made.
pub async fn roles(sql: &mut impl Sql) -> Result<Vec<Role>, Error> {
    let text =
        "SELECT id, name, administrator, mail, records, own_mailboxes, group_mail FROM roles ORDER BY id";
    sql.query(text, params![]).await?.iter().map(|row| role_of(row, 0)).collect()
}

/// Adds a role; its id is ignored, the new one returned. A name that is taken is an [`Error::Conflict`].
pub async fn add_role(tx: &mut Tx, role: &Role) -> Result<RoleId, Error> {
    let id = RoleId(counters::take(tx, "roles", 1).await?);
    tx.execute(
        "INSERT INTO roles (id, name, administrator, mail, records, own_mailboxes, group_mail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        role_params(id, role),
    )
    .await?;
    Ok(id)
}

/// Writes everything of a role.
pub async fn change_role(tx: &mut Tx, role: &Role) -> Result<(), Error> {
    let text = "UPDATE roles SET name = $2, administrator = $3, mail = $4, records = $5, own_mailboxes = $6, \
                group_mail = $7 WHERE id = $1";
    tx.execute(text, role_params(role.id, role)).await?;
    Ok(())
}

fn role_params(id: RoleId, role: &Role) -> Params {
    params![
        id,
        &role.name,
        role.administrator,
        role.mail.word(),
        role.records.word(),
        role.own_mailboxes,
        role.group_mail.word()
    ]
}

/// Active users of a role.
pub async fn active_of_role(sql: &mut impl Sql, role: RoleId) -> Result<Vec<UserId>, Error> {
    let text = "SELECT id FROM users WHERE role_id = $1 AND active = $2 ORDER BY id";
    sql.query(text, params![role, true]).await?.iter().map(|row| row.get(0)).collect()
}

/// Active administrators.
pub async fn administrators(sql: &mut impl Sql) -> Result<Vec<UserId>, Error> {
    let text = "SELECT u.id FROM users u JOIN roles r ON r.id = u.role_id \
                WHERE r.administrator = $1 AND u.active = $1 ORDER BY u.id";
    sql.query(text, params![true]).await?.iter().map(|row| row.get(0)).collect()
}

/// Names of users, by id.
pub async fn names(sql: &mut impl Sql, ids: &[UserId]) -> Result<HashMap<UserId, String>, Error> {
    let asked = ids.iter().map(|id| params![*id]).collect();
    let found = sql.query_many("SELECT name FROM users WHERE id = $1", asked).await?;
    let mut names = HashMap::new();
    for (id, rows) in ids.iter().zip(found) {
        if let Some(row) = rows.first() {
            names.insert(*id, row.get(0)?);
        }
    }
    Ok(names)
}

/// The mailbox somebody writes from if they say nothing.
pub async fn default_mailbox(sql: &mut impl Sql, id: UserId) -> Result<Option<MailboxId>, Error> {
    let row = sql.query_opt("SELECT default_mailbox_id FROM users WHERE id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Writes it.
pub async fn set_default_mailbox(tx: &mut Tx, id: UserId, mailbox: Option<MailboxId>) -> Result<(), Error> {
    tx.execute("UPDATE users SET default_mailbox_id = $2 WHERE id = $1", params![id, mailbox]).await?;
    Ok(())
}

/// All teams by name.
pub async fn teams(sql: &mut impl Sql) -> Result<Vec<(TeamId, String)>, Error> {
    let rows = sql.query("SELECT id, name FROM teams ORDER BY name", params![]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The members of a team.
pub async fn members(sql: &mut impl Sql, team: TeamId) -> Result<Vec<UserId>, Error> {
    let text = "SELECT user_id FROM team_members WHERE team_id = $1 ORDER BY user_id";
    sql.query(text, params![team]).await?.iter().map(|row| row.get(0)).collect()
}

/// All processes by name.
pub async fn processes(sql: &mut impl Sql) -> Result<Vec<(ProcessId, String)>, Error> {
    let rows = sql.query("SELECT id, name FROM processes ORDER BY name", params![]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The team of this name, made if new; and whether it was.
pub async fn team_named(tx: &mut Tx, name: &str) -> Result<(TeamId, bool), Error> {
    let (id, new) = named(tx, "teams", name).await?;
    Ok((TeamId(id), new))
}

/// The process of this name, made if new; and whether it was.
pub async fn process_named(tx: &mut Tx, name: &str) -> Result<(ProcessId, bool), Error> {
    let (id, new) = named(tx, "processes", name).await?;
    Ok((ProcessId(id), new))
}

/// `table` is one of the two literals above.
async fn named(tx: &mut Tx, table: &'static str, name: &str) -> Result<(i64, bool), Error> {
    // Taking the id first holds the counter's row until the commit: two who add one name wait here.
    let id = counters::take(tx, table, 1).await?;
    let find = format!("SELECT id FROM {table} WHERE name = $1");
    if let Some(row) = tx.query_opt(&find, params![name]).await? {
        return Ok((row.get(0)?, false));
    }
    let add = format!("INSERT INTO {table} (id, name) VALUES ($1, $2)");
    tx.execute(&add, params![id, name]).await?;
    Ok((id, true))
}
