//! Asking a provider for a grant: in the browser (authorization code with PKCE, RFC 7636) or on another device
//! (RFC 8628).
//!
//! A request has a name that nobody can guess. It is the `state` of the browser's way, so an answer belongs to
//! the request it was asked with, and it counts only for the user who asked and only once. Its hash is kept, and
//! sealed what only we may know: the PKCE verifier, or the device's code.
//!
//! Nobody waits in the background for a device: whoever looks how it stands makes us ask, as often as the provider
//! allows.

use super::{Authority, AuthorityError, Tokens, access_place, client, refresh_place};
use crate::may::{Actor, Verb};
use crate::people::invalid;
use crate::seal::Secret;
use crate::{Desk, Refusal, sign_in};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{GrantId, ProviderId, Time, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::changes::{self, Change, ChangeKind};
use store::grants::{self, Grant, Provider, Request};
use store::sql::Tx;
use url::Url;

/// Somebody has so long to sign in at the provider, in seconds.
const PATIENCE_S: i64 = 900;
/// Open requests of one person.
const MOST_OPEN: i64 = 10;
/// How a request went can be asked so long after its end, in seconds.
const KEPT_S: i64 = 86_400;

/// A sign-in in the browser.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where the browser goes.
    pub url: String,
    /// The request's name.
    pub request: String,
}

/// A sign-in on another device.
#[derive(Clone, Debug)]
pub struct DeviceAsked {
    /// The request's name.
    pub request: String,
    /// What the person types in.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// Seconds between two looks.
    pub interval_s: u64,
    /// When it ends.
    pub expires_at: Time,
}

/// How a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The person has not decided.
    Pending,
    /// It was granted.
    Granted(GrantId),
    /// It was refused, with the provider's word.
    Refused(String),
    /// Its time is over.
    Expired,
}

/// What a request keeps, sealed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    /// Of the browser's way.
    Code { verifier: String, redirect_uri: String },
    /// Of a device: its code, and when it may be asked with next (microseconds).
    Device { code: String, interval_s: u64, next_at: i64 },
}

/// Begins a sign-in in the browser. `redirect_uri` is where it comes back to us; `hint` the address it is about.
pub async fn authorize(
    desk: &Desk,
    actor: &Actor,
    id: ProviderId,
    redirect_uri: &str,
    hint: Option<&str>,
) -> Result<Asked, Refusal> {
    let (user, provider) = asking(desk, actor, id).await?;
    let (request, verifier) = (chance(), chance());
    let mut url = Url::parse(&provider.authorize_url).map_err(anyhow::Error::from)?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &provider.scope)
        .append_pair("state", &request)
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)))
        .append_pair("code_challenge_method", "S256");
    if let Some(hint) = hint.filter(|hint| !hint.is_empty()) {
        url.query_pairs_mut().append_pair("login_hint", hint);
    }
    let kept = Kept::Code { verifier, redirect_uri: redirect_uri.to_owned() };
    let expires_at = desk.clock.now().plus_s(PATIENCE_S);
    keep(desk, user, id, &request, &kept, expires_at).await?;
    Ok(Asked { url: url.into(), request })
}

/// The browser came back: exchanges the code for tokens. `code` or the provider's word why not.
pub async fn granted(
    desk: &Desk,
    actor: &Actor,
    authority: &dyn Authority,
    state: &str,
    code: Result<&str, &str>,
) -> Result<Standing, Refusal> {
    let request = request_of(desk, actor, state).await?;
    if let Some(ended) = ended(desk, &request) {
        return Ok(ended);
    }
    let Kept::Code { verifier, redirect_uri } = open(desk, &request)? else { return Err(Refusal::NotFound) };
    let code = match code {
        Ok(code) => code,
        Err(word) => return refuse(desk, &request, word).await,
    };
    // A code is good for one question only, also when two browsers come back with it.
    let mut tx = desk.db.begin().await?;
    let first = grants::take_request(&mut tx, &request.hash).await?;
    tx.commit().await?;
    if !first {
        return Ok(Standing::Pending);
    }
    let provider = grants::provider(&mut &desk.db, request.provider).await?.ok_or(Refusal::NotFound)?;
    let mut form = client(desk, &provider).await?;
    form.extend([
        ("grant_type", Secret::new("authorization_code")),
        ("code", Secret::new(code)),
        ("redirect_uri", Secret::new(redirect_uri)),
        ("code_verifier", Secret::new(verifier)),
    ]);
    match authority.tokens(provider.token_url, form).await {
        Ok(tokens) => save(desk, &request, tokens).await,
        Err(AuthorityError::Refused { code, .. }) => refuse(desk, &request, &code).await,
        Err(AuthorityError::Later(_) | AuthorityError::Unknown(_)) => {
            refuse(desk, &request, "provider_unreachable").await
        }
    }
}

