//! Passwords, sessions, API tokens: how somebody proves who they are.
//!
//! Passwords are kept as argon2id hashes (RFC 9106; 19 MiB, 2 passes). At most two are computed at a
//! time and at most [`QUEUE`] wait, so that guessing cannot take the machine's memory. An unknown login
//! costs the same work and gets the same answer as a wrong password. Failures are counted in the
//! database, per login and overall, so that a restart forgives nobody.
//!
//! A session is 256 random bits in a cookie; the database has their hash. It ends after
//! [`IDLE_S`] without use, and [`LONGEST_S`] after signing in. Signing in always makes a new session and
//! ends the one before. API tokens (`lc_…`) are kept the same way.

use crate::may::Actor;
use crate::{Desk, Refusal};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Time, UserId};
use std::sync::LazyLock;
use store::people;
use store::sql::{Db, Sql, Tx};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A session ends after so many seconds without use: 7 days.
pub const IDLE_S: i64 = 7 * 86_400;
/// A session ends so many seconds after signing in, whatever happens: 30 days.
pub const LONGEST_S: i64 = 30 * 86_400;
/// Use is written down at most so often, in seconds.
const TOUCH_S: i64 = 600;
/// So many failures of one login within [`LOGIN_WINDOW_S`] and it has to wait.
pub const LOGIN_FAILURES: i64 = 10;
/// 15 minutes.
pub const LOGIN_WINDOW_S: i64 = 900;
/// So many failures of all logins within [`ALL_WINDOW_S`] and everybody has to wait.
pub const ALL_FAILURES: i64 = 200;
/// One minute.
pub const ALL_WINDOW_S: i64 = 60;
/// So many sign-ins wait for their turn; more are refused.
pub const QUEUE: usize = 64;
/// Longer passwords are refused: they only cost time.
pub const LONGEST_PASSWORD: usize = 1024;

static HASHING: Semaphore = Semaphore::const_new(2);
static WAITING: Semaphore = Semaphore::const_new(QUEUE);

/// Somebody is signed in with a browser.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// What unsafe requests must show beside the cookie.
    pub csrf: String,
    hash: [u8; 32],
}

/// A session that was just made.
#[derive(Clone)]
pub struct NewSession {
    /// Who.
    pub user: people::User,
    /// The cookie's value; never seen again.
    pub cookie: String,
    /// What unsafe requests must show beside the cookie.
    pub csrf: String,
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such user, wrong password, or the user is switched off: one answer for all.
    #[error("The login or the password is wrong.")]
    WrongLogin,
    /// Too many failures, or too many at once.
    #[error("Too many attempts. Try again in {retry_after_s} seconds.")]
    TooMany {
        /// When it may be tried again.
        retry_after_s: u64,
    },
    /// The database or the machine failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<store::sql::Error> for SignInError {
    fn from(error: store::sql::Error) -> SignInError {
        SignInError::Failed(error.into())
    }
}

/// Signs somebody in. `old_cookie` is the session the browser had, which ends.
pub async fn sign_in(
    desk: &Desk,
    login: &str,
    password: &str,
    old_cookie: Option<&str>,
) -> Result<NewSession, SignInError> {
    let login = folded(login);
    if login.len() > crate::people::LONGEST_LOGIN || password.len() > LONGEST_PASSWORD {
        return Err(SignInError::WrongLogin);
    }
    let turn = turn().await?;
    throttle(desk, &login).await?;
    let found = people::user_by_login(&mut &desk.db, &login).await?.filter(|(user, _)| user.active);
    let right = verify(password, found.as_ref().map(|(_, hash)| hash.clone())).await?;
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    people::sweep_sessions(&mut tx, now, now.plus_s(-LOGIN_WINDOW_S)).await?;
    let Some((user, _)) = found.filter(|_| right) else {
        people::add_failure(&mut tx, &login, now).await?;
        tx.commit().await?;
        return Err(SignInError::WrongLogin);
    };
    drop(turn);
    people::clear_failures(&mut tx, &login).await?;
    if let Some(old) = old_cookie {
        people::end_session(&mut tx, &digest(old)).await?;
    }
    let session = begin_session(&mut tx, user, now).await?;
    tx.commit().await?;
    Ok(session)
}

