//! Taking an item apart for the shelf and reading it, in one pass.

use crate::token;
use intake::plan::{self, Plan, ThreadPlan};
use mail::bounce::Bounce;
use mail::nature::Nature;
use mail::{Address, Letter, fold::fold};
use model::{FolderId, MailboxId, OccurrenceId, OccurrenceState, QuarantineReason, Time, Unverified};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use store::claims::Content;
use store::filing::{IndexText, MidHash, Waiting, mid_hash};
use store::raw::{self, Body, Hash, Kept, Part};

/// Where an item was found.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The folder.
    pub folder: FolderId,
    /// The folder's numbering.
    pub uidvalidity: i64,
}

/// One item of a server, as it came.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number in the folder.
    pub uid: i64,
    /// When the server says it arrived; 0 if it does not say.
    pub internal_at: Time,
    /// The bytes.
    pub raw: Vec<u8>,
    /// Why it is to be put aside unread.
    pub aside: Option<Aside>,
}

/// Why an item is put aside unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aside {
    /// It is larger than is taken: `raw` is only its beginning, and it stays on the server.
    TooLarge {
        /// Its size on the server.
        size_bytes: u64,
    },
    /// The program dies of it; the words are for the quarantine page.
    Ends(String),
}

impl std::fmt::Display for Aside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Aside::TooLarge { size_bytes } => {
                write!(f, "it is too large to be taken ({size_bytes} bytes); it stays on the server")
            }
            Aside::Ends(reason) => f.write_str(reason),
        }
    }
}

impl Aside {
    /// The same as a word.
    pub fn code(&self) -> QuarantineReason {
        match self {
            Aside::TooLarge { .. } => QuarantineReason::TooLarge,
            Aside::Ends(_) => QuarantineReason::Unreadable,
        }
    }
}

impl Item {
    /// Says why it is not to be opened; the first reason stays.
    pub(super) fn put_aside(&mut self, reason: String) {
        self.aside.get_or_insert(Aside::Ends(reason));
    }
}

/// An item taken apart and read.
#[derive(Debug)]
pub struct Opened {
    /// For the shelf; taken when it is kept.
    pub(super) kept: Option<Kept>,
    /// Its occurrence, once it is kept.
    pub(super) occurrence: Option<OccurrenceId>,
    /// Somebody wants it filed although a filter says otherwise: no filter is tried.
    pub(super) after_all: bool,
    /// When the server says it arrived.
    pub(super) internal_at: Time,
    /// What was read; `None` if it is put aside.
    pub(super) read: Option<Box<Read>>,
    /// Its UID and size, for progress and ledger.
    pub uid: i64,
    /// Length in bytes as sent.
    pub size_bytes: u64,
}

impl Opened {
    /// Whether it is what was kept before: the same bytes, or the same message.
    pub fn is(&self, before: &Content) -> bool {
        let same_bytes = self.kept.as_ref().is_some_and(|kept| kept.hash == before.hash);
        same_bytes || self.read.as_ref().is_some_and(|read| Some(read.identity) == before.identity)
    }

    /// Whether keeping it made an occurrence; false if it was there already.
    pub fn is_new(&self) -> bool {
        self.occurrence.is_some()
    }
}

/// What filing needs of a letter.
#[derive(Debug)]
pub(super) struct Read {
    pub letter: Letter,
    pub identity: [u8; 32],
    /// Of the ids it names, the nearest first, and its own.
    pub mids: Vec<MidHash>,
    /// Of those the ones that may be signed by us.
    pub signed: Vec<(MidHash, String)>,
    /// The Message-ID of what it, a bounce, speaks of.
    pub bounced: Option<String>,
    /// Numbers of cases that it may name.
    pub numbers: Vec<i64>,
    pub index: IndexText,
    pub snippet: String,
    pub marks: String,
    pub has_html: bool,
    pub nature: Nature,
}

impl Read {
    /// The identity it has as a message of its own in one mailbox, although the message is on the shelf.
    pub fn identity_apart(&self, mailbox: MailboxId) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("lettercase 2026 letter identity apart v1");
        hasher.update(&self.identity).update(&mailbox.0.to_le_bytes());
        *hasher.finalize().as_bytes()
    }

    /// The identity it is filed under.
    pub fn identity_as(&self, plan: &Plan, mailbox: MailboxId) -> [u8; 32] {
        match plan.thread {
            ThreadPlan::Apart(_) => self.identity_apart(mailbox),
            _ => self.identity,
        }
    }
}

impl Read {
    /// Names the first `oldest` of its references no more.
    pub fn disbelieve(&mut self, oldest: usize) {
        let Letter { references, in_reply_to, .. } = &self.letter;
        let gone = references.iter().take(oldest).filter(|id| !in_reply_to.contains(id));
        let gone: Vec<MidHash> = gone.map(|id| mid_hash(id)).collect();
        self.mids.retain(|mid| !gone.contains(mid));
    }

