//! A wire that breaks on command: between a client and any server, on loopback, byte by byte as it comes.
//!
//! Where [`crate::scripted`] breaks what it says itself, this breaks what a real server says, or what the client
//! says, and it carries TLS as well. The k-th connection gets the k-th [`Break`]; later ones are sound. What went
//! over an unbroken wire is noted, so that a test can break at each line of it.
//!
//! Decided against patterns: the places of interest are words of the protocol (`UID MOVE`), and a line of a mail
//! that holds them can be avoided.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Who hears the bytes that are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// What the server says.
    Client,
    /// What the client says.
    Server,
}

/// Where it breaks, in one direction of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After so many bytes.
    Byte(u64),
    /// After so many lines.
    Line(u64),
    /// Before the first line that contains this.
    Before(&'static str),
    /// After the first line that contains this.
    After(&'static str),
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The connection ends politely on both sides.
    Fin(Toward, At),
    /// The client gets a reset, the server an end.
    Reset(Toward, At),
    /// Nothing more goes in either direction; both stay connected.
    Stall(Toward, At),
    /// From there one byte at a time, so long after each other.
    Drip(Toward, At, Duration),
    /// The next byte is another one: the true one, exclusive or this.
    Garble(Toward, At, u8),
    /// The last whole line goes a second time.
    Repeat(Toward, At),
    /// A pause; then all goes on.
    Delay(Toward, At, Duration),
}

impl Break {
    fn place(self) -> (Toward, At) {
        match self {
            Break::Fin(toward, at)
            | Break::Reset(toward, at)
            | Break::Stall(toward, at)
            | Break::Drip(toward, at, _)
            | Break::Garble(toward, at, _)
            | Break::Repeat(toward, at)
            | Break::Delay(toward, at, _) => (toward, at),
        }
    }
}

/// What went over one connection.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// What the server said.
    pub to_client: Vec<u8>,
    /// What the client said.
    pub to_server: Vec<u8>,
}

#[derive(Debug, Default)]
struct Shared {
    breaks: Vec<Option<Break>>,
    conversations: Vec<Conversation>,
}

/// The wire. Dropping it cuts every connection.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients connect to.
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    struck: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A wire to a port of this machine. `breaks` belong to the first connections, one each.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(port: u16, breaks: Vec<Option<Break>>) -> io::Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared { breaks, conversations: Vec::new() }));
        let (strike, struck) = watch::channel(false);
        let task = tokio::spawn(serve(listener, port, shared.clone(), strike));
        Ok(Proxy { address, shared, struck, task })
    }

    /// What went over the k-th connection so far; nothing if there was none.
    pub fn conversation(&self, k: usize) -> Conversation {
        lock(&self.shared).conversations.get(k).cloned().unwrap_or_default()
    }

    /// Whether a break has happened.
    pub fn has_struck(&self) -> bool {
        *self.struck.borrow()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, port: u16, shared: Arc<Mutex<Shared>>, strike: watch::Sender<bool>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (number, broken) = {
            let mut shared = lock(&shared);
            shared.conversations.push(Conversation::default());
            let number = shared.conversations.len() - 1;
            (number, shared.breaks.get(number).copied().flatten())
        };
        let (shared, strike, stalled) = (shared.clone(), strike.clone(), AtomicBool::new(false));
        let wire = Wire { shared, number, strike, stalled };
        connections.spawn(async move {
            // A server that is not there is one that hangs up.
            if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                wire.connect(client, server, broken).await;
            }
        });
    }
}

/// One connection.
struct Wire {
    shared: Arc<Mutex<Shared>>,
    number: usize,
    strike: watch::Sender<bool>,
    /// Nothing goes any more.
    stalled: AtomicBool,
}

/// Why a direction ended.
enum End {
    /// Its sender closed it, or its receiver is gone.
    Closed,
    /// Broken on purpose.
    Fin,
    Reset,
}

impl Wire {
    async fn connect(self, mut client: TcpStream, mut server: TcpStream, broken: Option<Break>) {
        // Without it small answers wait for each other.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let of = |toward| broken.filter(|one| one.place().0 == toward);
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let mut down = Pump::new(&self, Toward::Client, of(Toward::Client));
        let mut up = Pump::new(&self, Toward::Server, of(Toward::Server));
        let end = tokio::select! {
            end = down.run(from_server, to_client) => end,
            end = up.run(from_client, to_server) => end,
        };
        match end {
            End::Reset => drop(client.set_zero_linger()),
            End::Closed | End::Fin => {
                // What the client still says is read away: closing with bytes unread would be a reset.
                let _ = client.shutdown().await;
                let mut rest = [0; 4096];
                let reading = async { while client.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
                let _ = tokio::time::timeout(Duration::from_millis(200), reading).await;
            }
        }
    }
}

/// One direction.
struct Pump<'a> {
    wire: &'a Wire,
    toward: Toward,
    broken: Option<Break>,
    /// Bytes that have gone.
    gone: u64,
    lines: u64,
    /// The line that is going, and the last whole one.
    line: Vec<u8>,
    last_line: Vec<u8>,
    /// So long after each byte, once it drips.
    drip: Option<Duration>,
}

