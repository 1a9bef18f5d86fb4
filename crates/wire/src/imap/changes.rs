//! What changed in a folder: flags of all, or only what differs since a moment (CONDSTORE, QRESYNC, RFC 7162), and
//! what the server calls its folders today (ENABLE, RFC 5161; UTF8=ACCEPT, RFC 6855; LIST-STATUS, RFC 5819).

use crate::imap::command::Command;
use crate::imap::folder::{STATUS_ITEMS, STATUS_ITEMS_MODSEQ, read_status};
use crate::imap::response::{FetchResponse, Response};
use crate::imap::session::Session;
use crate::imap::types::{Folder, FolderName, SessionError, Status};
use crate::imap::uid_set::UidSet;
use crate::imap::utf7;
use std::collections::HashMap;

/// UIDs whose flags are asked for in one command: about 2 MiB of answers.
const FLAGS_BATCH: u32 = 20_000;

impl Session {
    /// Switches on what makes a difference to us, where it is offered: QRESYNC or CONDSTORE, and names in UTF-8.
    /// To be called before a folder is opened.
    pub async fn enable(&mut self) -> Result<(), SessionError> {
        if !self.offers("ENABLE") {
            return Ok(());
        }
        let resync = ["QRESYNC", "CONDSTORE"].into_iter().find(|name| self.offers(name));
        let utf8 = (self.offers("UTF8=ACCEPT") || self.offers("UTF8=ONLY")).then_some("UTF8=ACCEPT");
        for name in resync.into_iter().chain(utf8) {
            let mut enabled = Vec::new();
            let done = self.run_each(Command::new("ENABLE").plain(name), |response| {
                if let Response::Enabled(names) = response {
                    enabled.extend(names);
                }
            });
            match done.await {
                Err(SessionError::Refused(_)) => continue,
                done => done.map(drop)?,
            }
            // What the server does not name is not on (RFC 5161, section 3.2).
            let is_on = |name: &str| enabled.iter().any(|one: &String| one.eq_ignore_ascii_case(name));
            self.qresync |= is_on("QRESYNC");
            self.utf8 |= is_on("UTF8=ACCEPT");
        }
        Ok(())
    }

    /// Whether the server tells what left a folder since a moment.
    pub fn tells_vanished(&self) -> bool {
        self.qresync
    }

    /// The name a folder of this name has, or would have, on the wire.
    pub fn folder_name(&self, name: &str) -> FolderName {
        match self.utf8 {
            true => FolderName(name.as_bytes().to_vec()),
            false => FolderName::encode(name),
        }
    }

    pub(super) fn decoded(&self, wire: &[u8]) -> String {
        match self.utf8 {
            true => String::from_utf8_lossy(wire).into_owned(),
            false => utf7::decode(wire),
        }
    }

    /// The flags of messages of the open folder, as the server writes them.
    pub async fn uid_flags(
        &mut self,
        uids: &UidSet,
        mut each: impl FnMut(u32, Vec<String>),
    ) -> Result<(), SessionError> {
        let mut left = uids.clone();
        while !left.is_empty() {
            let batch = left.take_first(FLAGS_BATCH);
            let command = Command::new("UID FETCH").plain(&batch).plain("(FLAGS)");
            self.run_each(command, |response| flags_of(response, &mut each)).await?;
        }
        Ok(())
    }

    /// The flags that changed since `modseq`, and what left the folder since then if the server tells that
    /// ([`Session::tells_vanished`]): also UIDs that were never seen may be among them.
    pub async fn uid_flags_since(
        &mut self,
        modseq: u64,
        mut each: impl FnMut(u32, Vec<String>),
    ) -> Result<Option<UidSet>, SessionError> {
        let vanished = if self.qresync { " VANISHED" } else { "" };
        let command =
            Command::new("UID FETCH").plain(format!("1:* (FLAGS) (CHANGEDSINCE {modseq}{vanished})"));
        let mut gone = UidSet::new();
        let answered = self.run_each(command, |response| match response {
            Response::Vanished { uids, .. } => {
                uids.ranges().iter().for_each(|&(first, last)| gone.insert_range(first, last));
            }
            response => flags_of(response, &mut each),
        });
        answered.await?;
        Ok(self.qresync.then_some(gone))
    }

    /// All folders with their numbers, in one command where the server can; where it cannot, without numbers.
    pub async fn list_with_status(&mut self) -> Result<Vec<(Folder, Option<Status>)>, SessionError> {
        if !self.offers("LIST-STATUS") {
            return Ok(self.list().await?.into_iter().map(|folder| (folder, None)).collect());
        }
        let items = if self.offers("CONDSTORE") { STATUS_ITEMS_MODSEQ } else { STATUS_ITEMS };
        let special_use = if self.offers("SPECIAL-USE") { "SPECIAL-USE " } else { "" };
        let command = Command::new("LIST").plain(format!("\"\" \"*\" RETURN ({special_use}STATUS {items})"));
        let mut statuses = Vec::new();
        let listed = self.folders(command, |response| {
            if let Response::Status { name, items } = response {
                statuses.push((name, read_status(&items)));
            }
        });
        match listed.await {
            Err(SessionError::Refused(_)) => {
                Ok(self.list().await?.into_iter().map(|folder| (folder, None)).collect())
            }
            Err(error) => Err(error),
            Ok(folders) => {
                let statuses: HashMap<Vec<u8>, Status> = statuses.into_iter().collect();
                let with_status = |folder: Folder| {
                    let status = statuses.get(&folder.wire_name.0).cloned();
                    (folder, status)
                };
                Ok(folders.into_iter().map(with_status).collect())
            }
        }
    }
}

fn flags_of(response: Response, each: &mut impl FnMut(u32, Vec<String>)) {
    if let Response::Fetch(FetchResponse { uid: Some(uid), flags: Some(flags), .. }) = response {
        each(uid, flags);
    }
}
