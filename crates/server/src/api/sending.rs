//! Trying outgoing settings with a real mail.

use crate::App;
use crate::api::mailboxes::TestResult;
use crate::extract::{Json, Who};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use desk::seal::Secret;
use desk::sending::{self as verbs, SendingTest};
use model::{GrantId, MailboxId, Tls};
use serde::Deserialize;
use utoipa::ToSchema;

/// OutgoingMail settings to try. Fields of a mailbox that sending does not need may be there and are not looked at: the
/// form of a mailbox is sent as a whole.
#[derive(Deserialize, ToSchema)]
pub struct TestSending {
    /// The sender.
    address: String,
    /// As for receiving; signs in where `outgoing` has no user name.
    username: Option<String>,
    /// Likewise.
    password: Option<String>,
    /// Likewise.
    grant_id: Option<i64>,
    /// The mailbox whose stored password is used where none is given, as long as the outgoing server, port,
    /// protection and user are its own.
    mailbox_id: Option<i64>,
    outgoing: TestOutgoing,
    /// Default: one's own first address.
    to: Option<String>,
}

/// A server to send through.
#[derive(Deserialize, ToSchema)]
pub struct TestOutgoing {
    host: String,
    port: u16,
    /// `none` only to this machine itself.
    #[schema(value_type = shape::Tls)]
    tls: Tls,
    /// Default: as for receiving.
    username: Option<String>,
    password: Option<String>,
}

/// Sign in for sending and send one mail; save nothing
#[utoipa::path(post, path = "/api/v1/mailboxes/test-sending", request_body = TestSending, responses((status = 200, body = TestResult)))]
pub async fn test_sending(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<TestSending>,
) -> Result<Json<TestResult>, Problem> {
    let outcome = verbs::test(&app.desk, &actor, app.rounds.as_ref(), form.into()).await?;
    Ok(Json(outcome.into()))
}

impl From<TestSending> for SendingTest {
    fn from(form: TestSending) -> SendingTest {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let outgoing = form.outgoing;
        let own = said(outgoing.username);
        let password = match &own {
            Some(_) => said(outgoing.password),
            None => said(outgoing.password).or(said(form.password)),
        };
        SendingTest {
            address: form.address,
            to: form.to,
            host: outgoing.host,
            port: outgoing.port,
            tls: outgoing.tls,
            username: own.or(form.username).unwrap_or_default(),
            password: password.map(Secret::new),
            grant: form.grant_id.map(GrantId),
            stored: form.mailbox_id.map(MailboxId),
        }
    }
}
