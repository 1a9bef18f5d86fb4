//! Tokens from an OAuth 2.0 provider (RFC 6749, RFC 8628): one request, one typed answer.
//!
//! What matters to the caller is whether the provider may have acted: a refusal is final, what was never heard
//! changed nothing, and of what broke in the middle nobody knows. A token is in no error, log or address:
//! requests are forms in a body, and of an error only its code and description are kept.

use crate::http::{Http, HttpAnswer, HttpError};
use crate::transcript::printable;
use serde_json::Value;

/// Characters of a provider's words that are kept.
const MOST_CHARS: usize = 200;
/// Longer tokens are refused: nobody gives them.
const LONGEST: usize = 16 << 10;

/// What a provider granted. Does not print its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Opens the door.
    pub access: String,
    /// Gets the next ones; where there is none, the one before stays good.
    pub refresh: Option<String>,
    /// Seconds that the access token is good for.
    pub expires_in_s: Option<u64>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("expires_in_s", &self.expires_in_s).finish_non_exhaustive()
    }
}

/// A sign-in that somebody finishes on another device (RFC 8628 section 3.2). Does not print its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// What is asked with.
    pub code: String,
    /// What the person types in.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// Seconds between two questions, at least.
    pub interval_s: u64,
    /// Seconds until it ends.
    pub expires_in_s: u64,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("user_code", &self.user_code).finish_non_exhaustive()
    }
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The provider said no (RFC 6749 section 5.2): asking the same again gives the same.
    #[error("the provider refused: {code} {description}")]
    Refused {
        /// Its word, as `invalid_grant`.
        code: String,
        /// Its sentence; may be empty.
        description: String,
    },
    /// Not now: it was not heard, or the provider has too much to do. Nothing was changed.
    #[error("the provider does not answer now: {reason}")]
    Later {
        /// What happened.
        reason: String,
        /// Seconds to wait, where the provider said so.
        retry_after_s: Option<u64>,
    },
    /// It was heard, and the answer did not come or cannot be understood. The provider may have acted.
    #[error("what the provider did is not known: {0}")]
    Unknown(String),
}

/// Asks for tokens.
///
/// # Errors
/// [`OAuthError`]; while a person has not yet decided on another device, `Refused` with the code
/// `authorization_pending` or `slow_down` (RFC 8628 section 3.5).
pub async fn tokens(http: &Http, url: &str, form: &[(&str, &str)]) -> Result<Tokens, OAuthError> {
    let answer = asked(http, url, form).await?;
    let text = |name: &str| answer[name].as_str().filter(|text| (1..LONGEST).contains(&text.len()));
    let access = text("access_token").filter(|token| token.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    let Some(access) = access else { return Err(OAuthError::Unknown("an answer without a token".into())) };
    Ok(Tokens {
        access: access.to_owned(),
        refresh: text("refresh_token").map(str::to_owned),
        expires_in_s: number(&answer["expires_in"]),
    })
}

/// Begins a sign-in on another device.
///
/// # Errors
/// [`OAuthError`].
pub async fn device(http: &Http, url: &str, form: &[(&str, &str)]) -> Result<Device, OAuthError> {
    let answer = asked(http, url, form).await?;
    let text = |name: &str| answer[name].as_str().filter(|text| (1..LONGEST).contains(&text.len()));
    // Google says `verification_url`, as a draft did.
    let uri = text("verification_uri").or(text("verification_url")).filter(|uri| uri.starts_with("http"));
    let (Some(code), Some(user_code), Some(uri)) = (text("device_code"), text("user_code"), uri) else {
        return Err(OAuthError::Unknown("an answer without a code".into()));
    };
    Ok(Device {
        code: code.to_owned(),
        user_code: printable(user_code.as_bytes(), MOST_CHARS),
        verification_uri: printable(uri.as_bytes(), 2000),
        interval_s: number(&answer["interval"]).unwrap_or(5).clamp(1, 60),
        expires_in_s: number(&answer["expires_in"]).unwrap_or(600).clamp(60, 3600),
    })
}

async fn asked(http: &Http, url: &str, form: &[(&str, &str)]) -> Result<Value, OAuthError> {
    match http.post_form(url, form).await {
        Ok(answer) => understood(&answer),
        Err(error @ (HttpError::Url(_) | HttpError::Connect(_))) => {
            Err(OAuthError::Later { reason: error.to_string(), retry_after_s: None })
        }
        Err(error @ HttpError::Broken { .. }) => Err(OAuthError::Unknown(error.to_string())),
    }
}

fn understood(answer: &HttpAnswer) -> Result<Value, OAuthError> {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let code = json.as_ref().and_then(|json| json["error"].as_str()).map(str::to_owned);
    let later = |reason: String| OAuthError::Later { reason, retry_after_s: answer.retry_after_s };
    match (answer.status, code, json) {
        (429 | 503, ..) => Err(later(format!("it answered with status {}", answer.status))),
        (_, Some(code), _) if code == "temporarily_unavailable" || code == "server_error" => Err(later(code)),
        (400..=499, Some(code), Some(json)) => {
            let description = json["error_description"].as_str().unwrap_or_default();
            Err(OAuthError::Refused {
                code: printable(code.as_bytes(), 60),
                description: printable(description.as_bytes(), MOST_CHARS),
            })
        }
        (200, None, Some(json)) => Ok(json),
        (status, ..) => Err(OAuthError::Unknown(format!("it answered with status {status}"))),
    }
}

/// Some providers write numbers as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Result<Value, OAuthError> {
        understood(&HttpAnswer { status, location: None, retry_after_s: Some(7), body: body.into() })
    }

    #[test]
    fn a5_what_a_provider_says_is_final_later_or_unknown() {
        let refused = of(400, r#"{"error":"invalid_grant","error_description":"revoked\n"}"#).unwrap_err();
        assert_eq!(
            refused,
            OAuthError::Refused { code: "invalid_grant".into(), description: "revoked?".into() }
        );
        for (status, body) in [
            (429, "{\"error\":\"invalid_grant\"}"),
            (503, "<html>"),
            (400, "{\"error\":\"temporarily_unavailable\"}"),
        ] {
            assert!(
                matches!(of(status, body), Err(OAuthError::Later { retry_after_s: Some(7), .. })),
                "{status}"
            );
        }
        for (status, body) in [(200, "<html>"), (500, "{}"), (302, ""), (404, "no"), (401, "{}")] {
            assert!(matches!(of(status, body), Err(OAuthError::Unknown(_))), "{status}");
        }
    }

    #[test]
    fn a5_tokens_are_not_printed() {
        let tokens =
            Tokens { access: "ya29-secret".into(), refresh: Some("1//secret".into()), expires_in_s: Some(1) };
        assert!(!format!("{tokens:?}").contains("secret"));
    }
}
