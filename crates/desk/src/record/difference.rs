//! What became different of a record, for its stream.

use super::{Field, fields_of};
use serde::{Deserialize, Serialize};
use store::records::Record;

/// A value that changed. Names stand for ids, so that it reads the same when they are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field as the API names it; `fields` for one that people invented.
    pub field: String,
    /// What that one is called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What it was; empty for nothing.
    pub from: String,
    /// What it is.
    pub to: String,
}

/// Longest value that is told; the record has the whole one.
const MOST_CHARS: usize = 300;

/// All that differs but the assignee, in the order of a form.
pub(super) fn between(before: &Record, after: &Record) -> Vec<FieldChange> {
    let name = |named: &Option<(_, String)>| named.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
    let team = |record: &Record| record.team.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
    let further = |record: &Record| {
        record.further_accounts.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let pairs = [
        ("name", before.name.clone(), after.name.clone()),
        ("addresses", before.addresses.join(", "), after.addresses.join(", ")),
        ("domains", before.domains.join(", "), after.domains.join(", ")),
        ("account", name(&before.account), name(&after.account)),
        ("further_accounts", further(before), further(after)),
        ("stage", text(&before.deal.stage), text(&after.deal.stage)),
        ("amount", money(before), money(after)),
        ("closes_on", text(&before.deal.closes_on), text(&after.deal.closes_on)),
        ("team", team(before), team(after)),
        ("external_id", text(&before.external_id), text(&after.external_id)),
        ("description", before.description.clone(), after.description.clone()),
    ];
    let one = |(field, from, to): (&str, String, String)| {
        (from != to).then(|| FieldChange {
            field: field.to_owned(),
            label: String::new(),
            from: cut(from),
            to: cut(to),
        })
    };
    pairs.into_iter().filter_map(one).chain(of_fields(&fields_of(before), &fields_of(after))).collect()
}

fn of_fields(before: &[Field], after: &[Field]) -> Vec<FieldChange> {
    let value = |list: &[Field], label: &str| {
        list.iter().find(|field| field.label == label).map(|field| field.value.clone()).unwrap_or_default()
    };
    let mut labels: Vec<&str> = before.iter().chain(after).map(|field| field.label.as_str()).collect();
    let mut seen = std::collections::HashSet::new();
    labels.retain(|label| seen.insert(*label));
    let one = |label: &str| {
        let (from, to) = (value(before, label), value(after, label));
        (from != to).then(|| FieldChange {
            field: "fields".to_owned(),
            label: label.to_owned(),
            from: cut(from),
            to: cut(to),
        })
    };
    labels.into_iter().filter_map(one).collect()
}

/// `1250.00 EUR`.
fn money(record: &Record) -> String {
    match (record.deal.amount, &record.deal.currency) {
        (Some(amount), Some(currency)) => format!("{} {currency}", decimal(amount)),
        _ => String::new(),
    }
}

/// Hundredths as a decimal number.
pub fn decimal(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
