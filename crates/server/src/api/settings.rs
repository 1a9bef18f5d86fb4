//! Settings of the whole system: how its own mail goes out, which servers inside users may name.

use crate::App;
use crate::extract::{Json, Who};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use desk::outgoing::{self, System};
use desk::seal::Secret;
use model::Tls;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the system's own mail goes out. The password is never shown.
#[derive(Serialize, ToSchema)]
pub struct OutgoingMail {
    /// Empty: none goes out.
    address: String,
    /// Empty: through the group mailbox of the address.
    host: String,
    port: u16,
    #[schema(value_type = shape::Tls)]
    tls: Tls,
    username: String,
    has_password: bool,
    resolved: Resolved,
}

/// What the setting comes to.
#[derive(Serialize, ToSchema)]
pub struct Resolved {
    /// `mailbox`, `server` or `none`: no mail of the system goes out.
    kind: &'static str,
    mailbox_id: Option<i64>,
}

/// How the system's own mail is to go out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOutgoingMail {
    /// Empty, with an empty host: none goes out.
    address: String,
    /// Empty: through the group mailbox of the address.
    #[serde(default)]
    host: String,
    /// Default: 465.
    port: Option<u16>,
    /// Default: implicit.
    #[schema(value_type = Option<shape::Tls>)]
    tls: Option<Tls>,
    #[serde(default)]
    username: String,
    /// Left out: the stored one stays, as long as host, port, tls and username do.
    password: Option<String>,
}

/// Hosts inside that everybody may name in a mailbox.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowedHosts {
    hosts: Vec<String>,
}

async fn shown(app: &App, setting: outgoing::Outgoing) -> Result<Json<OutgoingMail>, Problem> {
    let resolved = match outgoing::system(&app.desk).await? {
        System::None => Resolved { kind: "none", mailbox_id: None },
        System::Mailbox { id, .. } => Resolved { kind: "mailbox", mailbox_id: Some(id.0) },
        System::Server { .. } => Resolved { kind: "server", mailbox_id: None },
    };
    let outgoing::Outgoing { address, host, port, tls, username, has_password } = setting;
    Ok(Json(OutgoingMail { address, host, port, tls, username, has_password, resolved }))
}

/// How the system's own mail goes out
#[utoipa::path(get, path = "/api/v1/settings/outgoing", responses((status = 200, body = OutgoingMail)))]
pub async fn get_outgoing_mail(
    State(app): State<App>,
    Who(actor): Who,
) -> Result<Json<OutgoingMail>, Problem> {
    shown(&app, outgoing::get(&app.desk, &actor).await?).await
}

/// Say how the system's own mail goes out
#[utoipa::path(put, path = "/api/v1/settings/outgoing", request_body = NewOutgoingMail, responses((status = 200, body = OutgoingMail)))]
pub async fn set_outgoing_mail(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewOutgoingMail>,
) -> Result<Json<OutgoingMail>, Problem> {
    let wanted = outgoing::Outgoing {
        address: form.address,
        host: form.host,
        port: form.port.unwrap_or(465),
        tls: form.tls.unwrap_or(Tls::Implicit),
        username: form.username,
        has_password: false,
    };
    let password = form.password.map(Secret::new);
    shown(&app, outgoing::set(&app.desk, &actor, wanted, password).await?).await
}

/// Servers inside that everybody may name in a mailbox
#[utoipa::path(get, path = "/api/v1/settings/allowed-hosts", responses((status = 200, body = AllowedHosts)))]
pub async fn get_allowed_hosts(
    State(app): State<App>,
    Who(actor): Who,
) -> Result<Json<AllowedHosts>, Problem> {
    Ok(Json(AllowedHosts { hosts: desk::mailbox::allowed_hosts(&app.desk, &actor).await? }))
}

/// Say which servers inside everybody may name in a mailbox
#[utoipa::path(put, path = "/api/v1/settings/allowed-hosts", request_body = AllowedHosts, responses((status = 200, body = AllowedHosts)))]
pub async fn set_allowed_hosts(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<AllowedHosts>,
) -> Result<Json<AllowedHosts>, Problem> {
    let hosts = desk::mailbox::allow_hosts(&app.desk, &actor, &form.hosts).await?;
    Ok(Json(AllowedHosts { hosts }))
}
