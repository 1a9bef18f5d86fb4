//! Rules and filters, what they would do, and what they did.

mod shape;

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use desk::rule;
use model::{MailboxId, MessageId, RuleId, RuleKind};
use serde::Deserialize;
pub use shape::*;

/// Tried on so many messages where the request does not say.
const TRIED: usize = 200;

/// Which rules.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RuleQuery {
    /// Those of this mailbox: its rules, or one's own filters of it.
    mailbox: Option<i64>,
    /// Rules or filters.
    #[param(value_type = Option<crate::shape::RuleKind>)]
    kind: Option<RuleKind>,
    /// Of filters that are of no one mailbox: one's own, or those of all mailboxes.
    #[param(value_type = Option<crate::shape::RuleScope>)]
    scope: Option<Scope>,
}

/// Rules in their order: of one list, or without parameters all one keeps
///
/// Filters are tried before rules: first those of all mailboxes, then the owner's of the mailbox and of their
/// whole inbox, then the rules of the mailbox.
#[utoipa::path(get, path = "/api/v1/rules", params(RuleQuery), responses((status = 200, body = [Rule])))]
pub async fn list_rules(
    State(app): State<App>,
    Who(actor): Who,
    Query(query): Query<RuleQuery>,
) -> Result<Json<Vec<Rule>>, Problem> {
    let RuleQuery { mailbox, kind, scope } = query;
    let rules = match (mailbox, kind, scope) {
        (None, None, None) => rule::all(&app.desk, &actor).await?,
        (None, None, scope) => {
            let place = place(Some(RuleKind::Filter), None, scope, actor.user)?;
            rule::of_place(&app.desk, &actor, place).await?
        }
        _ => rule::of_place(&app.desk, &actor, place(kind, mailbox, scope, actor.user)?).await?,
    };
    Ok(Json(rules.into_iter().map(Rule::from).collect()))
}

/// What conditions can ask
#[utoipa::path(get, path = "/api/v1/rules/fields", responses((status = 200, body = RuleFields)))]
pub async fn list_rule_fields() -> Json<RuleFields> {
    Json(RuleFields::all())
}

/// Add a rule behind the others of its list
#[utoipa::path(post, path = "/api/v1/rules", request_body = NewRule, responses((status = 201, body = Rule)))]
pub async fn create_rule(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewRule>,
) -> Result<(StatusCode, Json<Rule>), Problem> {
    let rule = rule::create(&app.desk, &actor, form.draft(actor.user)?).await?;
    Ok((StatusCode::CREATED, Json(rule.into())))
}

/// One rule
#[utoipa::path(get, path = "/api/v1/rules/{id}", params(("id" = i64, Path)), responses((status = 200, body = Rule)))]
pub async fn get_rule(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Rule>, Problem> {
    Ok(Json(rule::open(&app.desk, &actor, RuleId(id)).await?.into()))
}

/// Change a rule, or switch it on or off
#[utoipa::path(patch, path = "/api/v1/rules/{id}", params(("id" = i64, Path)), request_body = RulePatch, responses((status = 200, body = Rule)))]
pub async fn change_rule(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<RulePatch>,
) -> Result<Json<Rule>, Problem> {
    let version = form.version;
    Ok(Json(rule::change(&app.desk, &actor, RuleId(id), version, form.into()).await?.into()))
}

/// Remove a rule; what messages say of it stays
#[utoipa::path(delete, path = "/api/v1/rules/{id}", params(("id" = i64, Path)), responses((status = 204, description = "It is gone.")))]
pub async fn remove_rule(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    rule::remove(&app.desk, &actor, RuleId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Put the rules of a list into an order
#[utoipa::path(put, path = "/api/v1/rules/order", request_body = RuleOrder, responses((status = 204, description = "They are tried in this order.")))]
pub async fn order_rules(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<RuleOrder>,
) -> Result<StatusCode, Problem> {
    let ids: Vec<RuleId> = form.ids.into_iter().map(RuleId).collect();
    rule::order(&app.desk, &actor, &ids).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a rule out on past mail: nothing is done
///
/// On the newest messages of its mailbox or mailboxes, as far as one may see them: what it would match, on
/// what, and what it would do.
#[utoipa::path(post, path = "/api/v1/rules/try", request_body = TryRule, responses((status = 200, body = RuleTried)))]
pub async fn try_rule(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<TryRule>,
) -> Result<Json<RuleTried>, Problem> {
    let draft = match (form.rule, form.id) {
        (Some(rule), None) => rule.draft(actor.user)?,
        (None, Some(id)) => rule::open(&app.desk, &actor, RuleId(id)).await?.into(),
        _ => return Err(Problem::invalid("rule", "required", "give a rule, or the id of one that is saved")),
    };
    let last = form.last.unwrap_or(TRIED);
    if !(1..=rule::MOST_TRIED).contains(&last) {
        return Err(Problem::invalid(
            "last",
            "bad_value",
            format!("a number from 1 to {}", rule::MOST_TRIED),
        ));
    }
    Ok(Json(rule::try_out(&app.desk, &actor, draft, form.mailbox.map(MailboxId), last).await?.into()))
}

/// Which rules were tried on a message, which matched on what, and what they did
#[utoipa::path(get, path = "/api/v1/messages/{id}/trace", params(("id" = i64, Path)), responses((status = 200, body = MessageTrace)))]
pub async fn get_message_trace(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<MessageTrace>, Problem> {
    let trials = rule::trace(&app.desk, &actor, MessageId(id)).await?;
    Ok(Json(MessageTrace::new(trials, &rule::now(&app.desk, &actor).await?)))
}
