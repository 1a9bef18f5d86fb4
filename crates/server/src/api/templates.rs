//! Templates of answers, and which mailbox answers by itself with which.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::{Moment, given};
use axum::extract::State;
use axum::http::StatusCode;
use desk::template::{self as verbs, Look, TemplateChange, variables::VARIABLES};
use model::{MailboxId, TemplateId, ThreadId};
use serde::{Deserialize, Serialize};
use store::templates;
use utoipa::ToSchema;

/// A template.
#[derive(Serialize, ToSchema)]
pub struct Template {
    id: i64,
    name: String,
    /// Counts its changes.
    version: i64,
    updated_at: Moment,
    /// Its texts, by language.
    texts: Vec<TemplateText>,
    /// Mailboxes that answer first mails with it.
    mailboxes: Vec<TemplateMailbox>,
}

/// What it says in one language.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateText {
    /// ISO 639-1: cs, sk, pl, en, de …
    language: String,
    /// Empty: made from that of the mail that is answered.
    #[serde(default)]
    subject: String,
    /// With variables in double braces: `{{case.number}}`, `{{customer.name|Sir or Madam}}`.
    body: String,
}

/// A mailbox that answers with it.
#[derive(Serialize, ToSchema)]
pub struct TemplateMailbox {
    id: i64,
    address: String,
}

/// A variable.
#[derive(Serialize, ToSchema)]
pub struct TemplateVariable {
    name: &'static str,
    /// The variable that stands in for it where nothing is known; null: nothing does.
    fallback: Option<&'static str>,
    example: &'static str,
}

/// Templates, and what they can speak of.
#[derive(Serialize, ToSchema)]
pub struct Templates {
    templates: Vec<Template>,
    variables: Vec<TemplateVariable>,
}

/// A template to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    name: String,
    #[serde(default)]
    texts: Vec<TemplateText>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplatePatch {
    name: Option<String>,
    /// All of them.
    texts: Option<Vec<TemplateText>>,
    /// The version it was thought for; without it the newest wins.
    version: Option<i64>,
}

/// What is to be looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateLook {
    /// Without one: the first.
    language: Option<String>,
    /// Subject and text as they are being written, instead of what is saved.
    draft: Option<TemplateDraft>,
    /// With the values of this thread; without one with examples.
    thread_id: Option<i64>,
}

/// A text that is not saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateDraft {
    subject: String,
    body: String,
}

/// A text with its variables replaced.
#[derive(Serialize, ToSchema)]
pub struct TemplatePreview {
    language: String,
    subject: String,
    body: String,
    /// Variables for which nothing was known.
    missing: Vec<&'static str>,
}

/// A group mailbox that may answer by itself.
#[derive(Serialize, ToSchema)]
pub struct AutoReply {
    mailbox_id: i64,
    name: String,
    address: String,
    /// Whether it has an outgoing server: without one nothing is answered.
    sends: bool,
    /// Null: it does not answer by itself.
    template_id: Option<i64>,
}

/// With what a mailbox answers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoReplyChoice {
    /// Null: with nothing.
    #[serde(deserialize_with = "given")]
    template_id: Option<Option<i64>>,
}

impl From<templates::Template> for Template {
    fn from(one: templates::Template) -> Template {
        let text = |text: templates::Text| TemplateText {
            language: text.language,
            subject: text.subject,
            body: text.body,
        };
        let mailbox = |(id, address): (MailboxId, String)| TemplateMailbox { id: id.0, address };
        Template {
            id: one.id.0,
            name: one.name,
            version: one.version,
            updated_at: one.updated_at.into(),
            texts: one.texts.into_iter().map(text).collect(),
            mailboxes: one.mailboxes.into_iter().map(mailbox).collect(),
        }
    }
}

fn texts(texts: Vec<TemplateText>) -> Vec<templates::Text> {
    let one = |text: TemplateText| templates::Text {
        language: text.language,
        subject: text.subject,
        body: text.body,
    };
    texts.into_iter().map(one).collect()
}

