//! Threads: list, read, mark, note, link.