/// Begins a sign-in on another device.
pub async fn device(
    desk: &Desk,
    actor: &Actor,
    authority: &dyn Authority,
    id: ProviderId,
) -> Result<DeviceAsked, Refusal> {
    let (user, provider) = asking(desk, actor, id).await?;
    if provider.device_url.is_empty() {
        return Err(Refusal::conflict(
            "no_device_flow",
            "This provider lets nobody sign in on another device.",
        ));
    }
    let mut form = client(desk, &provider).await?;
    form.push(("scope", Secret::new(&provider.scope)));
    let begun = authority.device(provider.device_url, form).await.map_err(unreached)?;
    let request = chance();
    let now = desk.clock.now();
    let expires_at = now.plus_s(i64::try_from(begun.expires_in_s).unwrap_or(PATIENCE_S));
    let kept = Kept::Device {
        code: begun.code.reveal().to_owned(),
        interval_s: begun.interval_s,
        next_at: now.plus_s(seconds(begun.interval_s)).0,
    };
    keep(desk, user, id, &request, &kept, expires_at).await?;
    let (user_code, verification_uri, interval_s) =
        (begun.user_code, begun.verification_uri, begun.interval_s);
    Ok(DeviceAsked { request, user_code, verification_uri, interval_s, expires_at })
}

/// How a request of one's own stands. Of a device's, the provider is asked if it may be.
pub async fn standing(
    desk: &Desk,
    actor: &Actor,
    authority: &dyn Authority,
    request: &str,
) -> Result<Standing, Refusal> {
    let request = request_of(desk, actor, request).await?;
    if let Some(ended) = ended(desk, &request) {
        return Ok(ended);
    }
    let Kept::Device { code, interval_s, next_at } = open(desk, &request)? else {
        return Ok(Standing::Pending);
    };
    let now = desk.clock.now();
    if now.0 < next_at {
        return Ok(Standing::Pending);
    }
    // Written first: whoever looks at the same time does not ask as well.
    let next = |interval_s: u64| Kept::Device {
        code: code.clone(),
        interval_s,
        next_at: now.plus_s(seconds(interval_s)).0,
    };
    wait(desk, &request, &next(interval_s)).await?;
    let provider = grants::provider(&mut &desk.db, request.provider).await?.ok_or(Refusal::NotFound)?;
    let mut form = client(desk, &provider).await?;
    form.extend([
        ("grant_type", Secret::new("urn:ietf:params:oauth:grant-type:device_code")),
        ("device_code", Secret::new(&code)),
    ]);
    match authority.tokens(provider.token_url, form).await {
        Ok(tokens) => save(desk, &request, tokens).await,
        Err(AuthorityError::Refused { code, .. }) => match code.as_str() {
            "authorization_pending" => Ok(Standing::Pending),
            "slow_down" => {
                // RFC 8628 section 3.5: five seconds more, from now on.
                wait(desk, &request, &next((interval_s + 5).min(60))).await?;
                Ok(Standing::Pending)
            }
            word => refuse(desk, &request, word).await,
        },
        Err(AuthorityError::Later(_) | AuthorityError::Unknown(_)) => Ok(Standing::Pending),
    }
}

/// Who asks, and whom.
async fn asking(desk: &Desk, actor: &Actor, id: ProviderId) -> Result<(UserId, Provider), Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    let user = actor.person()?;
    let provider = grants::provider(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)?;
    if grants::open_requests(&mut &desk.db, user, desk.clock.now()).await? >= MOST_OPEN {
        let message = "You have begun to sign in too often. Finish one, or wait a quarter of an hour.";
        return Err(Refusal::conflict("too_many_requests", message));
    }
    Ok((user, provider))
}

