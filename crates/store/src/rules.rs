//! Rules and filters, and the lists of them that messages were tried with.
//!
//! A rule stands in a list, its [`Place`], at a position. Whoever changes one counts [`version`] up in
//! the same transaction: a filing reads that one number and knows whether the rules it has compiled are
//! still those of the shelf, in whatever process they were changed.

mod tried;

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{
    Action, Assignment, Condition, FolderId, LabelId, MailboxId, Matching, Missing, ProcessId, RuleId,
    RuleKind, RuleNeed, TeamId, TemplateId, Time, UserId,
};
pub use tried::{MOST_SETS, set, set_id, trace};

/// The list a rule stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Rules of a mailbox, for all of its folders or one.
    Mailbox(MailboxId),
    /// Filters of all mailboxes.
    Global,
    /// A user's filters of one personal mailbox of theirs.
    Own(UserId, MailboxId),
    /// A user's filters of their whole inbox.
    Inbox(UserId),
}

impl Place {
    /// What stands there.
    pub fn kind(self) -> RuleKind {
        match self {
            Place::Mailbox(_) => RuleKind::Rule,
            _ => RuleKind::Filter,
        }
    }

    /// The mailbox it is about, if it is about one.
    pub fn mailbox(self) -> Option<MailboxId> {
        match self {
            Place::Mailbox(mailbox) | Place::Own(_, mailbox) => Some(mailbox),
            Place::Global | Place::Inbox(_) => None,
        }
    }

    /// Whose it is, if it is somebody's.
    pub fn user(self) -> Option<UserId> {
        match self {
            Place::Own(user, _) | Place::Inbox(user) => Some(user),
            Place::Mailbox(_) | Place::Global => None,
        }
    }

    fn of(kind: RuleKind, mailbox: Option<MailboxId>, user: Option<UserId>) -> Option<Place> {
        match (kind, mailbox, user) {
            (RuleKind::Rule, Some(mailbox), _) => Some(Place::Mailbox(mailbox)),
            (RuleKind::Rule, None, _) => None,
            (RuleKind::Filter, None, None) => Some(Place::Global),
            (RuleKind::Filter, Some(mailbox), Some(user)) => Some(Place::Own(user, mailbox)),
            (RuleKind::Filter, None, Some(user)) => Some(Place::Inbox(user)),
            (RuleKind::Filter, Some(_), None) => None,
        }
    }
}

/// A rule or filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Itself.
    pub id: RuleId,
    /// The list it stands in.
    pub place: Place,
    /// Of a rule: the one folder it is for; `None`: all.
    pub folder: Option<FolderId>,
    /// Its name.
    pub name: String,
    /// Whether it is tried.
    pub enabled: bool,
    /// All or any.
    pub matching: Matching,
    /// What is asked.
    pub conditions: Vec<Condition>,
    /// What is done.
    pub actions: Vec<Action>,
    /// Counted up with each change.
    pub version: i64,
    /// How often it matched.
    pub hits: i64,
    /// When it matched last.
    pub hit_at: Option<Time>,
    /// Why it was switched off by itself, if it was and nobody has changed it since.
    pub missing: Option<Missing>,
}

const RULE: &str = "SELECT id, kind, mailbox_id, user_id, folder_id, name, enabled, match, conditions, actions, \
     version, hits, hit_at, missing, missing_name FROM rules";
const OF_PLACE: &str = "kind = $1 AND COALESCE(mailbox_id, 0) = $2 AND COALESCE(user_id, 0) = $3";

fn rule_of(row: &Row) -> Result<Rule, Error> {
    let wrong = |what: &str| Error::Other(format!("a rule has {what} of another version"));
    let kind = RuleKind::of(&row.get::<String>(1)?).ok_or_else(|| wrong("a kind"))?;
    let json = |at: usize| -> Result<String, Error> { row.get(at) };
    let missing: Option<String> = row.get(13)?;
    let missing_name: Option<String> = row.get(14)?;
    Ok(Rule {
        id: row.get(0)?,
        place: Place::of(kind, row.get(2)?, row.get(3)?).ok_or_else(|| wrong("a place"))?,
        folder: row.get(4)?,
        name: row.get(5)?,
        enabled: row.get(6)?,
        matching: Matching::of(&json(7)?).ok_or_else(|| wrong("a way to match"))?,
        conditions: serde_json::from_str(&json(8)?).map_err(|error| wrong(&error.to_string()))?,
        actions: serde_json::from_str(&json(9)?).map_err(|error| wrong(&error.to_string()))?,
        version: row.get(10)?,
        hits: row.get(11)?,
        hit_at: row.get(12)?,
        missing: missing
            .and_then(|what| RuleNeed::of(&what))
            .map(|what| Missing { what, name: missing_name.unwrap_or_default() }),
    })
}

