//! One connection: a stream of bytes in clear or in TLS, a large buffer in front of it, and patience with limits.
//!
//! Reading happens only when somebody asks, so a slow reader slows the server and not our memory.
//! All methods may be dropped in the middle without losing a byte.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::deflate::Deflated;

/// 128 KiB at a time: a TLS record is 16 KiB, and fewer calls than with 64 KiB showed in the profile.
const BUFFER_BYTES: usize = 128 << 10;
/// The buffer of a connection that idles; it doubles as long as it is filled by one reading.
const SMALL_BUFFER_BYTES: usize = 1 << 10;

/// Below this, averaged over five times the patience for one answer, a server does not talk: it drips.
const DRIP_BYTES_PER_S: u64 = 64;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// Why nothing more came.
#[derive(Debug)]
pub(crate) enum LinkError {
    Closed,
    Timeout(Duration),
    Io(io::Error),
}

pub(crate) struct Link {
    stream: Box<dyn Stream>,
    pub peer: IpAddr,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    outgoing: Vec<u8>,
    written: usize,
    patience: Duration,
    /// Time spent waiting, and bytes got for it, since the last step forward.
    waited: Duration,
    waited_for: u64,
}

impl Link {
    pub(crate) fn new(stream: Box<dyn Stream>, peer: IpAddr, patience: Duration) -> Self {
        Self {
            stream,
            peer,
            buffer: vec![0; SMALL_BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            outgoing: Vec::new(),
            written: 0,
            patience,
            waited: Duration::ZERO,
            waited_for: 0,
        }
    }

    /// What was read and not yet consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
    }

    /// Takes the stream out to put TLS around it. What was read in clear is lost on purpose (T18).
    pub(crate) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    /// Goes on compressed, with what is unread as the beginning.
    pub(crate) fn deflated(self) -> Self {
        let already = self.unread().to_vec();
        Self::new(Box::new(Deflated::new(self.stream, &already)), self.peer, self.patience)
    }

    /// Reads once, after all of the last read was consumed. An answer is due: silence and dripping are errors.
    pub(crate) async fn fill(&mut self) -> Result<(), LinkError> {
        let began = Instant::now();
        let got = self.read(self.patience).await?;
        self.waited += began.elapsed();
        self.waited_for += got as u64;
        if self.waited > self.patience * 5 {
            let waited = std::mem::take(&mut self.waited);
            let got = std::mem::take(&mut self.waited_for);
            if (got as f64) < waited.as_secs_f64() * DRIP_BYTES_PER_S as f64 {
                return Err(LinkError::Timeout(waited));
            }
        }
        Ok(())
    }

    /// Reads once; nothing is due, so silence is no error. Says whether anything came.
    pub(crate) async fn fill_within(&mut self, wait: Duration) -> Result<bool, LinkError> {
        // Thousands of connections wait like this at the same time.
        if self.buffer.len() > SMALL_BUFFER_BYTES && self.start == self.end {
            self.buffer = vec![0; SMALL_BUFFER_BYTES].into_boxed_slice();
            (self.start, self.end) = (0, 0);
        }
        match self.read(wait).await {
            Ok(_) => Ok(true),
            Err(LinkError::Timeout(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    async fn read(&mut self, wait: Duration) -> Result<usize, LinkError> {
        debug_assert_eq!(self.start, self.end, "all that was read is consumed");
        if self.end == self.buffer.len() && self.end < BUFFER_BYTES {
            self.buffer = vec![0; self.end * 2].into_boxed_slice();
            (self.start, self.end) = (0, 0);
        }
        let got =
            timeout(wait, self.stream.read(&mut self.buffer)).await.map_err(|_| LinkError::Timeout(wait))?;
        (self.start, self.end) = (0, 0);
        match got {
            Ok(0) => Err(LinkError::Closed),
            Ok(got) => {
                self.end = got;
                Ok(got)
            }
            // A server that closes TLS without saying so has closed all the same.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(LinkError::Closed),
            Err(e) => Err(LinkError::Io(e)),
        }
    }

    /// A command was answered or a message came: the clock for dripping starts again.
    pub(crate) fn made_progress(&mut self) {
        (self.waited, self.waited_for) = (Duration::ZERO, 0);
    }

    pub(crate) fn queue(&mut self, bytes: Vec<u8>) {
        if self.outgoing.is_empty() { self.outgoing = bytes } else { self.outgoing.extend_from_slice(&bytes) }
    }

    /// Writes all that is queued. May be dropped and called again.
    pub(crate) async fn flush(&mut self) -> Result<(), LinkError> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        while self.written < self.outgoing.len() {
            let write = self.stream.write(&self.outgoing[self.written..]);
            let wrote = timeout(self.patience, write).await.map_err(|_| LinkError::Timeout(self.patience))?;
            match wrote.map_err(LinkError::Io)? {
                0 => return Err(LinkError::Closed),
                wrote => self.written += wrote,
            }
        }
        let flush = timeout(self.patience, self.stream.flush()).await;
        flush.map_err(|_| LinkError::Timeout(self.patience))?.map_err(LinkError::Io)?;
        self.outgoing.clear();
        self.written = 0;
        Ok(())
    }
}