/// All templates, and the variables there are
#[utoipa::path(get, path = "/api/v1/templates", responses((status = 200, body = Templates)))]
pub async fn list_templates(State(app): State<App>, Who(actor): Who) -> Result<Json<Templates>, Problem> {
    let templates = verbs::list(&app.desk, &actor).await?.into_iter().map(Template::from).collect();
    let variable = |one: &desk::template::variables::Variable| TemplateVariable {
        name: one.name,
        fallback: one.fallback,
        example: one.example,
    };
    Ok(Json(Templates { templates, variables: VARIABLES.iter().map(variable).collect() }))
}

/// Add a template
#[utoipa::path(post, path = "/api/v1/templates", request_body = NewTemplate, responses((status = 201, body = Template)))]
pub async fn create_template(
    State(app): State<App>,
    Who(actor): Who,
    Json(new): Json<NewTemplate>,
) -> Result<(StatusCode, Json<Template>), Problem> {
    let template = verbs::add(&app.desk, &actor, &new.name, texts(new.texts)).await?;
    Ok((StatusCode::CREATED, Json(template.into())))
}

/// One template
#[utoipa::path(get, path = "/api/v1/templates/{id}", params(("id" = i64, Path)), responses((status = 200, body = Template)))]
pub async fn get_template(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Template>, Problem> {
    Ok(Json(verbs::get(&app.desk, &actor, TemplateId(id)).await?.into()))
}

/// Change a template
#[utoipa::path(patch, path = "/api/v1/templates/{id}", params(("id" = i64, Path)), request_body = TemplatePatch, responses((status = 200, body = Template)))]
pub async fn change_template(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(patch): Json<TemplatePatch>,
) -> Result<Json<Template>, Problem> {
    let change = TemplateChange { name: patch.name, texts: patch.texts.map(texts), version: patch.version };
    Ok(Json(verbs::change(&app.desk, &actor, TemplateId(id), change).await?.into()))
}

/// Remove a template that nothing answers with
#[utoipa::path(delete, path = "/api/v1/templates/{id}", params(("id" = i64, Path)), responses((status = 204, description = "It is gone.")))]
pub async fn remove_template(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    verbs::remove(&app.desk, &actor, TemplateId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A template's text with its variables replaced: by what is known of a thread, or by examples
#[utoipa::path(post, path = "/api/v1/templates/{id}/preview", params(("id" = i64, Path)), request_body = TemplateLook, responses((status = 200, body = TemplatePreview)))]
pub async fn preview_template(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(look): Json<TemplateLook>,
) -> Result<Json<TemplatePreview>, Problem> {
    let look = Look {
        language: look.language,
        draft: look.draft.map(|draft| (draft.subject, draft.body)),
        thread: look.thread_id.map(ThreadId),
    };
    let verbs::Preview { language, subject, body, missing } =
        verbs::preview(&app.desk, &actor, TemplateId(id), look).await?;
    Ok(Json(TemplatePreview { language, subject, body, missing }))
}

/// Group mailboxes with the template that each answers the first mail of a case with
#[utoipa::path(get, path = "/api/v1/auto-replies", responses((status = 200, body = [AutoReply])))]
pub async fn list_auto_replies(
    State(app): State<App>,
    Who(actor): Who,
) -> Result<Json<Vec<AutoReply>>, Problem> {
    let one = |(mailbox, template): (store::mailboxes::Mailbox, Option<TemplateId>)| AutoReply {
        mailbox_id: mailbox.id.0,
        name: mailbox.name,
        address: mailbox.address,
        sends: mailbox.outgoing.is_some(),
        template_id: template.map(|id| id.0),
    };
    Ok(Json(verbs::auto_replies(&app.desk, &actor).await?.into_iter().map(one).collect()))
}

/// Say with which template a group mailbox answers the first mail of a case
///
/// Never machines, lists and bounces, each sender once a day and once in a case, at most 200 in an hour.
#[utoipa::path(put, path = "/api/v1/auto-replies/{mailbox}", params(("mailbox" = i64, Path)), request_body = AutoReplyChoice, responses((status = 204, description = "So it is from now on.")))]
pub async fn set_auto_reply(
    State(app): State<App>,
    Who(actor): Who,
    Path(mailbox): Path<i64>,
    Json(choice): Json<AutoReplyChoice>,
) -> Result<StatusCode, Problem> {
    let template = choice.template_id.flatten().map(TemplateId);
    verbs::set_auto_reply(&app.desk, &actor, MailboxId(mailbox), template).await?;
    Ok(StatusCode::NO_CONTENT)
}
