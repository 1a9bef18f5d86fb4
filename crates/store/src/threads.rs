//! Views, lists and threads.