fn rules_of(rows: &[Row]) -> Result<Vec<Rule>, Error> {
    rows.iter().map(rule_of).collect()
}

fn place_params(place: Place) -> crate::sql::Params {
    params![place.kind().word(), place.mailbox().map_or(0, |id| id.0), place.user().map_or(0, |id| id.0)]
}

/// The rules of a place, in their order.
pub async fn of_place(sql: &mut impl Sql, place: Place) -> Result<Vec<Rule>, Error> {
    let text = format!("{RULE} WHERE {OF_PLACE} ORDER BY position, id");
    rules_of(&sql.query(&text, place_params(place)).await?)
}

/// Filters of whole inboxes that are tried, of all active users, by user and in their order; at most `limit`.
pub async fn of_inboxes(sql: &mut impl Sql, limit: i64) -> Result<Vec<Rule>, Error> {
    let text = format!(
        "{RULE} WHERE kind = 'filter' AND mailbox_id IS NULL AND enabled \
         AND user_id IN (SELECT u.id FROM users u WHERE u.active) ORDER BY user_id, position, id LIMIT $1"
    );
    rules_of(&sql.query(&text, params![limit]).await?)
}

/// Every rule there is, by place and in order: for whoever may see all, and to look for references.
pub async fn all(sql: &mut impl Sql) -> Result<Vec<Rule>, Error> {
    let text = format!("{RULE} ORDER BY kind, COALESCE(mailbox_id, 0), COALESCE(user_id, 0), position, id");
    rules_of(&sql.query(&text, params![]).await?)
}

/// The version of every rule.
pub async fn versions(sql: &mut impl Sql) -> Result<Vec<(RuleId, i64)>, Error> {
    let rows = sql.query("SELECT id, version FROM rules", params![]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// One rule.
pub async fn get(sql: &mut impl Sql, id: RuleId) -> Result<Option<Rule>, Error> {
    let row = sql.query_opt(&format!("{RULE} WHERE id = $1"), params![id]).await?;
    row.as_ref().map(rule_of).transpose()
}

/// How many rules a place has, and how long their conditions and actions are together as stored, in bytes.
pub async fn size_of(sql: &mut impl Sql, place: Place) -> Result<(i64, i64), Error> {
    let text = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(conditions) + LENGTH(actions)), 0) AS BIGINT) FROM rules WHERE {OF_PLACE}"
    );
    let row = sql.query_one(&text, place_params(place)).await?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Adds a rule behind the others of its place; its id, version and hits are not looked at.
pub async fn add(tx: &mut Tx, rule: &Rule, by: Option<UserId>, at: Time) -> Result<RuleId, Error> {
    let text = format!("SELECT COALESCE(MAX(position), 0) FROM rules WHERE {OF_PLACE}");
    let last: i64 = tx.query_one(&text, place_params(rule.place)).await?.get(0)?;
    let id = RuleId(counters::take(tx, "rules", 1).await?);
    let values = params![
        id,
        rule.place.kind().word(),
        &rule.name,
        rule.place.mailbox(),
        rule.folder,
        rule.place.user(),
        last + 1,
        rule.enabled,
        rule.matching.word(),
        json(&rule.conditions)?,
        json(&rule.actions)?,
        at,
        by
    ];
    tx.execute(
        "INSERT INTO rules (id, kind, name, mailbox_id, folder_id, user_id, position, enabled, match, conditions, actions, version, created_at, updated_at, updated_by, hits)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12, $13, 0)",
        values,
    )
    .await?;
    changed(tx).await?;
    Ok(id)
}

/// Writes a rule as somebody wants it, if it is still of this version; whether it was.
pub async fn change(tx: &mut Tx, rule: &Rule, by: Option<UserId>, at: Time) -> Result<bool, Error> {
    let values = params![
        rule.id,
        rule.version,
        &rule.name,
        rule.folder,
        rule.enabled,
        rule.matching.word(),
        json(&rule.conditions)?,
        json(&rule.actions)?,
        at,
        by
    ];
    let text = "UPDATE rules SET name = $3, folder_id = $4, enabled = $5, match = $6, conditions = $7, actions = $8, \
                updated_at = $9, updated_by = $10, missing = NULL, missing_name = NULL, version = version + 1 \
                WHERE id = $1 AND version = $2";
    let written = tx.execute(text, values).await?;
    changed(tx).await?;
    Ok(written > 0)
}

