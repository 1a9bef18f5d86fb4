//! What becomes of a file's columns, as a value that is shown, changed and kept.

use super::columns;
use crate::Refusal;
use model::RecordKind;
use serde::{Deserialize, Serialize};

model::words! {
    /// What a column becomes.
    Target {
        /// Nothing.
        Skip = "skip",
        /// The record's name.
        Name = "name",
        /// The beginning of it.
        FirstName = "first_name",
        /// The end of it.
        LastName = "last_name",
        /// Mail addresses.
        Address = "address",
        /// Domains of an account.
        Domain = "domain",
        /// The name of its account, which is found or made.
        Account = "account",
        /// Its id in another system.
        ExternalId = "external_id",
        /// Its description.
        Description = "description",
        /// Of an opportunity its stage, of a lead its status.
        Stage = "stage",
        /// What an opportunity is worth.
        Amount = "amount",
        /// In which currency.
        Currency = "currency",
        /// The day it is expected to close.
        ClosesOn = "closes_on",
        /// A field of the column's name.
        Field = "field",
    }
}

impl Target {
    /// Whether records of a kind have such a thing.
    pub(super) fn fits(self, kind: RecordKind) -> bool {
        match self {
            Target::Domain => kind == RecordKind::Account,
            Target::Account => kind != RecordKind::Account,
            Target::FirstName | Target::LastName => matches!(kind, RecordKind::Contact | RecordKind::Lead),
            Target::Stage => matches!(kind, RecordKind::Lead | RecordKind::Opportunity),
            Target::Amount | Target::Currency | Target::ClosesOn => kind == RecordKind::Opportunity,
            _ => true,
        }
    }
}

model::words! {
    /// What happens to a record that is there already.
    Existing {
        /// What is empty is filled; nothing that is there is changed.
        Fill = "fill",
        /// What the file says stands.
        Replace = "replace",
        /// Nothing.
        Leave = "leave",
    }
}

/// What becomes of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What it becomes.
    pub to: Target,
    /// Of a field: what it is called.
    #[serde(default)]
    pub label: String,
}

/// How a file is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What its rows are.
    pub kind: RecordKind,
    /// What becomes of each column.
    pub columns: Vec<Column>,
    /// What happens to records that are there already.
    pub existing: Existing,
}

impl Plan {
    /// A plan from the names of columns.
    pub(super) fn guess(kind: RecordKind, names: &[String]) -> Plan {
        let targets = columns::guess(kind, names).into_iter().zip(names);
        let columns = targets.map(|(to, name)| Column { to, label: name.clone() }).collect();
        Plan { kind, columns, existing: Existing::Fill }
    }

    /// Whether it fits a file of so many columns.
    pub(super) fn check(&self, columns: usize) -> Result<(), Refusal> {
        let refused = |message: &str| Err(Refusal::invalid("columns", "bad_value", message));
        if self.kind == RecordKind::Case {
            return Err(Refusal::invalid("kind", "bad_value", "Cases are made of mail."));
        }
        if self.columns.len() != columns {
            return refused("Each column of the file needs its place in the list.");
        }
        if self.columns.iter().any(|column| !column.to.fits(self.kind)) {
            return refused("Records of this kind have no such part.");
        }
        if self.columns.iter().any(|column| column.to == Target::Field && column.label.trim().is_empty()) {
            return refused("A column that becomes a field needs a name for it.");
        }
        let names = [Target::Name, Target::FirstName, Target::LastName, Target::Address];
        match self.columns.iter().any(|column| names.contains(&column.to)) {
            true => Ok(()),
            false => Err(Refusal::invalid("columns", "no_name_column", "One column has to be the name.")),
        }
    }
}
