//! Ties between threads and records.
