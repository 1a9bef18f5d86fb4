//! A token that is good for a connection now.
//!
//! One renewal at a time for each grant, over all processes, because a provider may take two uses of one refresh
//! token for theft. The order is: ask, commit what came, use it. What cannot be had otherwise is a renewal that
//! survives a kill between the provider's answer and our commit: then the old refresh token is tried, which most
//! providers still take; if not, the grant has an error and people are told.

use super::ask::seconds;
use super::{Authority, AuthorityError, access_place, client, refresh_place};
use crate::may::Actor;
use crate::notification::{self, Notice};
use crate::people::invalid;
use crate::seal::Secret;
use crate::{Desk, Refusal};
use model::{GrantId, MailboxId};
use std::time::Duration;
use store::changes::{self, Change, ChangeKind};
use store::grants::{self, Grant};
use store::mailboxes;
use store::sql::{Sql, Tx};

/// A token that ends within so many seconds is renewed before it is used.
const RENEWED_BEFORE_S: i64 = 300;
/// Names of renewals among what a process can hold ([`store::sql::Db::hold`]).
const RENEWING: i64 = 0x6f61_0000_0000_0000;
/// A renewal ends within so long, and others wait for it.
const WAIT: Duration = Duration::from_secs(60);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// The provider does not renew it: somebody must sign in there again.
    #[error("{provider} does not renew the sign-in ({code}): sign in there again")]
    Refused {
        /// The provider's name.
        provider: String,
        /// Its word, as `invalid_grant`.
        code: String,
    },
    /// The provider cannot be asked now.
    #[error("{provider} does not renew the sign-in now: {reason}")]
    Later {
        /// The provider's name.
        provider: String,
        /// What happened.
        reason: String,
    },
    /// The database or the machine failed, or there is no such grant.
    #[error(transparent)]
    Failed(#[from] Refusal),
}

impl From<store::sql::Error> for NoToken {
    fn from(error: store::sql::Error) -> NoToken {
        NoToken::Failed(error.into())
    }
}

/// The access token of a grant, renewed if it ends within five minutes.
///
/// # Errors
/// [`NoToken`].
pub async fn fresh(desk: &Desk, authority: &dyn Authority, id: GrantId) -> Result<Secret, NoToken> {
    let grant = read(desk, id).await?;
    if is_fresh(desk, &grant) {
        return opened(desk, &grant);
    }
    let _one_at_a_time = desk.db.hold(RENEWING + id.0, WAIT).await?;
    let grant = read(desk, id).await?;
    match is_fresh(desk, &grant) {
        true => opened(desk, &grant),
        false => renewed(desk, authority, grant).await,
    }
}

/// As [`fresh`], of a grant that the actor got: for trying a server with it.
pub async fn fresh_own(
    desk: &Desk,
    actor: &Actor,
    authority: &dyn Authority,
    id: GrantId,
) -> Result<Secret, Refusal> {
    let grant = grants::grant(&mut &desk.db, id).await?;
    if grant.is_none_or(|grant| grant.user != actor.user) {
        return Err(invalid("grant_id", "unknown", "sign in at the provider first"));
    }
    fresh(desk, authority, id).await.map_err(|error| match error {
        NoToken::Failed(refusal) => refusal,
        NoToken::Refused { provider, .. } => {
            invalid("grant_id", "grant_refused", "sign in at the provider again").with("provider", provider)
        }
        NoToken::Later { provider, reason } => {
            invalid("grant_id", "provider_unreachable", format!("{provider} does not answer: {reason}"))
        }
    })
}

/// Renews the grant of a mailbox that is about to be tried, so that its stored token is good. That it cannot be is told
/// by the try.
pub async fn ready(desk: &Desk, authority: &dyn Authority, mailbox: MailboxId) -> Result<(), Refusal> {
    let mailbox = mailboxes::mailbox(&mut &desk.db, mailbox).await?;
    if let Some(grant) = mailbox.and_then(|mailbox| mailbox.grant)
        && let Err(error) = fresh(desk, authority, grant).await
    {
        tracing::warn!(grant = grant.0, %error, "a token could not be renewed");
    }
    Ok(())
}

/// The access token of a grant as it is stored; whoever connects has asked [`fresh`] before.
pub(crate) async fn token(desk: &Desk, sql: &mut impl Sql, id: GrantId) -> Result<Option<Secret>, Refusal> {
    let Some(grant) = grants::grant(sql, id).await? else { return Ok(None) };
    Ok(Some(desk.seal.open(&access_place(id), &grant.access_token)?))
}

