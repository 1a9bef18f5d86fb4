//! A copy whose maker's answer was lost: looked for in its folder by Message-ID and bytes.

use crate::visit::RoundError;
use wire::imap::{FolderName, Session, SessionError, UidSet};

/// Messages whose bytes are compared.
const MOST_COMPARED: u32 = 50;

/// What is looked for.
pub struct Wanted<'a> {
    /// Its Message-ID without `<>`; empty if it has none.
    pub mid: &'a str,
    /// Its bytes.
    pub raw: &'a [u8],
    /// So many copies of it are known to be there for other reasons.
    pub accounted: usize,
}

/// Whether the folder has one more copy than it should. Some servers add to a header what they like, so of
/// a message with an id only what stands below the header must be the same. A folder that is not there has
/// none; in doubt there is none, since a second copy is better than no copy.
pub async fn is_there(
    session: &mut Session,
    folder: &FolderName,
    wanted: &Wanted<'_>,
) -> Result<bool, RoundError> {
    match look(session, folder, wanted).await {
        Err(error) if error.ends_session() => Err(error.into()),
        found => Ok(found.is_ok_and(|found| found > wanted.accounted)),
    }
}

async fn look(
    session: &mut Session,
    folder: &FolderName,
    wanted: &Wanted<'_>,
) -> Result<usize, SessionError> {
    session.select(folder, true).await?;
    let mut candidates = match wanted.mid {
        "" => of_size(session, wanted.raw.len() as u64).await?,
        // With its brackets, or it would be found as the end of a longer one.
        mid => session.uid_search_header("Message-ID", &format!("<{mid}>")).await?,
    };
    // The newest are the likeliest.
    let most = u64::from(MOST_COMPARED);
    if candidates.len() > most {
        let older = candidates.len() - most;
        drop(candidates.take_first(u32::try_from(older).unwrap_or(u32::MAX)));
    }
    let mut fetched = session.fetch(&candidates);
    let mut found = 0;
    while let Some(message) = fetched.next().await? {
        found += usize::from(is_same(&message.body, wanted));
    }
    Ok(found)
}

async fn of_size(session: &mut Session, size_bytes: u64) -> Result<UidSet, SessionError> {
    let all = session.uid_search_from(1).await?;
    let listed = session.uid_list(&all).await?;
    Ok(listed.into_iter().filter(|one| one.rfc822_size == Some(size_bytes)).map(|one| one.uid).collect())
}

fn is_same(found: &[u8], wanted: &Wanted<'_>) -> bool {
    found == wanted.raw || (!wanted.mid.is_empty() && body(found) == body(wanted.raw))
}

/// What stands below the header.
fn body(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or(&[], |end| &message[end + 4..])
}
