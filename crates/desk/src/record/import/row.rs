//! One row: what it says, the record it means, and what is written.

use super::plan::{Existing, Plan, Target};
use crate::Refusal;
use crate::may::Actor;
use crate::record::check::{content_of, is_address};
use crate::record::difference::{self, FieldChange};
use crate::record::write::{Changes, add, write};
use crate::record::{Field, fields_of, find};
use mail::fold::fold;
use model::{LeadStatus, RecordId, RecordKind, Stage, Time};
use store::changes::RecordsHeard;
use store::records::{self, Lookup, Record, lookup};
use store::sql::Tx;

/// What became of a row.
pub(super) struct Done {
    pub outcome: &'static str,
    pub record: Option<(RecordId, String)>,
    /// A code and a sentence.
    pub reason: Option<(String, String)>,
    pub changes: Vec<FieldChange>,
}

/// What a row says.
#[derive(Debug, Default)]
struct Said {
    name: String,
    addresses: Vec<String>,
    domains: Vec<String>,
    account: String,
    external_id: String,
    description: String,
    stage: String,
    amount: String,
    currency: String,
    closes_on: String,
    fields: Vec<Field>,
}

/// Imports a row. What is wrong with it is an outcome; an error is the database's.
pub(super) async fn import_row(
    tx: &mut Tx,
    actor: &Actor,
    plan: &Plan,
    cells: &[String],
    now: Time,
) -> Result<Done, Refusal> {
    match tried(tx, actor, plan, Said::of(plan, cells), now).await {
        Err(Refusal::Failed(error)) => Err(Refusal::Failed(error)),
        Err(refusal) => Ok(refused(&refusal)),
        Ok(done) => Ok(done),
    }
}

fn refused(refusal: &Refusal) -> Done {
    let code = match refusal {
        Refusal::Conflict { code, .. } => (*code).to_owned(),
        Refusal::Invalid { field, code, .. } => format!("{field}.{code}"),
        Refusal::NotFound => "hidden".to_owned(),
        Refusal::Forbidden(_) | Refusal::Failed(_) => "failed".to_owned(),
    };
    let sentence = match refusal {
        Refusal::NotFound => "There is such a record, and you may not see it.".to_owned(),
        other => other.to_string(),
    };
    Done { outcome: "refused", record: None, reason: Some((code, sentence)), changes: Vec::new() }
}

async fn tried(tx: &mut Tx, actor: &Actor, plan: &Plan, said: Said, now: Time) -> Result<Done, Refusal> {
    let kind = plan.kind;
    let there = meant(tx, kind, &said).await?;
    let Some(id) = there else {
        let account = find::account_or_new(tx, actor, &said.account, None, now).await?;
        let wanted = said.made(kind, account)?;
        let name = wanted.name.clone().unwrap_or_default();
        let id = add(tx, actor, kind, wanted, now).await?;
        return Ok(Done { outcome: "created", record: Some((id, name)), reason: None, changes: Vec::new() });
    };
    let before = records::record(tx, id, &actor.records_heard()).await?.ok_or(Refusal::NotFound)?;
    let record = Some((id, before.name.clone()));
    if plan.existing == Existing::Leave {
        return Ok(Done { outcome: "left", record, reason: None, changes: Vec::new() });
    }
    let account =
        match said.account.is_empty() || (plan.existing == Existing::Fill && before.account.is_some()) {
            true => None,
            false => find::account_or_new(tx, actor, &said.account, None, now).await?,
        };
    let wanted = said.over(&before, plan.existing, account)?;
    write(tx, actor, id, None, wanted, now).await?;
    let after = records::record(tx, id, &RecordsHeard::All).await?.ok_or(Refusal::NotFound)?;
    let changes = difference::between(&before, &after);
    let same = content_of(&before) == content_of(&after);
    Ok(Done { outcome: if same { "same" } else { "changed" }, record, reason: None, changes })
}

