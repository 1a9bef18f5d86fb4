//! Duplicates, and two records made one.

use super::{Record, RecordRow};
use crate::App;
use crate::extract::{Json, Query, Who};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use desk::record::{Alike, Merge};
use model::{RecordId, RecordKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Of which records.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DuplicateQuery {
    /// What they are.
    #[param(value_type = shape::RecordKind)]
    kind: RecordKind,
    /// Those of this record alone.
    of: Option<i64>,
}

/// Pairs of records that may be one, the surest first; at most 200 for each reason.
#[derive(Serialize, ToSchema)]
pub struct Duplicates {
    rows: Vec<DuplicatePair>,
}

/// Two records that may be one.
#[derive(Serialize, ToSchema)]
pub struct DuplicatePair {
    /// The older one.
    one: RecordRow,
    other: RecordRow,
    #[schema(value_type = shape::Alike)]
    alike: Alike,
    /// The address, domain or name they have in common.
    what: String,
}

/// Records that may be one
#[utoipa::path(get, path = "/api/v1/records/duplicates", params(DuplicateQuery), responses((status = 200, body = Duplicates)))]
pub async fn list_duplicates(
    State(app): State<App>,
    Who(actor): Who,
    Query(query): Query<DuplicateQuery>,
) -> Result<Json<Duplicates>, Problem> {
    let of = query.of.map(RecordId);
    let found = desk::record::duplicates(&app.desk, &actor, query.kind, of).await?;
    let rows = found.into_iter().map(|pair| DuplicatePair {
        one: pair.one.into(),
        other: pair.other.into(),
        alike: pair.alike,
        what: pair.what,
    });
    Ok(Json(Duplicates { rows: rows.collect() }))
}

/// Which of two records stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// The one that stays.
    into: i64,
    /// The one that ends.
    from: i64,
    /// Fields whose value comes from the one that ends: `name`, `account`, `description`, `stage`, `amount`,
    /// `closes_on`, `team`, `assignee`, or the label of a field of one's own.
    #[serde(default)]
    take: Vec<String>,
}

/// Make two records one, for good
///
/// Addresses, domains, accounts, links, followers and streams are joined; the id of the one that ends stands for
/// the one that stays.
#[utoipa::path(post, path = "/api/v1/records/merge", request_body = MergeRequest, responses((status = 200, body = Record)))]
pub async fn merge_records(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<MergeRequest>,
) -> Result<Json<Record>, Problem> {
    let wanted = Merge { into: RecordId(form.into), from: RecordId(form.from), take: form.take };
    Ok(Json(desk::record::merge(&app.desk, &actor, wanted).await?.into()))
}
