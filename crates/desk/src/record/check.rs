//! What may be written of a record: every value checked, over what is there.

use super::{Changes, Field, LONGEST_FIELD, LONGEST_NAME, LONGEST_TEXT, LONGEST_VALUE, MOST_VALUES};
use crate::Refusal;
use crate::may::Actor;
use crate::people::invalid;
use mail::fold::fold;
use model::{LeadStatus, RecordId, RecordKind, Stage, TeamId, UserId};
use store::records::{self, Content, Deal, Record};
use store::sql::Tx;

/// A record's content as it is.
pub(super) fn content_of(record: &Record) -> Content {
    Content {
        name: record.name.clone(),
        folded: fold(&record.name),
        account: record.account.as_ref().map(|(id, _)| *id),
        further_accounts: record.further_accounts.iter().map(|(id, _)| *id).collect(),
        external_id: record.external_id.clone(),
        fields: record.fields.clone(),
        description: record.description.clone(),
        deal: record.deal.clone(),
        converted_into: record.converted_into.as_ref().map(|(id, _)| *id),
        team: record.team.as_ref().map(|(id, _)| *id),
        assignee: record.assignee.as_ref().map(|(id, _)| *id),
        addresses: record.addresses.clone(),
        domains: record.domains.clone(),
    }
}

/// The content as it is to be, over what is there.
pub(super) async fn checked(
    tx: &mut Tx,
    actor: &Actor,
    kind: RecordKind,
    wanted: Changes,
    there: Option<&Record>,
) -> Result<Content, Refusal> {
    let mut content = match there {
        Some(record) => content_of(record),
        None => Content { fields: "[]".to_owned(), ..Content::default() },
    };
    content.deal = deal(kind, &wanted, there)?;
    accounts(tx, actor, kind, &wanted, &mut content).await?;
    people(tx, &wanted, &mut content).await?;
    if let Some(name) = wanted.name {
        content.name = one_line("name", &name, LONGEST_NAME)?;
    }
    if content.name.is_empty() {
        return Err(invalid("name", "required", "A record needs a name."));
    }
    content.folded = fold(&content.name);
    if let Some(fields) = wanted.fields {
        content.fields = checked_fields(&fields)?;
    }
    if let Some(text) = wanted.description {
        content.description = checked_text(text)?;
    }
    if let Some(id) = wanted.external_id {
        let id = id.map(|id| one_line("external_id", &id, LONGEST_VALUE)).transpose()?;
        content.external_id = id.filter(|id| !id.is_empty());
    }
    if let Some(list) = wanted.addresses {
        content.addresses = values("addresses", &list, is_address)?;
    }
    if let Some(list) = wanted.domains {
        content.domains = values("domains", &list, is_domain)?;
    }
    Ok(content)
}

pub(super) fn one_line(field: &'static str, text: &str, longest: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.len() > longest {
        return Err(invalid(field, "too_long", format!("At most {longest} bytes.")).with("most", longest));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(field, "bad_text", "One line of plain text."));
    }
    Ok(text.to_owned())
}

fn checked_text(text: String) -> Result<String, Refusal> {
    match text.len() {
        0..=LONGEST_TEXT => Ok(text),
        _ => Err(invalid("description", "too_long", format!("At most {LONGEST_TEXT} bytes."))
            .with("most", LONGEST_TEXT)),
    }
}

fn checked_fields(fields: &[Field]) -> Result<String, Refusal> {
    if fields.len() > MOST_VALUES {
        return Err(
            invalid("fields", "too_many", format!("At most {MOST_VALUES} fields.")).with("most", MOST_VALUES)
        );
    }
    for field in fields {
        if one_line("fields", &field.label, LONGEST_VALUE)?.is_empty() {
            return Err(invalid("fields", "required", "Every field needs a label."));
        }
        if field.value.len() > LONGEST_FIELD {
            return Err(invalid("fields", "too_long", format!("A value has at most {LONGEST_FIELD} bytes."))
                .with("most", LONGEST_FIELD));
        }
    }
    serde_json::to_string(fields).map_err(|error| Refusal::Failed(error.into()))
}

