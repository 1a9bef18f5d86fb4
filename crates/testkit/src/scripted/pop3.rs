//! A POP3 server of one maildrop in memory.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::imap_words::read_line;
use super::output::{Fault, Output, Recording};

/// Messages of fewer lines than this have a boundary behind each line, larger ones only at their end.
const FEW_LINES: usize = 30;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its unique id; it need not be unique.
    pub uidl: String,
    /// Its bytes, with CRLF.
    pub body: Vec<u8>,
}

/// The messages, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maildrop {
    /// The messages.
    pub mails: Vec<Mail>,
}

impl Maildrop {
    /// A maildrop with these bodies, whose unique ids are `id-1`, `id-2`...
    pub fn with<B: Into<Vec<u8>>>(bodies: impl IntoIterator<Item = B>) -> Self {
        let mail = |(at, body): (usize, B)| Mail { uidl: format!("id-{}", at + 1), body: body.into() };
        Self { mails: bodies.into_iter().enumerate().map(mail).collect() }
    }

    /// Another id for each message, as after a server was replaced.
    pub fn with_other_ids(mut self, prefix: &str) -> Self {
        for mail in &mut self.mails {
            mail.uidl = format!("{prefix}{}", mail.uidl);
        }
        self
    }
}

/// What the server does at QUIT with the messages that are to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtQuit {
    /// Removes them and says so.
    #[default]
    Remove,
    /// Says that it could not, and removes none.
    RefuseAll,
    /// Says that it could not remove all, and removes the first.
    RefuseSome,
    /// Removes them and closes without a word.
    RemoveSilently,
    /// Closes without a word and removes none.
    KeepSilently,
}

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Pop3Manner {
    /// The first line.
    pub greeting: String,
    /// The lines of CAPA; empty: it is not known.
    pub capabilities: Vec<String>,
    /// Whether UIDL is known.
    pub has_uidl: bool,
    /// So many sign-ins are answered with this instead of being let in.
    pub refused_logins: (usize, String),
    /// Numbers of messages that are listed and not given.
    pub withheld: BTreeSet<usize>,
    /// What was read is no longer listed in the next session, as with Gmail.
    pub hides_what_was_read: bool,
    /// What happens at QUIT.
    pub at_quit: AtQuit,
}

impl Default for Pop3Manner {
    fn default() -> Self {
        let capabilities = ["USER", "UIDL", "TOP", "PIPELINING", "RESP-CODES"];
        Self {
            greeting: "+OK ready".into(),
            capabilities: capabilities.map(Into::into).into(),
            has_uidl: true,
            refused_logins: (0, String::new()),
            withheld: BTreeSet::new(),
            hides_what_was_read: false,
            at_quit: AtQuit::default(),
        }
    }
}

#[derive(Debug)]
struct Shared {
    maildrop: Maildrop,
    faults: Vec<Fault>,
    recordings: Vec<Arc<Mutex<Recording>>>,
    /// Lines clients sent, of all connections.
    heard: Vec<String>,
    logins: usize,
}

/// A scripted POP3 server. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Pop3Server {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

impl Pop3Server {
    /// Starts. `faults` belong to the first connections, one each; later ones are sound.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(maildrop: Maildrop, manner: Pop3Manner, faults: Vec<Fault>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Shared { maildrop, faults, recordings: Vec::new(), heard: Vec::new(), logins: 0 };
        let shared = Arc::new(Mutex::new(shared));
        let task = tokio::spawn(accept(listener, Arc::clone(&shared), Arc::new(manner)));
        Ok(Self { address, shared, task })
    }

    /// The maildrop as it is now.
    pub fn maildrop(&self) -> Maildrop {
        lock(&self.shared).maildrop.clone()
    }

    /// Puts another one in its place, for the next session.
    pub fn replace(&self, maildrop: Maildrop) {
        lock(&self.shared).maildrop = maildrop;
    }

    /// What was sent on the `n`-th connection, from 0.
    pub fn recording(&self, n: usize) -> Option<Recording> {
        let recording = lock(&self.shared).recordings.get(n).cloned()?;
        Some(lock(&recording).clone())
    }

    /// What clients said, of all connections, without line ends.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.shared).heard.clone()
    }
}

