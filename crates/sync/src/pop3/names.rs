//! What the messages of a maildrop are called, and the number each name has here.
//!
//! A name is the server's unique id (UIDL), or, where it gives none, the content: then every message is read twice,
//! once for its name. That is done only where messages are deleted right after they were fetched, since a mailbox
//! that is left as it is would be read as a whole in every round.

use super::Numbers;
use super::settle::MOST_REQUESTS;
use crate::visit::RoundError;
use desk::receive::{self, Receive};
use std::collections::{HashMap, HashSet};
use store::folders::{self, Folder};
use store::point;
use store::uidls::{self, Name};
use wire::imap::UidSet;
use wire::pop3::{Session, SessionError};

/// Longer ids (RFC 1939 allows 70 characters) are named by their hash.
const LONGEST_ID: usize = 200;

/// Lists the messages of a session with their names. Without unique ids only if `may_read_all`.
pub(super) async fn list(session: &mut Session, may_read_all: bool) -> Result<Vec<(u32, Name)>, RoundError> {
    let mut listed = match session.uidl().await {
        Ok(listed) => listed,
        Err(SessionError::Refused(refusal)) => {
            let all = session.list().await?;
            if !all.is_empty() && !may_read_all {
                return Err(session.without_uidl(&refusal).into());
            }
            all.into_iter().map(|(number, _)| (number, None)).collect()
        }
        Err(error) => return Err(error.into()),
    };
    let mut seen = HashSet::new();
    listed.retain(|(number, _)| seen.insert(*number));
    let unnamed = listed.iter().filter(|(_, id)| id.is_none()).map(|(number, _)| *number).collect();
    let contents = contents(session, unnamed).await?;
    let (mut named, mut ordinals) = (Vec::with_capacity(listed.len()), HashMap::new());
    for (number, id) in listed {
        let Some(uidl) = id.as_deref().map(name_of).or_else(|| contents.get(&number).cloned()) else {
            continue;
        };
        let ordinal: &mut i64 = ordinals.entry(uidl.clone()).or_default();
        named.push((number, Name { uidl, ordinal: *ordinal }));
        *ordinal += 1;
    }
    Ok(named)
}

/// A unique id as it is stored. What is no proper one is named by its hash; no id has a blank in it.
fn name_of(id: &str) -> String {
    match id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => id.to_owned(),
        false => format!("odd {}", hex(id.as_bytes())),
    }
}

/// Names of messages by their content. One that the server does not give has none, and is not listed.
async fn contents(session: &mut Session, unnamed: Vec<u32>) -> Result<HashMap<u32, String>, RoundError> {
    let mut names = HashMap::new();
    let mut letters = session.retrieve(unnamed);
    while let Some(letter) = letters.next().await? {
        if letter.refused.is_none() {
            let size = letter.truncated.unwrap_or(letter.body.len() as u64);
            names.insert(letter.number, format!("content {size} {}", hex(&letter.body)));
        }
    }
    Ok(names)
}

