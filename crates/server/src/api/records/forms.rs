//! Records as they are written.

use crate::shape::{self, given};
use desk::record::{Changes, Field};
use model::{RecordId, RecordKind};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use utoipa::ToSchema;

/// A new record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecord {
    /// Anything but a case: that is made of a thread.
    #[schema(value_type = shape::RecordKind)]
    pub(super) kind: RecordKind,
    name: String,
    /// Mail addresses.
    addresses: Option<Vec<String>>,
    /// Domains.
    domains: Option<Vec<String>>,
    /// The account it belongs to.
    account_id: Option<i64>,
    /// Label and value of each field, in their order.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    fields: Option<Fields>,
    /// Its id in another system, unique for its kind.
    external_id: Option<String>,
}

impl NewRecord {
    pub(super) fn changes(self) -> Changes {
        Changes {
            name: Some(self.name),
            addresses: self.addresses,
            domains: self.domains,
            account: self.account_id.map(|id| Some(RecordId(id))),
            fields: self.fields.map(|fields| fields.0),
            external_id: self.external_id.map(Some),
        }
    }
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
    /// Label and value of all fields, in their order.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    fields: Option<Fields>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
    /// The version the change was thought for; another is a conflict (409, `changed_meanwhile`).
    pub(super) version: i64,
}

impl RecordChange {
    pub(super) fn changes(self) -> Changes {
        Changes {
            name: self.name,
            addresses: self.addresses,
            domains: self.domains,
            account: self.account_id.map(|id| id.map(RecordId)),
            fields: self.fields.map(|fields| fields.0),
            external_id: self.external_id,
        }
    }
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
