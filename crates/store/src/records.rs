//! Accounts, contacts, leads, opportunities, cases.
