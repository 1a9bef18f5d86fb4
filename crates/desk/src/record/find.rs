//! The record that a web form, an import or a conversion means: found, or made.

use super::write::{Changes, add};
use crate::Refusal;
use crate::may::Actor;
use mail::fold::fold;
use model::{RecordId, RecordKind, Time};
use store::records::{Lookup, lookup};
use store::sql::{Sql, Tx};

/// The oldest record of a kind with one of these addresses (lower case).
pub(crate) async fn by_address(
    sql: &mut impl Sql,
    kind: RecordKind,
    addresses: &[String],
) -> Result<Option<RecordId>, Refusal> {
    let found = lookup(sql, kind, Lookup::Address, addresses).await?;
    Ok(found.into_iter().flatten().map(|(id, _)| id).min())
}

/// The account of this name, or else of the address's domain. Names are compared folded.
pub(crate) async fn account(
    sql: &mut impl Sql,
    name: &str,
    address: Option<&str>,
) -> Result<Option<RecordId>, Refusal> {
    if !name.trim().is_empty() {
        let named = lookup(sql, RecordKind::Account, Lookup::Name, &[fold(name)]).await?;
        if let Some((id, _)) = named.into_iter().flatten().next() {
            return Ok(Some(id));
        }
    }
    let Some((_, domain)) = address.and_then(|address| address.rsplit_once('@')) else {
        return Ok(None);
    };
    let found = lookup(sql, RecordKind::Account, Lookup::Domain, &[domain.to_owned()]).await?;
    Ok(found.into_iter().flatten().next().map(|(id, _)| id))
}

/// The same; where there is none, one of this name is made.
pub(crate) async fn account_or_new(
    tx: &mut Tx,
    actor: &Actor,
    name: &str,
    address: Option<&str>,
    now: Time,
) -> Result<Option<RecordId>, Refusal> {
    if let Some(id) = account(tx, name, address).await? {
        return Ok(Some(id));
    }
    if name.trim().is_empty() {
        return Ok(None);
    }
    let wanted = Changes { name: Some(name.trim().to_owned()), ..Changes::default() };
    Ok(Some(add(tx, actor, RecordKind::Account, wanted, now).await?))
}
