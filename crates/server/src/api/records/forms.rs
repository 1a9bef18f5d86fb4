//! Records as they are written.

use crate::problem::Problem;
use crate::shape::{self, given};
use desk::record::{Changes, Field};
use model::{RecordId, RecordKind, TeamId, UserId};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use utoipa::ToSchema;

/// A record that is put by its external id.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordForm {
    name: String,
    /// Mail addresses.
    addresses: Option<Vec<String>>,
    /// Domains.
    domains: Option<Vec<String>>,
    /// The account it belongs to.
    account_id: Option<i64>,
    /// Of a contact: further accounts.
    further_account_ids: Option<Vec<i64>>,
    /// Label and value of each field, in their order.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    fields: Option<Fields>,
    /// A text about it.
    description: Option<String>,
    /// Of an opportunity its stage (`new`, `qualified`, `proposal`, `negotiation`, `won`, `lost`), of a lead its
    /// status (`new`, `contacted`, `lost`).
    stage: Option<String>,
    /// Of an opportunity: what it is worth, a decimal number with at most two digits behind the point.
    amount: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    /// Of an opportunity: the day it is expected to close, YYYY-MM-DD.
    closes_on: Option<String>,
    /// The team in charge.
    team_id: Option<i64>,
    /// Who is to act.
    assignee_id: Option<i64>,
}

impl RecordForm {
    pub(super) fn changes(self, external_id: Option<String>) -> Result<Changes, Problem> {
        Ok(Changes {
            name: Some(self.name),
            addresses: self.addresses,
            domains: self.domains,
            account: self.account_id.map(|id| Some(RecordId(id))),
            further_accounts: self.further_account_ids.map(accounts),
            fields: self.fields.map(|fields| fields.0),
            external_id: external_id.map(Some),
            description: self.description,
            stage: self.stage,
            amount: self.amount.map(|text| amount(&text).map(Some)).transpose()?,
            currency: self.currency.map(Some),
            closes_on: self.closes_on.map(Some),
            team: self.team_id.map(|id| Some(TeamId(id))),
            assignee: self.assignee_id.map(|id| Some(UserId(id))),
        })
    }
}

/// A new record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecord {
    /// Anything but a case: that is made of a thread.
    #[schema(value_type = shape::RecordKind)]
    pub(super) kind: RecordKind,
    /// Its id in another system, unique for its kind.
    pub(super) external_id: Option<String>,
    #[serde(flatten)]
    pub(super) form: RecordForm,
}

/// What is to change of a record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordChange {
    name: Option<String>,
    /// All mail addresses.
    addresses: Option<Vec<String>>,
    /// All domains.
    domains: Option<Vec<String>>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    account_id: Option<Option<i64>>,
    /// Of a contact: all further accounts.
    further_account_ids: Option<Vec<i64>>,
    /// Label and value of all fields, in their order.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    fields: Option<Fields>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
    description: Option<String>,
    /// Of an opportunity its stage, of a lead its status.
    stage: Option<String>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    amount: Option<Option<String>>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    currency: Option<Option<String>>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    closes_on: Option<Option<String>>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    team_id: Option<Option<i64>>,
    /// Null: nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    assignee_id: Option<Option<i64>>,
    /// The version the change was thought for; another is a conflict (409, `changed_meanwhile`).
    pub(super) version: i64,
}

impl RecordChange {
    pub(super) fn changes(self) -> Result<Changes, Problem> {
        let sum = |given: Option<String>| given.map(|text| amount(&text)).transpose();
        Ok(Changes {
            name: self.name,
            addresses: self.addresses,
            domains: self.domains,
            account: self.account_id.map(|id| id.map(RecordId)),
            further_accounts: self.further_account_ids.map(accounts),
            fields: self.fields.map(|fields| fields.0),
            external_id: self.external_id,
            description: self.description,
            stage: self.stage,
            amount: self.amount.map(sum).transpose()?,
            currency: self.currency,
            closes_on: self.closes_on,
            team: self.team_id.map(|id| id.map(TeamId)),
            assignee: self.assignee_id.map(|id| id.map(UserId)),
        })
    }
}

fn accounts(ids: Vec<i64>) -> Vec<RecordId> {
    ids.into_iter().map(RecordId).collect()
}

/// A decimal number in hundredths.
fn amount(text: &str) -> Result<i64, Problem> {
    let bad = || Problem::invalid("amount", "bad_value", "a number with at most two digits behind the point");
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    if fraction.is_empty() || fraction.len() > 2 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let whole: i64 = whole.parse().map_err(|_| bad())?;
    let fraction: i64 = format!("{fraction:0<2}").parse().map_err(|_| bad())?;
    whole.checked_mul(100).and_then(|sum| sum.checked_add(fraction)).filter(|_| whole >= 0).ok_or_else(bad)
}

/// A JSON object of strings that keeps its order, as people arranged their fields.
struct Fields(Vec<Field>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((label, value)) = map.next_entry()? {
                    fields.push(Field { label, value });
                }
                Ok(Fields(fields))
            }
        }

        from.deserialize_map(InOrder)
    }
}
