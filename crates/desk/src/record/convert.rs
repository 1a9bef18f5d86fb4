//! A lead becomes a contact.
//!
//! The contact has the lead's addresses, fields and followers, and everything the lead was linked to.
//! The lead stays as it was, with its stream, and names the contact it became: what led to a customer
//! is looked up later. A contact that has the lead's address already takes it in instead of a new one.

use super::write::{Changes, add, put_down, tell, write};
use super::{Page, change_of, check, fields_of, find, page};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, access};
use model::{LeadStatus, LinkReason, RecordId, RecordKind, ThreadId, Time};
use store::links::{self, NewLink};
use store::records::{self, Record};
use store::sql::Tx;
use store::stream::StreamKind;
use store::{changes, people};

/// Which account a converted lead's contact is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToAccount {
    /// The lead's own, else the one of its address's domain, else none.
    #[default]
    Found,
    /// This one.
    Existing(RecordId),
    /// The one of this name; if there is none, it is made.
    Named(String),
    /// None.
    None,
}

/// How a lead is converted.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    /// Its account.
    pub account: ToAccount,
    /// Makes an opportunity of this name too.
    pub opportunity: Option<String>,
}

/// Makes a contact of a lead; gives the contact's page.
pub async fn convert(desk: &Desk, actor: &Actor, id: RecordId, wanted: Conversion) -> Result<Page, Refusal> {
    actor.may(Verb::ChangeRecord)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let heard = actor.records_heard();
    let id = records::survivor(&mut tx, id).await?;
    let lead = records::record(&mut tx, id, &heard).await?.ok_or(Refusal::NotFound)?;
    if lead.kind != RecordKind::Lead {
        return Err(Refusal::NotFound);
    }
    if lead.converted_into.is_some() {
        return Err(Refusal::conflict("lead_converted", "This lead is a contact already."));
    }
    let account = account_of(&mut tx, actor, &lead, &wanted.account, now).await?;
    let contact = contact_of(&mut tx, actor, &lead, account, now).await?;
    take_over(&mut tx, actor, &lead, contact, account, now).await?;
    if let Some(name) = &wanted.opportunity {
        opportunity(&mut tx, actor, &lead, contact, (name, account), now).await?;
    }
    finish(&mut tx, actor, &lead, contact, now).await?;
    let page = page(&mut tx, actor, contact).await?;
    tx.commit().await?;
    Ok(page)
}

async fn account_of(
    tx: &mut Tx,
    actor: &Actor,
    lead: &Record,
    wanted: &ToAccount,
    now: Time,
) -> Result<Option<RecordId>, Refusal> {
    let address = lead.addresses.first().map(String::as_str);
    match wanted {
        ToAccount::None => Ok(None),
        ToAccount::Existing(id) => Ok(Some(*id)),
        ToAccount::Named(name) => find::account_or_new(tx, actor, name, None, now).await,
        ToAccount::Found => match &lead.account {
            Some((id, _)) => Ok(Some(*id)),
            None => find::account(tx, "", address).await,
        },
    }
}

/// The contact with the lead's address, which the lead only completes; else a new one.
async fn contact_of(
    tx: &mut Tx,
    actor: &Actor,
    lead: &Record,
    account: Option<RecordId>,
    now: Time,
) -> Result<RecordId, Refusal> {
    if let Some(id) = find::by_address(tx, RecordKind::Contact, &lead.addresses).await? {
        let contact = records::record(tx, id, &actor.records_heard()).await?;
        let contact = contact.ok_or_else(contact_hidden)?;
        let mut addresses = contact.addresses.clone();
        addresses.extend(lead.addresses.iter().cloned());
        let further = contact.further_accounts.iter().map(|(id, _)| *id).chain(account).collect();
        let wanted = Changes {
            addresses: Some(addresses),
            account: contact.account.is_none().then_some(account),
            further_accounts: contact.account.is_some().then_some(further),
            ..Changes::default()
        };
        write(tx, actor, id, None, wanted, now).await?;
        return Ok(id);
    }
    let wanted = Changes {
        name: Some(lead.name.clone()),
        addresses: Some(lead.addresses.clone()),
        account: Some(account),
        fields: Some(fields_of(lead)),
        description: Some(lead.description.clone()),
        team: Some(lead.team.as_ref().map(|(id, _)| *id)),
        assignee: active_assignee(tx, lead).await?.map(Some),
        ..Changes::default()
    };
    add(tx, actor, RecordKind::Contact, wanted, now).await
}

