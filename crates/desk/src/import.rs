//! History from files (A23): kept and filed like mail that arrives, without its consequences.
//!
//! An import is a folder of its own in a mailbox, never read on a server, so that the same ledger
//! and the same `verify` cover it. What was imported into that folder before, byte for byte, is left
//! out; two identical copies within one import stay two occurrences of one message.

use crate::mailbox;
use crate::receive::{Channel, Item, Place, Receive};
use crate::{Desk, Refusal};
use intake::plan::{Mailbox, Origin};
use model::{MailboxKind, Time};
use store::folders::{self, Folder};
use store::{mailboxes, raw};

/// Name of the folder imports go to. No server's folder should have it: their numbers would collide.
const FOLDER: &str = "Import (files)";
/// Address of the mailbox for imports that name none; nobody can have it (RFC 2606).
const ADDRESS: &str = "import@lettercase.invalid";
/// Two imports into one mailbox number their messages alike.
const MEANWHILE: &str = "Another import into this mailbox is running. Run this one again when it has ended; what was imported is left out.";
/// Messages of a batch.
const BATCH_MESSAGES: usize = 128;
/// Bytes of a batch.
const BATCH_BYTES: usize = 6 << 20;

/// Messages to be imported together.
#[derive(Default)]
pub struct Batch {
    items: Vec<(Vec<u8>, Time)>,
    bytes: usize,
}

impl Batch {
    /// Adds a message and the date it gets if it has none; true if the batch should be filed now.
    pub fn push(&mut self, raw: Vec<u8>, at: Time) -> bool {
        self.bytes += raw.len();
        self.items.push((raw, at));
        self.items.len() >= BATCH_MESSAGES || self.bytes >= BATCH_BYTES
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Messages filed.
    pub filed: u64,
    /// Messages that an earlier import had brought.
    pub known: u64,
    /// Messages put aside.
    pub quarantined: u64,
}

impl std::ops::AddAssign for Imported {
    fn add_assign(&mut self, more: Imported) {
        self.filed += more.filed;
        self.known += more.known;
        self.quarantined += more.quarantined;
    }
}

/// An import under way.
pub struct Import {
    receive: Receive,
    channel: Channel,
    folder: Folder,
    /// What has a UID up to this one came with an earlier import.
    earlier: i64,
}

impl Import {
    /// Begins an import into a mailbox, or into one made for it.
    pub async fn begin(receive: &Receive, address: Option<&str>) -> Result<Import, Refusal> {
        let desk = receive.desk();
        let mailbox = match address {
            Some(address) => existing(desk, address).await?,
            None => match existing(desk, ADDRESS).await {
                Err(Refusal::Invalid { .. }) => for_imports(desk).await?,
                found => found?,
            },
        };
        let mut tx = desk.db.begin().await?;
        let folder = folders::import_folder(&mut tx, mailbox.id, FOLDER).await?;
        tx.commit().await?;
        let channel = Channel {
            id: mailbox.id,
            mailbox: Mailbox::new(mailbox.kind, &mailbox.address),
            origin: Origin::History,
        };
        let earlier = folder.cursor;
        let import = Import { receive: receive.clone(), channel, folder, earlier };
        // What an interrupted import kept and did not file.
        import.receive.file_waiting(&import.channel, &import.folder).await?;
        Ok(import)
    }

    /// Keeps and files a batch.
    pub async fn file(&mut self, batch: Batch) -> Result<Imported, Refusal> {
        let mut done = Imported::default();
        let items = self.new_ones(batch, &mut done).await?;
        if items.is_empty() {
            return Ok(done);
        }
        let last = self.folder.cursor + items.len() as i64;
        let place =
            Place { mailbox: self.channel.id, folder: self.folder.id, uidvalidity: self.folder.uidvalidity };
        let receive = self.receive.clone();
        let opened = tokio::task::spawn_blocking(move || {
            items.into_iter().map(|item| receive.open(&place, item)).collect::<Vec<_>>()
        });
        let mut opened = opened.await.map_err(anyhow::Error::from)?;
        self.list(last).await?;
        self.receive.keep(&mut self.folder, &mut opened, last).await?;
        if opened.iter().any(|one| !one.is_new()) {
            return Err(Refusal::conflict("import_running", MEANWHILE));
        }
        let filed = self.receive.file(&self.channel, &self.folder, opened).await?;
        done.filed += filed.filed;
        done.quarantined += filed.quarantined;
        Ok(done)
    }

    /// Leaves out what an earlier import brought, and numbers the rest.
    async fn new_ones(&self, batch: Batch, done: &mut Imported) -> Result<Vec<Item>, Refusal> {
        let hashes: Vec<_> = batch.items.iter().map(|(raw, _)| *blake3::hash(raw).as_bytes()).collect();
        let known =
            raw::known_in_folder(&mut &self.receive.desk().db, self.folder.id, self.earlier, &hashes).await?;
        let new = batch.items.into_iter().zip(known).filter_map(|(item, known)| {
            done.known += u64::from(known);
            (!known).then_some(item)
        });
        Ok(new
            .zip(self.folder.cursor + 1..)
            .map(|((raw, at), uid)| Item { uid, internal_at: at, raw, aside: None })
            .collect())
    }

    /// The ledger's "seen": everything that was given to the import, before it is kept.
    async fn list(&mut self, last: i64) -> Result<(), Refusal> {
        let folder = &mut self.folder;
        folder.listed = format!("1:{last}");
        let mut tx = self.receive.desk().db.begin().await?;
        folders::visited(&mut tx, folder.id, folder.uidvalidity, &folder.listed, folder.cursor).await?;
        Ok(tx.commit().await?)
    }
}

async fn existing(desk: &Desk, address: &str) -> Result<mailboxes::Mailbox, Refusal> {
    let all = mailboxes::all(&mut &desk.db).await?;
    let found = all.into_iter().find(|mailbox| mailbox.address.eq_ignore_ascii_case(address));
    found.ok_or_else(|| {
        let message =
            format!("there is no mailbox {address}; `lettercase mailbox list` shows those there are");
        Refusal::invalid("mailbox", "unknown", message)
    })
}

/// The mailbox of what came from files: off, and nobody's but the archive's.
async fn for_imports(desk: &Desk) -> Result<mailboxes::Mailbox, Refusal> {
    let new = mailboxes::Mailbox {
        name: "Import".into(),
        host: "localhost".into(),
        username: "import".into(),
        ..mailboxes::Mailbox::new(MailboxKind::Group, ADDRESS)
    };
    let mut tx = desk.db.begin().await?;
    let id = mailboxes::add(&mut tx, &new, desk.clock.now()).await?;
    mailbox::finish(desk, tx, id, "added").await
}
