//! Bytes back from the shelf, exactly.

use mail::split;
use model::{MessageId, OccurrenceId};
use std::collections::HashMap;
use store::raw::{self, Hash, Pieces};
use store::sql::{Error, Sql};

/// The exact bytes of an occurrence; `None` if there is no such one, or it was too large to take.
pub async fn of_occurrence(sql: &mut impl Sql, id: OccurrenceId) -> Result<Option<Vec<u8>>, Error> {
    match raw::pieces(sql, id).await? {
        Some(pieces) => whole(sql, &pieces).await,
        None => Ok(None),
    }
}

/// The exact bytes of a message: of its first occurrence.
pub async fn of_message(sql: &mut impl Sql, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
    match raw::pieces_of_message(sql, id).await? {
        Some(pieces) => whole(sql, &pieces).await,
        None => Ok(None),
    }
}

/// A message with its large files left empty: enough to read its text, at a fraction of the bytes.
pub async fn outline(sql: &mut impl Sql, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
    let Some(pieces) = raw::pieces_of_message(sql, id).await? else { return Ok(None) };
    let Some(skeleton) = &pieces.skeleton else { return Ok(None) };
    let parts = parts(sql, skeleton, |part| part.is_text).await?;
    split::outline(&pieces.header, skeleton, |hash| parts.get(hash).cloned()).map(Some).map_err(damaged)
}

/// Puts the pieces of an occurrence together.
pub async fn whole(sql: &mut impl Sql, pieces: &Pieces) -> Result<Option<Vec<u8>>, Error> {
    let Some(skeleton) = &pieces.skeleton else { return Ok(None) };
    let parts = parts(sql, skeleton, |_| true).await?;
    split::join(&pieces.header, skeleton, |hash| parts.get(hash).cloned()).map(Some).map_err(damaged)
}

async fn parts(
    sql: &mut impl Sql,
    skeleton: &[u8],
    wanted: impl Fn(&split::PartRef) -> bool,
) -> Result<HashMap<Hash, Vec<u8>>, Error> {
    let mut parts = HashMap::new();
    for part in split::part_refs(skeleton).map_err(damaged)?.into_iter().filter(wanted) {
        if let Some(bytes) = raw::part(sql, &part.hash).await? {
            parts.insert(part.hash, bytes);
        }
    }
    Ok(parts)
}

fn damaged(error: split::JoinError) -> Error {
    Error::Other(format!("a stored message cannot be put together, run `lettercase verify`: {error:?}"))
}

/// The Message-ID of a message, without `<>`; empty if it has none.
pub fn message_id(raw: &[u8]) -> String {
    mail::parse::parse(raw).message_id.unwrap_or_default()
}
