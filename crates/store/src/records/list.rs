//! Lists of records by position.

use super::{Deal, MOST_RELATED, deal, named, status_of};
use crate::changes::RecordsHeard;
use crate::params;
use crate::people::Access;
use crate::sql::{Error, Params, Row, Sql, Value};
use model::{CaseStatus, RecordId, RecordKind, TeamId, Time, UserId};

/// A line of a list of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// The record.
    pub id: RecordId,
    /// What it is.
    pub kind: RecordKind,
    /// Its name; of a case: its subject.
    pub name: String,
    /// Of cases: the number.
    pub number: Option<i64>,
    /// Of cases: where it stands.
    pub status: Option<CaseStatus>,
    /// Its account.
    pub account: Option<(RecordId, String)>,
    /// Mail addresses, lower case.
    pub addresses: Vec<String>,
    /// Unfinished cases of its threads, as far as the threads may be seen.
    pub open_cases: i64,
    /// Its newest message among those that may be seen; 0 if none.
    pub last_at: Time,
    /// When it was written last.
    pub updated_at: Time,
    /// Counts the writes.
    pub version: i64,
    /// Who is to act.
    pub assignee: Option<(UserId, String)>,
    /// The team in charge.
    pub team: Option<(TeamId, String)>,
    /// What only leads and opportunities have.
    pub deal: Deal,
}

model::words! {
    /// The order of a list of records.
    Sort {
        /// By name.
        Name = "name",
        /// The newest mail first.
        LastAt = "last_at",
        /// The newest case first; what has no number at the end.
        Number = "number",
        /// What was written last first.
        UpdatedAt = "updated_at",
        /// What is to close first; what has no day at the end.
        ClosesOn = "closes_on",
        /// The largest amount first, whatever its currency.
        Amount = "amount",
    }
}

impl Sort {
    fn order(self) -> &'static str {
        match self {
            Sort::Name => "r.folded, r.id",
            Sort::LastAt => "r.last_at DESC, r.id DESC",
            Sort::Number => "COALESCE(r.number, 0) DESC, r.id DESC",
            Sort::UpdatedAt => "r.updated_at DESC, r.id DESC",
            Sort::ClosesOn => "COALESCE(r.closes_on, '9999'), r.id",
            Sort::Amount => "COALESCE(r.amount, -1) DESC, r.id DESC",
        }
    }
}

/// Which records, in which order.
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    /// What they are.
    pub kind: Option<RecordKind>,
    /// Folded text: the beginning of a word of the name or of an address, or a case's number.
    pub text: Option<String>,
    /// Of cases: where they stand.
    pub status: Option<CaseStatus>,
    /// Of opportunities their stage, of leads their status: a word of ours.
    pub stage: Option<&'static str>,
    /// Who is to act; `Some(None)` for nobody.
    pub assignee: Option<Option<UserId>>,
    /// The team in charge.
    pub team: Option<TeamId>,
    /// The contacts, leads, opportunities and cases of this account.
    pub account: Option<RecordId>,
    /// Who follows them.
    pub follower: Option<UserId>,
    /// The order.
    pub sort: Sort,
    /// What the reader may see.
    pub heard: &'a RecordsHeard,
}

impl<'a> Filter<'a> {
    /// All records that may be seen, by name.
    pub fn all(heard: &'a RecordsHeard) -> Filter<'a> {
        Filter {
            kind: None,
            text: None,
            status: None,
            stage: None,
            assignee: None,
            team: None,
            account: None,
            follower: None,
            sort: Sort::Name,
            heard,
        }
    }

    fn from(&self, params: &mut Params) -> String {
        let mut out = "FROM records r WHERE r.merged_into IS NULL".to_owned();
        if let Some(kind) = self.kind {
            // A word of ours in the text, so that both planners can use the partial indexes.
            out.push_str(&format!(" AND r.kind = '{kind}'"));
        }
        if let Some(status) = self.status {
            out.push_str(&format!(" AND r.status = '{status}'"));
        }
        if let Some(stage) = self.stage {
            out.push_str(&format!(" AND r.stage = '{stage}'"));
        }
        match self.assignee {
            None => {}
            Some(None) => out.push_str(" AND r.assignee_id IS NULL"),
            Some(Some(user)) => out.push_str(&equal("r.assignee_id", user.into(), params)),
        }
        if let Some(team) = self.team {
            out.push_str(&equal("r.team_id", team.into(), params));
        }
        if let Some(account) = self.account {
            params.push(account.into());
            let n = params.len();
            out.push_str(&format!(
                " AND (r.account_id = ${n} OR EXISTS (SELECT 1 FROM record_accounts b \
                 WHERE b.record_id = r.id AND b.account_id = ${n}))"
            ));
        }
        if let Some(user) = self.follower {
            params.push(user.into());
            let n = params.len();
            out.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM followers b WHERE b.record_id = r.id AND b.user_id = ${n})"
            ));
        }
        if let Some(text) = &self.text {
            out.push_str(&text_condition(text, params));
        }
        if !matches!(self.heard, RecordsHeard::All) {
            out.push_str(&format!(" AND {}", self.heard.condition("r", params)));
        }
        out
    }
}

fn equal(column: &str, value: Value, params: &mut Params) -> String {
    params.push(value);
    format!(" AND {column} = ${}", params.len())
}

