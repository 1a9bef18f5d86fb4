//! Providers, as an administrator sets them up: whom we ask, and who we are there.

use super::client_place;
use crate::mailbox::checked::checked_text;
use crate::may::{Actor, Verb};
use crate::people::{checked_name, invalid};
use crate::seal::Secret;
use crate::{Desk, Refusal};
use model::ProviderId;
use store::changes::{self, Change, ChangeKind};
use store::grants::{self, Provider};
use store::sql::Tx;
use url::{Host, Url};

/// Longest address.
const LONGEST_URL: usize = 1000;

/// A well-known provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its word.
    pub word: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where the browser goes.
    pub authorize_url: &'static str,
    /// Where codes become tokens.
    pub token_url: &'static str,
    /// Where a device asks; empty: there is no device flow.
    pub device_url: &'static str,
    /// What is asked for.
    pub scope: &'static str,
}

/// The well-known providers.
pub const PRESETS: [Preset; 2] = [
    Preset {
        // developers.google.com/identity/protocols/oauth2/web-server (2026): without `access_type` and `prompt`
        // there is no refresh token. The device flow is not open to mail scopes.
        word: "google",
        name: "Google",
        authorize_url: "https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent",
        token_url: "https://oauth2.googleapis.com/token",
        device_url: "",
        scope: "https://mail.google.com/",
    },
    Preset {
        // learn.microsoft.com "Authenticate an IMAP, POP or SMTP connection using OAuth" (2026).
        word: "microsoft",
        name: "Microsoft",
        authorize_url: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token_url: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        device_url: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
        scope: "offline_access https://outlook.office.com/IMAP.AccessAsUser.All \
                https://outlook.office.com/POP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
    },
];

/// What is to be changed of a provider, or said of a new one; `None` leaves it, or takes the preset's.
#[derive(Clone, Debug, Default)]
pub struct ProviderChange {
    /// Its name.
    pub name: Option<String>,
    /// Where the browser goes.
    pub authorize_url: Option<String>,
    /// Where codes become tokens.
    pub token_url: Option<String>,
    /// Where a device asks; empty: there is no device flow.
    pub device_url: Option<String>,
    /// What is asked for, divided by spaces.
    pub scope: Option<String>,
    /// Who we are there.
    pub client_id: Option<String>,
    /// What proves it; empty: nothing, the client is public.
    pub client_secret: Option<Secret>,
}

/// All providers.
pub async fn list(desk: &Desk, actor: &Actor) -> Result<Vec<Provider>, Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    Ok(grants::providers(&mut &desk.db).await?)
}

/// Adds a provider; `preset` fills in what is not said.
pub async fn add(
    desk: &Desk,
    actor: &Actor,
    preset: Option<&str>,
    new: ProviderChange,
) -> Result<Provider, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let preset = match preset.filter(|word| !word.is_empty()) {
        Some(word) => Some(
            PRESETS
                .iter()
                .find(|preset| preset.word == word)
                .ok_or_else(|| invalid("preset", "unknown", "there are these presets: google, microsoft"))?,
        ),
        None => None,
    };
    let empty = Provider {
        id: ProviderId(0),
        name: preset.map_or("", |preset| preset.name).into(),
        preset: preset.map_or("", |preset| preset.word).into(),
        authorize_url: preset.map_or("", |preset| preset.authorize_url).into(),
        token_url: preset.map_or("", |preset| preset.token_url).into(),
        device_url: preset.map_or("", |preset| preset.device_url).into(),
        scope: preset.map_or("", |preset| preset.scope).into(),
        client_id: String::new(),
        has_secret: false,
    };
    let draft = changed(empty, &new)?;
    let mut tx = desk.db.begin().await?;
    check_name(&mut tx, &draft).await?;
    let id = grants::add_provider(&mut tx, &draft, desk.clock.now()).await?;
    finish(desk, tx, id, new.client_secret, "provider_added").await
}