fn contact_hidden() -> Refusal {
    let message = "A contact has this address already, and you may not see it. Ask an administrator.";
    Refusal::conflict("contact_hidden", message)
}

/// Who left is not put in charge of anything new.
async fn active_assignee(tx: &mut Tx, lead: &Record) -> Result<Option<model::UserId>, Refusal> {
    let Some((id, _)) = &lead.assignee else { return Ok(None) };
    Ok(people::user(tx, *id).await?.filter(|user| user.active).map(|user| user.id))
}

/// What the lead is linked to, the contact and its account are linked to as well; its followers follow.
async fn take_over(
    tx: &mut Tx,
    actor: &Actor,
    lead: &Record,
    contact: RecordId,
    account: Option<RecordId>,
    now: Time,
) -> Result<(), Refusal> {
    records::copy_followers(tx, lead.id, contact).await?;
    for link in links::of_record(tx, lead.id).await? {
        let new = |record, reason, detail| NewLink {
            thread: link.thread,
            record,
            reason,
            detail,
            user: actor.user,
            at: now,
        };
        linked(tx, new(contact, link.reason, link.detail.clone()), now).await?;
        if let Some(account) = account {
            linked(tx, new(account, LinkReason::ContactOf, lead.name.clone()), now).await?;
        }
    }
    Ok(())
}

async fn linked(tx: &mut Tx, link: NewLink, now: Time) -> Result<(), Refusal> {
    let thread: ThreadId = link.thread;
    if links::add(tx, link).await?.is_some() {
        access::refresh(tx, thread).await?;
        changes::add(tx, crate::thread::change(thread, "linked"), now).await?;
    }
    Ok(())
}

async fn opportunity(
    tx: &mut Tx,
    actor: &Actor,
    lead: &Record,
    contact: RecordId,
    (name, account): (&str, Option<RecordId>),
    now: Time,
) -> Result<(), Refusal> {
    let wanted = Changes {
        name: Some(name.to_owned()),
        account: Some(account),
        assignee: active_assignee(tx, lead).await?.map(Some),
        team: Some(lead.team.as_ref().map(|(id, _)| *id)),
        ..Changes::default()
    };
    let id = add(tx, actor, RecordKind::Opportunity, wanted, now).await?;
    for link in links::of_record(tx, contact).await? {
        let reason = LinkReason::ByHand;
        let link = NewLink {
            thread: link.thread,
            record: id,
            reason,
            detail: String::new(),
            user: actor.user,
            at: now,
        };
        linked(tx, link, now).await?;
    }
    Ok(())
}

async fn finish(
    tx: &mut Tx,
    actor: &Actor,
    lead: &Record,
    contact: RecordId,
    now: Time,
) -> Result<(), Refusal> {
    let mut content = check::content_of(lead);
    content.deal.stage = Some(LeadStatus::Converted.word().to_owned());
    content.converted_into = Some(contact);
    put_down(tx, actor, lead, &content, now).await?;
    let named = |name: &str| serde_json::json!({ "record": name });
    tell(tx, actor, lead.id, StreamKind::Converted, named(&lead.name), now).await?;
    tell(tx, actor, contact, StreamKind::Converted, named(&lead.name), now).await?;
    changes::add(tx, change_of(contact, RecordKind::Contact, "changed"), now).await?;
    Ok(())
}
