//! OAuth providers, what they granted, and what they are being asked for.
//!
//! Tokens, client secrets and what a request keeps are sealed by the caller; here they are bytes.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{GrantId, MailboxId, ProviderId, Time, UserId};

/// Where people let us in with a token; its secret stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its name, unique.
    pub name: String,
    /// The well-known provider it is, as `google`; empty: another.
    pub preset: String,
    /// Where the browser goes.
    pub authorize_url: String,
    /// Where codes and refresh tokens become access tokens.
    pub token_url: String,
    /// Where a device asks; empty: there is no device flow.
    pub device_url: String,
    /// What is asked for, divided by spaces.
    pub scope: String,
    /// Who we are there.
    pub client_id: String,
    /// Whether a client secret is stored.
    pub has_secret: bool,
}

/// What a provider granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// By whom.
    pub provider: ProviderId,
    /// Who signed in there.
    pub user: Option<UserId>,
    /// Sealed.
    pub access_token: Vec<u8>,
    /// Sealed; `None`: it cannot be renewed.
    pub refresh_token: Option<Vec<u8>>,
    /// When the access token ends; `None`: the provider did not say.
    pub expires_at: Option<Time>,
    /// When it was last renewed.
    pub refreshed_at: Time,
    /// Why the last renewal failed; `None` if it did not.
    pub error: Option<String>,
}

/// A grant that is being asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Hash of the request's name.
    pub hash: [u8; 32],
    /// Whom.
    pub provider: ProviderId,
    /// Who asks.
    pub user: UserId,
    /// Sealed: the PKCE verifier and the redirect address, or the device code and when it may be asked next.
    pub secret: Vec<u8>,
    /// `code` or `device`.
    pub kind: String,
    /// What was granted.
    pub grant: Option<GrantId>,
    /// Why not.
    pub error: Option<String>,
    /// When it ends.
    pub expires_at: Time,
}

const PROVIDER: &str = "SELECT id, name, preset, authorize_url, token_url, device_url, scope, client_id, \
     client_secret IS NOT NULL FROM providers";

fn provider_of(row: &Row) -> Result<Provider, Error> {
    Ok(Provider {
        id: row.get(0)?,
        name: row.get(1)?,
        preset: row.get(2)?,
        authorize_url: row.get(3)?,
        token_url: row.get(4)?,
        device_url: row.get(5)?,
        scope: row.get(6)?,
        client_id: row.get(7)?,
        has_secret: row.get(8)?,
    })
}

/// All providers, by name.
pub async fn providers(sql: &mut impl Sql) -> Result<Vec<Provider>, Error> {
    let rows = sql.query(&format!("{PROVIDER} ORDER BY name"), params![]).await?;
    rows.iter().map(provider_of).collect()
}

/// One provider.
pub async fn provider(sql: &mut impl Sql, id: ProviderId) -> Result<Option<Provider>, Error> {
    let row = sql.query_opt(&format!("{PROVIDER} WHERE id = $1"), params![id]).await?;
    row.as_ref().map(provider_of).transpose()
}