impl<'a> Pump<'a> {
    fn new(wire: &'a Wire, toward: Toward, broken: Option<Break>) -> Pump<'a> {
        let (line, last_line) = (Vec::new(), Vec::new());
        Pump { wire, toward, broken, gone: 0, lines: 0, line, last_line, drip: None }
    }

    async fn run(&mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> End {
        let mut bytes = Vec::new();
        loop {
            // Whole lines are needed only where a line's words decide.
            let whole_lines =
                matches!(self.broken.map(|one| one.place().1), Some(At::Before(_) | At::After(_)));
            let ready = if whole_lines { end_of_lines(&bytes) } else { bytes.len() };
            let now: Vec<u8> = bytes.drain(..ready).collect();
            if let Err(end) = self.forward(&now, &mut to).await {
                return end;
            }
            let mut chunk = [0; 16 << 10];
            match from.read(&mut chunk).await {
                Ok(read) if read > 0 => bytes.extend_from_slice(&chunk[..read]),
                _ => {
                    // What is left is no whole line.
                    return self.forward(&bytes, &mut to).await.err().unwrap_or(End::Closed);
                }
            }
        }
    }

    /// Passes bytes on as far as the break lets them.
    async fn forward(&mut self, bytes: &[u8], to: &mut WriteHalf<'_>) -> Result<(), End> {
        let Some((broken, place)) =
            self.broken.and_then(|one| Some((one, self.locate(one.place().1, bytes)?)))
        else {
            return self.pass(bytes, to).await;
        };
        let (before, after) = bytes.split_at(place);
        self.pass(before, to).await?;
        let mut after = after.to_vec();
        match broken {
            // Needs its byte.
            Break::Garble(..) if after.is_empty() => return Ok(()),
            Break::Garble(_, _, bits) => after[0] ^= bits,
            _ => {}
        }
        self.broken = None;
        self.wire.strike.send_replace(true);
        match broken {
            Break::Fin(..) => return Err(End::Fin),
            Break::Reset(..) => return Err(End::Reset),
            Break::Stall(..) => self.wire.stalled.store(true, Ordering::Relaxed),
            Break::Drip(_, _, pause) => self.drip = Some(pause),
            Break::Garble(..) => {}
            Break::Repeat(..) => {
                let again = self.last_line.clone();
                self.write(&again, to).await?;
            }
            Break::Delay(_, _, pause) => tokio::time::sleep(pause).await,
        }
        self.pass(&after, to).await
    }

    /// Where in these bytes the place is, which follow those that have gone.
    fn locate(&self, at: At, bytes: &[u8]) -> Option<usize> {
        let ends =
            || bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
        match at {
            At::Byte(byte) => {
                let ahead = usize::try_from(byte.checked_sub(self.gone)?).ok()?;
                (ahead <= bytes.len()).then_some(ahead)
            }
            At::Line(line) if line == self.lines => Some(0),
            At::Line(line) => ends().nth(usize::try_from(line.checked_sub(self.lines + 1)?).ok()?),
            At::Before(words) | At::After(words) => {
                let begins = std::iter::once(0).chain(ends());
                let mut lines = begins.zip(ends());
                let found =
                    lines.find(|(begin, end)| memory_contains(&bytes[*begin..*end], words.as_bytes()));
                found.map(|(begin, end)| if matches!(at, At::Before(_)) { begin } else { end })
            }
        }
    }

    async fn pass(&mut self, bytes: &[u8], to: &mut WriteHalf<'_>) -> Result<(), End> {
        if self.wire.stalled.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        {
            let mut shared = lock(&self.wire.shared);
            let conversation = &mut shared.conversations[self.wire.number];
            match self.toward {
                Toward::Client => conversation.to_client.extend_from_slice(bytes),
                Toward::Server => conversation.to_server.extend_from_slice(bytes),
            }
        }
        self.gone += bytes.len() as u64;
        for &byte in bytes {
            self.line.push(byte);
            if byte == b'\n' {
                self.lines += 1;
                self.last_line = std::mem::take(&mut self.line);
            }
        }
        self.write(bytes, to).await
    }

    async fn write(&mut self, bytes: &[u8], to: &mut WriteHalf<'_>) -> Result<(), End> {
        let Some(pause) = self.drip else { return to.write_all(bytes).await.map_err(|_| End::Closed) };
        for byte in bytes {
            to.write_all(&[*byte]).await.map_err(|_| End::Closed)?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}

/// Where the last whole line ends.
fn end_of_lines(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1)
}

fn memory_contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len().max(1)).any(|window| window == words)
}

#[cfg(test)]
mod tests;
