//! Splits what a writer added from what is quoted.