/// The provider of this name.
pub async fn provider_named(sql: &mut impl Sql, name: &str) -> Result<Option<ProviderId>, Error> {
    let row = sql.query_opt("SELECT id FROM providers WHERE name = $1", params![name]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// The first provider that is this well-known one.
pub async fn provider_of_preset(sql: &mut impl Sql, preset: &str) -> Result<Option<ProviderId>, Error> {
    let text = "SELECT id FROM providers WHERE preset = $1 AND preset <> '' ORDER BY id LIMIT 1";
    sql.query_opt(text, params![preset]).await?.map(|row| row.get(0)).transpose()
}

/// Adds a provider without its secret; `provider.id` is ignored, the new one returned.
pub async fn add_provider(tx: &mut Tx, provider: &Provider, at: Time) -> Result<ProviderId, Error> {
    let id = ProviderId(counters::take(tx, "providers", 1).await?);
    let text = "INSERT INTO providers (id, name, preset, authorize_url, token_url, device_url, scope, client_id, \
                created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let p = provider;
    let values = params![
        id,
        &p.name,
        &p.preset,
        &p.authorize_url,
        &p.token_url,
        &p.device_url,
        &p.scope,
        &p.client_id,
        at
    ];
    tx.execute(text, values).await?;
    Ok(id)
}

/// Writes a provider; its secret has a function of its own.
pub async fn change_provider(tx: &mut Tx, provider: &Provider) -> Result<(), Error> {
    let text = "UPDATE providers SET name = $2, preset = $3, authorize_url = $4, token_url = $5, device_url = $6, \
                scope = $7, client_id = $8 WHERE id = $1";
    let p = provider;
    let values = params![
        p.id,
        &p.name,
        &p.preset,
        &p.authorize_url,
        &p.token_url,
        &p.device_url,
        &p.scope,
        &p.client_id
    ];
    tx.execute(text, values).await.map(drop)
}

/// The sealed client secret.
pub async fn client_secret(sql: &mut impl Sql, id: ProviderId) -> Result<Option<Vec<u8>>, Error> {
    let row = sql.query_opt("SELECT client_secret FROM providers WHERE id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Writes the sealed client secret, or forgets it.
pub async fn set_client_secret(tx: &mut Tx, id: ProviderId, sealed: Option<Vec<u8>>) -> Result<(), Error> {
    let text = "UPDATE providers SET client_secret = $2 WHERE id = $1";
    tx.execute(text, params![id, sealed]).await.map(drop)
}

/// How many grants a provider gave.
pub async fn grants_of(sql: &mut impl Sql, id: ProviderId) -> Result<i64, Error> {
    sql.query_one("SELECT COUNT(*) FROM grants WHERE provider_id = $1", params![id]).await?.get(0)
}

/// Forgets what would be sent to a provider's old address for tokens: refresh tokens, and what is being asked for.
pub async fn forget_refresh_tokens(tx: &mut Tx, id: ProviderId) -> Result<(), Error> {
    tx.execute("UPDATE grants SET refresh_token = NULL WHERE provider_id = $1", params![id]).await?;
    let text = "DELETE FROM grant_requests WHERE provider_id = $1 AND grant_id IS NULL AND error IS NULL";
    tx.execute(text, params![id]).await.map(drop)
}

/// Removes a provider that gave no grants, and what was being asked of it.
pub async fn remove_provider(tx: &mut Tx, id: ProviderId) -> Result<(), Error> {
    tx.execute("DELETE FROM grant_requests WHERE provider_id = $1", params![id]).await?;
    tx.execute("DELETE FROM providers WHERE id = $1", params![id]).await.map(drop)
}

/// An id for a grant that will be added in this transaction: what is sealed names it.
pub async fn new_grant_id(tx: &mut Tx) -> Result<GrantId, Error> {
    Ok(GrantId(counters::take(tx, "grants", 1).await?))
}

/// Adds a grant.
pub async fn add_grant(tx: &mut Tx, grant: &Grant) -> Result<(), Error> {
    let text = "INSERT INTO grants (id, provider_id, user_id, access_token, refresh_token, expires_at, refreshed_at, \
                error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let g = grant;
    let values = params![
        g.id,
        g.provider,
        g.user,
        g.access_token.clone(),
        g.refresh_token.clone(),
        g.expires_at,
        g.refreshed_at,
        g.error.clone()
    ];
    tx.execute(text, values).await.map(drop)
}

/// A grant.
pub async fn grant(sql: &mut impl Sql, id: GrantId) -> Result<Option<Grant>, Error> {
    let text = "SELECT id, provider_id, user_id, access_token, refresh_token, expires_at, refreshed_at, error \
                FROM grants WHERE id = $1";
    let Some(row) = sql.query_opt(text, params![id]).await? else { return Ok(None) };
    Ok(Some(Grant {
        id: row.get(0)?,
        provider: row.get(1)?,
        user: row.get(2)?,
        access_token: row.get(3)?,
        refresh_token: row.get(4)?,
        expires_at: row.get(5)?,
        refreshed_at: row.get(6)?,
        error: row.get(7)?,
    }))
}

/// Writes what a renewal gave and forgets the last one's error.
pub async fn renew(tx: &mut Tx, grant: &Grant) -> Result<(), Error> {
    let text = "UPDATE grants SET access_token = $2, refresh_token = $3, expires_at = $4, refreshed_at = $5, \
                error = NULL WHERE id = $1";
    let g = grant;
    let values = params![g.id, g.access_token.clone(), g.refresh_token.clone(), g.expires_at, g.refreshed_at];
    tx.execute(text, values).await.map(drop)
}

/// Writes why a renewal failed.
pub async fn fail(tx: &mut Tx, id: GrantId, error: &str) -> Result<(), Error> {
    tx.execute("UPDATE grants SET error = $2 WHERE id = $1", params![id, error]).await.map(drop)
}

/// The mailboxes that sign in with a grant, with their owner and keeper.
pub async fn mailboxes_of(
    sql: &mut impl Sql,
    id: GrantId,
) -> Result<Vec<(MailboxId, String, Option<UserId>, Option<UserId>)>, Error> {
    let text = "SELECT id, address, owner_id, keeper_id FROM mailboxes WHERE grant_id = $1 ORDER BY id";
    let rows = sql.query(text, params![id]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}

/// Adds a request.
pub async fn add_request(tx: &mut Tx, request: &Request) -> Result<(), Error> {
    let text = "INSERT INTO grant_requests (hash, provider_id, user_id, secret, kind, expires_at) \
                VALUES ($1, $2, $3, $4, $5, $6)";
    let r = request;
    let values = params![&r.hash, r.provider, r.user, r.secret.clone(), &r.kind, r.expires_at];
    tx.execute(text, values).await.map(drop)
}

/// A request, also one whose time is over.
pub async fn request(sql: &mut impl Sql, hash: &[u8; 32]) -> Result<Option<Request>, Error> {
    let text = "SELECT hash, provider_id, user_id, secret, kind, grant_id, error, expires_at FROM grant_requests \
                WHERE hash = $1";
    let Some(row) = sql.query_opt(text, params![hash]).await? else { return Ok(None) };
    Ok(Some(Request {
        hash: row.get(0)?,
        provider: row.get(1)?,
        user: row.get(2)?,
        secret: row.get(3)?,
        kind: row.get(4)?,
        grant: row.get(5)?,
        error: row.get(6)?,
        expires_at: row.get(7)?,
    }))
}

/// Replaces what a request keeps.
pub async fn keep_in_request(tx: &mut Tx, hash: &[u8; 32], secret: Vec<u8>) -> Result<(), Error> {
    tx.execute("UPDATE grant_requests SET secret = $2 WHERE hash = $1", params![hash, secret]).await.map(drop)
}

/// Takes the code of a request out of the hands of all others; whether this was the first to take it.
pub async fn take_request(tx: &mut Tx, hash: &[u8; 32]) -> Result<bool, Error> {
    let text = "UPDATE grant_requests SET kind = 'taken' WHERE hash = $1 AND kind = 'code'";
    Ok(tx.execute(text, params![hash]).await? > 0)
}

/// Ends an open request; whether it was open.
pub async fn end_request(
    tx: &mut Tx,
    hash: &[u8; 32],
    grant: Option<GrantId>,
    error: Option<&str>,
) -> Result<bool, Error> {
    let text = "UPDATE grant_requests SET grant_id = $2, error = $3 \
                WHERE hash = $1 AND grant_id IS NULL AND error IS NULL";
    Ok(tx.execute(text, params![hash, grant, error.map(str::to_owned)]).await? > 0)
}

/// How many requests of somebody are still open.
pub async fn open_requests(sql: &mut impl Sql, user: UserId, now: Time) -> Result<i64, Error> {
    let text = "SELECT COUNT(*) FROM grant_requests WHERE user_id = $1 AND expires_at > $2 \
                AND grant_id IS NULL AND error IS NULL";
    sql.query_one(text, params![user, now]).await?.get(0)
}

/// Forgets requests whose time was over before `before`.
pub async fn sweep_requests(tx: &mut Tx, before: Time) -> Result<(), Error> {
    tx.execute("DELETE FROM grant_requests WHERE expires_at < $1", params![before]).await.map(drop)
}
