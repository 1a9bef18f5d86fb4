//! Bytes at rest: each part once, each body once, each occurrence with its own header block.
//!
//! An occurrence is a header block (zstd) and a body; a body is a skeleton (zstd; its format is
//! `mail::split`'s) that names parts by hash; a part is a blob. Putting them together again needs
//! the skeleton's format, so that is done in `desk::bytes`; this shelf only keeps and finds.
//!
//! Decided against one row per raw message: the same price list mailed to 500 people, or one mail in
//! five mailboxes, would be stored 500 and five times. Decided against files: a commit would need an
//! fsync per file (404/s were measured) where the database's log needs one per batch.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{FolderId, MailboxId, MessageId, OccurrenceId, OccurrenceState, QuarantineReason, Time};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use zstd::bulk::Compressor;

/// Bytes named by their BLAKE3-256.
pub type Hash = [u8; 32];

/// Name of the lock under which bytes are kept.
const LOCK: i64 = 0x4c63_0002;

/// Longest run of bytes a stored blob may unpack to; a guard against a damaged database.
const MOST_UNPACKED_BYTES: u64 = 256 << 20;

/// A part as it goes to the shelf.
#[derive(Clone, Debug)]
pub struct Part {
    /// BLAKE3 of the decoded bytes.
    pub hash: Hash,
    /// Length of the decoded bytes.
    pub size_bytes: u64,
    /// The packed bytes; `None` where the shelf is known to have them.
    pub packed: Option<Packed>,
}

/// Bytes, compressed if that made them smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Whether `data` is zstd.
    pub zstd: bool,
    /// What is stored.
    pub data: Vec<u8>,
}

/// A body as it goes to the shelf.
#[derive(Clone, Debug)]
pub struct Body {
    /// BLAKE3 of the body's bytes as sent.
    pub hash: Hash,
    /// Length of the body's bytes as sent.
    pub size_bytes: u64,
    /// The packed skeleton (always zstd).
    pub skeleton: Vec<u8>,
    /// The parts the skeleton names, each once.
    pub parts: Vec<Part>,
}

/// One item of a server, taken apart and ready to be kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its mailbox.
    pub mailbox: MailboxId,
    /// Its folder.
    pub folder: FolderId,
    /// The folder's numbering.
    pub uidvalidity: i64,
    /// Its number.
    pub uid: i64,
    /// BLAKE3 of the whole message as sent.
    pub hash: Hash,
    /// Length of the whole message as sent.
    pub size_bytes: u64,
    /// When the server says it arrived.
    pub internal_at: Time,
    /// The packed header block (always zstd).
    pub header: Vec<u8>,
    /// The body; `None` where the item was too large to take.
    pub body: Option<Body>,
    /// `Kept`, or `Quarantined`/`Vanished` where it will not be filed.
    pub state: OccurrenceState,
    /// Why it will not be filed.
    pub reason: Option<String>,
    /// The same as a word, if it is quarantined.
    pub reason_code: Option<QuarantineReason>,
}

thread_local! {
    /// Making a context anew for each header and part cost a tenth of the whole intake.
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new(Compressor::default());
}

/// Compresses with zstd at a level that keeps up with the network.
pub fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    let level = if bytes.len() > 64 << 10 { 1 } else { 3 };
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.set_compression_level(level).expect("zstd knows its own levels");
        compressor.compress(bytes).expect("zstd compresses any bytes into a buffer it sizes itself")
    })
}

/// Packs a part: compressed if that saves a twentieth, else as it is.
pub fn pack(bytes: &[u8]) -> Packed {
    // A sample tells images, archives and most PDF apart from text without packing megabytes in vain.
    let sample = &bytes[..bytes.len().min(32 << 10)];
    let plain = || Packed { zstd: false, data: bytes.to_vec() };
    let packed_sample = zstd_of(sample);
    if is_worth(sample.len(), packed_sample.len()) {
        let data = if sample.len() == bytes.len() { packed_sample } else { zstd_of(bytes) };
        if is_worth(bytes.len(), data.len()) {
            return Packed { zstd: true, data };
        }
    }
    plain()
}

fn is_worth(plain: usize, packed: usize) -> bool {
    packed < plain - plain / 20
}

/// Undoes [`zstd_of`].
///
/// # Errors
/// The bytes are no zstd frame, or unpack to more than 256 MiB: the database is damaged.
pub fn unzstd(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(data).map_err(damaged)?;
    decoder.take(MOST_UNPACKED_BYTES).read_to_end(&mut out).map_err(damaged)?;
    Ok(out)
}

fn damaged(error: std::io::Error) -> Error {
    Error::Other(format!("stored bytes cannot be unpacked, run `lettercase verify`: {error}"))
}

