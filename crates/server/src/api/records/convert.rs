//! Leads that become contacts, and forms that become either.

use super::{FieldValue, Record};
use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use axum::extract::State;
use desk::record::{Conversion, ToAccount};
use model::{FormMapping, MessageId, RecordId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a lead is converted. Without an account: the lead's own, else the one of its address's domain.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversionRequest {
    /// This account.
    account_id: Option<i64>,
    /// The account of this name, made if there is none.
    account_name: Option<String>,
    /// No account at all.
    #[serde(default)]
    without_account: bool,
    /// Makes an opportunity of this name too.
    opportunity: Option<String>,
}

/// Make a contact of a lead
///
/// A contact with the lead's address takes it in; else one is made. Answers with the contact.
#[utoipa::path(post, path = "/api/v1/leads/{id}/convert", params(("id" = i64, Path)), request_body = ConversionRequest, responses((status = 200, body = Record)))]
pub async fn convert_lead(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<ConversionRequest>,
) -> Result<Json<Record>, Problem> {
    let account = match (form.account_id, form.account_name, form.without_account) {
        (Some(id), _, _) => ToAccount::Existing(RecordId(id)),
        (None, Some(name), _) => ToAccount::Named(name),
        (None, None, true) => ToAccount::None,
        (None, None, false) => ToAccount::Found,
    };
    let wanted = Conversion { account, opportunity: form.opportunity };
    Ok(Json(desk::record::convert(&app.desk, &actor, RecordId(id), wanted).await?.into()))
}

/// A mapping to be tried on a message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormTry {
    message: i64,
    mapping: FormPlaces,
}

/// Where the parts of a record come from in a web form's mail: the label before the value in the text, or `@from`,
/// `@reply_to`, `@subject`, `@body`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub struct FormPlaces {
    /// The record's name; several are joined with a blank.
    name: Vec<String>,
    /// Its mail address.
    address: String,
    /// The name of its company; empty: none.
    account: String,
    /// What each field is called in the record, and where it comes from.
    fields: Vec<(String, String)>,
}

/// What a mapping finds in a message.
#[derive(Serialize, ToSchema)]
pub struct FormFound {
    name: String,
    address: String,
    account: String,
    fields: Vec<FieldValue>,
    /// Whether it is enough for a record: a name or an address.
    complete: bool,
}

/// Try a web form's mapping on a message
#[utoipa::path(post, path = "/api/v1/rules/form/try", request_body = FormTry, responses((status = 200, body = FormFound)))]
pub async fn try_form(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<FormTry>,
) -> Result<Json<FormFound>, Problem> {
    let FormPlaces { name, address, account, fields } = form.mapping;
    let mapping = FormMapping { name, address, account, fields };
    let found = desk::record::try_form(&app.desk, &actor, MessageId(form.message), mapping).await?;
    let fields = found.form.fields.into_iter().map(|(label, value)| FieldValue::new(label, value));
    Ok(Json(FormFound {
        fields: fields.collect(),
        name: found.form.name,
        address: found.form.address,
        account: found.form.account,
        complete: found.complete,
    }))
}
