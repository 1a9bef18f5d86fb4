//! Duplicates found, and two records made one.
//!
//! The survivor keeps what it has; what is empty comes from the other, and a person may say for each
//! field which of the two stands. Addresses, domains and accounts are those of both. Decided against
//! a way back: mail that comes in afterwards belongs to neither half, so an undo would be a guess.

use super::check::content_of;
use super::write::{put_down, tell};
use super::{Field, Page, change_of, fields_of, page};
use crate::may::{Actor, Verb};
use crate::people::invalid;
use crate::{Desk, Refusal, access};
use model::{RecordId, RecordKind};
use std::collections::BTreeMap;
use store::changes;
use store::records::{self, Common, Content, Record, RecordRow};
use store::stream::StreamKind;

model::words! {
    /// Why two records may be one.
    Alike {
        /// They have an address in common.
        Address = "address",
        /// The same name, and a domain or an account in common.
        NameAndDomain = "name_and_domain",
        /// A domain in common, of accounts.
        Domain = "domain",
        /// The same name.
        Name = "name",
    }
}

/// Two records that may be one.
#[derive(Clone, Debug)]
pub struct Duplicate {
    /// The older one.
    pub one: RecordRow,
    /// The other.
    pub other: RecordRow,
    /// The surest reason.
    pub alike: Alike,
    /// The address, domain or name they have in common.
    pub what: String,
}

/// Pairs of records of a kind that may be one, the surest first; with `of`, those of this record.
pub async fn duplicates(
    desk: &Desk,
    actor: &Actor,
    kind: RecordKind,
    of: Option<RecordId>,
) -> Result<Vec<Duplicate>, Refusal> {
    actor.may(Verb::ReadRecords)?;
    if kind == RecordKind::Case {
        return Err(invalid("kind", "bad_value", "Cases are merged at POST /cases/{id}/merge."));
    }
    let heard = actor.records_heard();
    let mut sql = desk.db.snapshot().await?;
    let mut found: BTreeMap<(RecordId, RecordId), (Alike, String)> = BTreeMap::new();
    for (one, other, what) in records::duplicates(&mut sql, Common::Name, kind, of, &heard).await? {
        found.insert((one, other), (Alike::Name, what));
    }
    for (one, other, what) in records::duplicates(&mut sql, Common::Domain, kind, of, &heard).await? {
        let named = found.contains_key(&(one, other));
        let alike = if named { Alike::NameAndDomain } else { Alike::Domain };
        found.insert((one, other), (alike, what));
    }
    for (one, other, what) in records::duplicates(&mut sql, Common::Address, kind, of, &heard).await? {
        found.insert((one, other), (Alike::Address, what));
    }
    let ids: Vec<RecordId> = found.keys().flat_map(|(one, other)| [*one, *other]).collect();
    let rows = records::rows(&mut sql, &ids, &actor.mail_access()).await?;
    let mut out: Vec<Duplicate> = rows
        .chunks_exact(2)
        .zip(found.into_values())
        .map(|(pair, (alike, what))| {
            let (one, other) = (pair[0].clone(), pair[1].clone());
            let alike = if alike == Alike::Name && near(&one, &other) { Alike::NameAndDomain } else { alike };
            Duplicate { one, other, alike, what }
        })
        .collect();
    out.sort_by_key(|pair| (pair.alike, pair.one.id, pair.other.id));
    Ok(out)
}

/// Whether two records of the same name are of one company.
fn near(one: &RecordRow, other: &RecordRow) -> bool {
    let domain = |address: &String| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let domains: Vec<_> = one.addresses.iter().filter_map(domain).collect();
    let same_account = one.account.is_some() && one.account == other.account;
    same_account || other.addresses.iter().filter_map(domain).any(|other| domains.contains(&other))
}

/// Which of two records stands, and whose fields.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The one that stays.
    pub into: RecordId,
    /// The one that ends.
    pub from: RecordId,
    /// Names of fields (as in the API; of those that people invented their labels) whose value comes from
    /// the one that ends.
    pub take: Vec<String>,
}

