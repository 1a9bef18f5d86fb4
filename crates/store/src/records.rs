//! Accounts, contacts, leads, opportunities and cases.
//!
//! One table for all kinds: a thread is linked to any of them alike, and what only cases have (number,
//! status, assignee) is NULL elsewhere. Fields the CRM's owner invents are a JSON list of label and
//! value, in their order. `version` counts the writes, for "changed meanwhile".

mod cases;
mod duplicates;
mod find;
mod list;
mod merge;
mod status;

pub use cases::{
    CaseChange, CaseRow, NewCase, add_case, case_by_number, case_survivor, cases_of, change_case,
    continued_by, due_snoozes, give, newly_overdue, set_overdue, take_messages, takes_part, wake,
};
pub use duplicates::{Common, MOST_PAIRS, duplicates};
pub use find::{Lookup, lookup};
pub use list::{Filter, RecordRow, Sort, StageSum, count, list, rows, stages};
pub use merge::{copy_followers, merge, survivor};
pub use status::set_status;
pub(crate) use status::{answer, standing};

use crate::changes::RecordsHeard;
use crate::counters;
use crate::params;
use crate::sql::{Error, Params, Row, Sql, Tx, Value};
use model::{CaseStatus, Distribution, ProcessId, RecordId, RecordKind, TeamId, Time, UserId};
use std::collections::HashSet;

/// Contacts of an account, or cases of a record, that its page shows.
pub const MOST_RELATED: usize = 200;

/// A record with everything of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// What it is.
    pub kind: RecordKind,
    /// Its name; of a case: its subject.
    pub name: String,
    /// Its account.
    pub account: Option<(RecordId, String)>,
    /// Of a contact: further accounts.
    pub further_accounts: Vec<(RecordId, String)>,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// JSON: [{"label": …, "value": …}].
    pub fields: String,
    /// Its description; of a case: the text of the first mail.
    pub description: String,
    /// What only leads and opportunities have.
    pub deal: Deal,
    /// Of a converted lead: the contact it became.
    pub converted_into: Option<(RecordId, String)>,
    /// The team in charge.
    pub team: Option<(TeamId, String)>,
    /// Who is to act.
    pub assignee: Option<(UserId, String)>,
    /// When it was made.
    pub created_at: Time,
    /// When it was written last.
    pub updated_at: Time,
    /// Its newest message; 0 if none.
    pub last_at: Time,
    /// Counts the writes.
    pub version: i64,
    /// What only cases have.
    pub case: Option<CasePart>,
    /// Mail addresses, lower case.
    pub addresses: Vec<String>,
    /// Domains, lower case.
    pub domains: Vec<String>,
}

/// What only leads and opportunities have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deal {
    /// Of an opportunity its stage, of a lead its status: a word.
    pub stage: Option<String>,
    /// What an opportunity is worth, in hundredths of its currency.
    pub amount: Option<i64>,
    /// ISO 4217, upper case.
    pub currency: Option<String>,
    /// The day an opportunity is expected to close: YYYY-MM-DD.
    pub closes_on: Option<String>,
}

/// What only cases have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasePart {
    /// Its number.
    pub number: i64,
    /// Where it stands.
    pub status: CaseStatus,
    /// Its priority's word.
    pub priority: String,
    /// The area of work.
    pub process: Option<(ProcessId, String)>,
    /// When it was closed.
    pub closed_at: Option<Time>,
    /// Out of sight until then.
    pub snoozed_until: Option<Time>,
    /// When an answer to its customer is due; `None`: none is.
    pub due_at: Option<Time>,
    /// When somebody first answered.
    pub first_reply_at: Option<Time>,
    /// The address of who wrote first; empty: not known.
    pub customer: String,
    /// The case it continues.
    pub continues: Option<RecordId>,
    /// How its team shares it as soon as somebody can take it; none: it waits for nobody.
    pub waits_for: Distribution,
    /// The case it became part of.
    pub merged_into: Option<RecordId>,
}

const RECORD: &str = "SELECT r.id, r.kind, r.name, r.account_id, a.name, r.external_id, r.fields, \
     r.description, r.created_at, r.updated_at, r.last_at, r.version, r.number, r.status, r.priority, \
     r.process_id, p.name, r.team_id, t.name, r.assignee_id, u.name, r.closed_at, \
     r.stage, r.amount, r.currency, r.closes_on, r.converted_into, v.name, \
     r.snoozed_until, r.due_at, r.first_reply_at, r.customer, r.continues_id, r.waits_for, r.merged_into \
     FROM records r LEFT JOIN records a ON a.id = r.account_id LEFT JOIN records v ON v.id = r.converted_into \
     LEFT JOIN processes p ON p.id = r.process_id LEFT JOIN teams t ON t.id = r.team_id \
     LEFT JOIN users u ON u.id = r.assignee_id";

