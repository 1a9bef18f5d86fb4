//! What a server sends, with the fault in it and a note of where things end.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Politely: the client reads what was sent, then the end.
    Fin,
    /// Reset: the client gets an error, maybe before it has read everything.
    Rst,
}

/// What goes wrong with what the server sends on one connection. `at` counts its bytes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The connection ends after `at` bytes.
    Cut {
        /// Bytes that still arrive.
        at: u64,
        /// How it ends.
        how: Cut,
    },
    /// Nothing follows after `at` bytes, and the connection stays open.
    Stall {
        /// Bytes that still arrive.
        at: u64,
    },
    /// The byte at `at` arrives as `byte`.
    Garbage {
        /// Which byte.
        at: u64,
        /// What comes instead.
        byte: u8,
    },
    /// The line or literal that ends at `at` is sent twice.
    Duplicate {
        /// A boundary of the recording.
        at: u64,
    },
    /// Everything arrives, in pieces of so many bytes.
    Pieces {
        /// Bytes in a piece.
        bytes: usize,
    },
}

/// What a server sent on one connection.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// Offsets at which a line or a literal ended, in rising order.
    pub boundaries: Vec<u64>,
    /// Offsets of literals: first byte, and the byte after the last.
    pub literals: Vec<(u64, u64)>,
    /// The connection is over.
    pub ended: bool,
}

impl Recording {
    /// Whether the byte at `offset` belongs to a literal.
    pub fn is_in_literal(&self, offset: u64) -> bool {
        self.literals.iter().any(|&(from, to)| (from..to).contains(&offset))
    }
}

/// The sending half of one connection.
pub(super) struct Output {
    stream: OwnedWriteHalf,
    fault: Fault,
    oddity: fn(&str) -> Option<String>,
    waiting: Vec<u8>,
    sent: u64,
    recording: Arc<Mutex<Recording>>,
}

/// The script says that the connection is over now.
pub(super) const ENOUGH: io::ErrorKind = io::ErrorKind::ConnectionAborted;

impl Output {
    pub(super) fn new(
        stream: OwnedWriteHalf,
        fault: Fault,
        oddity: fn(&str) -> Option<String>,
        recording: Arc<Mutex<Recording>>,
    ) -> Self {
        Self { stream, fault, oddity, waiting: Vec::new(), sent: 0, recording }
    }

    /// One line; the line end is added.
    pub(super) fn line(&mut self, line: impl AsRef<[u8]>) {
        let line = line.as_ref();
        let odd = std::str::from_utf8(line).ok().and_then(self.oddity);
        if odd.as_deref() == Some("") {
            return;
        }
        self.text(odd.as_ref().map_or(line, |odd| odd.as_bytes()));
        self.text("\r\n");
        self.boundary();
    }

    /// The beginning of a line that ends with a literal.
    pub(super) fn head(&mut self, head: impl AsRef<str>) {
        let head = head.as_ref();
        self.text((self.oddity)(head).unwrap_or_else(|| head.to_owned()));
    }

    /// Text inside of a line.
    pub(super) fn text(&mut self, text: impl AsRef<[u8]>) {
        self.waiting.extend_from_slice(text.as_ref());
        self.record(|r| r.bytes.extend_from_slice(text.as_ref()));
    }

    /// A literal, announced as `announced` bytes.
    pub(super) fn literal(&mut self, announced: u64, bytes: &[u8]) {
        self.line(format!("{{{announced}}}"));
        self.text(bytes);
        self.record(|r| {
            let to = r.bytes.len() as u64;
            r.literals.push((to - bytes.len() as u64, to));
        });
        self.boundary();
    }

    fn boundary(&mut self) {
        self.record(|r| {
            let here = r.bytes.len() as u64;
            r.boundaries.push(here);
        });
    }

    fn record(&self, note: impl FnOnce(&mut Recording)) {
        note(&mut self.recording.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// Sends what is waiting, or as much of it as the fault lets through.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.waiting);
        let end = self.sent + bytes.len() as u64;
        let here = |at: u64| (at - self.sent) as usize;
        match self.fault {
            Fault::Cut { at, how } if at < end => {
                self.stream.write_all(&bytes[..here(at)]).await?;
                return self.cut(how).await;
            }
            Fault::Stall { at } if at < end => {
                self.stream.write_all(&bytes[..here(at)]).await?;
                return self.stall().await;
            }
            Fault::Garbage { at, byte } if (self.sent..end).contains(&at) => bytes[here(at)] = byte,
            Fault::Duplicate { at } if self.sent < at && at <= end => {
                let from = self.boundary_before(at).max(self.sent);
                let again = bytes[here(from)..here(at)].to_vec();
                bytes.splice(here(at)..here(at), again);
            }
            Fault::Pieces { bytes: piece } => return self.flush_in_pieces(&bytes, piece).await,
            _ => {}
        }
        self.sent = end;
        self.stream.write_all(&bytes).await
    }

    fn boundary_before(&self, at: u64) -> u64 {
        let recording = self.recording.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        recording.boundaries.iter().copied().filter(|&b| b < at).max().unwrap_or(0)
    }

    async fn flush_in_pieces(&mut self, bytes: &[u8], piece: usize) -> io::Result<()> {
        for piece in bytes.chunks(piece.max(1)) {
            self.stream.write_all(piece).await?;
            tokio::task::yield_now().await;
        }
        self.sent += bytes.len() as u64;
        Ok(())
    }

    async fn cut(&mut self, how: Cut) -> io::Result<()> {
        match how {
            Cut::Fin => self.stream.shutdown().await?,
            Cut::Rst => {
                let stream: &tokio::net::TcpStream = self.stream.as_ref();
                stream.set_zero_linger()?;
            }
        }
        Err(ENOUGH.into())
    }

    /// Open and silent, but not for ever.
    async fn stall(&mut self) -> io::Result<()> {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Err(ENOUGH.into())
    }
}
