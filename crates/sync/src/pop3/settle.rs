//! After filing: nothing, or deleting on the server what was kept long enough; and QUIT, which makes it so.
//!
//! Only a message that is filed is ever marked, and that it will be is written down before. Without QUIT the server
//! removes nothing (RFC 1939, section 6), and only its `+OK` is believed: what a break leaves undecided is decided by
//! the next list. A server that refuses, or lists again what it removed, is asked [`MOST_REQUESTS`] times.

use super::Numbers;
use crate::visit::RoundError;
use desk::receive::Receive;
use model::{OccurrenceId, Time};
use std::collections::HashSet;
use store::folders::{self, Folder, Settled};
use store::rounds::Source;
use store::{point, uidls};
use wire::pop3::{Quit, Session};

/// How often the server is asked to remove a message.
pub(super) const MOST_REQUESTS: i64 = 20;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Whether each message is deleted on the server as soon as it is filed.
pub(super) fn deletes_at_once(source: &Source) -> bool {
    days(source) == Some(0)
}

/// After how many days messages are deleted on the server; never unless both settings say so.
fn days(source: &Source) -> Option<i64> {
    source.delete_after_days.map(i64::from).filter(|_| source.delete_on_server)
}

/// Deletes what is due and ends the session. Returns why the server refused, if it did.
pub(super) async fn settle(
    receive: &Receive,
    source: &Source,
    folder: &Folder,
    mut session: Session,
    numbers: &Numbers,
) -> Result<Option<String>, RoundError> {
    let due = due(receive, source, folder, numbers).await?;
    point::reached("p2_due");
    if due.is_empty() {
        // Whether the server says good-bye does not matter.
        drop(session.quit().await);
        return Ok(None);
    }
    receive.check().await?;
    let all: Vec<OccurrenceId> = due.iter().map(|(id, _)| *id).collect();
    let mut tx = receive.transaction().await?;
    uidls::asked(&mut tx, &all).await?;
    tx.commit().await?;
    point::reached("p2_intended");
    let wanted: Vec<u32> = due.iter().map(|(_, number)| *number).collect();
    let refusals = session.delete(&wanted).await?;
    point::reached("p2_marked");
    let (refused, why) = match session.quit().await {
        Quit::Updated => {
            let not_marked: HashSet<u32> = refusals.iter().map(|(number, _)| *number).collect();
            let kept = due.iter().filter(|(_, number)| not_marked.contains(number));
            (kept.map(|(id, _)| *id).collect(), refusals.first().map(|(_, refusal)| refusal.to_string()))
        }
        Quit::Refused(refusal) => (all.clone(), Some(refusal.to_string())),
        Quit::Lost(error) => return Err(error.into()),
    };
    point::reached("p3_quit");
    let mut tx = receive.transaction().await?;
    folders::settled(&mut tx, &all, Settled::Moved).await?;
    uidls::refused(&mut tx, &refused, why.as_deref().unwrap_or_default(), MOST_REQUESTS).await?;
    tx.commit().await?;
    Ok(why)
}

/// Filed messages of this session that were kept long enough, with their numbers in it.
async fn due(
    receive: &Receive,
    source: &Source,
    folder: &Folder,
    numbers: &Numbers,
) -> Result<Vec<(OccurrenceId, u32)>, RoundError> {
    let (Some(days), Some((lowest, _))) = (days(source), numbers.first_key_value()) else {
        return Ok(Vec::new());
    };
    let desk = receive.desk();
    let before = Time(desk.clock.now().0 - days * DAY);
    let filed = uidls::filed_before(&mut &desk.db, folder, *lowest, before, MOST_REQUESTS).await?;
    Ok(filed.into_iter().filter_map(|(id, uid)| Some((id, *numbers.get(&uid)?))).collect())
}