impl Drop for Pop3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<Shared>>, manner: Arc<Pop3Manner>) {
    // Connections end with the server.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let recording = Arc::new(Mutex::new(Recording::default()));
        let fault = {
            let mut shared = lock(&shared);
            shared.recordings.push(Arc::clone(&recording));
            if shared.faults.is_empty() { Fault::None } else { shared.faults.remove(0) }
        };
        let (shared, manner) = (Arc::clone(&shared), Arc::clone(&manner));
        connections.spawn(async move {
            // How a connection ends is the test's business, not ours.
            serve(stream, fault, &recording, shared, manner).await.ok();
            lock(&recording).ended = true;
        });
    }
}

async fn serve(
    stream: TcpStream,
    fault: Fault,
    recording: &Arc<Mutex<Recording>>,
    shared: Arc<Mutex<Shared>>,
    manner: Arc<Pop3Manner>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (input, output) = stream.into_split();
    let mails = lock(&shared).maildrop.mails.clone();
    let mut talk = Talk {
        input: BufReader::new(input),
        output: Output::new(output, fault, |_| None, Arc::clone(recording)),
        shared,
        manner,
        mails,
        deleted: BTreeSet::new(),
        read: BTreeSet::new(),
    };
    let ended = talk.run().await;
    let polite = !matches!(fault, Fault::Cut { how: super::Cut::Rst, .. });
    if ended.is_err() && polite {
        // Closing with something unread would reset the connection and take away what was sent.
        let mut rest = [0; 4096];
        let drain = async { while talk.input.read(&mut rest).await.is_ok_and(|n| n > 0) {} };
        tokio::time::timeout(Duration::from_secs(5), drain).await.ok();
    }
    ended
}

/// One connection. Its view of the maildrop is that of its beginning.
struct Talk {
    input: BufReader<tokio::net::tcp::OwnedReadHalf>,
    output: Output,
    shared: Arc<Mutex<Shared>>,
    manner: Arc<Pop3Manner>,
    mails: Vec<Mail>,
    /// Places in `mails`, from 0.
    deleted: BTreeSet<usize>,
    read: BTreeSet<usize>,
}

