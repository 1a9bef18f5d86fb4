//! Messages as a stream: what is in the folder is asked for in batches, several in flight, and read only as
//! fast as the caller takes it.
//!
//! One FETCH for each message would cost half of the wire's speed; one for all of them would leave no place to
//! stop. A message counts only when its whole response was read and names a UID that was asked for; what the
//! server says later (NO, BYE, silence) does not take it back.

use std::collections::{BTreeMap, VecDeque};

use crate::imap::command::Command;
use crate::imap::engine::Tag;
use crate::imap::response::{Body, FetchResponse, Response};
use crate::imap::session::{BodySink, Session, outcome};
use crate::imap::types::{Listed, ProtocolError, Refusal, SessionError};
use crate::imap::uid_set::UidSet;

/// UIDs asked for in one command.
const BATCH: u32 = 200;
/// UIDs in one command when no bytes are asked for.
const LIST_BATCH: u32 = 2000;
/// Commands in flight: the server has the next batch at hand when one ends.
const IN_FLIGHT: usize = 3;
/// NO with this code only says that some are gone (RFC 5530, section 3).
const GONE: &str = "EXPUNGEISSUED";
const ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])";
/// The same of each message's Message-ID alone.
const TRACES: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";

/// One message, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its UID in the open folder.
    pub uid: u32,
    /// Flags at that moment, as the server wrote them.
    pub flags: Vec<String>,
    /// When the server received it: microseconds UTC. Missing if the server gave none that can be read.
    pub internal_date: Option<i64>,
    /// The size the server claims, in bytes. Servers err here; never trust it over `body`.
    pub rfc822_size: Option<u64>,
    /// The bytes of the message as they came; the first [`crate::Limits::message_bytes`] of it if `truncated`.
    pub body: Vec<u8>,
    /// The message was larger than the limit: its full size in bytes.
    pub truncated: Option<u64>,
    /// What came was not of the size the server claims.
    pub size_mismatch: bool,
}

/// Messages on their way. Dropping it leaves the session usable, but what is in flight has to be read
/// (and is thrown away) by the next command.
pub struct Fetch<'s> {
    session: &'s mut Session,
    items: &'static str,
    /// Not asked for yet.
    ahead: UidSet,
    /// Asked for and not come yet.
    awaited: UidSet,
    in_flight: VecDeque<Tag>,
    sink: BodySink,
    refused: Option<Refusal>,
    delivered: u64,
}

impl Session {
    /// Begins to fetch `uids` from the open folder, in rising order. Nothing is sent before the first
    /// [`Fetch::next`]. The messages are not marked as read.
    pub fn fetch(&mut self, uids: &UidSet) -> Fetch<'_> {
        self.fetch_items(uids, ITEMS)
    }

    /// The same, with nothing of a message but the header field that names it as its body.
    pub fn fetch_traces(&mut self, uids: &UidSet) -> Fetch<'_> {
        self.fetch_items(uids, TRACES)
    }

    fn fetch_items(&mut self, uids: &UidSet, items: &'static str) -> Fetch<'_> {
        let limit = self.server.limits.message_bytes;
        Fetch {
            session: self,
            items,
            ahead: uids.clone(),
            awaited: UidSet::new(),
            in_flight: VecDeque::new(),
            sink: BodySink { limit, ..BodySink::default() },
            refused: None,
            delivered: 0,
        }
    }
}

impl Session {
    /// Flags, dates and sizes of messages of the open folder, without their bytes. What is not there is left out.
    pub async fn uid_list(&mut self, uids: &UidSet) -> Result<Vec<Listed>, SessionError> {
        let mut left = uids.clone();
        let mut listed = BTreeMap::new();
        while !left.is_empty() {
            let batch = left.take_first(LIST_BATCH);
            let command =
                Command::new("UID FETCH").plain(&batch).plain("(UID FLAGS INTERNALDATE RFC822.SIZE)");
            let answered = self.run_each(command, |response| {
                if let Response::Fetch(FetchResponse {
                    uid: Some(uid),
                    flags: Some(flags),
                    internal_date,
                    size,
                    ..
                }) = response
                    && batch.contains(uid)
                {
                    listed.insert(uid, Listed { uid, flags, internal_date, rfc822_size: size });
                }
            });
            answered.await?;
        }
        Ok(listed.into_values().collect())
    }
}