fn hex(bytes: &[u8]) -> String {
    receive::hash_of(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Listed names that stand for another message now. An id is free as soon as its message is removed (RFC 1939, section
/// 7), so that what is listed after a removal is read before it is removed too.
pub(super) async fn given_again(
    receive: &Receive,
    folder: &Folder,
    session: &mut Session,
    named: &[(u32, Name)],
) -> Result<HashSet<Name>, RoundError> {
    let before = uidls::given_back(&mut &receive.desk().db, folder, MOST_REQUESTS).await?;
    let suspects: HashMap<u32, &Name> = named
        .iter()
        .filter(|(_, name)| before.contains_key(name))
        .map(|(number, name)| (*number, name))
        .collect();
    let mut others = HashSet::new();
    let mut letters = session.retrieve(suspects.keys().copied());
    while let Some(letter) = letters.next().await? {
        let name = suspects[&letter.number];
        if letter.refused.is_none() && receive::hash_of(&letter.body) != before[name] {
            others.insert(name.clone());
        }
    }
    Ok(others)
}

/// Gives new names the next numbers, and `others`, in the transaction in which the folder's list grows, and forgets those
/// that are no longer listed. `None` if none of the names that should be there is: then the server names its messages anew.
pub(super) async fn number(
    receive: &Receive,
    folder: &mut Folder,
    named: &[(u32, Name)],
    others: &HashSet<Name>,
) -> Result<Option<Numbers>, RoundError> {
    let mut tx = receive.transaction().await?;
    let now = folders::locked(&mut tx, folder.id).await?;
    let now = now.filter(|now| now.uidvalidity == folder.uidvalidity).ok_or_else(taken)?;
    (folder.listed, folder.cursor) = (now.listed, now.cursor);
    let mut known = uidls::known(&mut tx, folder).await?;
    let mut gone: Vec<i64> =
        others.iter().filter_map(|name| known.remove(name)).map(|known| known.uid).collect();
    let still: HashSet<&Name> = named.iter().map(|(_, name)| name).collect();
    let expected = known.iter().filter(|(_, known)| !known.is_to_go).count();
    let overlap = still.iter().filter(|name| known.contains_key(**name)).count();
    if expected > 0 && !named.is_empty() && overlap == 0 {
        return Ok(None);
    }
    let mut listed: UidSet = folder.listed.parse().unwrap_or_default();
    let mut next = i64::from(listed.last().unwrap_or(0)) + 1;
    let (mut numbers, mut new) = (Numbers::new(), Vec::new());
    for (number, name) in named {
        let uid = match known.get(name) {
            Some(known) => known.uid,
            None => {
                new.push((name.clone(), next));
                listed.insert(u32::try_from(next).map_err(|_| full())?);
                next += 1;
                next - 1
            }
        };
        numbers.insert(uid, *number);
    }
    gone.extend(known.iter().filter(|(name, _)| !still.contains(name)).map(|(_, known)| known.uid));
    if !new.is_empty() || !gone.is_empty() {
        uidls::forget(&mut tx, folder, &gone).await?;
        uidls::add(&mut tx, folder, &new).await?;
        folder.listed = listed.to_string();
        folders::visited(&mut tx, folder.id, folder.uidvalidity, &folder.listed, folder.cursor).await?;
    }
    tx.commit().await?;
    point::reached("p1_listed");
    Ok(Some(numbers))
}

/// Begins another numbering of the folder with the names there are.
pub(super) async fn begin_anew(
    receive: &Receive,
    folder: &mut Folder,
    uidvalidity: i64,
    named: &[(u32, Name)],
) -> Result<Numbers, RoundError> {
    let mut tx = receive.transaction().await?;
    let now = folders::locked(&mut tx, folder.id).await?;
    now.filter(|now| now.uidvalidity == folder.uidvalidity).ok_or_else(taken)?;
    let highest = u32::try_from(named.len()).map_err(|_| full())?;
    let listed = if highest == 0 { UidSet::new() } else { UidSet::range(1, highest) };
    (folder.uidvalidity, folder.cursor, folder.listed) = (uidvalidity, 0, listed.to_string());
    let new: Vec<(Name, i64)> = named.iter().map(|(_, name)| name.clone()).zip(1..).collect();
    uidls::add(&mut tx, folder, &new).await?;
    uidls::forget_earlier(&mut tx, folder).await?;
    folders::renumbered(&mut tx, folder.id, folder.match_until, folder.history_until).await?;
    folders::visited(&mut tx, folder.id, folder.uidvalidity, &folder.listed, 0).await?;
    tx.commit().await?;
    point::reached("p1_listed");
    Ok((1..).zip(named.iter().map(|(number, _)| *number)).collect())
}

fn taken() -> RoundError {
    anyhow::anyhow!("another process began to read this mailbox anew; the next round goes on").into()
}

fn full() -> RoundError {
    anyhow::anyhow!("the mailbox has listed more than four thousand million messages").into()
}
