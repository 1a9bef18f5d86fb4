//! Searching, and everything that changes a folder: move, flag, remove, append.
//!
//! All in batches: one message per command is a hundred times slower on a Maildir server. There is no plain
//! EXPUNGE here on purpose: it would remove what other people flagged.

use crate::imap::command::Command;
use crate::imap::date;
use crate::imap::engine::Tag;
use crate::imap::response::{Code, Response};
use crate::imap::session::{BodySink, Session, outcome};
use crate::imap::types::{Appended, FolderName, MoveError, Moved, ProtocolError, SessionError};
use crate::imap::uid_set::UidSet;

/// UIDs in one MOVE, COPY or EXPUNGE.
const MOVE_BATCH: u32 = 100;
/// UIDs in one STORE or SEARCH.
const STORE_BATCH: u32 = 1000;

impl Session {
    /// The UIDs in the open folder from `first` on. The server's own view, whatever flags or dates say.
    pub async fn uid_search_from(&mut self, first: u32) -> Result<UidSet, SessionError> {
        let first = first.max(1);
        self.view.news = false;
        self.view.changed = false;
        let found = self.uid_search(format!("UID {first}:*")).await?;
        // `n:*` holds the last message even if its UID is below n (RFC 9051, section 9, seq-range).
        let below = UidSet::range(1, first - 1);
        Ok(if first > 1 { found.difference(&below) } else { found })
    }

    /// Those of `uids` that are in the open folder now.
    pub async fn uid_search_among(&mut self, uids: &UidSet) -> Result<UidSet, SessionError> {
        let mut left = uids.clone();
        let mut found = UidSet::new();
        while !left.is_empty() {
            let batch = left.take_first(STORE_BATCH);
            found = found.union(&self.uid_search(format!("UID {batch}")).await?);
        }
        Ok(found.intersection(uids))
    }

    /// The UIDs of messages whose header `name` contains `value`, ignoring case (RFC 9051, section 6.4.4).
    pub async fn uid_search_header(&mut self, name: &str, value: &str) -> Result<UidSet, SessionError> {
        // Outlook refuses CHARSET UTF-8, so it is not asked for where it is not needed.
        let search = Command::new("UID SEARCH");
        let search = if value.is_ascii() || self.utf8 { search } else { search.plain("CHARSET UTF-8") };
        let command = search.plain("HEADER").string(name.as_bytes())?.string(value.as_bytes())?;
        self.search(command).await
    }

