//! Signing in at a provider instead of entering a password (OAuth 2.0): who may be asked, how a grant comes about,
//! and a fresh token for each connection.
//!
//! Tokens, client secrets and codes are sealed like passwords and shown to nobody. A provider may give a new
//! refresh token with each access token and forget the old one, so what it gives is committed before it is used
//! (T41): [`fresh`]. If the process ends between the provider's answer and the commit, the old refresh token is all
//! there is; it is tried again, and if the provider has forgotten it, the grant says so and people are told.

mod ask;
mod fresh;
mod provider;

pub use ask::{Asked, DeviceAsked, Standing, authorize, device, granted, standing};
pub(crate) use fresh::token;
pub use fresh::{NoToken, distrust, fresh, fresh_own, ready};
pub use provider::{PRESETS, Preset, ProviderChange, add, change, list, remove};

use crate::mailbox::Boxed;
use crate::seal::Secret;
use crate::{Desk, Refusal};
use model::{GrantId, ProviderId};
use store::grants::{self, Provider};

/// What a provider granted.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Opens the door.
    pub access: Secret,
    /// Gets the next ones; where there is none, the one before stays good.
    pub refresh: Option<Secret>,
    /// Seconds that the access token is good for.
    pub expires_in_s: Option<u64>,
}

/// A sign-in that somebody finishes on another device.
#[derive(Clone, Debug)]
pub struct Device {
    /// What is asked with.
    pub code: Secret,
    /// What the person types in.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// Seconds between two questions, at least.
    pub interval_s: u64,
    /// Seconds until it ends.
    pub expires_in_s: u64,
}

/// Why a provider gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorityError {
    /// It said no: its word and its sentence.
    Refused {
        /// As `invalid_grant`.
        code: String,
        /// May be empty.
        description: String,
    },
    /// Nothing was changed there; later maybe.
    Later(String),
    /// It may have acted; nobody knows.
    Unknown(String),
}

/// What is sent to a provider: fields by name.
pub type Form = Vec<(&'static str, Secret)>;

/// Those who ask providers over the network. Implemented by the crate `sync`.
pub trait Authority: Send + Sync {
    /// Asks for tokens at this address.
    fn tokens(&self, url: String, form: Form) -> Boxed<'_, Result<Tokens, AuthorityError>>;
    /// Begins a sign-in on another device.
    fn device(&self, url: String, form: Form) -> Boxed<'_, Result<Device, AuthorityError>>;
}

/// Who we are to a provider, as every form says it.
async fn client(desk: &Desk, provider: &Provider) -> Result<Form, Refusal> {
    let mut form: Form = vec![("client_id", Secret::new(&provider.client_id))];
    if let Some(sealed) = grants::client_secret(&mut &desk.db, provider.id).await? {
        form.push(("client_secret", desk.seal.open(&client_place(provider.id), &sealed)?));
    }
    Ok(form)
}

fn client_place(id: ProviderId) -> String {
    format!("providers|{id}|client_secret")
}

fn access_place(id: GrantId) -> String {
    format!("grants|{id}|access_token")
}

fn refresh_place(id: GrantId) -> String {
    format!("grants|{id}|refresh_token")
}
