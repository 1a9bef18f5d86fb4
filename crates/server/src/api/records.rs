//! Accounts, contacts, leads, opportunities.
