//! The work: what the product does, as verbs.
//!
//! Every verb has the same ending: one transaction, one row in `changes`, and whatever is owed to
//! the outside world in the same commit. Permission is asked in [`may`] before anything is read or
//! written. There are no hooks: what happens after a case is closed is written in `case::change`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
mod auto_reply;
pub mod bytes;
pub mod case;
pub mod clock;
pub mod distribution;
pub mod filtered;
pub mod grant;
pub mod guess;
pub mod hand;
pub mod import;
pub mod label;
pub mod link;
pub mod mailbox;
pub mod may;
pub mod message;
pub mod note;
pub mod notification;
pub mod outgoing;
pub mod people;
pub mod quarantine;
pub mod random;
pub mod receive;
pub mod record;
pub mod reply;
pub mod rule;
pub mod seal;
pub mod search;
pub mod sending;
pub mod sign_in;
pub mod suggestion;
pub mod template;
pub mod thread;
pub mod token;
pub mod verify;
pub mod webhook;

use std::collections::BTreeMap;
use store::sql::{Db, Tx};

/// What every verb needs: the shelf, the clock, and the key that seals secrets. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    /// The database.
    pub db: Db,
    /// The one source of time.
    pub clock: clock::Clock,
    /// Seals and opens passwords of mail servers.
    pub seal: seal::Seal,
}

impl Desk {
    /// Begins a transaction that changes what filing mail reads and writes too: cases, links, records.
    /// PostgreSQL lets both run at once, and the one would undo the other or wait for it for ever.
    pub(crate) async fn begin_filing(&self) -> Result<Tx, store::sql::Error> {
        let mut tx = self.db.begin().await?;
        tx.lock(store::filing::LOCK).await?;
        Ok(tx)
    }
}

/// Why a verb did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing, or the person may not know that there is.
    #[error("not found")]
    NotFound,
    /// The person may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Somebody else was quicker, or it stands already. `code` is stable, for programs.
    #[error("{message}")]
    Conflict {
        /// Stable word for programs.
        code: &'static str,
        /// What a sentence for this code speaks of.
        params: Params,
        /// What happened and what to do, for people.
        message: String,
    },
    /// A field's value cannot be taken.
    #[error("{field}: {message}")]
    Invalid {
        /// The field as the API names it.
        field: &'static str,
        /// Stable word for programs.
        code: &'static str,
        /// What a sentence for this code speaks of.
        params: Params,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The database or the machine failed; nothing was changed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// What the sentence for a code speaks of, by name: the interface has sentences in four languages.
pub type Params = BTreeMap<&'static str, String>;

impl Refusal {
    /// A field's value cannot be taken.
    pub fn invalid(field: &'static str, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::Invalid { field, code, params: Params::new(), message: message.into() }
    }

    /// Somebody else was quicker, or it stands already.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::Conflict { code, params: Params::new(), message: message.into() }
    }

    /// The same, speaking of `value` by this name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Refusal {
        if let Refusal::Invalid { params, .. } | Refusal::Conflict { params, .. } = &mut self {
            params.insert(name, value.to_string());
        }
        self
    }
}

impl From<store::sql::Error> for Refusal {
    fn from(error: store::sql::Error) -> Self {
        Refusal::Failed(error.into())
    }
}