/// Which of these whole messages a folder had by the UID `up_to`.
pub async fn known_in_folder(
    sql: &mut impl Sql,
    folder: FolderId,
    up_to: i64,
    hashes: &[Hash],
) -> Result<Vec<bool>, Error> {
    let asked = hashes.iter().map(|hash| params![folder, *hash, up_to]).collect();
    let found = sql
        .query_many(
            "SELECT 1 FROM occurrences WHERE folder_id = $1 AND hash = $2 AND uid <= $3 LIMIT 1",
            asked,
        )
        .await?;
    Ok(found.iter().map(|rows| !rows.is_empty()).collect())
}

/// Keeps items: parts and bodies that are new, then the occurrences. An item that is there already
/// (same folder, numbering and number) is left as it is, so doing this twice is doing it once.
/// Returns the ids in the order of `items`; `None` for those that were there.
///
/// One at a time: the same mail often comes to two mailboxes at the same moment, and both would find
/// its body missing and insert it. Take this lock before that of a folder's row.
pub async fn keep(tx: &mut Tx, items: &[Kept], at: Time) -> Result<Vec<Option<OccurrenceId>>, Error> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    lock(tx).await?;
    let absent = absent(tx, items).await?;
    let new: Vec<&Kept> =
        items.iter().zip(absent).filter_map(|(item, absent)| absent.then_some(item)).collect();
    let bodies = keep_bodies(tx, &new).await?;
    let first = counters::take(tx, "occurrences", new.len() as i64).await?;
    let mut ids = HashMap::new();
    let mut rows = Vec::with_capacity(new.len());
    for (item, id) in new.iter().zip(first..) {
        let body = item.body.as_ref().map(|body| bodies[&body.hash]);
        ids.insert((item.folder, item.uidvalidity, item.uid), OccurrenceId(id));
        rows.push(params![
            id,
            item.mailbox,
            item.folder,
            item.uidvalidity,
            item.uid,
            item.hash,
            item.size_bytes as i64,
            item.internal_at.0,
            item.header.clone(),
            body,
            item.state.word(),
            item.reason.clone(),
            item.reason_code.map(QuarantineReason::word),
            at.0
        ]);
    }
    let head = "INSERT INTO occurrences (id, mailbox_id, folder_id, uidvalidity, uid, hash, size_bytes, internal_at, header, body_id, state, reason, reason_code, kept_at, attempts, settle, settle_attempts) VALUES";
    insert_occurrences(tx, head, rows).await?;
    Ok(items.iter().map(|item| ids.get(&(item.folder, item.uidvalidity, item.uid)).copied()).collect())
}

async fn insert_occurrences(tx: &mut Tx, head: &str, rows: Vec<crate::sql::Params>) -> Result<(), Error> {
    let rows = rows
        .into_iter()
        .map(|mut row| {
            row.extend(params![0_i64, "none", 0_i64]);
            row
        })
        .collect();
    tx.insert_many(head, "", rows).await?;
    Ok(())
}

/// Waits until nobody else keeps bytes.
pub(crate) async fn lock(tx: &mut Tx) -> Result<(), Error> {
    tx.lock(LOCK).await
}

/// Which of these items are no occurrences yet.
pub(crate) async fn absent(tx: &mut Tx, items: impl IntoIterator<Item = &Kept>) -> Result<Vec<bool>, Error> {
    let asked = items.into_iter().map(|item| params![item.folder, item.uidvalidity, item.uid]).collect();
    let found = tx
        .query_many("SELECT 1 FROM occurrences WHERE folder_id = $1 AND uidvalidity = $2 AND uid = $3", asked)
        .await?;
    Ok(found.iter().map(Vec::is_empty).collect())
}

/// Keeps the bodies of items that are new on the shelf; the ids of all, by hash.
pub(crate) async fn keep_bodies(tx: &mut Tx, items: &[&Kept]) -> Result<HashMap<Hash, i64>, Error> {
    let mut bodies: HashMap<Hash, &Body> = HashMap::new();
    for body in items.iter().filter_map(|item| item.body.as_ref()) {
        bodies.entry(body.hash).or_insert(body);
    }
    let hashes: Vec<Hash> = bodies.keys().copied().collect();
    let mut ids = ids_of(tx, "SELECT id FROM bodies WHERE hash = $1", &hashes).await?;
    let new: Vec<&Body> = bodies.into_values().filter(|body| !ids.contains_key(&body.hash)).collect();
    let parts = keep_parts(tx, &new).await?;
    let first = counters::take(tx, "bodies", new.len() as i64).await?;
    let mut rows = Vec::new();
    let mut uses = Vec::new();
    for (body, id) in new.iter().zip(first..) {
        ids.insert(body.hash, id);
        rows.push(params![id, body.hash, body.size_bytes as i64, body.skeleton.clone()]);
        uses.extend(body.parts.iter().map(|part| params![id, parts[&part.hash]]));
    }
    tx.insert_many("INSERT INTO bodies (id, hash, size_bytes, skeleton) VALUES", "", rows).await?;
    tx.insert_many("INSERT INTO body_parts (body_id, blob_id) VALUES", "ON CONFLICT DO NOTHING", uses)
        .await?;
    Ok(ids)
}

