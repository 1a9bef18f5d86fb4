//! Guesses at the servers of an address.

use crate::App;
use crate::extract::{Json, Who};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use desk::guess::{self as verbs, GuessSource};
use model::Tls;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An address to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuessFor {
    address: String,
}

/// Guesses, the most trusted first.
#[derive(Serialize, ToSchema)]
pub struct Guesses {
    candidates: Vec<GuessCandidate>,
}

/// One guess. Nothing was signed in to: the receiving test proves or refutes it.
#[derive(Serialize, ToSchema)]
pub struct GuessCandidate {
    #[schema(value_type = shape::GuessSource)]
    source: GuessSource,
    /// The provider's name, or the domain.
    name: String,
    imap: Option<GuessedServer>,
    pop3: Option<GuessedServer>,
    smtp: Option<GuessedServer>,
    /// The OAuth provider that is set up here and opens these servers.
    provider_id: Option<i64>,
    /// The preset of that provider, also where none is set up: `google`, `microsoft`.
    preset: Option<String>,
    /// What to know: `app_password`, `switch_on` (IMAP in the provider's settings), `oauth_only`,
    /// `other_domain`, `not_checked`, `unknown_domain`.
    note: Option<String>,
}

/// A server and who signs in there.
#[derive(Serialize, ToSchema)]
pub struct GuessedServer {
    host: String,
    port: u16,
    #[schema(value_type = shape::Tls)]
    tls: Tls,
    username: String,
}

impl From<verbs::Endpoint> for GuessedServer {
    fn from(server: verbs::Endpoint) -> GuessedServer {
        GuessedServer { host: server.host, port: server.port, tls: server.tls, username: server.username }
    }
}

/// Guess the servers of an address; answers within ten seconds
#[utoipa::path(post, path = "/api/v1/mailboxes/guess", request_body = GuessFor, responses((status = 200, body = Guesses)))]
pub async fn guess_servers(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<GuessFor>,
) -> Result<Json<Guesses>, Problem> {
    let found = verbs::guess(&app.desk, &actor, app.rounds.as_ref(), &form.address).await?;
    let shown = |candidate: verbs::Candidate| GuessCandidate {
        source: candidate.source,
        name: candidate.name,
        imap: candidate.imap.map(Into::into),
        pop3: candidate.pop3.map(Into::into),
        smtp: candidate.smtp.map(Into::into),
        provider_id: candidate.provider.map(|id| id.0),
        preset: candidate.preset,
        note: candidate.note,
    };
    Ok(Json(Guesses { candidates: found.into_iter().map(shown).collect() }))
}