/// Two patterns on the name: its beginning, and that of a later word.
fn text_condition(text: &str, params: &mut Params) -> String {
    let literal: String = text
        .chars()
        .flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c]))
        .collect();
    params.push(Value::from(format!("{literal}%")));
    let begins = params.len();
    params.push(Value::from(format!("% {literal}%")));
    let later = params.len();
    let mut out = format!(
        " AND (r.folded LIKE ${begins} ESCAPE '\\' OR r.folded LIKE ${later} ESCAPE '\\' \
         OR EXISTS (SELECT 1 FROM record_addresses ra WHERE ra.record_id = r.id \
         AND ra.address LIKE ${begins} ESCAPE '\\')"
    );
    if let Ok(number) = text.trim_start_matches('#').parse::<i64>() {
        params.push(Value::from(number));
        out.push_str(&format!(" OR r.number = ${}", params.len()));
    }
    out.push(')');
    out
}

/// How many records the list has.
pub async fn count(sql: &mut impl Sql, filter: &Filter<'_>) -> Result<i64, Error> {
    let mut params = Params::new();
    let from = filter.from(&mut params);
    sql.query_one(&format!("SELECT count(*) {from}"), params).await?.get(0)
}

/// A part of the list. `access` bounds what is said about the mail of the records.
pub async fn list(
    sql: &mut impl Sql,
    filter: &Filter<'_>,
    access: &Access,
    offset: i64,
    limit: i64,
) -> Result<Vec<RecordRow>, Error> {
    let mut params = Params::new();
    let from = filter.from(&mut params);
    let order = filter.sort.order();
    let at = params.len();
    params.extend(params![limit, offset]);
    let text = format!("SELECT r.id {from} ORDER BY {order} LIMIT ${} OFFSET ${}", at + 1, at + 2);
    let found = sql.query(&text, params).await?;
    let ids = found.iter().map(|row| row.get(0)).collect::<Result<Vec<_>, _>>()?;
    rows(sql, &ids, access).await
}

const ROW: &str = "SELECT r.id, r.kind, r.name, r.number, r.status, r.account_id, a.name, r.updated_at, \
     r.assignee_id, u.name, r.team_id, t.name, r.stage, r.amount, r.currency, r.closes_on, r.version \
     FROM records r LEFT JOIN records a ON a.id = r.account_id LEFT JOIN teams t ON t.id = r.team_id \
     LEFT JOIN users u ON u.id = r.assignee_id WHERE r.id = $1";
const ADDRESSES: &str = "SELECT address FROM record_addresses WHERE record_id = $1 ORDER BY address";

/// Lines for records by id, in the order asked for. Ask first who may see them.
pub async fn rows(sql: &mut impl Sql, ids: &[RecordId], access: &Access) -> Result<Vec<RecordRow>, Error> {
    let each = || ids.iter().map(|id| params![*id]).collect::<Vec<_>>();
    let rows = sql.query_many(ROW, each()).await?;
    let addresses = sql.query_many(ADDRESSES, each()).await?;
    let mut tokens = params![RecordId(0)];
    let seen = access.condition("t.id", &mut tokens);
    let mail = format!(
        "SELECT count(DISTINCT CASE WHEN t.case_status IN ('open', 'waiting') THEN t.case_id END), MAX(t.last_at) \
         FROM links l JOIN threads t ON t.id = l.thread_id WHERE l.record_id = $1 AND {seen}"
    );
    let with_tokens = ids.iter().map(|id| {
        let mut params = tokens.clone();
        params[0] = Value::from(*id);
        params
    });
    let mail = sql.query_many(&mail, with_tokens.collect()).await?;
    let more = rows.iter().zip(&addresses).zip(&mail);
    more.filter_map(|((row, addresses), mail)| row_of(row.first()?, addresses, mail.first()?).transpose())
        .collect()
}

fn row_of(row: &Row, addresses: &[Row], mail: &Row) -> Result<Option<RecordRow>, Error> {
    let Some(kind) = RecordKind::of(&row.get::<String>(1)?) else {
        return Ok(None);
    };
    let is_case = kind == RecordKind::Case;
    Ok(Some(RecordRow {
        id: row.get(0)?,
        kind,
        name: row.get(2)?,
        number: row.get(3)?,
        status: if is_case { Some(status_of(row, 4)?) } else { None },
        account: named(row, 5)?.map(|(id, name)| (RecordId(id), name)),
        addresses: addresses.iter().take(MOST_RELATED).map(|row| row.get(0)).collect::<Result<_, _>>()?,
        open_cases: if is_case { 0 } else { mail.get(0)? },
        last_at: mail.get::<Option<Time>>(1)?.unwrap_or(Time(0)),
        updated_at: row.get(7)?,
        version: row.get(16)?,
        assignee: named(row, 8)?.map(|(id, name)| (UserId(id), name)),
        team: named(row, 10)?.map(|(id, name)| (TeamId(id), name)),
        deal: deal(row, 12)?,
    }))
}

/// How many records are in a stage, and what they are worth together in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageSum {
    /// The stage's word.
    pub stage: String,
    /// `None`: those without an amount.
    pub currency: Option<String>,
    /// How many.
    pub records: i64,
    /// Hundredths of the currency.
    pub amount: i64,
}

/// Numbers and sums of a filter's records, by stage and currency.
pub async fn stages(sql: &mut impl Sql, filter: &Filter<'_>) -> Result<Vec<StageSum>, Error> {
    let mut params = Params::new();
    let from = filter.from(&mut params);
    let text = format!(
        "SELECT r.stage, r.currency, count(*), CAST(COALESCE(sum(r.amount), 0) AS BIGINT) {from} \
         AND r.stage IS NOT NULL GROUP BY r.stage, r.currency ORDER BY r.stage, r.currency"
    );
    let rows = sql.query(&text, params).await?;
    let one = |row: &Row| {
        Ok(StageSum { stage: row.get(0)?, currency: row.get(1)?, records: row.get(2)?, amount: row.get(3)? })
    };
    rows.iter().map(one).collect()
}