impl Fetch<'_> {
    /// The next message; none when all that exist have come. May be dropped and called again.
    ///
    /// # Errors
    /// `Refused` comes once, after everything else, if the server refused some of the batches: then
    /// [`Fetch::missing`] does not tell what is gone. All others end the session.
    pub async fn next(&mut self) -> Result<Option<Fetched>, SessionError> {
        loop {
            self.ask_for_more()?;
            if self.in_flight.is_empty() {
                return self.refused.take().map_or(Ok(None), |r| Err(SessionError::Refused(r)));
            }
            let response = match self.session.next(&mut self.sink).await {
                Ok(response) => response,
                Err(error) => return Err(self.in_the_middle(error)),
            };
            match response {
                Response::Fetch(fetched) => {
                    if let Some(message) = self.take(fetched)? {
                        return Ok(Some(message));
                    }
                }
                Response::Tagged { tag, said } => {
                    self.in_flight.retain(|t| t.text() != tag);
                    if let Err(SessionError::Refused(refusal)) = outcome("UID FETCH", said)
                        && refusal.code.as_deref() != Some(GONE)
                    {
                        self.refused.get_or_insert(refusal);
                    }
                }
                _ => {}
            }
        }
    }

    /// What was asked for and has not come. After [`Fetch::next`] gave none: what is no longer in the folder,
    /// as far as the server is sound; [`Session::uid_search_among`] tells before anything is given up.
    pub fn missing(&self) -> UidSet {
        self.awaited.union(&self.ahead)
    }

    /// Messages given out so far.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    fn ask_for_more(&mut self) -> Result<(), SessionError> {
        while self.in_flight.len() < IN_FLIGHT && !self.ahead.is_empty() {
            self.session.check()?;
            let batch = self.ahead.take_first(BATCH);
            let command = Command::new("UID FETCH").plain(&batch).plain(self.items);
            self.in_flight.push_back(self.session.send(command));
            self.awaited = self.awaited.union(&batch);
        }
        Ok(())
    }

    /// A whole FETCH response: the message in it, if there is one and we asked for it.
    fn take(&mut self, fetched: FetchResponse) -> Result<Option<Fetched>, SessionError> {
        let announced = self.sink.announced.take();
        let (body, total) = match fetched.body {
            Body::Absent => return Ok(None),
            // A literal that began before this stream did belongs to somebody else.
            Body::Streamed(size) if announced == Some(size) => (std::mem::take(&mut self.sink.bytes), size),
            Body::Streamed(_) => return Ok(None),
            Body::Inline(mut text) => {
                let total = text.len() as u64;
                text.truncate(self.sink.limit.min(total) as usize);
                (text, total)
            }
        };
        // A message without the UID we asked for: passing it over would make it look as if it were gone.
        let Some(uid) = fetched.uid else {
            return Err(self.session.end(SessionError::Protocol(ProtocolError::BrokenFetch)));
        };
        if !self.awaited.remove(uid) {
            return Ok(None);
        }
        self.session.engine.made_progress();
        self.session.link.made_progress();
        self.delivered += 1;
        Ok(Some(Fetched {
            uid,
            flags: fetched.flags.unwrap_or_default(),
            internal_date: fetched.internal_date,
            rfc822_size: fetched.size,
            truncated: (total > body.len() as u64).then_some(total),
            size_mismatch: fetched.size.is_some_and(|claimed| claimed != total),
            body,
        }))
    }

    /// Names the message whose bytes were on the way: the first that has not come, since servers answer in order.
    fn in_the_middle(&mut self, error: SessionError) -> SessionError {
        let began = self.sink.announced.and(self.awaited.first());
        match error {
            SessionError::Lost { reason, .. } => SessionError::Lost { reason, uid: began },
            SessionError::Timeout { waited, .. } => SessionError::Timeout { waited, uid: began },
            other => other,
        }
    }
}