/// The record that a row means: the one with its external id, else with one of its addresses, else
/// (of accounts) with one of its domains or its name. Several are nobody's to choose but a person's.
async fn meant(tx: &mut Tx, kind: RecordKind, said: &Said) -> Result<Option<RecordId>, Refusal> {
    let one = |text: &str| Vec::from_iter((!text.is_empty()).then(|| text.to_owned()));
    let mut ways =
        vec![(Lookup::ExternalId, one(&said.external_id)), (Lookup::Address, said.addresses.clone())];
    if kind == RecordKind::Account {
        ways.extend([(Lookup::Domain, said.domains.clone()), (Lookup::Name, one(&fold(&said.name)))]);
    }
    // An opportunity has no address of its own, and its name is often another's too.
    if kind == RecordKind::Opportunity {
        ways.truncate(1);
    }
    for (by, keys) in ways {
        let mut found: Vec<RecordId> =
            lookup(tx, kind, by, &keys).await?.into_iter().flatten().map(|(id, _)| id).collect();
        found.sort();
        found.dedup();
        match found[..] {
            [] => {}
            [id] => return Ok(Some(id)),
            _ => {
                let message = "Several records have its address or name. Merge them first.";
                return Err(Refusal::conflict("several_match", message));
            }
        }
    }
    Ok(None)
}

impl Said {
    fn of(plan: &Plan, cells: &[String]) -> Said {
        let mut said = Said::default();
        let (mut first, mut last) = (String::new(), String::new());
        for (column, cell) in plan.columns.iter().zip(cells) {
            let cell = cell.trim();
            if cell.is_empty() {
                continue;
            }
            match column.to {
                Target::Skip => {}
                Target::Name => said.name = one_line(cell),
                Target::FirstName => first = one_line(cell),
                Target::LastName => last = one_line(cell),
                Target::Address => said.addresses.extend(addresses(cell)),
                Target::Domain => said.domains.extend(words(cell).map(|word| domain(&word))),
                Target::Account => said.account = one_line(cell),
                Target::ExternalId => said.external_id = one_line(cell),
                Target::Description => said.description = cell.to_owned(),
                Target::Stage => said.stage = cell.to_owned(),
                Target::Amount => said.amount = cell.to_owned(),
                Target::Currency => said.currency = cell.to_owned(),
                Target::ClosesOn => said.closes_on = cell.to_owned(),
                Target::Field => {
                    said.fields.push(Field { label: one_line(&column.label), value: cell.to_owned() });
                }
            }
        }
        if said.name.is_empty() {
            said.name = format!("{first} {last}").trim().to_owned();
        }
        if said.name.is_empty() {
            said.name = said.addresses.first().cloned().unwrap_or_default();
        }
        said
    }

    /// What a new record of it is.
    fn made(self, kind: RecordKind, account: Option<RecordId>) -> Result<Changes, Refusal> {
        Ok(Changes {
            stage: self.stage(kind)?,
            amount: self.amount()?.map(Some),
            currency: self.currency().map(Some),
            closes_on: self.day()?.map(Some),
            external_id: Some(Some(self.external_id)),
            name: Some(self.name),
            addresses: Some(self.addresses),
            domains: Some(self.domains),
            account: account.map(Some),
            description: Some(self.description),
            fields: Some(self.fields),
            ..Changes::default()
        })
    }

