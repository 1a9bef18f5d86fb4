//! A folder as it is on the server, compared with what is known of it: flags, and what is gone.
//!
//! Where the server counts changes (CONDSTORE) only what changed since the last time is asked for, and where it
//! remembers what left (QRESYNC, both RFC 7162) that too. Elsewhere all flags are asked for, and the UIDs that
//! are there. The first look of a connection compares the UIDs in any case: a count is a shortcut, not the truth.
//!
//! The count that is written down is that of the moment the folder was opened: what changes meanwhile is asked
//! for again. What people changed here and the server has not done yet wins over what it says.

use crate::visit::RoundError;
use desk::mailbox::folders as verbs;
use desk::receive::Receive;
use model::{FlagChange, Flags, OccurrenceId};
use std::collections::{BTreeMap, HashMap};
use store::folders::Folder;
use store::folders::synchronised::{self, Placed, Synchronised};
use store::operations;
use wire::imap::{Selected, Session, UidSet};

/// Occurrences compared at a time.
const PAGE: usize = 5000;

/// What the server says.
struct Said {
    /// Flags, of all or of those that changed.
    flags: BTreeMap<u32, Flags>,
    /// What is there; `None` where only what changed is known.
    there: Option<UidSet>,
    /// What left since the last time.
    vanished: UidSet,
}

/// Compares the open folder. With `is_whole`, or where the server does not remember what left, UID by UID.
pub async fn compare(
    receive: &Receive,
    known: &Synchronised,
    selected: &Selected,
    session: &mut Session,
    is_whole: bool,
) -> Result<(), RoundError> {
    let said = ask(known, selected, session, is_whole).await?;
    let folder = &known.folder;
    let mut after = 0;
    loop {
        let page = page(receive, folder, &said, after).await?;
        let Some(last) = page.last() else { break };
        after = last.uid;
        write(receive, folder, &said, &page).await?;
    }
    let mut tx = receive.transaction().await?;
    if said.there.is_some() {
        synchronised::renumbered(&mut tx, folder, receive.desk().clock.now()).await?;
    }
    let modseq = selected.highest_mod_seq.and_then(|highest| i64::try_from(highest).ok()).unwrap_or(0);
    synchronised::compared(&mut tx, folder, modseq).await?;
    Ok(tx.commit().await?)
}

async fn ask(
    known: &Synchronised,
    selected: &Selected,
    session: &mut Session,
    is_whole: bool,
) -> Result<Said, RoundError> {
    let mut flags = BTreeMap::new();
    let mut hear = |uid: u32, names: Vec<String>| {
        flags.insert(uid, Flags::of_imap(&names));
    };
    let since = u64::try_from(known.highest_modseq).unwrap_or(0);
    // A count that went back is that of a restored server.
    let counted = since > 0 && selected.highest_mod_seq.is_some_and(|highest| highest >= since);
    if !counted || !session.offers("CONDSTORE") {
        let there = session.uid_search_from(1).await?;
        session.uid_flags(&there, hear).await?;
        return Ok(Said { flags, there: Some(there), vanished: UidSet::new() });
    }
    let vanished = session.uid_flags_since(since, &mut hear).await?;
    let there = match (&vanished, is_whole) {
        (Some(_), false) => None,
        _ => Some(session.uid_search_from(1).await?),
    };
    Ok(Said { flags, there, vanished: vanished.unwrap_or_default() })
}

/// The next occurrences that have to be looked at: all of the folder, or those something was said about.
async fn page(
    receive: &Receive,
    folder: &Folder,
    said: &Said,
    after: i64,
) -> Result<Vec<Placed>, RoundError> {
    let db = &receive.desk().db;
    if said.there.is_some() {
        return Ok(synchronised::placed(&mut &*db, folder, after, PAGE as i64).await?);
    }
    let listed: UidSet = folder.listed.parse().unwrap_or_default();
    let changed: UidSet = said.flags.keys().copied().collect();
    let said = changed.union(&said.vanished.intersection(&listed));
    let uids: Vec<u32> = said.iter().filter(|uid| i64::from(*uid) > after).take(PAGE).collect();
    Ok(synchronised::placed_at(&mut &*db, folder, &uids).await?)
}

/// Writes down what of these is gone, back, or flagged otherwise.
async fn write(receive: &Receive, folder: &Folder, said: &Said, page: &[Placed]) -> Result<(), RoundError> {
    let desk = receive.desk();
    let (mut gone, mut back) = (Vec::new(), Vec::new());
    for one in page {
        match said.is_there(one) {
            Some(false) if !one.gone => gone.push(one.id),
            Some(true) if one.gone => back.push(one.id),
            _ => {}
        }
    }
    let mut tx = receive.transaction().await?;
    operations::lock(&mut tx, folder.mailbox).await?;
    let due = operations::flags_due(&mut tx, folder.id).await?;
    let flagged: Vec<(OccurrenceId, Flags)> =
        page.iter().filter_map(|one| Some((one.id, said.flags_of(one, &due)?))).collect();
    if gone.is_empty() && back.is_empty() && flagged.is_empty() {
        return Ok(());
    }
    synchronised::set_flags(&mut tx, &flagged).await?;
    synchronised::gone(&mut tx, &gone, desk.clock.now()).await?;
    synchronised::back(&mut tx, &back).await?;
    verbs::changed_on_server(desk, &mut tx, folder.mailbox).await.map_err(anyhow::Error::from)?;
    Ok(tx.commit().await?)
}

impl Said {
    /// Whether an occurrence is in the folder, as far as anything was said about it.
    fn is_there(&self, one: &Placed) -> Option<bool> {
        let uid = u32::try_from(one.uid).unwrap_or(0);
        match &self.there {
            Some(there) => Some(there.contains(uid)),
            None => self.vanished.contains(uid).then_some(false),
        }
    }

    /// The flags an occurrence is to have, if they are other ones.
    fn flags_of(&self, one: &Placed, due: &HashMap<OccurrenceId, Vec<FlagChange>>) -> Option<Flags> {
        let said = *self.flags.get(&u32::try_from(one.uid).ok()?)?;
        let changes = due.get(&one.id).map(Vec::as_slice).unwrap_or_default();
        let wanted = changes.iter().fold(said, |flags, change| change.applied(flags));
        (wanted != one.flags).then_some(wanted)
    }
}