async fn keep(
    desk: &Desk,
    user: UserId,
    provider: ProviderId,
    request: &str,
    kept: &Kept,
    expires_at: Time,
) -> Result<(), Refusal> {
    let hash = sign_in::digest(request);
    let kind = match kept {
        Kept::Code { .. } => "code",
        Kept::Device { .. } => "device",
    };
    let request = Request {
        hash,
        provider,
        user,
        secret: sealed(desk, &hash, kept)?,
        kind: kind.into(),
        grant: None,
        error: None,
        expires_at,
    };
    let mut tx = desk.db.begin().await?;
    grants::sweep_requests(&mut tx, desk.clock.now().plus_s(-KEPT_S)).await?;
    grants::add_request(&mut tx, &request).await?;
    Ok(tx.commit().await?)
}

/// A request of the actor's own.
async fn request_of(desk: &Desk, actor: &Actor, name: &str) -> Result<Request, Refusal> {
    let user = actor.person()?;
    let request = grants::request(&mut &desk.db, &sign_in::digest(name)).await?;
    request.filter(|request| request.user == user).ok_or(Refusal::NotFound)
}

fn ended(desk: &Desk, request: &Request) -> Option<Standing> {
    match (request.grant, &request.error) {
        (Some(grant), _) => Some(Standing::Granted(grant)),
        (None, Some(error)) => Some(Standing::Refused(error.clone())),
        (None, None) => (request.expires_at <= desk.clock.now()).then_some(Standing::Expired),
    }
}

async fn wait(desk: &Desk, request: &Request, kept: &Kept) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    grants::keep_in_request(&mut tx, &request.hash, sealed(desk, &request.hash, kept)?).await?;
    Ok(tx.commit().await?)
}

async fn refuse(desk: &Desk, request: &Request, word: &str) -> Result<Standing, Refusal> {
    let word: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
    let mut tx = desk.db.begin().await?;
    grants::end_request(&mut tx, &request.hash, None, Some(&word)).await?;
    tx.commit().await?;
    Ok(Standing::Refused(word))
}

/// Keeps what was granted and ends the request, in one transaction.
async fn save(desk: &Desk, request: &Request, tokens: Tokens) -> Result<Standing, Refusal> {
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    let id = grants::new_grant_id(&mut tx).await?;
    let grant = Grant {
        id,
        provider: request.provider,
        user: Some(request.user),
        access_token: desk.seal.seal(&access_place(id), &tokens.access),
        refresh_token: tokens.refresh.map(|token| desk.seal.seal(&refresh_place(id), &token)),
        expires_at: tokens.expires_in_s.map(|s| now.plus_s(seconds(s))),
        refreshed_at: now,
        error: None,
    };
    grants::add_grant(&mut tx, &grant).await?;
    if !grants::end_request(&mut tx, &request.hash, Some(id), None).await? {
        return Ok(Standing::Pending);
    }
    tell(desk, &mut tx, request.user, "granted").await?;
    tx.commit().await?;
    Ok(Standing::Granted(id))
}

async fn tell(desk: &Desk, tx: &mut Tx, user: UserId, action: &'static str) -> Result<(), Refusal> {
    let change = Change { kind: ChangeKind::User, entity_id: user.0, thread: None, action };
    changes::add(tx, change, desk.clock.now()).await?;
    Ok(())
}

fn unreached(error: AuthorityError) -> Refusal {
    match error {
        AuthorityError::Refused { code, description } => {
            invalid("client_id", "refused", format!("the provider refused: {code} {description}"))
        }
        AuthorityError::Later(why) | AuthorityError::Unknown(why) => {
            Refusal::conflict("provider_unreachable", format!("The provider does not answer: {why}"))
        }
    }
}

fn sealed(desk: &Desk, hash: &[u8; 32], kept: &Kept) -> Result<Vec<u8>, Refusal> {
    let text = serde_json::to_string(kept).map_err(anyhow::Error::from)?;
    Ok(desk.seal.seal(&place(hash), &Secret::new(text)))
}

fn open(desk: &Desk, request: &Request) -> Result<Kept, Refusal> {
    let text = desk.seal.open(&place(&request.hash), &request.secret)?;
    Ok(serde_json::from_str(text.reveal()).map_err(anyhow::Error::from)?)
}

fn place(hash: &[u8; 32]) -> String {
    format!("grant_requests|{}|secret", URL_SAFE_NO_PAD.encode(hash))
}

/// 43 characters that nobody can guess: a request's name, a PKCE verifier (RFC 7636 section 4.1).
fn chance() -> String {
    URL_SAFE_NO_PAD.encode(crate::random::bytes::<32>())
}

pub(super) fn seconds(s: u64) -> i64 {
    i64::try_from(s).unwrap_or(i64::MAX)
}
