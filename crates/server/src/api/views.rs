//! Views and their counts.