/// The session of a cookie, if it has not ended and its user may sign in. Being used moves its end.
pub async fn by_cookie(desk: &Desk, cookie: &str) -> Result<Option<Session>, Refusal> {
    let now = desk.clock.now();
    let Some(session) = people::session(&mut &desk.db, &digest(cookie), now).await? else { return Ok(None) };
    let Some(actor) = actor(&desk.db, session.user).await? else { return Ok(None) };
    if session.seen_at.plus_s(TOUCH_S) <= now {
        let ends = now.plus_s(IDLE_S).min(session.created_at.plus_s(LONGEST_S));
        let mut tx = desk.db.begin().await?;
        people::extend_session(&mut tx, &session.hash, now, ends).await?;
        tx.commit().await?;
    }
    Ok(Some(Session { actor, csrf: session.csrf, hash: session.hash }))
}

/// Whoever an API token belongs to, if it has not ended and they may sign in.
pub async fn by_token(desk: &Desk, token: &str) -> Result<Option<Actor>, Refusal> {
    let now = desk.clock.now();
    if !token.starts_with("lc_") {
        return Ok(None);
    }
    let Some(token) = people::token(&mut &desk.db, &digest(token), now).await? else { return Ok(None) };
    let actor = actor(&desk.db, token.user).await?;
    if actor.is_some() && token.used_at.is_none_or(|used| used.plus_s(TOUCH_S) <= now) {
        let mut tx = desk.db.begin().await?;
        people::touch_token(&mut tx, token.id, now).await?;
        tx.commit().await?;
    }
    Ok(actor)
}

/// Whether a session has not ended meanwhile.
pub async fn still_signed_in(desk: &Desk, session: &Session) -> Result<bool, Refusal> {
    Ok(people::session(&mut &desk.db, &session.hash, desk.clock.now()).await?.is_some())
}

/// Ends a session.
pub async fn sign_out(desk: &Desk, session: &Session) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    people::end_session(&mut tx, &session.hash).await?;
    Ok(tx.commit().await?)
}

/// A user with their levels, teams and mailboxes; `None` if there is none or they are switched off.
pub async fn actor(db: &Db, id: UserId) -> Result<Option<Actor>, Refusal> {
    Ok(actors(&mut &*db, &[id]).await?.pop())
}

/// Those of `ids` who may sign in, with their rights.
pub(crate) async fn actors(sql: &mut impl Sql, ids: &[UserId]) -> Result<Vec<Actor>, store::sql::Error> {
    let actor = |(user, belongings): (people::User, people::Belongings)| Actor {
        user: Some(user.id),
        name: user.name,
        administrator: user.role.administrator,
        mail: user.role.mail,
        records: user.role.records,
        connects_own: user.role.own_mailboxes,
        group_mail: user.role.group_mail,
        teams: belongings.teams,
        team_mailboxes: belongings.team_mailboxes,
        own_mailboxes: belongings.own_mailboxes,
    };
    Ok(people::active(sql, ids).await?.into_iter().map(actor).collect())
}

/// Adds a session to an open transaction.
pub(crate) async fn begin_session(
    tx: &mut Tx,
    user: people::User,
    now: Time,
) -> Result<NewSession, store::sql::Error> {
    let (cookie, csrf) = (secret_word(), secret_word());
    let session = people::Session {
        hash: digest(&cookie),
        user: user.id,
        csrf: csrf.clone(),
        created_at: now,
        seen_at: now,
        expires_at: now.plus_s(IDLE_S),
    };
    people::add_session(tx, &session).await?;
    Ok(NewSession { user, cookie, csrf })
}

/// Makes an API token for the actor; gives its id and the token, which is never seen again.
pub async fn add_token(desk: &Desk, actor: &Actor, name: &str) -> Result<(i64, String), Refusal> {
    actor.may(crate::may::Verb::ManageTokens)?;
    let user = actor.person()?;
    let name = crate::people::checked_name("name", name)?;
    let token = format!("lc_{}", secret_word());
    let mut tx = desk.db.begin().await?;
    if people::tokens(&mut tx, user).await?.len() >= MOST_TOKENS {
        let message = format!("You have {MOST_TOKENS} tokens already. Remove one first.");
        return Err(Refusal::conflict("too_many_tokens", message).with("most", MOST_TOKENS));
    }
    let id = people::add_token(&mut tx, &digest(&token), user, &name, desk.clock.now()).await?;
    tx.commit().await?;
    Ok((id, token))
}

