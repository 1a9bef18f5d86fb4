//! An IMAP server of one mailbox in memory.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::imap_words::{Command, read, read_line};
use super::output::{Fault, Output, Recording};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its UID.
    pub uid: u32,
    /// Its flags.
    pub flags: Vec<String>,
    /// Its bytes, with CRLF.
    pub body: Vec<u8>,
}

/// One folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// UID of the next message.
    pub uid_next: u32,
    /// Its messages, by rising UID.
    pub messages: Vec<Message>,
}

/// All folders by wire name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The folders.
    pub folders: BTreeMap<String, Folder>,
}

impl Mailbox {
    /// An INBOX with these bodies as UIDs 1, 2, 3..., and an empty Processed.
    pub fn with_inbox<B: Into<Vec<u8>>>(bodies: impl IntoIterator<Item = B>) -> Self {
        let message =
            |(at, body): (usize, B)| Message { uid: at as u32 + 1, flags: Vec::new(), body: body.into() };
        let messages: Vec<_> = bodies.into_iter().enumerate().map(message).collect();
        let inbox = Folder { uid_validity: 11, uid_next: messages.len() as u32 + 1, messages };
        let processed = Folder { uid_validity: 22, uid_next: 1, messages: Vec::new() };
        Self { folders: [("INBOX".to_owned(), inbox), ("Processed".to_owned(), processed)].into() }
    }

    fn add(&mut self, folder: &str, flags: Vec<String>, body: Vec<u8>) -> Option<(u32, u32)> {
        let folder = self.folders.get_mut(folder)?;
        let uid = folder.uid_next;
        folder.uid_next += 1;
        folder.messages.push(Message { uid, flags, body });
        Some((folder.uid_validity, uid))
    }
}

/// How the server behaves when nothing is broken.
#[derive(Debug, Clone)]
pub struct Manner {
    /// What CAPABILITY says.
    pub capabilities: String,
    /// The first line.
    pub greeting: String,
    /// FETCH names the UID after the body instead of before it.
    pub uid_after_body: bool,
    /// A FETCH of flags only comes before each message.
    pub flags_in_between: bool,
    /// What is added to the true size in RFC822.SIZE.
    pub size_lie: i64,
    /// What is added to the true size where the literal is announced.
    pub literal_lie: i64,
    /// While a client idles, this much later a message comes.
    pub news_after: Option<Duration>,
    /// The answer to every `UID FETCH`, after the messages: `OK done` by default.
    pub fetch_ends_with: String,
    /// UIDs that are listed and never given.
    pub withheld: Vec<u32>,
    /// The answer to every MOVE and COPY, instead of doing it.
    pub transfer_ends_with: Option<String>,
    /// What is said in place of a line, or of the head of a FETCH or LIST up to its literal; `None` leaves it as
    /// it is, an empty text takes it away.
    pub oddity: fn(&str) -> Option<String>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            capabilities:
                "IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS MOVE IDLE ESEARCH ID SPECIAL-USE LIST-EXTENDED".into(),
            greeting: "* OK scripted server ready".into(),
            uid_after_body: false,
            flags_in_between: false,
            size_lie: 0,
            literal_lie: 0,
            news_after: None,
            fetch_ends_with: "OK done".into(),
            withheld: Vec::new(),
            transfer_ends_with: None,
            oddity: |_| None,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    mailbox: Mailbox,
    /// Faults of the connections to come; then none.
    faults: Vec<Fault>,
    recordings: Vec<Arc<Mutex<Recording>>>,
}

/// The server. Dropping it closes its port.
#[derive(Debug)]
pub struct ImapServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

impl ImapServer {
    /// Starts. `faults` belong to the first connections, one each; later ones are sound.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(mailbox: Mailbox, manner: Manner, faults: Vec<Fault>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared { mailbox, faults, recordings: Vec::new() }));
        let task = tokio::spawn(accept(listener, Arc::clone(&shared), Arc::new(manner)));
        Ok(Self { address, shared, task })
    }

    /// The mailbox as it is now.
    pub fn mailbox(&self) -> Mailbox {
        lock(&self.shared).mailbox.clone()
    }

    /// What was sent on the `n`-th connection, from 0.
    pub fn recording(&self, n: usize) -> Option<Recording> {
        let recording = lock(&self.shared).recordings.get(n).cloned()?;
        Some(lock(&recording).clone())
    }
}