/// Changes a provider. Another place for tokens without the secret: the stored one is forgotten, so that nobody can
/// have it sent to a server of their own. Likewise what people were granted: their access tokens stay good until they
/// end, then they sign in again.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: ProviderId,
    change: ProviderChange,
) -> Result<Provider, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    let before = grants::provider(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let after = changed(before.clone(), &change)?;
    check_name(&mut tx, &after).await?;
    grants::change_provider(&mut tx, &after).await?;
    let server = |provider: &Provider| {
        (provider.token_url.clone(), provider.device_url.clone(), provider.client_id.clone())
    };
    if change.client_secret.is_none() && server(&before) != server(&after) {
        grants::set_client_secret(&mut tx, id, None).await?;
    }
    if before.token_url != after.token_url {
        grants::forget_refresh_tokens(&mut tx, id).await?;
    }
    finish(desk, tx, id, change.client_secret, "provider_changed").await
}

/// Removes a provider that has granted nothing.
pub async fn remove(desk: &Desk, actor: &Actor, id: ProviderId) -> Result<(), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    grants::provider(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if grants::grants_of(&mut tx, id).await? > 0 {
        return Err(Refusal::conflict("provider_in_use", "People have signed in there for their mailboxes."));
    }
    grants::remove_provider(&mut tx, id).await?;
    tell(desk, &mut tx, id, "provider_removed").await?;
    Ok(tx.commit().await?)
}

async fn finish(
    desk: &Desk,
    mut tx: Tx,
    id: ProviderId,
    secret: Option<Secret>,
    action: &'static str,
) -> Result<Provider, Refusal> {
    if let Some(secret) = secret {
        let sealed = (!secret.reveal().is_empty()).then(|| desk.seal.seal(&client_place(id), &secret));
        grants::set_client_secret(&mut tx, id, sealed).await?;
    }
    let provider = grants::provider(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    tell(desk, &mut tx, id, action).await?;
    tx.commit().await?;
    Ok(provider)
}

async fn tell(desk: &Desk, tx: &mut Tx, id: ProviderId, action: &'static str) -> Result<(), Refusal> {
    let change = Change { kind: ChangeKind::Mailbox, entity_id: id.0, thread: None, action };
    changes::add(tx, change, desk.clock.now()).await?;
    Ok(())
}

async fn check_name(tx: &mut Tx, draft: &Provider) -> Result<(), Refusal> {
    match grants::provider_named(tx, &draft.name).await? {
        Some(id) if id != draft.id => {
            Err(Refusal::conflict("name_taken", "There is a provider of this name."))
        }
        _ => Ok(()),
    }
}

fn changed(mut provider: Provider, change: &ProviderChange) -> Result<Provider, Refusal> {
    if let Some(name) = &change.name {
        provider.name.clone_from(name);
    }
    provider.name = checked_name("name", &provider.name)?;
    for (to, from) in [
        (&mut provider.authorize_url, &change.authorize_url),
        (&mut provider.token_url, &change.token_url),
        (&mut provider.device_url, &change.device_url),
        (&mut provider.scope, &change.scope),
        (&mut provider.client_id, &change.client_id),
    ] {
        if let Some(from) = from {
            to.clone_from(from);
        }
    }
    check_url("authorize_url", &provider.authorize_url)?;
    check_url("token_url", &provider.token_url)?;
    if !provider.device_url.is_empty() {
        check_url("device_url", &provider.device_url)?;
    }
    provider.scope = checked_text("scope", &provider.scope)?;
    provider.client_id = checked_text("client_id", &provider.client_id)?;
    Ok(provider)
}

/// Secrets go over https, or nowhere but to this machine itself.
fn check_url(field: &'static str, text: &str) -> Result<(), Refusal> {
    let wrong = || invalid(field, "bad_url", "an address that begins with https://");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong()),
    };
    match (url.scheme(), text.len() <= LONGEST_URL && url.username().is_empty() && url.fragment().is_none()) {
        ("https", true) => Ok(()),
        ("http", true) if here => Ok(()),
        _ => Err(wrong()),
    }
}
