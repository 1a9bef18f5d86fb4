//! Makes HTML from a letter safe to show.