    async fn uid_search(&mut self, criteria: String) -> Result<UidSet, SessionError> {
        if self.offers("ESEARCH") {
            let found = self.search(Command::new("UID SEARCH").plain("RETURN (ALL)").plain(&criteria)).await;
            match found {
                // Ranges can name more than there is; a plain SEARCH names each.
                Ok(found) if found.len() <= u64::from(self.view.exists) => return Ok(found),
                Ok(_) | Err(SessionError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.search(Command::new("UID SEARCH").plain(criteria)).await
    }

    async fn search(&mut self, command: Command) -> Result<UidSet, SessionError> {
        let mut found: Option<UidSet> = None;
        let searched = self.run_each(command, |response| match response {
            // Exchange and others split one answer into several lines.
            Response::Search(uids) | Response::Esearch { all: uids, .. } => {
                found = Some(found.take().unwrap_or_default().union(&uids));
            }
            _ => {}
        });
        searched.await?;
        match found {
            Some(found) => Ok(found),
            // Some servers say nothing instead of an empty answer. In an empty folder that can be believed.
            None if self.view.exists == 0 => Ok(UidSet::new()),
            None => Err(self.end(SessionError::Protocol(ProtocolError::BrokenSearch))),
        }
    }

    /// Moves messages of the open folder to another one of the same mailbox (RFC 6851).
    ///
    /// Without MOVE: copy, flag, and remove exactly these (UIDPLUS); without UIDPLUS they stay, flagged.
    ///
    /// # Errors
    /// [`MoveError`] says what was moved before and what is in doubt. A `Refused` with
    /// [`crate::imap::Refusal::is_missing_folder`] means that the target has to be created.
    pub async fn uid_move(&mut self, uids: &UidSet, target: &FolderName) -> Result<Moved, Box<MoveError>> {
        let mut left = uids.clone();
        let mut moved = Moved::default();
        let changed = self.view.changed;
        while !left.is_empty() {
            let batch = left.take_first(MOVE_BATCH);
            let one = match self.offers("MOVE") {
                true => self.move_batch(&batch, target, &mut moved).await,
                false => self.copy_and_remove(&batch, target, &mut moved).await,
            };
            if let Err(error) = one {
                let in_doubt = if error.ends_session() { batch } else { UidSet::new() };
                return Err(Box::new(MoveError { moved, in_doubt, error }));
            }
        }
        // What we took out ourselves is no news to wake up for.
        self.view.changed = changed;
        Ok(moved)
    }

    async fn move_batch(
        &mut self,
        batch: &UidSet,
        target: &FolderName,
        moved: &mut Moved,
    ) -> Result<(), SessionError> {
        self.transfer("UID MOVE", batch, target, moved).await?;
        moved.done = moved.done.union(batch);
        Ok(())
    }

    async fn copy_and_remove(
        &mut self,
        batch: &UidSet,
        target: &FolderName,
        moved: &mut Moved,
    ) -> Result<(), SessionError> {
        self.transfer("UID COPY", batch, target, moved).await?;
        moved.copied_only = batch.clone();
        self.uid_add_flags(batch, &["\\Deleted"]).await?;
        if self.offers("UIDPLUS") {
            self.run(Command::new("UID EXPUNGE").plain(batch)).await?;
        } else {
            moved.left_flagged = moved.left_flagged.union(batch);
        }
        moved.copied_only = UidSet::new();
        moved.done = moved.done.union(batch);
        Ok(())
    }

    /// MOVE or COPY of one batch. COPYUID comes untagged with MOVE and tagged with COPY; both are taken.
    async fn transfer(
        &mut self,
        name: &'static str,
        batch: &UidSet,
        target: &FolderName,
        moved: &mut Moved,
    ) -> Result<(), SessionError> {
        let command = Command::new(name).plain(batch).string(target.as_bytes())?;
        let done = self.run_each(command, |response| {
            if let Response::Said(said) = response {
                note_copy(said.code.as_ref(), batch, moved);
            }
        });
        let done = done.await?;
        note_copy(done.code.as_ref(), batch, moved);
        Ok(())
    }

    /// Copies messages of the open folder to another one. The result's `done` is what was asked for.
    pub async fn uid_copy(&mut self, uids: &UidSet, target: &FolderName) -> Result<Moved, Box<MoveError>> {
        let mut left = uids.clone();
        let mut copied = Moved::default();
        while !left.is_empty() {
            let batch = left.take_first(MOVE_BATCH);
            if let Err(error) = self.transfer("UID COPY", &batch, target, &mut copied).await {
                let in_doubt = if error.ends_session() { batch } else { UidSet::new() };
                return Err(Box::new(MoveError { moved: copied, in_doubt, error }));
            }
            copied.done = copied.done.union(&batch);
        }
        Ok(copied)
    }

    /// Sets flags on messages of the open folder, such as `\Seen` or a keyword.
    pub async fn uid_add_flags(&mut self, uids: &UidSet, flags: &[&str]) -> Result<(), SessionError> {
        self.store(uids, "+FLAGS.SILENT", flags).await
    }

    /// Takes flags off messages of the open folder.
    pub async fn uid_remove_flags(&mut self, uids: &UidSet, flags: &[&str]) -> Result<(), SessionError> {
        self.store(uids, "-FLAGS.SILENT", flags).await
    }

    async fn store(&mut self, uids: &UidSet, how: &str, flags: &[&str]) -> Result<(), SessionError> {
        let flags = flag_list(flags)?;
        let mut left = uids.clone();
        let mut in_flight: Vec<Tag> = Vec::new();
        while !left.is_empty() || !in_flight.is_empty() {
            while !left.is_empty() && in_flight.len() < 4 {
                self.check()?;
                let batch = left.take_first(STORE_BATCH);
                in_flight.push(self.send(Command::new("UID STORE").plain(batch).plain(how).plain(&flags)));
            }
            if let Response::Tagged { tag, said } = self.next(&mut BodySink::default()).await? {
                in_flight.retain(|t| t.text() != tag);
                outcome("UID STORE", said)?;
            }
        }
        Ok(())
    }

    /// Removes messages of the open folder for good, and only these: flags them `\Deleted` and expunges by UID.
    /// Without UIDPLUS nothing is done and the error is `NotOffered`.
    pub async fn uid_delete(&mut self, uids: &UidSet) -> Result<(), SessionError> {
        if !self.offers("UIDPLUS") {
            return Err(SessionError::NotOffered("UIDPLUS"));
        }
        self.uid_add_flags(uids, &["\\Deleted"]).await?;
        let mut left = uids.clone();
        while !left.is_empty() {
            let batch = left.take_first(MOVE_BATCH);
            self.run(Command::new("UID EXPUNGE").plain(batch)).await?;
        }
        Ok(())
    }

    /// Puts a message into a folder (RFC 9051, section 6.3.12). `message` must have CRLF line ends;
    /// `internal_date` is microseconds UTC. Says where it landed if the server does.
    pub async fn append(
        &mut self,
        folder: &FolderName,
        flags: &[&str],
        internal_date: Option<i64>,
        message: Vec<u8>,
    ) -> Result<Option<Appended>, SessionError> {
        let mut command = Command::new("APPEND").string(folder.as_bytes())?;
        if !flags.is_empty() {
            command = command.plain(flag_list(flags)?);
        }
        if let Some(micros) = internal_date {
            command = command.plain(format!("\"{}\"", date::print(micros)));
        }
        // Only so a server may take a header in UTF-8 (RFC 6855, section 4).
        let command = match self.utf8 && !header_of(&message).is_ascii() {
            true => command.utf8_message(message),
            false => command.message(message),
        };
        let done = self.run(command).await?;
        Ok(match done.code {
            Some(Code::AppendUid { uid_validity, uid }) => Some(Appended { uid_validity, uid }),
            _ => None,
        })
    }
}

/// The bytes up to the first empty line.
fn header_of(message: &[u8]) -> &[u8] {
    &message[..memchr::memmem::find(message, b"\r\n\r\n").unwrap_or(message.len())]
}

/// `(\Seen $Filed)`; a flag is an atom, so nothing else may be in it.
fn flag_list(flags: &[&str]) -> Result<String, SessionError> {
    let is_flag = |flag: &&str| {
        let atom = flag.strip_prefix('\\').unwrap_or(flag);
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b))
    };
    if flags.iter().all(is_flag) { Ok(format!("({})", flags.join(" "))) } else { Err(SessionError::BadName) }
}

/// Pairs of UIDs from COPYUID, as far as they are about this batch.
fn note_copy(code: Option<&Code>, batch: &UidSet, moved: &mut Moved) {
    let Some(Code::CopyUid { uid_validity, from, to }) = code else {
        return;
    };
    let each = |ranges: &[(u32, u32)]| {
        let uids = ranges
            .iter()
            .flat_map(|&(a, b)| if a <= b { Either::Up(a..=b) } else { Either::Down((b..=a).rev()) });
        uids.take(MOVE_BATCH as usize + 1).collect::<Vec<_>>()
    };
    let (from, to) = (each(from), each(to));
    // Lists of different length tell nothing about who became whom.
    if from.len() == to.len() && from.iter().all(|&uid| batch.contains(uid)) {
        moved.dest_uid_validity = Some(*uid_validity);
        moved.mapping.extend(from.into_iter().zip(to));
    }
}

enum Either {
    Up(std::ops::RangeInclusive<u32>),
    Down(std::iter::Rev<std::ops::RangeInclusive<u32>>),
}

impl Iterator for Either {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Up(range) => range.next(),
            Self::Down(range) => range.next(),
        }
    }
}
