//! The folders of a mailbox: list, count, create.

use crate::imap::command::Command;
use crate::imap::response::Response;
use crate::imap::session::Session;
use crate::imap::types::{Folder, FolderName, ProtocolError, SessionError, SpecialUse, Status};

/// The numbers asked for of a folder.
pub(super) const STATUS_ITEMS: &str = "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)";
/// The same where the server keeps modification sequences.
pub(super) const STATUS_ITEMS_MODSEQ: &str = "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)";

/// Folders of one mailbox. Each is a row here, and is asked for its numbers in every round.
const MOST_FOLDERS: usize = 20_000;

impl Session {
    /// All folders, in the server's order (RFC 9051, section 6.3.9), with what they are for where the server says.
    pub async fn list(&mut self) -> Result<Vec<Folder>, SessionError> {
        let special_use = self.offers("SPECIAL-USE");
        if special_use && self.offers("LIST-EXTENDED") {
            let extended = Command::new("LIST").plain("\"\" \"*\" RETURN (SPECIAL-USE)");
            match self.folders(extended, drop).await {
                Err(SessionError::Refused(_)) => {}
                listed => return listed,
            }
        }
        // XLIST is what special uses were called at Gmail before RFC 6154.
        let name = if !special_use && self.offers("XLIST") { "XLIST" } else { "LIST" };
        self.folders(Command::new(name).plain("\"\" \"*\""), drop).await
    }

    /// Runs a LIST; `other` hears what else is said.
    pub(super) async fn folders(
        &mut self,
        command: Command,
        mut other: impl FnMut(Response),
    ) -> Result<Vec<Folder>, SessionError> {
        let (mut listed, mut total) = (Vec::new(), 0);
        let answered = self.run_each(command, |response| match response {
            Response::List { attributes, delimiter, name } => {
                total += 1;
                if total <= MOST_FOLDERS {
                    listed.push((attributes, delimiter, name));
                }
            }
            response => other(response),
        });
        answered.await?;
        // The rest would look as if it were gone.
        if total > MOST_FOLDERS {
            return Err(self.end(SessionError::Protocol(ProtocolError::TooManyFolders(MOST_FOLDERS))));
        }
        let named = listed
            .into_iter()
            .map(|(attributes, delimiter, wire)| folder(attributes, delimiter, self.decoded(&wire), wire));
        let mut folders: Vec<Folder> = named.collect();
        // Some servers list INBOX twice, once as itself and once as a child of a namespace.
        let mut seen = std::collections::HashSet::new();
        folders.retain(|f| seen.insert(f.wire_name.clone()));
        Ok(folders)
    }

    /// What the names of folders begin with that may be made here, with its delimiter, such as `INBOX.`; empty
    /// where they may stand beside INBOX, or the server does not say (RFC 2342).
    pub async fn personal_namespace(&mut self) -> Result<String, SessionError> {
        let mut prefix = Vec::new();
        if self.offers("NAMESPACE") {
            let asked = self.run_each(Command::new("NAMESPACE"), |response| {
                if let Response::Namespace { personal } = response {
                    prefix = personal;
                }
            });
            match asked.await {
                Err(SessionError::Refused(_)) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.decoded(&prefix))
    }

    /// A folder's numbers without opening it (RFC 9051, section 6.3.11). Not for the open folder.
    pub async fn status(&mut self, folder: &FolderName) -> Result<Status, SessionError> {
        let items = if self.offers("CONDSTORE") { STATUS_ITEMS_MODSEQ } else { STATUS_ITEMS };
        let command = Command::new("STATUS").string(folder.as_bytes())?.plain(items);
        let mut status = Status::default();
        let answered = self.run_each(command, |response| {
            if let Response::Status { items, .. } = response {
                status = read_status(&items);
            }
        });
        answered.await?;
        Ok(status)
    }

    /// Creates a folder and subscribes to it, so that other programs show it. `name` is for people, with the
    /// mailbox's delimiter between levels. That it exists already is an error (`ALREADYEXISTS` where the server has codes).
    pub async fn create(&mut self, name: &str) -> Result<FolderName, SessionError> {
        let wire_name = self.folder_name(name);
        self.run(Command::new("CREATE").string(wire_name.as_bytes())?).await?;
        match self.run(Command::new("SUBSCRIBE").string(wire_name.as_bytes())?).await {
            // Only a convenience; not every server has subscriptions.
            Err(SessionError::Refused(_)) | Ok(_) => Ok(wire_name),
            Err(error) => Err(error),
        }
    }
}

fn folder(attributes: Vec<String>, delimiter: Option<char>, name: String, wire: Vec<u8>) -> Folder {
    let has = |name: &str| attributes.iter().any(|a| a.eq_ignore_ascii_case(name));
    Folder {
        name,
        special_use: attributes.iter().find_map(|a| special_use(a)),
        selectable: !has("\\Noselect") && !has("\\NonExistent"),
        wire_name: FolderName(wire),
        delimiter,
        attributes,
    }
}

fn special_use(attribute: &str) -> Option<SpecialUse> {
    Some(match attribute.to_ascii_lowercase().as_str() {
        "\\all" | "\\allmail" => SpecialUse::All,
        "\\archive" => SpecialUse::Archive,
        "\\drafts" => SpecialUse::Drafts,
        "\\flagged" | "\\starred" => SpecialUse::Flagged,
        "\\junk" | "\\spam" => SpecialUse::Junk,
        "\\sent" => SpecialUse::Sent,
        "\\trash" => SpecialUse::Trash,
        _ => return None,
    })
}

pub(super) fn read_status(items: &[(String, u64)]) -> Status {
    let item = |name: &str| items.iter().find(|(key, _)| key == name).map(|(_, n)| *n);
    let small = |name: &str| item(name).and_then(|n| u32::try_from(n).ok());
    Status {
        messages: small("MESSAGES"),
        unseen: small("UNSEEN"),
        uid_next: small("UIDNEXT"),
        uid_validity: small("UIDVALIDITY"),
        highest_mod_seq: item("HIGHESTMODSEQ"),
    }
}
