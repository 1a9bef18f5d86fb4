//! What truly differs between the two databases: how statements get there.
//!
//! These files, and no others, name a driver. Both offer the same few inherent methods to
//! [`crate::sql`], which holds what is common (the state of a transaction, wake-ups).

pub(crate) mod postgres;
pub(crate) mod sqlite;