/// Lower case, each once, in alphabetical order, as the shelf gives them back.
fn values(field: &'static str, list: &[String], fits: impl Fn(&str) -> bool) -> Result<Vec<String>, Refusal> {
    let mut out = Vec::with_capacity(list.len());
    for text in list {
        let value = one_line(field, text, LONGEST_VALUE)?.to_lowercase();
        if !fits(&value) {
            return Err(invalid(field, "bad_value", format!("“{value}” cannot be one.")).with("value", value));
        }
        out.push(value);
    }
    out.sort();
    out.dedup();
    if out.len() > MOST_VALUES {
        return Err(invalid(field, "too_many", format!("At most {MOST_VALUES}.")).with("most", MOST_VALUES));
    }
    Ok(out)
}

/// Whether a text can be a mail address.
pub(crate) fn is_address(text: &str) -> bool {
    let domain = text.rsplit_once('@').filter(|(local, _)| !local.is_empty()).map(|(_, domain)| domain);
    domain.is_some_and(|domain| !domain.is_empty()) && !text.contains([' ', '<', '>', ',', ';'])
}

/// Whether a text can be a domain.
pub(crate) fn is_domain(text: &str) -> bool {
    let letters =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    text.contains('.') && text.split('.').all(letters)
}

/// What only leads and opportunities have.
fn deal(kind: RecordKind, wanted: &Changes, there: Option<&Record>) -> Result<Deal, Refusal> {
    let mut deal = there.map(|record| record.deal.clone()).unwrap_or_default();
    deal.stage = match (kind, &wanted.stage) {
        (RecordKind::Opportunity, Some(word)) => Some(stage(word)?.word().to_owned()),
        (RecordKind::Opportunity, None) => deal.stage.or(Some(Stage::New.word().to_owned())),
        (RecordKind::Lead, Some(word)) => Some(lead_status(word, there)?.word().to_owned()),
        (RecordKind::Lead, None) => deal.stage.or(Some(LeadStatus::New.word().to_owned())),
        (_, Some(_)) => return Err(invalid("stage", "bad_value", "Only leads and opportunities have one.")),
        (_, None) => None,
    };
    if kind != RecordKind::Opportunity {
        let none = wanted.amount.flatten().is_none()
            && wanted.currency.iter().flatten().next().is_none()
            && wanted.closes_on.iter().flatten().next().is_none();
        return match none {
            true => Ok(deal),
            false => Err(invalid("amount", "bad_value", "Only opportunities have an amount and a day.")),
        };
    }
    if let Some(amount) = wanted.amount {
        deal.amount = amount.map(checked_amount).transpose()?;
    }
    if let Some(currency) = &wanted.currency {
        deal.currency = currency.as_deref().map(checked_currency).transpose()?;
    }
    if let Some(day) = &wanted.closes_on {
        deal.closes_on = day.as_deref().map(checked_day).transpose()?;
    }
    match (deal.amount, &deal.currency) {
        (Some(_), None) => Err(invalid("currency", "required", "An amount needs a currency.")),
        (None, Some(_)) => Ok(Deal { currency: None, ..deal }),
        _ => Ok(deal),
    }
}

fn stage(word: &str) -> Result<Stage, Refusal> {
    Stage::of(word).ok_or_else(|| invalid("stage", "bad_value", "No stage of an opportunity."))
}

/// `converted` is what [`super::convert`] says, for good.
fn lead_status(word: &str, there: Option<&Record>) -> Result<LeadStatus, Refusal> {
    let status = LeadStatus::of(word).ok_or_else(|| invalid("stage", "bad_value", "No status of a lead."))?;
    let converted = there.is_some_and(|record| record.converted_into.is_some());
    match converted == (status == LeadStatus::Converted) {
        true => Ok(status),
        false => Err(invalid("stage", "bad_value", "A lead is converted at POST /leads/{id}/convert, once.")),
    }
}