    /// The ids that lead to its thread from now on. What a letter of doubtful origin names is not believed.
    pub fn ids(&self, unverified: Option<Unverified>) -> Vec<MidHash> {
        match unverified {
            None => self.mids.clone(),
            Some(_) => self.letter.message_id.iter().map(|mid| mid_hash(mid)).collect(),
        }
    }
}

/// Hashes of parts that are on the shelf for sure, so that the price list that comes with every
/// tenth mail is compressed once. Forgets everything when full.
#[derive(Default)]
pub(super) struct StoredParts(Mutex<HashSet<Hash>>);

/// 64 Ki hashes are 4 MiB.
const MOST_STORED_PARTS: usize = 64 << 10;

impl StoredParts {
    fn has(&self, hash: &Hash) -> bool {
        self.lock().contains(hash)
    }

    /// Takes down what a committed transaction stored.
    pub fn add<'a>(&self, parts: impl Iterator<Item = &'a Part>) {
        let mut known = self.lock();
        if known.len() > MOST_STORED_PARTS {
            known.clear();
        }
        known.extend(parts.map(|part| part.hash));
    }

    /// Forgets all: a part that was believed to be there was not.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Hash>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens an item; one that defeats the parser is kept whole, with the reason.
pub(super) fn open(stored: &StoredParts, place: &Place, item: Item) -> Opened {
    let aside = item.aside.clone();
    let opened = match aside {
        Some(aside) => Err(aside),
        None => catch_unwind(AssertUnwindSafe(|| open_readable(stored, place, &item)))
            .map_err(|panic| Aside::Ends(panic_reason(&*panic))),
    };
    let (kept, read) = match opened {
        Ok((kept, read)) => (kept, Some(Box::new(read))),
        Err(aside) => (unread(place, &item, &aside), None),
    };
    Opened {
        internal_at: item.internal_at,
        uid: item.uid,
        size_bytes: kept.size_bytes,
        occurrence: None,
        after_all: false,
        kept: Some(kept),
        read,
    }
}

/// When the server that gave these bytes received them, as it wrote into them; 0 if it did not.
pub fn arrived_at(raw: &[u8]) -> Time {
    Time(mail::received_at(raw).map_or(0, |date| date.at))
}

/// BLAKE3 of bytes: what they are called where their server has no name for them.
pub fn hash_of(raw: &[u8]) -> Hash {
    *blake3::hash(raw).as_bytes()
}

/// All the reading that is ever done of a letter, for nothing: what a [`super::Probe`] does.
pub fn rehearse(raw: &[u8]) {
    let place = Place { mailbox: MailboxId(0), folder: FolderId(0), uidvalidity: 0 };
    let item = Item { uid: 0, internal_at: Time(0), raw: raw.to_vec(), aside: None };
    drop(open(&StoredParts::default(), &place, item));
}

/// Reads an occurrence that is on the shelf already.
pub(super) fn again(waiting: &Waiting, raw: &[u8]) -> Opened {
    let read = catch_unwind(AssertUnwindSafe(|| read(raw, mail::parse::parse(raw)))).ok();
    Opened {
        kept: None,
        occurrence: Some(waiting.id),
        after_all: waiting.after_all,
        internal_at: waiting.internal_at,
        read: read.map(Box::new),
        uid: waiting.uid,
        size_bytes: raw.len() as u64,
    }
}

/// Reads a message that is filed already.
pub(super) fn filed(raw: &[u8], size_bytes: u64) -> Opened {
    Opened {
        kept: None,
        occurrence: None,
        after_all: true,
        internal_at: Time(0),
        read: Some(Box::new(read(raw, mail::parse::parse(raw)))),
        uid: 0,
        size_bytes,
    }
}

fn open_readable(stored: &StoredParts, place: &Place, item: &Item) -> (Kept, Read) {
    let (split, letter) = mail::open(&item.raw);
    let parts = split.parts.iter().map(|part| Part {
        hash: part.hash,
        size_bytes: part.bytes.len() as u64,
        packed: (!stored.has(&part.hash)).then(|| raw::pack(&part.bytes)),
    });
    let body = Body {
        hash: split.body_hash,
        size_bytes: (item.raw.len() - split.header.len()) as u64,
        skeleton: raw::zstd_of(&split.skeleton),
        parts: parts.collect(),
    };
    let kept = kept(place, item, split.whole_hash, split.header, Some(body));
    (kept, read(&item.raw, letter))
}

