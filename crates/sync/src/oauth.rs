//! Providers asked over the network, in the words of the desk.

use desk::grant::{Authority, AuthorityError, Device, Form, Tokens};
use desk::mailbox::Boxed;
use desk::seal::Secret;
use wire::Reach;
use wire::http::Http;
use wire::oauth::{self, OAuthError};

/// Asks providers. An administrator names them, so they may be anywhere; without TLS only on this machine itself.
#[derive(Clone, Debug, Default)]
pub struct Network;

impl Network {
    fn http() -> Http {
        Http { reach: Reach::Anywhere, ..Http::default() }
    }
}

impl Authority for Network {
    fn tokens(&self, url: String, form: Form) -> Boxed<'_, Result<Tokens, AuthorityError>> {
        Box::pin(async move {
            let tokens = oauth::tokens(&Network::http(), &url, &fields(&form)).await.map_err(said)?;
            Ok(Tokens {
                access: Secret::new(tokens.access),
                refresh: tokens.refresh.map(Secret::new),
                expires_in_s: tokens.expires_in_s,
            })
        })
    }

    fn device(&self, url: String, form: Form) -> Boxed<'_, Result<Device, AuthorityError>> {
        Box::pin(async move {
            let device = oauth::device(&Network::http(), &url, &fields(&form)).await.map_err(said)?;
            Ok(Device {
                code: Secret::new(device.code),
                user_code: device.user_code,
                verification_uri: device.verification_uri,
                interval_s: device.interval_s,
                expires_in_s: device.expires_in_s,
            })
        })
    }
}

fn fields(form: &Form) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (*name, value.reveal())).collect()
}

fn said(error: OAuthError) -> AuthorityError {
    match error {
        OAuthError::Refused { code, description } => AuthorityError::Refused { code, description },
        OAuthError::Later { reason, .. } => AuthorityError::Later(reason),
        OAuthError::Unknown(reason) => AuthorityError::Unknown(reason),
    }
}