impl Talk {
    async fn run(&mut self) -> io::Result<()> {
        self.output.line(&self.manner.greeting);
        self.output.flush().await?;
        while let Some(line) = read_line(&mut self.input).await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            lock(&self.shared).heard.push(line.clone());
            let (name, rest) = line.split_once(' ').unwrap_or((&line, ""));
            if name.eq_ignore_ascii_case("QUIT") {
                return self.quit().await;
            }
            self.answer(&name.to_ascii_uppercase(), rest);
            self.output.flush().await?;
        }
        Ok(())
    }

    fn answer(&mut self, name: &str, rest: &str) {
        match name {
            "CAPA" if self.manner.capabilities.is_empty() => self.output.line("-ERR what is CAPA"),
            "CAPA" => self.list("+OK", self.manner.capabilities.clone()),
            "PASS" | "APOP" => self.sign_in(),
            "STAT" => {
                let bytes: usize = self.present().map(|(_, mail)| mail.body.len()).sum();
                let messages = self.present().count();
                self.output.line(format!("+OK {messages} {bytes}"));
            }
            "UIDL" if !self.manner.has_uidl => self.output.line("-ERR what is UIDL"),
            "UIDL" => {
                let lines = self.present().map(|(at, mail)| format!("{} {}", at + 1, mail.uidl)).collect();
                self.list("+OK", lines);
            }
            "LIST" => {
                let lines =
                    self.present().map(|(at, mail)| format!("{} {}", at + 1, mail.body.len())).collect();
                self.list("+OK", lines);
            }
            "RETR" => self.give(rest, usize::MAX),
            "TOP" => {
                let (number, lines) = rest.split_once(' ').unwrap_or((rest, "0"));
                self.give(number, lines.parse().unwrap_or(0));
            }
            "DELE" => match self.at(rest) {
                Some(at) => {
                    self.deleted.insert(at);
                    self.output.line("+OK deleted");
                }
                None => self.output.line("-ERR no such message"),
            },
            "RSET" => {
                self.deleted.clear();
                self.output.line("+OK");
            }
            "USER" | "NOOP" => self.output.line("+OK"),
            other => self.output.line(format!("-ERR what is {other}")),
        }
    }

    fn list(&mut self, first: &str, lines: Vec<String>) {
        self.output.line(first);
        lines.into_iter().for_each(|line| self.output.line(line));
        self.output.line(".");
    }

    fn sign_in(&mut self) {
        let logins = {
            let mut shared = lock(&self.shared);
            shared.logins += 1;
            shared.logins
        };
        let (refused, said) = self.manner.refused_logins.clone();
        match logins <= refused {
            true => self.output.line(said),
            false => self.output.line("+OK signed in"),
        }
    }

    fn present(&self) -> impl Iterator<Item = (usize, &Mail)> {
        self.mails.iter().enumerate().filter(|(at, _)| !self.deleted.contains(at))
    }

    fn at(&self, number: &str) -> Option<usize> {
        let at = number.trim().parse::<usize>().ok()?.checked_sub(1)?;
        (at < self.mails.len() && !self.deleted.contains(&at)).then_some(at)
    }

    fn give(&mut self, number: &str, body_lines: usize) {
        let at = self.at(number).filter(|at| !self.manner.withheld.contains(&(at + 1)));
        let Some(at) = at else { return self.output.line("-ERR no such message") };
        self.read.insert(at);
        let body = self.mails[at].body.clone();
        self.output.line(format!("+OK {} octets", body.len()));
        let lines = lines_of(&body, body_lines);
        for line in &lines {
            let dot = if line.starts_with(b".") { "." } else { "" };
            match lines.len() < FEW_LINES {
                true => self.output.line([dot.as_bytes(), line].concat()),
                false => {
                    self.output.text([dot.as_bytes(), line].concat());
                    self.output.text("\r\n");
                }
            }
        }
        self.output.line(".");
    }

    async fn quit(&mut self) -> io::Result<()> {
        let at_quit = self.manner.at_quit;
        let mut gone = match at_quit {
            AtQuit::Remove | AtQuit::RemoveSilently => self.deleted.clone(),
            AtQuit::RefuseSome => self.deleted.iter().take(1).copied().collect(),
            AtQuit::RefuseAll | AtQuit::KeepSilently => BTreeSet::new(),
        };
        if self.manner.hides_what_was_read {
            gone.extend(&self.read);
        }
        let gone: Vec<Mail> = gone.into_iter().map(|at| self.mails[at].clone()).collect();
        {
            let mut shared = lock(&self.shared);
            for mail in gone {
                let place = shared.maildrop.mails.iter().position(|other| *other == mail);
                place.map(|place| shared.maildrop.mails.remove(place));
            }
        }
        match at_quit {
            AtQuit::Remove => self.output.line("+OK bye"),
            AtQuit::RefuseAll | AtQuit::RefuseSome => self.output.line("-ERR [SYS/PERM] not all was removed"),
            AtQuit::RemoveSilently | AtQuit::KeepSilently => {}
        }
        self.output.flush().await
    }
}

/// The lines of a message without their ends: all of its header, and so many of its body.
fn lines_of(body: &[u8], body_lines: usize) -> Vec<Vec<u8>> {
    let body = body.strip_suffix(b"\r\n").unwrap_or(body);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut rest = body;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(rest[..end].to_vec());
        rest = &rest[end + 2..];
    }
    lines.push(rest.to_vec());
    let header = lines.iter().position(Vec::is_empty).map_or(lines.len(), |at| at + 1);
    lines.truncate(header.saturating_add(body_lines));
    lines
}