    /// What it changes of a record: addresses and domains are added, the rest by what was wished.
    fn over(
        self,
        before: &Record,
        existing: Existing,
        account: Option<RecordId>,
    ) -> Result<Changes, Refusal> {
        let replaces = existing == Existing::Replace;
        let may = |filled: bool| replaces || !filled;
        let deal = &before.deal;
        let given = |text: &str| !text.is_empty();
        Ok(Changes {
            name: (replaces && given(&self.name)).then(|| self.name.clone()),
            stage: self.stage(before.kind)?.filter(|_| may(deal.stage.is_some())),
            amount: self.amount()?.filter(|_| may(deal.amount.is_some())).map(Some),
            currency: self.currency().filter(|_| may(deal.currency.is_some())).map(Some),
            closes_on: self.day()?.filter(|_| may(deal.closes_on.is_some())).map(Some),
            external_id: (given(&self.external_id) && may(before.external_id.is_some()))
                .then_some(Some(self.external_id)),
            description: (given(&self.description) && may(!before.description.is_empty()))
                .then_some(self.description),
            account: account.map(Some),
            addresses: Some(before.addresses.iter().cloned().chain(self.addresses).collect()),
            domains: Some(before.domains.iter().cloned().chain(self.domains).collect()),
            fields: Some(joined(fields_of(before), self.fields, replaces)),
            ..Changes::default()
        })
    }

    /// A word of ours, or what people say for one in their language.
    fn stage(&self, kind: RecordKind) -> Result<Option<String>, Refusal> {
        if self.stage.is_empty() {
            return Ok(None);
        }
        let said = fold(&self.stage);
        let said = said.trim();
        let words: Vec<&str> = match kind {
            RecordKind::Lead => LeadStatus::ALL.iter().map(|word| word.word()).collect(),
            _ => Stage::ALL.iter().map(|word| word.word()).collect(),
        };
        let known = STAGES.iter().find(|(_, names)| names.contains(&said)).map_or(said, |(word, _)| word);
        match words.contains(&known) {
            true => Ok(Some(known.to_owned())),
            false => Err(Refusal::invalid("stage", "bad_value", format!("“{}” is no stage.", self.stage))
                .with("value", &self.stage)),
        }
    }

    fn amount(&self) -> Result<Option<i64>, Refusal> {
        if self.amount.is_empty() {
            return Ok(None);
        }
        let number: String =
            self.amount.chars().filter(|c| c.is_ascii_digit() || ",.-".contains(*c)).collect();
        let bad = || {
            Refusal::invalid("amount", "bad_value", format!("“{}” is no amount.", self.amount))
                .with("value", &self.amount)
        };
        hundredths(&number).map(Some).ok_or_else(bad)
    }

    /// Its own column, else what stands beside the amount; for an amount without one euro.
    fn currency(&self) -> Option<String> {
        let beside: String =
            self.amount.chars().filter(|c| c.is_alphabetic() || "€$£".contains(*c)).collect();
        let said = if self.currency.is_empty() { beside } else { self.currency.clone() };
        let known = CURRENCIES.iter().find(|(name, _)| fold(name) == fold(&said)).map(|(_, code)| *code);
        match said.is_empty() {
            true => (!self.amount.is_empty()).then(|| "EUR".to_owned()),
            false => Some(known.map_or(said, str::to_owned)),
        }
    }

    /// 2026-05-31, 31. 5. 2026, 31/05/2026.
    fn day(&self) -> Result<Option<String>, Refusal> {
        if self.closes_on.is_empty() {
            return Ok(None);
        }
        let parts: Vec<i16> = self
            .closes_on
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .take(3)
            .map_while(|part| part.parse().ok())
            .collect();
        let day = match parts[..] {
            [year, month, day] if year > 999 => jiff::civil::Date::new(year, month as i8, day as i8).ok(),
            [day, month, year] if year > 999 => jiff::civil::Date::new(year, month as i8, day as i8).ok(),
            _ => None,
        };
        let bad = || {
            Refusal::invalid("closes_on", "bad_value", format!("“{}” is no day.", self.closes_on))
                .with("value", &self.closes_on)
        };
        day.map(|day| Some(day.to_string())).ok_or_else(bad)
    }
}