/// What is kept of an item nobody reads: no parser is asked anything. One that came whole is its own
/// header block before an empty body; of one that did not only the beginning is kept, without a
/// body, so that it can never be filed as if it were all.
fn unread(place: &Place, item: &Item, aside: &Aside) -> Kept {
    let mut kept = match aside {
        Aside::Ends(_) => {
            let empty = mail::split::split(b"");
            let body = Body {
                hash: empty.body_hash,
                size_bytes: 0,
                skeleton: raw::zstd_of(&empty.skeleton),
                parts: Vec::new(),
            };
            kept(place, item, *blake3::hash(&item.raw).as_bytes(), &item.raw, Some(body))
        }
        Aside::TooLarge { size_bytes } => {
            let beginning = &item.raw[..item.raw.len().min(BEGINNING_BYTES)];
            let kept = kept(place, item, *blake3::hash(beginning).as_bytes(), beginning, None);
            Kept { size_bytes: *size_bytes, ..kept }
        }
    };
    kept.state = OccurrenceState::Quarantined;
    kept.reason = Some(aside.to_string());
    kept.reason_code = Some(aside.code());
    kept
}

/// How much of a message is kept that is too large to be taken: its header, as a rule.
const BEGINNING_BYTES: usize = 64 << 10;

fn kept(place: &Place, item: &Item, hash: Hash, header: &[u8], body: Option<Body>) -> Kept {
    Kept {
        mailbox: place.mailbox,
        folder: place.folder,
        uidvalidity: place.uidvalidity,
        uid: item.uid,
        hash,
        size_bytes: item.raw.len() as u64,
        internal_at: item.internal_at,
        header: raw::zstd_of(header),
        body,
        state: OccurrenceState::Kept,
        reason: None,
        reason_code: None,
    }
}

/// A panic's words, for the quarantine page.
pub(super) fn panic_reason(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the parser gave up: {}", words.unwrap_or_default())
}

fn read(raw: &[u8], mut letter: Letter) -> Read {
    let bounce = mail::bounce::recognise(raw, &letter);
    let nature = mail::nature::nature(&letter, bounce.as_ref());
    let marks = marks(bounce.as_ref(), &letter);
    let has_html = letter.html.take().is_some();
    let index = IndexText {
        subject: fold(&letter.subject),
        from: fold(&people(letter.from.iter().chain(&letter.sender).chain(&letter.reply_to))),
        to: fold(&people(letter.to.iter().chain(&letter.cc).chain(&letter.bcc))),
        body: fold(&searchable(&letter)),
    };
    // A bounce seldom names what it speaks of in a field of its own.
    let bounced = bounce.and_then(|bounce| bounce.original_message_id);
    let ids: Vec<&str> = bounced.as_deref().into_iter().chain(plan::thread_ids(&letter)).collect();
    Read {
        identity: mail::fingerprint::identity(&letter),
        mids: ids.iter().map(|id| mid_hash(id)).collect(),
        signed: ids
            .iter()
            .filter(|id| token::may_be(id))
            .map(|id| (mid_hash(id), (*id).to_owned()))
            .collect(),
        numbers: intake::number::numbers(&letter),
        snippet: snippet(&letter.text),
        bounced,
        index,
        marks,
        has_html,
        nature,
        letter,
    }
}

fn people<'a>(people: impl Iterator<Item = &'a Address>) -> String {
    let mut out = String::new();
    for person in people.take(MOST_PEOPLE) {
        out.push_str(person.name.as_deref().unwrap_or_default());
        out.push(' ');
        out.push_str(&person.address);
        out.push(' ');
    }
    out
}

fn searchable(letter: &Letter) -> String {
    let mut text = letter.text.clone();
    for name in letter.attachments.iter().filter_map(|part| part.name.as_deref()) {
        text.push('\n');
        text.push_str(name);
    }
    text
}

/// The first words its writer wrote, on one line.
fn snippet(text: &str) -> String {
    let own = mail::quote::reply_text(text);
    let mut out = String::with_capacity(SNIPPET_CHARS);
    for word in own.split_whitespace() {
        if out.chars().count() + word.chars().count() > SNIPPET_CHARS {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn marks(bounce: Option<&Bounce>, letter: &Letter) -> String {
    let defects: Vec<&str> = letter.defects.iter().map(|defect| defect.name()).collect();
    serde_json::json!({
        "bounce": bounce.is_some(),
        "failures": bounce.map(failures).unwrap_or_default(),
        "auto_reply": mail::autoreply::reason(letter),
        "list_id": letter.list_id,
        "defects": defects,
        "authentication": letter.authentication_results.first(),
    })
    .to_string()
}

/// Whom a bounce speaks of and what happened.
fn failures(bounce: &Bounce) -> Vec<serde_json::Value> {
    let one = |recipient: &mail::bounce::Recipient| {
        serde_json::json!({
            "address": recipient.address,
            "status": recipient.status,
            "permanent": recipient.permanent,
            "diagnostic": recipient.diagnostic,
            "kind": recipient.action.word(),
        })
    };
    bounce.recipients.iter().take(MOST_FAILURES).map(one).collect()
}

/// Recipients of a bounce that are shown; the rest is in its text.
const MOST_FAILURES: usize = 20;
/// Length of a snippet in characters.
const SNIPPET_CHARS: usize = 200;
/// People of one letter that are indexed.
const MOST_PEOPLE: usize = 500;
