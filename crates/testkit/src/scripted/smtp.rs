//! An SMTP server that takes mail and keeps it in memory, and breaks on command.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certificate::ServerCertificate;

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its sender.
    pub from: String,
    /// What stood behind the sender, as `SIZE=12 BODY=8BITMIME`.
    pub parameters: String,
    /// Its recipients that were accepted.
    pub to: Vec<String>,
    /// Its bytes as they were on the wire: dots doubled, without the line of the final dot.
    pub wire: Vec<u8>,
    /// Who had signed in.
    pub user: Option<String>,
}

impl Received {
    /// The message: doubled dots made single.
    pub fn message(&self) -> Vec<u8> {
        let lines = self.wire.split_inclusive(|byte| *byte == b'\n');
        lines.flat_map(|line| line.strip_prefix(b".").unwrap_or(line).to_vec()).collect()
    }
}

/// What follows the final dot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum End {
    /// The message is taken, and the client hears so.
    #[default]
    Accept,
    /// It is not taken, with this reply.
    Refuse(String),
    /// It is taken, and nothing is said until the client goes away.
    TakenInSilence,
    /// It is taken, and the connection is closed without a word.
    TakenThenClosed,
    /// It is not taken, and the connection is closed without a word.
    LostThenClosed,
}

/// When TLS begins.
#[derive(Clone)]
pub enum Secured {
    /// With the first byte.
    Implicit(ServerCertificate),
    /// After STARTTLS, which is offered.
    StartTls(ServerCertificate),
}

/// How the server behaves.
#[derive(Clone)]
pub struct SmtpManner {
    /// The first line.
    pub greeting: String,
    /// What EHLO lists, besides STARTTLS.
    pub offers: Vec<String>,
    /// User and secret (password or token) that are let in.
    pub account: (String, String),
    /// Nobody may send without signing in.
    pub sign_in_first: bool,
    /// Answers other than 250, by address (of MAIL or RCPT) or by command word.
    pub replies: BTreeMap<String, String>,
    /// What follows the final dot.
    pub end: End,
    /// TLS.
    pub secured: Option<Secured>,
}

impl Default for SmtpManner {
    fn default() -> Self {
        Self {
            greeting: "220 mx.acme.example ESMTP".into(),
            offers: [
                "PIPELINING",
                "SIZE 1000000",
                "8BITMIME",
                "SMTPUTF8",
                "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER",
            ]
            .map(str::to_owned)
            .into(),
            account: ("ann".into(), "secret".into()),
            sign_in_first: false,
            replies: BTreeMap::new(),
            end: End::Accept,
            secured: None,
        }
    }
}

#[derive(Default)]
struct Shared {
    received: Vec<Received>,
    /// Every line the clients said, the data of messages left out.
    heard: Vec<String>,
    /// Offsets at which the replies of the newest connection ended.
    boundaries: Vec<u64>,
    /// After so many bytes of replies the connections to come break, one each; then none.
    cuts: Vec<u64>,
    manner: SmtpManner,
}

/// The server. Dropping it closes its port.
pub struct SmtpServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    /// Starts.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(manner: SmtpManner) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared { manner, ..Shared::default() }));
        let connections = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(accept(listener, Arc::clone(&shared), Arc::clone(&connections)));
        Ok(Self { address, shared, connections, task })
    }

    /// The messages that were taken, in order.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared).received.clone()
    }

    /// Every line the clients said, in order; the data of messages is left out.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.shared).heard.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Offsets at which the replies of the newest connection ended.
    pub fn boundaries(&self) -> Vec<u64> {
        lock(&self.shared).boundaries.clone()
    }

    /// The next connection breaks after so many bytes of replies.
    pub fn cut_next(&self, after: u64) {
        lock(&self.shared).cuts.push(after);
    }

    /// Behaves differently from the next connection on.
    pub fn change(&self, change: impl FnOnce(&mut SmtpManner)) {
        change(&mut lock(&self.shared).manner);
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<Shared>>, connections: Arc<AtomicUsize>) {
    let mut tasks = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::Relaxed);
        let (manner, cut) = {
            let mut shared = lock(&shared);
            shared.boundaries.clear();
            let cut = (!shared.cuts.is_empty()).then(|| shared.cuts.remove(0));
            (shared.manner.clone(), cut)
        };
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            // How a connection ends is the test's business, not ours.
            serve(stream, manner, cut, shared).await.ok();
        });
    }
}

