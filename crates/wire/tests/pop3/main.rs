//! The POP3 client against a real Dovecot, and against scripted servers that break on command.

#![allow(clippy::unwrap_used)]

mod dovecot;
mod hostile;
mod sweep;

use std::sync::Mutex;

use wire::{Direction, Log};

/// Listens to the protocol log.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Lines {
    fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

impl Log for Lines {
    fn line(&self, direction: Direction, line: &str) {
        let mark = match direction {
            Direction::Sent => "> ",
            Direction::Received => "< ",
            Direction::Note => "# ",
        };
        self.0.lock().unwrap().push(mark.to_owned() + line);
    }
}