/// The server did not take a token whose time is not over: the next use renews it first.
pub async fn distrust(desk: &Desk, id: GrantId) -> Result<(), Refusal> {
    let Some(grant) = grants::grant(&mut &desk.db, id).await? else { return Ok(()) };
    if grant.refresh_token.is_none() || grant.error.is_some() {
        return Ok(());
    }
    let mut tx = desk.db.begin().await?;
    grants::renew(&mut tx, &Grant { expires_at: Some(desk.clock.now()), ..grant }).await?;
    Ok(tx.commit().await?)
}

async fn read(desk: &Desk, id: GrantId) -> Result<Grant, NoToken> {
    Ok(grants::grant(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)?)
}

/// What the provider set no end to is taken as it is, until a server refuses it.
fn is_fresh(desk: &Desk, grant: &Grant) -> bool {
    let limit = desk.clock.now().plus_s(RENEWED_BEFORE_S);
    grant.error.is_none() && grant.expires_at.is_none_or(|at| at > limit)
}

fn opened(desk: &Desk, grant: &Grant) -> Result<Secret, NoToken> {
    let token = desk.seal.open(&access_place(grant.id), &grant.access_token);
    Ok(token.map_err(Refusal::Failed)?)
}

async fn renewed(desk: &Desk, authority: &dyn Authority, grant: Grant) -> Result<Secret, NoToken> {
    let provider = grants::provider(&mut &desk.db, grant.provider).await?.ok_or(Refusal::NotFound)?;
    let Some(sealed) = &grant.refresh_token else {
        return refused(desk, &grant, provider.name, "no_refresh_token").await;
    };
    let mut form = client(desk, &provider).await?;
    let refresh = desk.seal.open(&refresh_place(grant.id), sealed).map_err(Refusal::Failed)?;
    form.extend([("grant_type", Secret::new("refresh_token")), ("refresh_token", refresh)]);
    match authority.tokens(provider.token_url, form).await {
        Ok(tokens) => {
            let now = desk.clock.now();
            let next = tokens.refresh.map(|token| desk.seal.seal(&refresh_place(grant.id), &token));
            let renewed = Grant {
                access_token: desk.seal.seal(&access_place(grant.id), &tokens.access),
                refresh_token: next.or(grant.refresh_token.clone()),
                expires_at: tokens.expires_in_s.map(|s| now.plus_s(seconds(s))),
                refreshed_at: now,
                ..grant
            };
            let mut tx = desk.db.begin().await?;
            grants::renew(&mut tx, &renewed).await?;
            tell(desk, &mut tx, &renewed, "grant_renewed").await?;
            tx.commit().await?;
            Ok(tokens.access)
        }
        Err(AuthorityError::Refused { code, .. }) => refused(desk, &grant, provider.name, &code).await,
        // Nobody knows whether it was renewed there: the old refresh token is what we have, and is tried again.
        Err(AuthorityError::Later(reason) | AuthorityError::Unknown(reason)) => {
            let still_good =
                grant.error.is_none() && grant.expires_at.is_some_and(|at| at > desk.clock.now());
            match still_good {
                true => opened(desk, &grant),
                false => Err(NoToken::Later { provider: provider.name, reason }),
            }
        }
    }
}

/// Writes down why, and tells people once.
async fn refused(desk: &Desk, grant: &Grant, provider: String, code: &str) -> Result<Secret, NoToken> {
    if grant.error.as_deref() != Some(code) {
        let mut tx = desk.db.begin().await?;
        grants::fail(&mut tx, grant.id, code).await?;
        tell(desk, &mut tx, grant, "grant_refused").await?;
        for (id, ..) in grants::mailboxes_of(&mut tx, grant.id).await? {
            let Some(mailbox) = mailboxes::mailbox(&mut tx, id).await? else { continue };
            let notice = Notice::new("grant_expired").about_mailbox(&mailbox).with("provider", &provider);
            notification::tell_keepers(desk, &mut tx, &mailbox, &notice).await?;
        }
        tx.commit().await?;
    }
    Err(NoToken::Refused { provider, code: code.to_owned() })
}

/// A change of each mailbox that signs in with the grant.
async fn tell(desk: &Desk, tx: &mut Tx, grant: &Grant, action: &'static str) -> Result<(), NoToken> {
    for (mailbox, ..) in grants::mailboxes_of(tx, grant.id).await? {
        let change = Change { kind: ChangeKind::Mailbox, entity_id: mailbox.0, thread: None, action };
        changes::add(tx, change, desk.clock.now()).await?;
    }
    Ok(())
}