impl RecordsHeard {
    /// A condition that holds for those among the rows `r` of `records` that may be seen.
    pub fn condition(&self, r: &str, params: &mut Params) -> String {
        match self {
            RecordsHeard::All => "1 = 1".to_owned(),
            RecordsHeard::None => "1 = 0".to_owned(),
            RecordsHeard::Of(user, teams) => concerns(r, *user, teams, params),
            RecordsHeard::AllBut(user, teams, mail) => {
                let concerns = concerns(r, *user, teams, params);
                let seen = mail.condition("ct.id", params);
                // A case whose mail was cleared is what people made of it, and no mail's.
                format!(
                    "({r}.kind <> 'case' OR {concerns} \
                     OR EXISTS (SELECT 1 FROM threads ct WHERE ct.case_id = {r}.id AND {seen}) \
                     OR NOT EXISTS (SELECT 1 FROM threads ct WHERE ct.case_id = {r}.id))"
                )
            }
        }
    }
}

/// What somebody or their teams are in charge of, and what they follow.
fn concerns(r: &str, user: UserId, teams: &[TeamId], params: &mut Params) -> String {
    params.push(Value::from(user));
    let me = params.len();
    let mut out = format!(
        "({r}.assignee_id = ${me} OR EXISTS (SELECT 1 FROM followers f \
         WHERE f.record_id = {r}.id AND f.user_id = ${me})"
    );
    for team in teams {
        params.push(Value::from(*team));
        out.push_str(&format!(" OR {r}.team_id = ${}", params.len()));
    }
    out.push(')');
    out
}

/// One record, if it may be seen.
pub async fn record(sql: &mut impl Sql, id: RecordId, heard: &RecordsHeard) -> Result<Option<Record>, Error> {
    let mut params = params![id];
    let seen = heard.condition("r", &mut params);
    let text = format!("{RECORD} WHERE r.id = $1 AND {seen}");
    let Some(row) = sql.query_opt(&text, params).await? else {
        return Ok(None);
    };
    let Some(mut record) = record_of(&row)? else {
        return Ok(None);
    };
    record.addresses = addresses(sql, id).await?;
    let text = "SELECT domain FROM record_domains WHERE record_id = $1 ORDER BY domain";
    record.domains = strings(&sql.query(text, params![id]).await?)?;
    record.further_accounts = further_accounts(sql, id).await?;
    Ok(Some(record))
}