async fn serve(
    stream: TcpStream,
    manner: SmtpManner,
    cut: Option<u64>,
    shared: Arc<Mutex<Shared>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut boxed: Box<dyn Stream> = Box::new(stream);
    if let Some(Secured::Implicit(certificate)) = &manner.secured {
        boxed = secure(boxed, certificate).await?;
    }
    let mut talk = Talk {
        stream: BufReader::new(boxed),
        manner,
        shared,
        sent: 0,
        cut,
        secure: false,
        user: None,
        from: None,
        to: Vec::new(),
    };
    talk.say(&talk.manner.greeting.clone()).await?;
    while let Some(line) = talk.line().await? {
        match line.to_ascii_uppercase().as_str() {
            "STARTTLS" if matches!(talk.manner.secured, Some(Secured::StartTls(_))) && !talk.secure => {
                talk = talk.start_tls().await?;
            }
            _ => talk.answer(&line).await?,
        }
    }
    Ok(())
}

async fn secure(stream: Box<dyn Stream>, certificate: &ServerCertificate) -> io::Result<Box<dyn Stream>> {
    Ok(Box::new(TlsAcceptor::from(certificate.config()).accept(stream).await?))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection.
struct Talk {
    stream: BufReader<Box<dyn Stream>>,
    manner: SmtpManner,
    shared: Arc<Mutex<Shared>>,
    sent: u64,
    cut: Option<u64>,
    secure: bool,
    user: Option<String>,
    from: Option<(String, String)>,
    to: Vec<String>,
}

impl Talk {
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        lock(&self.shared).heard.push(line.clone());
        Ok(Some(line))
    }

    /// Says one or more lines, as far as the cut lets them through.
    async fn say(&mut self, text: &str) -> io::Result<()> {
        let bytes = format!("{text}\r\n").into_bytes();
        let end = self.sent + bytes.len() as u64;
        if let Some(cut) = self.cut.filter(|cut| *cut < end) {
            let (here, _) = bytes.split_at((cut - self.sent) as usize);
            self.stream.write_all(here).await?;
            return self.close().await;
        }
        self.sent = end;
        lock(&self.shared).boundaries.push(end);
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await
    }

    /// Politely: the client reads what was said, then the end.
    async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut rest = [0; 4096];
        let drain = async { while self.stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(Duration::from_secs(5), drain).await.ok();
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    async fn start_tls(mut self) -> io::Result<Self> {
        self.say("220 2.0.0 go on").await?;
        let Some(Secured::StartTls(certificate)) = self.manner.secured.clone() else { return Ok(self) };
        let stream = secure(self.stream.into_inner(), &certificate).await?;
        Ok(Self { stream: BufReader::new(stream), secure: true, user: None, ..self })
    }

    async fn answer(&mut self, line: &str) -> io::Result<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let word = word.to_ascii_uppercase();
        if let Some(reply) = self.manner.replies.get(&word).cloned() {
            return self.say(&reply).await;
        }
        match word.as_str() {
            "EHLO" => self.hello().await,
            "AUTH" => self.auth(rest).await,
            "MAIL" if self.manner.sign_in_first && self.user.is_none() => {
                self.say("530 5.7.0 sign in first").await
            }
            "MAIL" => {
                let (from, parameters) = address(rest);
                self.to.clear();
                let reply = self.reply_to(&from);
                self.from = reply.starts_with('2').then_some((from, parameters));
                self.say(&reply).await
            }
            "RCPT" => {
                let (to, _) = address(rest);
                let reply = self.reply_to(&to);
                if reply.starts_with('2') {
                    self.to.push(to);
                }
                self.say(&reply).await
            }
            "DATA" if self.from.is_none() || self.to.is_empty() => self.say("503 5.5.1 for whom?").await,
            "DATA" => self.data().await,
            "RSET" => {
                (self.from, self.to) = (None, Vec::new());
                self.say("250 2.0.0 forgotten").await
            }
            "HELO" | "NOOP" => self.say("250 mx.acme.example").await,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                self.close().await
            }
            other => self.say(&format!("502 5.5.2 what is {other}")).await,
        }
    }

    fn reply_to(&self, address: &str) -> String {
        self.manner.replies.get(address).cloned().unwrap_or_else(|| "250 2.1.0 ok".into())
    }

    async fn hello(&mut self) -> io::Result<()> {
        let mut lines = vec!["mx.acme.example".to_owned()];
        lines.extend(self.manner.offers.iter().cloned());
        if matches!(self.manner.secured, Some(Secured::StartTls(_))) && !self.secure {
            lines.push("STARTTLS".into());
        }
        let last = lines.len() - 1;
        let line = |(at, line): (usize, &String)| format!("250{}{line}", if at == last { ' ' } else { '-' });
        let text: Vec<_> = lines.iter().enumerate().map(line).collect();
        self.say(&text.join("\r\n")).await
    }

    /// PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER: whether what comes holds user and secret.
    async fn auth(&mut self, rest: &str) -> io::Result<()> {
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut said = first.to_owned();
        if mechanism == "LOGIN" {
            for prompt in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                self.say(prompt).await?;
                let line = self.line().await?.unwrap_or_default();
                said = format!("{said} {line}");
            }
        } else if first.is_empty() {
            self.say("334 ").await?;
            said = self.line().await?.unwrap_or_default();
        }
        let plain =
            |word: &str| String::from_utf8_lossy(&BASE64.decode(word).unwrap_or_default()).into_owned();
        let said: Vec<_> = said.split_whitespace().map(plain).collect();
        let said = said.join("\0");
        let (user, secret) = &self.manner.account;
        let parts: Vec<_> = said.split(['\0', '\x01', '=', ',', ' ']).collect();
        if parts.contains(&user.as_str()) && parts.contains(&secret.as_str()) {
            self.user = Some(user.clone());
            return self.say("235 2.7.0 welcome").await;
        }
        if mechanism.contains("OAUTH") {
            self.say(&format!("334 {}", BASE64.encode("{\"status\":\"401\"}"))).await?;
            self.line().await?;
        }
        self.say("535 5.7.8 no").await
    }

    async fn data(&mut self) -> io::Result<()> {
        self.say("354 go on").await?;
        let mut wire = Vec::new();
        loop {
            let from = wire.len();
            if self.stream.read_until(b'\n', &mut wire).await? == 0 {
                return Ok(());
            }
            if &wire[from..] == b".\r\n" {
                wire.truncate(from);
                break;
            }
        }
        let (from, parameters) = self.from.take().unwrap_or_default();
        let to = std::mem::take(&mut self.to);
        let received = Received { from, parameters, to, wire, user: self.user.clone() };
        let end = self.manner.end.clone();
        if !matches!(end, End::Refuse(_) | End::LostThenClosed) {
            lock(&self.shared).received.push(received);
        }
        match end {
            End::Accept => self.say("250 2.0.0 taken").await,
            End::Refuse(reply) => self.say(&reply).await,
            End::TakenThenClosed | End::LostThenClosed => self.close().await,
            End::TakenInSilence => {
                let mut rest = Vec::new();
                self.stream.read_to_end(&mut rest).await.map(drop)
            }
        }
    }
}

/// `FROM:<ann@firma.example> SIZE=12`: the address and what follows.
fn address(rest: &str) -> (String, String) {
    let inside = rest.split_once('<').map_or("", |(_, inside)| inside);
    let (address, behind) = inside.split_once('>').unwrap_or((inside, ""));
    (address.to_owned(), behind.trim().to_owned())
}