/// Makes two records one, for good.
pub async fn merge(desk: &Desk, actor: &Actor, wanted: Merge) -> Result<Page, Refusal> {
    actor.may(Verb::ChangeRecord)?;
    let now = desk.clock.now();
    let heard = actor.records_heard();
    let mut tx = desk.begin_filing().await?;
    let into = records::survivor(&mut tx, wanted.into).await?;
    let from = records::survivor(&mut tx, wanted.from).await?;
    let survivor = records::record(&mut tx, into, &heard).await?.ok_or(Refusal::NotFound)?;
    let other = records::record(&mut tx, from, &heard).await?.ok_or(Refusal::NotFound)?;
    mergeable(&survivor, &other)?;
    let content = joined(&survivor, &other, &wanted.take)?;
    let takes_external_id = content.external_id.is_some() && content.external_id == other.external_id;
    let threads = records::merge(&mut tx, into, from, takes_external_id, now).await?;
    put_down(&mut tx, actor, &survivor, &content, now).await?;
    for thread in &threads {
        access::refresh(&mut tx, *thread).await?;
    }
    let data = serde_json::json!({ "record": other.name });
    tell(&mut tx, actor, into, StreamKind::Merged, data, now).await?;
    let mut told = vec![change_of(into, survivor.kind, "merged"), change_of(from, other.kind, "merged")];
    told.extend(threads.iter().map(|id| crate::thread::change(*id, "linked")));
    changes::add_many(&mut tx, told, now).await?;
    let page = page(&mut tx, actor, into).await?;
    tx.commit().await?;
    Ok(page)
}

fn mergeable(survivor: &Record, other: &Record) -> Result<(), Refusal> {
    if survivor.id == other.id {
        return Err(Refusal::conflict("merged_already", "These are one record already."));
    }
    if survivor.kind == RecordKind::Case || other.kind == RecordKind::Case {
        return Err(Refusal::conflict("is_case", "Cases are merged at POST /cases/{id}/merge."));
    }
    if survivor.kind != other.kind {
        return Err(invalid("from", "bad_value", "Only records of one kind can become one."));
    }
    if survivor.converted_into.is_some() != other.converted_into.is_some() {
        let message = "One of the leads is converted: merge the contact it became instead.";
        return Err(Refusal::conflict("lead_converted", message));
    }
    Ok(())
}

/// The survivor's content with what the other one adds.
fn joined(survivor: &Record, other: &Record, take: &[String]) -> Result<Content, Refusal> {
    let takes = |field: &str| take.iter().any(|name| name == field);
    let mut content = content_of(survivor);
    let theirs = content_of(other);
    if takes("name") {
        (content.name, content.folded) = (theirs.name, theirs.folded);
    }
    if takes("description") || content.description.is_empty() {
        content.description = theirs.description;
    }
    pick(&mut content.deal.stage, theirs.deal.stage, takes("stage"));
    if takes("amount") || content.deal.amount.is_none() {
        (content.deal.amount, content.deal.currency) = (theirs.deal.amount, theirs.deal.currency);
    }
    pick(&mut content.deal.closes_on, theirs.deal.closes_on, takes("closes_on"));
    pick(&mut content.team, theirs.team, takes("team"));
    pick(&mut content.assignee, theirs.assignee, takes("assignee"));
    content.external_id = content.external_id.or(theirs.external_id);
    let mut accounts = Vec::from_iter(content.account.into_iter().chain(theirs.account));
    if takes("account") {
        accounts.reverse();
    }
    content.account = accounts.first().copied();
    if survivor.kind == RecordKind::Contact {
        content.further_accounts.extend(accounts.into_iter().chain(theirs.further_accounts));
        content.further_accounts.retain(|account| Some(*account) != content.account);
    }
    content.addresses.extend(theirs.addresses);
    content.domains.extend(theirs.domains);
    for list in [&mut content.addresses, &mut content.domains] {
        list.sort();
        list.dedup();
    }
    content.further_accounts.sort();
    content.further_accounts.dedup();
    let fields = joined_fields(fields_of(survivor), fields_of(other), take);
    content.fields = serde_json::to_string(&fields).map_err(|error| Refusal::Failed(error.into()))?;
    Ok(content)
}

fn pick<T>(ours: &mut Option<T>, theirs: Option<T>, takes: bool) {
    if takes || ours.is_none() {
        *ours = theirs;
    }
}

fn joined_fields(mut ours: Vec<Field>, theirs: Vec<Field>, take: &[String]) -> Vec<Field> {
    for field in theirs {
        match ours.iter_mut().find(|own| own.label == field.label) {
            Some(own) if own.value.is_empty() || take.contains(&field.label) => own.value = field.value,
            Some(_) => {}
            None => ours.push(field),
        }
    }
    ours
}