async fn further_accounts(sql: &mut impl Sql, id: RecordId) -> Result<Vec<(RecordId, String)>, Error> {
    let text = "SELECT r.id, r.name FROM record_accounts a JOIN records r ON r.id = a.account_id \
                WHERE a.record_id = $1 ORDER BY r.id";
    let rows = sql.query(text, params![id]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

async fn addresses(sql: &mut impl Sql, id: RecordId) -> Result<Vec<String>, Error> {
    let text = "SELECT address FROM record_addresses WHERE record_id = $1 ORDER BY address";
    strings(&sql.query(text, params![id]).await?)
}

fn strings(rows: &[Row]) -> Result<Vec<String>, Error> {
    rows.iter().map(|row| row.get(0)).collect()
}

/// Whether a record may be seen.
pub async fn visible(sql: &mut impl Sql, id: RecordId, heard: &RecordsHeard) -> Result<bool, Error> {
    Ok(kind(sql, id, heard).await?.is_some())
}

/// Which of these records may be seen.
pub async fn visible_of(
    sql: &mut impl Sql,
    ids: &[RecordId],
    heard: &RecordsHeard,
) -> Result<HashSet<RecordId>, Error> {
    let mut seen = HashSet::new();
    if matches!(heard, RecordsHeard::All) {
        seen.extend(ids);
        return Ok(seen);
    }
    for some in ids.chunks(ASKED_AT_ONCE) {
        let mut params: Params = some.iter().map(|id| (*id).into()).collect();
        let marks: Vec<String> = (1..=params.len()).map(|at| format!("${at}")).collect();
        let condition = heard.condition("r", &mut params);
        let text = format!("SELECT r.id FROM records r WHERE r.id IN ({}) AND {condition}", marks.join(","));
        for row in sql.query(&text, params).await? {
            seen.insert(row.get(0)?);
        }
    }
    Ok(seen)
}

/// Ids in one statement.
const ASKED_AT_ONCE: usize = 500;

/// A record's name.
pub async fn name(sql: &mut impl Sql, id: RecordId) -> Result<Option<String>, Error> {
    let row = sql.query_opt("SELECT name FROM records WHERE id = $1", params![id]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// What a record is, if it may be seen.
pub async fn kind(
    sql: &mut impl Sql,
    id: RecordId,
    heard: &RecordsHeard,
) -> Result<Option<RecordKind>, Error> {
    let mut params = params![id];
    let seen = heard.condition("r", &mut params);
    let text = format!("SELECT r.kind FROM records r WHERE r.id = $1 AND {seen}");
    let row = sql.query_opt(&text, params).await?;
    Ok(match row {
        Some(row) => RecordKind::of(&row.get::<String>(0)?),
        None => None,
    })
}

/// The contacts of an account, at most [`MOST_RELATED`].
pub async fn contacts_of(sql: &mut impl Sql, account: RecordId) -> Result<Vec<RecordId>, Error> {
    let text = format!(
        "SELECT id FROM records WHERE account_id = $1 AND kind = 'contact' AND merged_into IS NULL \
         UNION SELECT r.id FROM record_accounts a JOIN records r ON r.id = a.record_id \
         WHERE a.account_id = $1 AND r.kind = 'contact' AND r.merged_into IS NULL \
         ORDER BY id LIMIT {MOST_RELATED}"
    );
    let rows = sql.query(&text, params![account]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The record with this id in another system; of one that was merged away its survivor.
pub async fn by_external_id(
    sql: &mut impl Sql,
    kind: RecordKind,
    external_id: &str,
) -> Result<Option<RecordId>, Error> {
    let text = "SELECT COALESCE(merged_into, id) FROM records WHERE kind = $1 AND external_id = $2";
    let row = sql.query_opt(text, params![kind.word(), external_id]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// What is written of a record that is no case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Its name.
    pub name: String,
    /// The name as it is searched.
    pub folded: String,
    /// Its account.
    pub account: Option<RecordId>,
    /// Of a contact: further accounts, each once, in the order of their ids.
    pub further_accounts: Vec<RecordId>,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// JSON: [{"label": …, "value": …}].
    pub fields: String,
    /// Its description.
    pub description: String,
    /// What only leads and opportunities have.
    pub deal: Deal,
    /// Of a converted lead: the contact it became.
    pub converted_into: Option<RecordId>,
    /// The team in charge.
    pub team: Option<TeamId>,
    /// Who is to act.
    pub assignee: Option<UserId>,
    /// Mail addresses, lower case, each once.
    pub addresses: Vec<String>,
    /// Domains, lower case, each once.
    pub domains: Vec<String>,
}

impl Content {
    /// The values of the columns that are written alike by [`add`] and [`change`].
    fn values(&self) -> Params {
        let Content { name, folded, account, external_id, fields, description, .. } = self.clone();
        let Deal { stage, amount, currency, closes_on } = self.deal.clone();
        let mut values = params![name, folded, account, external_id, fields, description];
        values.extend(params![stage, amount, currency, closes_on]);
        values.extend(params![self.converted_into, self.team, self.assignee]);
        values
    }
}

/// Adds a record. An external id that is taken is an [`Error::Conflict`].
pub async fn add(tx: &mut Tx, kind: RecordKind, content: &Content, at: Time) -> Result<RecordId, Error> {
    let id = RecordId(counters::take(tx, "records", 1).await?);
    let text = "INSERT INTO records (id, kind, created_at, updated_at, last_at, version, name, folded, \
                account_id, external_id, fields, description, stage, amount, currency, closes_on, \
                converted_into, team_id, assignee_id) \
                VALUES ($1, $2, $3, $3, 0, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    let mut params = params![id, kind.word(), at];
    params.extend(content.values());
    tx.execute(text, params).await?;
    set_belongings(tx, id, content).await?;
    Ok(id)
}

/// Writes a record's content over that of `version`; false if somebody wrote it meanwhile.
pub async fn change(
    tx: &mut Tx,
    id: RecordId,
    version: i64,
    content: &Content,
    at: Time,
) -> Result<bool, Error> {
    let text = "UPDATE records SET updated_at = $3, version = version + 1, name = $4, folded = $5, \
                account_id = $6, external_id = $7, fields = $8, description = $9, stage = $10, amount = $11, \
                currency = $12, closes_on = $13, converted_into = $14, team_id = $15, assignee_id = $16 \
                WHERE id = $1 AND version = $2";
    let mut params = params![id, version, at];
    params.extend(content.values());
    if tx.execute(text, params).await? == 0 {
        return Ok(false);
    }
    set_belongings(tx, id, content).await?;
    Ok(true)
}

async fn set_belongings(tx: &mut Tx, id: RecordId, content: &Content) -> Result<(), Error> {
    tx.execute("DELETE FROM record_addresses WHERE record_id = $1", params![id]).await?;
    tx.execute("DELETE FROM record_domains WHERE record_id = $1", params![id]).await?;
    tx.execute("DELETE FROM record_accounts WHERE record_id = $1", params![id]).await?;
    let rows = |list: &[String]| list.iter().map(|item| params![id, item]).collect();
    let head = "INSERT INTO record_addresses (record_id, address) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", rows(&content.addresses)).await?;
    let head = "INSERT INTO record_domains (record_id, domain) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", rows(&content.domains)).await?;
    let accounts = content.further_accounts.iter().map(|account| params![id, *account]).collect();
    let head = "INSERT INTO record_accounts (record_id, account_id) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", accounts).await.map(drop)
}

/// Whether a user follows a record.
pub async fn follows(sql: &mut impl Sql, id: RecordId, user: UserId) -> Result<bool, Error> {
    let text = "SELECT 1 FROM followers WHERE record_id = $1 AND user_id = $2";
    Ok(sql.query_opt(text, params![id, user]).await?.is_some())
}

/// Lets a user follow a record.
pub async fn follow(tx: &mut Tx, id: RecordId, user: UserId) -> Result<(), Error> {
    let head = "INSERT INTO followers (record_id, user_id) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", vec![params![id, user]]).await.map(drop)
}

/// Ends that.
pub async fn unfollow(tx: &mut Tx, id: RecordId, user: UserId) -> Result<(), Error> {
    let text = "DELETE FROM followers WHERE record_id = $1 AND user_id = $2";
    tx.execute(text, params![id, user]).await.map(drop)
}

/// A record of a kind this program does not know is none.
fn record_of(row: &Row) -> Result<Option<Record>, Error> {
    let Some(kind) = RecordKind::of(&row.get::<String>(1)?) else {
        return Ok(None);
    };
    Ok(Some(Record {
        id: row.get(0)?,
        kind,
        name: row.get(2)?,
        account: named(row, 3)?.map(|(id, name)| (RecordId(id), name)),
        external_id: row.get(5)?,
        fields: row.get(6)?,
        description: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
        last_at: row.get(10)?,
        version: row.get(11)?,
        case: case_part(row, kind)?,
        deal: deal(row, 22)?,
        converted_into: named(row, 26)?.map(|(id, name)| (RecordId(id), name)),
        team: named(row, 17)?.map(|(id, name)| (TeamId(id), name)),
        assignee: named(row, 19)?.map(|(id, name)| (UserId(id), name)),
        addresses: Vec::new(),
        domains: Vec::new(),
        further_accounts: Vec::new(),
    }))
}

/// Four columns, beginning with the stage.
fn deal(row: &Row, at: usize) -> Result<Deal, Error> {
    Ok(Deal {
        stage: row.get(at)?,
        amount: row.get(at + 1)?,
        currency: row.get(at + 2)?,
        closes_on: row.get(at + 3)?,
    })
}

fn case_part(row: &Row, kind: RecordKind) -> Result<Option<CasePart>, Error> {
    if kind != RecordKind::Case {
        return Ok(None);
    }
    Ok(Some(CasePart {
        number: row.get(12)?,
        status: status_of(row, 13)?,
        priority: row.get(14)?,
        process: named(row, 15)?.map(|(id, name)| (ProcessId(id), name)),
        closed_at: row.get(21)?,
        snoozed_until: row.get(28)?,
        due_at: row.get(29)?,
        first_reply_at: row.get(30)?,
        customer: row.get(31)?,
        continues: row.get(32)?,
        waits_for: Distribution::of(&row.get::<String>(33)?).unwrap_or(Distribution::None),
        merged_into: row.get(34)?,
    }))
}

/// A status this program does not know is work that nobody should overlook.
fn status_of(row: &Row, at: usize) -> Result<CaseStatus, Error> {
    Ok(CaseStatus::of(&row.get::<String>(at)?).unwrap_or(CaseStatus::Open))
}

/// Id and name in two columns, the name of what is gone being empty.
fn named(row: &Row, at: usize) -> Result<Option<(i64, String)>, Error> {
    let id: Option<i64> = row.get(at)?;
    let name: Option<String> = row.get(at + 1)?;
    Ok(id.map(|id| (id, name.unwrap_or_default())))
}