/// Switches a rule off because of what is missing.
pub async fn switch_off(tx: &mut Tx, id: RuleId, missing: &Missing, at: Time) -> Result<(), Error> {
    let text = "UPDATE rules SET enabled = FALSE, missing = $2, missing_name = $3, updated_at = $4, \
                updated_by = NULL, version = version + 1 WHERE id = $1";
    tx.execute(text, params![id, missing.what.word(), &missing.name, at]).await?;
    changed(tx).await
}

/// Removes a rule. What messages say of it stays.
pub async fn remove(tx: &mut Tx, id: RuleId) -> Result<(), Error> {
    tx.execute("DELETE FROM rules WHERE id = $1", params![id]).await?;
    changed(tx).await
}

/// Puts rules into this order.
pub async fn order(tx: &mut Tx, ids: &[RuleId]) -> Result<(), Error> {
    let rows = ids.iter().zip(1_i64..).map(|(id, position)| params![*id, position]).collect();
    tx.execute_many("UPDATE rules SET position = $2 WHERE id = $1", rows).await?;
    changed(tx).await
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Other(error.to_string()))
}

/// Counts the version of all rules up: what depends on them has to be read anew. For whatever else says
/// which rules are tried, such as a mailbox's owner.
pub async fn changed(tx: &mut Tx) -> Result<(), Error> {
    counters::take(tx, VERSION, 1).await.map(drop)
}

/// The version of all rules together.
pub async fn version(sql: &mut impl Sql) -> Result<i64, Error> {
    let row = sql.query_opt("SELECT next FROM counters WHERE name = $1", params![VERSION]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

const VERSION: &str = "rules_version";

/// Something a rule may refer to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A user, who is active.
    User(UserId),
    /// A team.
    Team(TeamId),
    /// A process.
    Process(ProcessId),
    /// A label.
    Label(LabelId),
    /// A template.
    Template(TemplateId),
    /// The webhook at this address.
    Webhook(String),
    /// The one folder a rule is for.
    Folder(FolderId),
}

impl Reference {
    /// What it is.
    pub fn what(&self) -> RuleNeed {
        match self {
            Reference::User(_) => RuleNeed::User,
            Reference::Team(_) => RuleNeed::Team,
            Reference::Process(_) => RuleNeed::Process,
            Reference::Label(_) => RuleNeed::Label,
            Reference::Template(_) => RuleNeed::Template,
            Reference::Webhook(_) => RuleNeed::Webhook,
            Reference::Folder(_) => RuleNeed::Folder,
        }
    }
}

/// Whether a rule needs this.
pub fn needs(rule: &Rule, what: &Reference) -> bool {
    match what {
        Reference::Folder(id) => rule.folder == Some(*id),
        _ => rule.actions.iter().any(|action| references(action).contains(what)),
    }
}

/// What an action refers to.
pub fn references(action: &Action) -> Vec<Reference> {
    match action {
        Action::CreateCase { process, team, .. } => {
            let process = process.map(Reference::Process);
            process.into_iter().chain(team.map(Reference::Team)).collect()
        }
        Action::Assign { assignment: Assignment::User { user } } => vec![Reference::User(*user)],
        Action::Assign { assignment: Assignment::Team { team, .. } } => vec![Reference::Team(*team)],
        Action::Label { label } => vec![Reference::Label(*label)],
        Action::Reply { template } => vec![Reference::Template(*template)],
        Action::Webhook { url } => vec![Reference::Webhook(url.clone())],
        _ => Vec::new(),
    }
}

/// Whether there is such a thing.
pub async fn exists(sql: &mut impl Sql, what: &Reference) -> Result<bool, Error> {
    let (text, id) = match what {
        Reference::User(id) => ("SELECT 1 FROM users WHERE id = $1 AND active", params![*id]),
        Reference::Team(id) => ("SELECT 1 FROM teams WHERE id = $1", params![*id]),
        Reference::Process(id) => ("SELECT 1 FROM processes WHERE id = $1", params![*id]),
        Reference::Label(id) => ("SELECT 1 FROM labels WHERE id = $1", params![*id]),
        Reference::Template(id) => ("SELECT 1 FROM templates WHERE id = $1", params![*id]),
        Reference::Webhook(url) => ("SELECT 1 FROM webhooks WHERE url = $1", params![url]),
        Reference::Folder(id) => ("SELECT 1 FROM folders WHERE id = $1", params![*id]),
    };
    Ok(sql.query_opt(text, id).await?.is_some())
}
