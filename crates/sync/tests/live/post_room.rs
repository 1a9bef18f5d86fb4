//! An installation without its program: a database, a receiving desk, mailboxes of a server.

use desk::clock::Clock;
use desk::mailbox::{self, FolderChoice, NewMailbox};
use desk::may::Actor;
use desk::receive::Receive;
use desk::seal::{Seal, Secret};
use desk::{Desk, mailbox::PROCESSED};
use model::{AfterFiling, MailboxId, MailboxKind, Time, Tls};
use std::time::{Duration, Instant};
use store::folders::LedgerRow;
use store::rounds::Source;
use store::sql::Db;
use sync::supervisor::{Limits, Supervisor};
use sync::visit::{self, FolderSummary, RoundError};
use testkit::folder::Folder;

pub struct PostRoom {
    pub receive: Receive,
    dir: Folder,
    /// A PostgreSQL database; without one a file.
    url: Option<String>,
}

/// Where a mail server listens, and whose mailbox it is.
#[derive(Clone, Copy)]
pub struct Server<'a> {
    pub host: &'a str,
    pub port: u16,
    pub user: &'a str,
    pub password: &'a str,
}

/// A folder of which filed mail is moved away, made read, or left.
pub fn folder(name: &str, after_filing: AfterFiling) -> FolderChoice {
    let processed_folder = (after_filing == AfterFiling::Move).then(|| PROCESSED.to_owned());
    FolderChoice { name: name.into(), after_filing, processed_folder }
}

impl PostRoom {
    pub async fn new() -> PostRoom {
        PostRoom::with(None).await
    }

    pub async fn on_postgres() -> PostRoom {
        PostRoom::with(Some(testkit::postgres::database().unwrap())).await
    }

    async fn with(url: Option<String>) -> PostRoom {
        let dir = Folder::new().unwrap();
        let db = open(url.as_deref(), &dir).await;
        store::migrate::run(&db, Time(0)).await.unwrap();
        let seal = Seal::open_or_create(&dir.path().join("key")).unwrap();
        PostRoom { receive: Receive::new(Desk { db, clock: Clock::system(), seal }), dir, url }
    }

    /// Closes the database, lets somebody do something with its folder, and opens it again.
    pub async fn closed(self, work: impl FnOnce(&std::path::Path)) -> PostRoom {
        let PostRoom { receive, dir, url } = self;
        receive.desk().db.clone().close().await;
        work(dir.path());
        let desk = Desk { db: open(url.as_deref(), &dir).await, ..receive.desk().clone() };
        PostRoom { receive: Receive::new(desk), dir, url }
    }

    pub fn desk(&self) -> &Desk {
        self.receive.desk()
    }

    /// The same database, as another process has it.
    pub async fn second(&self) -> Receive {
        let db = open(self.url.as_deref(), &self.dir).await;
        Receive::new(Desk { db, clock: Clock::system(), seal: self.desk().seal.clone() })
    }

    /// Connects a group mailbox that makes cases.
    pub async fn connect(&self, server: Server<'_>, folders: Vec<FolderChoice>) -> MailboxId {
        let new = self.new_mailbox(server, folders);
        mailbox::add(self.desk(), &Actor::machine(), new).await.unwrap().id
    }

    pub fn new_mailbox(&self, server: Server<'_>, folders: Vec<FolderChoice>) -> NewMailbox {
        let address = format!("{}-{}@acme.example", server.user, server.port);
        NewMailbox {
            host: server.host.into(),
            port: server.port,
            tls: Tls::None,
            username: server.user.into(),
            password: Some(Secret::new(server.password)),
            folders,
            process: Some("Helpdesk".into()),
            teams: vec!["Support".into()],
            create_cases: true,
            active: true,
            ..NewMailbox::new(MailboxKind::Group, address)
        }
    }

    /// Connects a mailbox of a group that is kept as on its server.
    pub async fn connect_synchronised(&self, server: Server<'_>) -> MailboxId {
        let id = self.connect(server, Vec::new()).await;
        self.run(&format!("UPDATE mailboxes SET mode = 'synchronise' WHERE id = {id}")).await;
        id
    }