/// Tokens one user may have.
pub const MOST_TOKENS: usize = 50;

/// Removes one of the actor's API tokens.
pub async fn remove_token(desk: &Desk, actor: &Actor, id: i64) -> Result<(), Refusal> {
    actor.may(crate::may::Verb::ManageTokens)?;
    let mut tx = desk.db.begin().await?;
    if !people::remove_token(&mut tx, actor.person()?, id).await? {
        return Err(Refusal::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Whether two secrets are the same; takes equally long wherever they differ.
pub fn same_secret(shown: &[u8], known: &[u8]) -> bool {
    blake3::hash(shown) == blake3::hash(known)
}

/// A login as it is kept: without surrounding blanks, in lower case.
pub(crate) fn folded(login: &str) -> String {
    login.trim().to_lowercase()
}

/// The argon2id hash of a password, in PHC string format. Waits for its turn.
pub(crate) async fn hash(password: String) -> Result<String, Refusal> {
    let _turn = turn().await.map_err(|error| Refusal::Failed(error.into()))?;
    let hashed = tokio::task::spawn_blocking(move || hash_now(&password)).await;
    Ok(hashed.map_err(anyhow::Error::from)??)
}

fn hash_now(password: &str) -> anyhow::Result<String> {
    let hash: PasswordHash =
        Argon2::default().hash_password(password.as_bytes()).map_err(anyhow::Error::msg)?;
    Ok(hash.to_string())
}

/// Without a hash (no such user) the work is the same and the answer no.
async fn verify(password: &str, hash: Option<String>) -> Result<bool, anyhow::Error> {
    let password = password.to_owned();
    let verified = tokio::task::spawn_blocking(move || {
        let known = hash.as_deref().unwrap_or(&NOBODY);
        let right = Argon2::default().verify_password(password.as_bytes(), known).is_ok();
        right && hash.is_some()
    });
    Ok(verified.await?)
}

/// What an unknown user's password is compared with.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let password = crate::random::bytes::<32>();
    hash_now(&URL_SAFE_NO_PAD.encode(password)).expect("the default parameters are valid")
});

async fn turn() -> Result<SemaphorePermit<'static>, SignInError> {
    let waiting = WAITING.try_acquire().map_err(|_| SignInError::TooMany { retry_after_s: 5 })?;
    let turn = HASHING.acquire().await.map_err(anyhow::Error::from)?;
    drop(waiting);
    Ok(turn)
}

/// Asked while holding a turn: at most two guesses are ever between the count and its update.
async fn throttle(desk: &Desk, login: &str) -> Result<(), SignInError> {
    let now = desk.clock.now();
    let (of_login, of_all, first) =
        people::failures(&mut &desk.db, login, now.plus_s(-LOGIN_WINDOW_S), now.plus_s(-ALL_WINDOW_S))
            .await?;
    if of_login >= LOGIN_FAILURES {
        let free = first.unwrap_or(now).plus_s(LOGIN_WINDOW_S);
        let seconds = free.0.saturating_sub(now.0) / 1_000_000 + 1;
        return Err(SignInError::TooMany { retry_after_s: u64::try_from(seconds).unwrap_or(1) });
    }
    match of_all >= ALL_FAILURES {
        true => Err(SignInError::TooMany { retry_after_s: ALL_WINDOW_S.unsigned_abs() }),
        false => Ok(()),
    }
}

/// 256 random bits as text.
fn secret_word() -> String {
    URL_SAFE_NO_PAD.encode(crate::random::bytes::<32>())
}

pub(crate) fn digest(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_user_costs_the_same_work() {
        // Algorithm, version and cost: everything before the salt.
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cost(&NOBODY), cost(&hash_now("correct horse").unwrap()));
    }

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_and_only_it_is_right() {
        let hash = hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!verify("correct horsf", Some(hash)).await.unwrap());
        assert!(!verify("correct horse", Some("no hash".into())).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret(b"abc", b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!same_secret(other, b"abc"));
        }
    }
}
