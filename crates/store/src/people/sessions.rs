//! Sessions, API tokens and failed sign-ins. Only hashes of what opens the door are kept.

use crate::counters;
use crate::params;
use crate::sql::{Error, Sql, Tx};
use model::{Time, UserId};

/// Somebody is signed in with a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of the cookie's value.
    pub hash: [u8; 32],
    /// Who.
    pub user: UserId,
    /// What unsafe requests must show beside the cookie.
    pub csrf: String,
    /// When they signed in.
    pub created_at: Time,
    /// When they were last seen, to within some minutes.
    pub seen_at: Time,
    /// When it ends by itself.
    pub expires_at: Time,
}

/// Adds a session.
pub async fn add_session(tx: &mut Tx, session: &Session) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO sessions (hash, user_id, csrf, created_at, seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            &session.hash,
            session.user,
            &session.csrf,
            session.created_at,
            session.seen_at,
            session.expires_at
        ],
    )
    .await?;
    Ok(())
}

/// The session of this hash that has not ended at `now`.
pub async fn session(sql: &mut impl Sql, hash: &[u8; 32], now: Time) -> Result<Option<Session>, Error> {
    let text = "SELECT hash, user_id, csrf, created_at, seen_at, expires_at FROM sessions \
                WHERE hash = $1 AND expires_at > $2";
    let Some(row) = sql.query_opt(text, params![hash, now]).await? else {
        return Ok(None);
    };
    Ok(Some(Session {
        hash: row.get(0)?,
        user: row.get(1)?,
        csrf: row.get(2)?,
        created_at: row.get(3)?,
        seen_at: row.get(4)?,
        expires_at: row.get(5)?,
    }))
}

/// Notes that a session is in use and moves its end.
pub async fn extend_session(
    tx: &mut Tx,
    hash: &[u8; 32],
    seen_at: Time,
    expires_at: Time,
) -> Result<(), Error> {
    let text = "UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE hash = $1";
    tx.execute(text, params![hash, seen_at, expires_at]).await?;
    Ok(())
}

/// Ends one session.
pub async fn end_session(tx: &mut Tx, hash: &[u8; 32]) -> Result<(), Error> {
    tx.execute("DELETE FROM sessions WHERE hash = $1", params![hash]).await?;
    Ok(())
}

/// Ends all sessions of a user.
pub async fn end_sessions_of(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1", params![user]).await?;
    Ok(())
}

/// Forgets sessions that ended before `now` and failed sign-ins from before `failures_before`.
pub async fn sweep_sessions(tx: &mut Tx, now: Time, failures_before: Time) -> Result<(), Error> {
    tx.execute("DELETE FROM sessions WHERE expires_at <= $1", params![now]).await?;
    tx.execute("DELETE FROM sign_in_failures WHERE at < $1", params![failures_before]).await?;
    Ok(())
}

/// An API token as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: i64,
    /// Whose.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, to within some minutes.
    pub used_at: Option<Time>,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
}

const TOKEN: &str = "SELECT id, user_id, name, created_at, used_at, expires_at FROM tokens";

fn token_of(row: &crate::sql::Row) -> Result<Token, Error> {
    Ok(Token {
        id: row.get(0)?,
        user: row.get(1)?,
        name: row.get(2)?,
        created_at: row.get(3)?,
        used_at: row.get(4)?,
        expires_at: row.get(5)?,
    })
}

/// Adds a token; gives its id.
pub async fn add_token(
    tx: &mut Tx,
    hash: &[u8; 32],
    user: UserId,
    name: &str,
    at: Time,
) -> Result<i64, Error> {
    let id = counters::take(tx, "tokens", 1).await?;
    let text = "INSERT INTO tokens (id, hash, user_id, name, created_at) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(text, params![id, hash, user, name, at]).await?;
    Ok(id)
}

/// The token of this hash that has not ended at `now`.
pub async fn token(sql: &mut impl Sql, hash: &[u8; 32], now: Time) -> Result<Option<Token>, Error> {
    let text = format!("{TOKEN} WHERE hash = $1 AND (expires_at IS NULL OR expires_at > $2)");
    let row = sql.query_opt(&text, params![hash, now]).await?;
    row.as_ref().map(token_of).transpose()
}

/// A user's tokens, the newest first.
pub async fn tokens(sql: &mut impl Sql, user: UserId) -> Result<Vec<Token>, Error> {
    let text = format!("{TOKEN} WHERE user_id = $1 ORDER BY id DESC");
    sql.query(&text, params![user]).await?.iter().map(token_of).collect()
}

/// Notes that a token was used.
pub async fn touch_token(tx: &mut Tx, id: i64, at: Time) -> Result<(), Error> {
    tx.execute("UPDATE tokens SET used_at = $2 WHERE id = $1", params![id, at]).await?;
    Ok(())
}

/// Removes a token of this user; whether there was one.
pub async fn remove_token(tx: &mut Tx, user: UserId, id: i64) -> Result<bool, Error> {
    let text = "DELETE FROM tokens WHERE id = $1 AND user_id = $2";
    Ok(tx.execute(text, params![id, user]).await? > 0)
}

/// Notes a failed sign-in; `login` also where there is no such user.
pub async fn add_failure(tx: &mut Tx, login: &str, at: Time) -> Result<(), Error> {
    let id = counters::take(tx, "sign_in_failures", 1).await?;
    let text = "INSERT INTO sign_in_failures (id, login, at) VALUES ($1, $2, $3)";
    tx.execute(text, params![id, login, at]).await?;
    Ok(())
}

/// Forgets a login's failed sign-ins.
pub async fn clear_failures(tx: &mut Tx, login: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM sign_in_failures WHERE login = $1", params![login]).await?;
    Ok(())
}

/// Failed sign-ins of one login since a moment, of all logins since another, and when the first of
/// the login's was.
pub async fn failures(
    sql: &mut impl Sql,
    login: &str,
    login_since: Time,
    all_since: Time,
) -> Result<(i64, i64, Option<Time>), Error> {
    let text = "SELECT (SELECT COUNT(*) FROM sign_in_failures WHERE login = $1 AND at > $2), \
                (SELECT COUNT(*) FROM sign_in_failures WHERE at > $3), \
                (SELECT MIN(at) FROM sign_in_failures WHERE login = $1 AND at > $2)";
    let row = sql.query_one(text, params![login, login_since, all_since]).await?;
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}