    pub async fn source(&self, id: MailboxId) -> Source {
        store::rounds::source_of(&mut &self.desk().db, id).await.unwrap().unwrap()
    }

    /// One round over a new connection.
    pub async fn try_round(&self, id: MailboxId) -> Result<Vec<FolderSummary>, RoundError> {
        let source = self.source(id).await;
        let mut visit = visit::begin(&self.receive, &source).await?;
        visit.round(&|_, _, _| {}).await
    }

    /// One round that must come to its end, as (seen, filed, skipped, quarantined) of its first folder.
    pub async fn round(&self, id: MailboxId) -> (u64, u64, u64, u64) {
        let summaries = self.try_round(id).await.unwrap();
        let FolderSummary { seen, filed, skipped, quarantined, .. } = summaries[0];
        (seen, filed, skipped, quarantined)
    }

    /// Changes the database behind everybody's back.
    pub async fn run(&self, sql: &str) {
        let mut tx = self.desk().db.begin().await.unwrap();
        tx.execute(sql, store::params![]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The mailbox's server listens elsewhere.
    pub async fn moved_to(&self, id: MailboxId, port: u16) {
        self.run(&format!("UPDATE mailboxes SET port = {port} WHERE id = {}", id.0)).await;
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.desk().db.query_one(sql, store::params![]).await.unwrap().get(0).unwrap()
    }

    /// The ledger of a mailbox's first folder.
    pub async fn ledger(&self, id: MailboxId) -> LedgerRow {
        store::folders::ledger(&mut &self.desk().db, Some(id)).await.unwrap().remove(0)
    }

    /// Everything that was seen is a message, each once.
    pub async fn has_each_once(&self, id: MailboxId, messages: i64) {
        let ledger = self.ledger(id).await;
        assert_eq!((ledger.waiting, ledger.quarantined, ledger.difference), (0, 0, 0), "{ledger:?}");
        assert_eq!(self.number("SELECT COUNT(*) FROM messages").await, messages);
        assert_eq!(self.number("SELECT COUNT(*) FROM records WHERE kind = 'case'").await, messages);
        let shown =
            self.number("SELECT COALESCE(SUM(messages), 0) FROM threads WHERE merged_into IS NULL").await;
        assert_eq!(shown, messages);
    }

    /// Rounds run until the value is dropped.
    pub fn serve(&self) -> Serving {
        self.serve_within(Limits::default())
    }

    pub fn serve_within(&self, limits: Limits) -> Serving {
        serve(self.receive.clone(), limits)
    }

    /// Waits until so many messages are filed, and says how long that took.
    pub async fn filed(&self, messages: i64, within: Duration) -> Duration {
        let began = Instant::now();
        while self.number("SELECT COUNT(*) FROM messages").await < messages {
            assert!(began.elapsed() < within, "not filed within {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }
}

async fn open(url: Option<&str>, dir: &Folder) -> Db {
    let opened = match url {
        Some(url) => Db::open_postgres(url, Default::default()).await,
        None => Db::open_sqlite(&dir.path().join("test.db"), Default::default()).await,
    };
    opened.unwrap()
}

/// Rounds run until the value is dropped.
pub fn serve(receive: Receive, limits: Limits) -> Serving {
    let supervisor = Supervisor::within(receive, limits);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let rounds = supervisor.clone();
    let task = tokio::spawn(async move {
        rounds.run(async { drop(stopped.await) }).await;
    });
    Serving { supervisor, stop: Some(stop), task }
}

pub struct Serving {
    pub supervisor: Supervisor,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Serving {
    /// Ends in order.
    pub async fn end(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A letter of its own thread.
pub fn letter(number: usize) -> Vec<u8> {
    format!(
        "Message-ID: <{number}@firma.example>\r\nFrom: Ann <ann@firma.example>\r\nTo: helpdesk@acme.example\r\n\
         Date: Mon, 2 Nov 2026 10:00:00 +0100\r\nSubject: Order {number}\r\n\r\nTen of number {number}.\r\n"
    )
    .into_bytes()
}

pub fn letters(numbers: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    numbers.map(letter).collect()
}