fn checked_amount(hundredths: i64) -> Result<i64, Refusal> {
    match hundredths {
        0..=LARGEST_AMOUNT => Ok(hundredths),
        _ => Err(invalid("amount", "bad_value", "An amount is 0 or more.")),
    }
}

fn checked_currency(code: &str) -> Result<String, Refusal> {
    let code = code.trim().to_uppercase();
    match code.len() == 3 && code.chars().all(|c| c.is_ascii_uppercase()) {
        true => Ok(code),
        false => Err(invalid("currency", "bad_value", "Three letters, such as EUR (ISO 4217).")),
    }
}

fn checked_day(day: &str) -> Result<String, Refusal> {
    let day: jiff::civil::Date =
        day.trim().parse().map_err(|_| invalid("closes_on", "bad_value", "A day, as YYYY-MM-DD."))?;
    Ok(day.to_string())
}

async fn accounts(
    tx: &mut Tx,
    actor: &Actor,
    kind: RecordKind,
    wanted: &Changes,
    content: &mut Content,
) -> Result<(), Refusal> {
    let before = content.clone();
    if let Some(account) = wanted.account {
        content.account = account;
    }
    if let Some(further) = &wanted.further_accounts {
        content.further_accounts.clone_from(further);
    }
    content.further_accounts.retain(|account| Some(*account) != content.account);
    content.further_accounts.sort();
    content.further_accounts.dedup();
    if content.further_accounts.len() > MOST_VALUES {
        let message = format!("At most {MOST_VALUES}.");
        return Err(invalid("further_account_ids", "too_many", message).with("most", MOST_VALUES));
    }
    if kind != RecordKind::Contact && !content.further_accounts.is_empty() {
        let message = "Only a contact belongs to several accounts.";
        return Err(invalid("further_account_ids", "bad_value", message));
    }
    let known =
        |account: &RecordId| before.account == Some(*account) || before.further_accounts.contains(account);
    if let Some(account) = content.account.filter(|account| !known(account)) {
        account_exists(tx, actor, kind, account, "account_id").await?;
    }
    for account in content.further_accounts.iter().filter(|account| !known(account)) {
        account_exists(tx, actor, kind, *account, "further_account_ids").await?;
    }
    Ok(())
}

async fn account_exists(
    tx: &mut Tx,
    actor: &Actor,
    kind: RecordKind,
    account: RecordId,
    field: &'static str,
) -> Result<(), Refusal> {
    if kind == RecordKind::Account {
        return Err(invalid(field, "bad_value", "An account has no account."));
    }
    match super::visible(tx, actor, account).await {
        Ok(RecordKind::Account) if records::survivor(tx, account).await? == account => Ok(()),
        Ok(_) | Err(Refusal::NotFound) => {
            Err(invalid(field, "unknown", "There is no such account, or you may not see it."))
        }
        Err(refusal) => Err(refusal),
    }
}

async fn people(tx: &mut Tx, wanted: &Changes, content: &mut Content) -> Result<(), Refusal> {
    if let Some(team) = wanted.team {
        content.team = team;
    }
    if let Some(assignee) = wanted.assignee {
        content.assignee = assignee;
    }
    if let Some(Some(team)) = wanted.team {
        known_team(tx, team).await?;
    }
    if let Some(Some(user)) = wanted.assignee {
        active_user(tx, user).await?;
    }
    Ok(())
}

async fn known_team(tx: &mut Tx, team: TeamId) -> Result<(), Refusal> {
    match store::people::teams(tx).await?.iter().any(|(id, _)| *id == team) {
        true => Ok(()),
        false => Err(invalid("team_id", "unknown", "There is no such team.")),
    }
}

async fn active_user(tx: &mut Tx, user: UserId) -> Result<(), Refusal> {
    match store::people::user(tx, user).await? {
        Some(user) if user.active => Ok(()),
        _ => {
            let message = "There is no such user, or they may not sign in any more.";
            Err(invalid("assignee_id", "unknown", message))
        }
    }
}

/// More than all the money there is, in hundredths, and sums of many still fit.
const LARGEST_AMOUNT: i64 = 1_000_000_000_000_000;