async fn keep_parts(tx: &mut Tx, bodies: &[&Body]) -> Result<HashMap<Hash, i64>, Error> {
    let mut parts: HashMap<Hash, &Part> = HashMap::new();
    for part in bodies.iter().flat_map(|body| &body.parts) {
        // The one that carries bytes wins: its twin in the same batch may have been told they are known.
        let slot = parts.entry(part.hash).or_insert(part);
        if slot.packed.is_none() {
            *slot = part;
        }
    }
    let hashes: Vec<Hash> = parts.keys().copied().collect();
    let mut ids = ids_of(tx, "SELECT id FROM blobs WHERE hash = $1", &hashes).await?;
    let new: Vec<&Part> = parts.into_values().filter(|part| !ids.contains_key(&part.hash)).collect();
    let first = counters::take(tx, "blobs", new.len() as i64).await?;
    let mut rows = Vec::with_capacity(new.len());
    for (part, id) in new.into_iter().zip(first..) {
        let packed = part.packed.as_ref().ok_or_else(|| {
            Error::Other(
                "a part that was there has gone while its message was being kept; it is fetched again".into(),
            )
        })?;
        ids.insert(part.hash, id);
        rows.push(params![
            id,
            part.hash,
            part.size_bytes as i64,
            i64::from(packed.zstd),
            packed.data.clone()
        ]);
    }
    tx.insert_many("INSERT INTO blobs (id, hash, size_bytes, coding, data) VALUES", "", rows).await?;
    Ok(ids)
}

async fn ids_of(tx: &mut Tx, text: &str, hashes: &[Hash]) -> Result<HashMap<Hash, i64>, Error> {
    let found = tx.query_many(text, hashes.iter().map(|hash| params![*hash]).collect()).await?;
    let mut ids = HashMap::new();
    for (hash, rows) in hashes.iter().zip(found) {
        if let Some(row) = rows.first() {
            ids.insert(*hash, row.get::<i64>(0)?);
        }
    }
    Ok(ids)
}

/// An occurrence's own bytes: what is needed, with the parts, to build it again.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// The occurrence.
    pub id: OccurrenceId,
    /// Hash the whole must have.
    pub hash: Hash,
    /// Size the whole must have.
    pub size_bytes: u64,
    /// The header block.
    pub header: Vec<u8>,
    /// The skeleton of the body; `None` where the item was too large to take.
    pub skeleton: Option<Vec<u8>>,
}

const PIECES: &str = "SELECT o.id, o.hash, o.size_bytes, o.header, b.skeleton FROM occurrences o LEFT JOIN bodies b ON b.id = o.body_id WHERE";

/// The pieces of an occurrence.
pub async fn pieces(sql: &mut impl Sql, id: OccurrenceId) -> Result<Option<Pieces>, Error> {
    let row = sql.query_opt(&format!("{PIECES} o.id = $1"), params![id]).await?;
    row.map(|row| pieces_of(&row)).transpose()
}

/// The pieces of a message's first occurrence that has a body.
pub async fn pieces_of_message(sql: &mut impl Sql, id: MessageId) -> Result<Option<Pieces>, Error> {
    let text = format!("{PIECES} o.message_id = $1 AND o.body_id IS NOT NULL ORDER BY o.id LIMIT 1");
    let row = sql.query_opt(&text, params![id]).await?;
    row.map(|row| pieces_of(&row)).transpose()
}

/// The pieces of up to `limit` occurrences after `after`, in order of id: a walk over the archive. One
/// whose pieces are damaged has the error in their place.
pub async fn pieces_after(
    sql: &mut impl Sql,
    after: OccurrenceId,
    limit: i64,
) -> Result<Vec<(OccurrenceId, Result<Pieces, Error>)>, Error> {
    let text = format!("{PIECES} o.id > $1 ORDER BY o.id LIMIT $2");
    let rows = sql.query(&text, params![after, limit]).await?;
    rows.iter().map(|row| Ok((OccurrenceId(row.get(0)?), pieces_of(row)))).collect()
}

fn pieces_of(row: &Row) -> Result<Pieces, Error> {
    Ok(Pieces {
        id: OccurrenceId(row.get(0)?),
        hash: row.get(1)?,
        size_bytes: row.get::<i64>(2)? as u64,
        header: unzstd(&row.get::<Vec<u8>>(3)?)?,
        skeleton: row.get::<Option<Vec<u8>>>(4)?.map(|packed| unzstd(&packed)).transpose()?,
    })
}

/// The bytes of one part, if the shelf has it.
pub async fn part(sql: &mut impl Sql, hash: &Hash) -> Result<Option<Vec<u8>>, Error> {
    let row = sql.query_opt("SELECT coding, data FROM blobs WHERE hash = $1", params![*hash]).await?;
    let Some(row) = row else { return Ok(None) };
    let data: Vec<u8> = row.get(1)?;
    Ok(Some(if row.get::<i64>(0)? == 1 { unzstd(&data)? } else { data }))
}