impl Drop for ImapServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<Shared>>, manner: Arc<Manner>) {
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
    manner: Arc<Manner>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (input, output) = stream.into_split();
    let mut talk = Talk {
        input: BufReader::new(input),
        output: Output::new(output, fault, manner.oddity, Arc::clone(recording)),
        shared,
        manner,
        folder: None,
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

/// One connection.
struct Talk {
    input: BufReader<tokio::net::tcp::OwnedReadHalf>,
    output: Output,
    shared: Arc<Mutex<Shared>>,
    manner: Arc<Manner>,
    folder: Option<String>,
}

impl Talk {
    async fn run(&mut self) -> io::Result<()> {
        self.output.line(&self.manner.greeting);
        self.output.flush().await?;
        while let Some(command) = read(&mut self.input, &mut self.output).await? {
            let answer = self.answer(&command).await?;
            self.output.line(format!("{} {answer}", command.tag));
            self.output.flush().await?;
            if command.name == "LOGOUT" {
                break;
            }
        }
        Ok(())
    }

    async fn answer(&mut self, command: &Command) -> io::Result<String> {
        Ok(match command.name.as_str() {
            "CAPABILITY" => self.say(format!("* CAPABILITY {}", self.manner.capabilities)),
            "AUTHENTICATE" if command.words.len() < 2 => {
                self.output.line("+ ");
                self.output.flush().await?;
                read_line(&mut self.input).await?;
                "OK signed in".into()
            }
            "ID" => self.say("* ID (\"name\" \"scripted\")"),
            "LIST" => self.list(),
            "STATUS" => self.status(command),
            "CREATE" => self.create(command),
            "SELECT" | "EXAMINE" => self.select(command),
            "UID SEARCH" => self.search(command),
            "UID FETCH" => self.fetch(command),
            "UID STORE" => self.store(command),
            "UID MOVE" | "UID COPY" => self.transfer(command),
            "UID EXPUNGE" => self.expunge(command),
            "APPEND" => self.append(command),
            "IDLE" => return self.idle().await,
            "LOGOUT" => self.say("* BYE see you"),
            "AUTHENTICATE" | "LOGIN" | "NOOP" | "SUBSCRIBE" => "OK done".into(),
            other => format!("BAD what is {other}"),
        })
    }

    fn say(&mut self, line: impl AsRef<[u8]>) -> String {
        self.output.line(line);
        "OK done".into()
    }

    fn list(&mut self) -> String {
        let names: Vec<_> = lock(&self.shared).mailbox.folders.keys().cloned().collect();
        for name in names {
            // A name as a literal is legal, and rare enough to be forgotten by clients.
            self.output.head("* LIST (\\HasNoChildren) \"/\" ");
            self.output.literal(name.len() as u64, name.as_bytes());
            self.output.line("");
        }
        "OK done".into()
    }

    fn status(&mut self, command: &Command) -> String {
        let Some(folder) = lock(&self.shared).mailbox.folders.get(&command.word(0)).cloned() else {
            return "NO [NONEXISTENT] no such folder".into();
        };
        let (messages, next, validity) = (folder.messages.len(), folder.uid_next, folder.uid_validity);
        self.say(format!(
            "* STATUS \"{}\" (MESSAGES {messages} UIDNEXT {next} UIDVALIDITY {validity})",
            command.word(0)
        ))
    }

    fn create(&mut self, command: &Command) -> String {
        let mut shared = lock(&self.shared);
        if shared.mailbox.folders.contains_key(&command.word(0)) {
            return "NO [ALREADYEXISTS] it is there".into();
        }
        let uid_validity = 100 + shared.mailbox.folders.len() as u32;
        let folder = Folder { uid_validity, uid_next: 1, messages: Vec::new() };
        shared.mailbox.folders.insert(command.word(0), folder);
        "OK done".into()
    }

    fn select(&mut self, command: &Command) -> String {
        self.folder = None;
        let Some(folder) = lock(&self.shared).mailbox.folders.get(&command.word(0)).cloned() else {
            return "NO [NONEXISTENT] no such folder".into();
        };
        self.folder = Some(command.word(0));
        self.output.line("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)");
        self.output.line("* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] flags");
        self.output.line(format!("* {} EXISTS", folder.messages.len()));
        self.output.line("* 0 RECENT");
        self.output.line(format!("* OK [UIDVALIDITY {}] valid", folder.uid_validity));
        self.output.line(format!("* OK [UIDNEXT {}] next", folder.uid_next));
        let code = if command.name == "EXAMINE" { "READ-ONLY" } else { "READ-WRITE" };
        format!("OK [{code}] opened")
    }

    /// The messages of the open folder that a set names, with their sequence numbers.
    fn chosen(&self, set: &str) -> Vec<(usize, Message)> {
        let shared = lock(&self.shared);
        let folder = self.folder.as_ref().and_then(|name| shared.mailbox.folders.get(name));
        let messages = folder.map(|f| f.messages.as_slice()).unwrap_or_default();
        let last = messages.last().map_or(0, |m| m.uid);
        let named = |m: &Message| set.split(',').any(|part| in_range(part, m.uid, last));
        messages.iter().enumerate().filter(|(_, m)| named(m)).map(|(at, m)| (at + 1, m.clone())).collect()
    }

    fn search(&mut self, command: &Command) -> String {
        let words: Vec<_> = (0..command.words.len()).map(|at| command.word(at)).collect();
        let after = |word: &str| words.iter().position(|w| w.eq_ignore_ascii_case(word)).map(|at| at + 1);
        let found = match (after("HEADER"), after("UID")) {
            (Some(at), _) => {
                let wanted = format!("{}: {}", words[at], words.get(at + 1).map_or("", String::as_str))
                    .to_ascii_lowercase();
                let holds =
                    |m: &Message| String::from_utf8_lossy(&m.body).to_ascii_lowercase().contains(&wanted);
                self.chosen("1:*").into_iter().filter(|(_, m)| holds(m)).collect()
            }
            (None, Some(at)) => self.chosen(words.get(at).map_or("", String::as_str)),
            (None, None) => self.chosen("1:*"),
        };
        let uids: Vec<_> = found.iter().map(|(_, m)| m.uid.to_string()).collect();
        if words.first().is_some_and(|w| w == "RETURN") {
            let all = if uids.is_empty() { String::new() } else { format!(" ALL {}", uids.join(",")) };
            self.say(format!("* ESEARCH (TAG \"{}\") UID{all}", command.tag))
        } else {
            self.say(format!("* SEARCH {}", uids.join(" ")))
        }
    }

    fn fetch(&mut self, command: &Command) -> String {
        for (number, message) in self.chosen(&command.word(0)) {
            if self.manner.withheld.contains(&message.uid) {
                continue;
            }
            if self.manner.flags_in_between {
                self.output.line(format!("* {number} FETCH (FLAGS ({} $Seen))", message.flags.join(" ")));
            }
            let size = (message.body.len() as i64 + self.manner.size_lie).max(0);
            let announced = (message.body.len() as i64 + self.manner.literal_lie).max(0) as u64;
            let uid = format!("UID {}", message.uid);
            let (before, behind) = if self.manner.uid_after_body {
                (String::new(), format!(" {uid})"))
            } else {
                (uid + " ", ")".into())
            };
            let flags = message.flags.join(" ");
            self.output.head(format!(
                "* {number} FETCH ({before}FLAGS ({flags}) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE {size} BODY[] "
            ));
            self.output.literal(announced, &message.body);
            self.output.line(behind);
        }
        self.manner.fetch_ends_with.clone()
    }

    fn store(&mut self, command: &Command) -> String {
        let uids: Vec<_> = self.chosen(&command.word(0)).iter().map(|(_, m)| m.uid).collect();
        let add = command.word(1).starts_with('+');
        let flags: Vec<String> =
            command.word(2).trim_matches(['(', ')']).split(' ').map(str::to_owned).collect();
        self.with_folder(|folder| {
            for message in folder.messages.iter_mut().filter(|m| uids.contains(&m.uid)) {
                message.flags.retain(|f| !flags.contains(f));
                if add {
                    message.flags.extend(flags.iter().cloned());
                }
            }
        });
        "OK done".into()
    }

    fn with_folder(&self, change: impl FnOnce(&mut Folder)) {
        let mut shared = lock(&self.shared);
        if let Some(folder) = self.folder.as_ref().and_then(|name| shared.mailbox.folders.get_mut(name)) {
            change(folder);
        }
    }

    fn transfer(&mut self, command: &Command) -> String {
        if let Some(answer) = &self.manner.transfer_ends_with {
            return answer.clone();
        }
        let target = command.word(1);
        if !lock(&self.shared).mailbox.folders.contains_key(&target) {
            return "NO [TRYCREATE] no such folder".into();
        }
        let chosen = self.chosen(&command.word(0));
        let (mut from, mut to, mut validity) = (Vec::new(), Vec::new(), 0);
        for (_, message) in &chosen {
            let added = lock(&self.shared).mailbox.add(&target, message.flags.clone(), message.body.clone());
            if let Some((uid_validity, uid)) = added {
                validity = uid_validity;
                from.push(message.uid.to_string());
                to.push(uid.to_string());
            }
        }
        if chosen.is_empty() {
            return "OK nothing to do".into();
        }
        let code = format!("[COPYUID {validity} {} {}]", from.join(","), to.join(","));
        if command.name == "UID COPY" {
            return format!("OK {code} copied");
        }
        self.output.line(format!("* OK {code} moving"));
        self.remove(&chosen);
        "OK moved".into()
    }

    fn expunge(&mut self, command: &Command) -> String {
        let deleted = |m: &Message| m.flags.iter().any(|f| f == "\\Deleted");
        let chosen: Vec<_> = self.chosen(&command.word(0)).into_iter().filter(|(_, m)| deleted(m)).collect();
        self.remove(&chosen);
        "OK done".into()
    }

    fn remove(&mut self, chosen: &[(usize, Message)]) {
        self.with_folder(|folder| {
            folder.messages.retain(|m| !chosen.iter().any(|(_, gone)| gone.uid == m.uid))
        });
        for (gone, (number, _)) in chosen.iter().enumerate() {
            self.output.line(format!("* {} EXPUNGE", number - gone));
        }
    }

    fn append(&mut self, command: &Command) -> String {
        let list = command
            .words
            .iter()
            .find(|w| w.starts_with(b"("))
            .map(|w| String::from_utf8_lossy(w).into_owned());
        let flags = list.map(|l| l.trim_matches(['(', ')']).split(' ').map(str::to_owned).collect());
        let body = command.words.last().cloned().unwrap_or_default();
        match lock(&self.shared).mailbox.add(&command.word(0), flags.unwrap_or_default(), body) {
            Some((validity, uid)) => format!("OK [APPENDUID {validity} {uid}] done"),
            None => "NO [TRYCREATE] no such folder".into(),
        }
    }

    async fn idle(&mut self) -> io::Result<String> {
        self.output.line("+ idling");
        self.output.flush().await?;
        if let Some(after) = self.manner.news_after {
            tokio::time::sleep(after).await;
            let body = b"Subject: news\r\n\r\nnews\r\n".to_vec();
            if let Some(folder) = self.folder.clone() {
                lock(&self.shared).mailbox.add(&folder, Vec::new(), body);
            }
            let exists = self.chosen("1:*").len();
            self.output.line(format!("* {exists} EXISTS"));
            self.output.flush().await?;
        }
        let done = read_line(&mut self.input).await?;
        Ok(if done.is_some_and(|line| line.eq_ignore_ascii_case(b"DONE")) {
            "OK done".into()
        } else {
            "BAD DONE was expected".into()
        })
    }
}

/// Whether `uid` is in `4`, `4:7` or `4:*`, where the last message counts as `*`.
fn in_range(part: &str, uid: u32, last: u32) -> bool {
    let number = |text: &str| if text == "*" { last } else { text.parse().unwrap_or(0) };
    let (a, b) = part.split_once(':').unwrap_or((part, part));
    let (a, b) = (number(a), number(b));
    (a.min(b)..=a.max(b)).contains(&uid)
}