/// What stages are called in exports and in our four languages, folded.
const STAGES: &[(&str, &[&str])] = &[
    ("new", &["novy", "nova", "nowy", "nowa", "prospecting", "open"]),
    (
        "contacted",
        &["kontaktovan", "kontaktovany", "osloven", "osloveny", "skontaktowany", "in process", "assigned"],
    ),
    ("qualified", &["kvalifikovano", "kvalifikovane", "kvalifikovana", "zakwalifikowana", "qualification"]),
    ("proposal", &["nabidka", "ponuka", "oferta", "quote", "offer"]),
    ("negotiation", &["jednani", "vyjednavani", "rokovanie", "negocjacje"]),
    ("won", &["vyhrano", "vyhrana", "ziskano", "ziskane", "wygrana", "closed won"]),
    (
        "lost",
        &[
            "prohrano",
            "ztraceno",
            "ztraceny",
            "stratene",
            "strateny",
            "przegrana",
            "stracony",
            "closed lost",
            "dead",
        ],
    ),
];

const CURRENCIES: &[(&str, &str)] = &[("Kč", "CZK"), ("€", "EUR"), ("$", "USD"), ("£", "GBP"), ("zł", "PLN")];

/// `1 234,50`, `1,234.50`, `1.234,50` and `1234.5` in hundredths. The last sign divides the fraction if
/// one or two digits follow.
fn hundredths(number: &str) -> Option<i64> {
    let (whole, fraction) = match number.rfind([',', '.']) {
        Some(at) if (1..=2).contains(&(number.len() - at - 1)) => (&number[..at], &number[at + 1..]),
        _ => (number, ""),
    };
    let digits: String = whole.chars().filter(|c| !matches!(c, ',' | '.')).collect();
    let whole: i64 = digits.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(fraction)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split(|c: char| c.is_whitespace() || ",;|".contains(c))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Addresses in a cell, also as `Ann Ash <ann@x.example>`; of one without any its text, to be refused.
fn addresses(cell: &str) -> Vec<String> {
    let bare =
        |word: String| word.trim_matches(['<', '>', '"', '\'']).trim_start_matches("mailto:").to_owned();
    let found: Vec<String> = words(cell).map(bare).filter(|word| is_address(word)).collect();
    if found.is_empty() { vec![cell.to_owned()] } else { found }
}

/// A domain, also as the address of a web site.
fn domain(word: &str) -> String {
    let host = word.split("://").last().unwrap_or(word).split('/').next().unwrap_or(word);
    host.trim_start_matches("www.").trim_start_matches('@').to_owned()
}

fn joined(mut ours: Vec<Field>, theirs: Vec<Field>, replaces: bool) -> Vec<Field> {
    for field in theirs {
        match ours.iter_mut().find(|own| own.label == field.label) {
            Some(own) if replaces || own.value.is_empty() => own.value = field.value,
            Some(_) => {}
            None => ours.push(field),
        }
    }
    ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b5_amounts_and_days_are_read_as_people_write_them() {
        let said = |amount: &str, closes_on: &str| Said {
            amount: amount.into(),
            closes_on: closes_on.into(),
            ..Said::default()
        };
        let amounts = [
            ("1 234,50 Kč", 123_450, "CZK"),
            ("1,234.50", 123_450, "EUR"),
            ("€ 1.234,5", 123_450, "EUR"),
            ("12000", 1_200_000, "EUR"),
            ("12.000 zł", 1_200_000, "PLN"),
        ];
        for (text, amount, currency) in amounts {
            let said = said(text, "");
            assert_eq!(
                (said.amount().unwrap(), said.currency().as_deref()),
                (Some(amount), Some(currency)),
                "{text}"
            );
        }
        assert!(said("much", "").amount().is_err());
        for day in ["2026-05-31", "31. 5. 2026", "31/05/2026"] {
            assert_eq!(said("", day).day().unwrap().as_deref(), Some("2026-05-31"), "{day}");
        }
        assert!(said("", "31.2.2026").day().is_err());
    }

    #[test]
    fn b5_addresses_and_domains_are_found_in_their_cells() {
        assert_eq!(addresses("Ann <ANN@x.example>; b@x.example"), ["ann@x.example", "b@x.example"]);
        assert_eq!(addresses("none"), ["none"]);
        assert_eq!(domain("https://www.acme.example/contact"), "acme.example");
    }
}
