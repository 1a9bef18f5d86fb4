//! Rules as the API speaks of them. Conditions and actions are those of `model::rule`, here described for
//! the document.

use crate::problem::Problem;
use crate::shape::{self, Moment, given};
use desk::rule::{Draft, Kept, Now, Place, RuleChange, RuleSince, Trial, TriedMessage};
use model::{FolderId, MailboxId, Matching, RuleKind, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One question about a message.
#[derive(ToSchema)]
pub struct Condition {
    /// What it looks at.
    #[schema(value_type = shape::RuleField)]
    pub field: String,
    /// Of field `header`: the header field's name.
    pub header: Option<String>,
    /// How it compares. Text is compared folded (case and accents do not count), but for `regex`.
    #[schema(value_type = shape::RuleTest)]
    pub test: String,
    /// What it compares with; of `exists` and `missing` nothing.
    pub value: Option<String>,
}

/// What a rule does with a message that matches: `do` names it, the other fields are its own.
#[derive(ToSchema)]
pub struct Action {
    /// `create_case` (process, team, priority) · `update_case` (status, priority) · `link_contact` (by) ·
    /// `link_account` (by) · `create_contact` (mapping) · `create_lead` (mapping) · `mark_read` · `assign`
    /// (assignment) · `label` (label) · `reply` (template) · `webhook` (url) · `skip` · `move` (folder) · `stop`.
    #[schema(value_type = shape::ActionWord)]
    pub r#do: String,
    /// A process.
    pub process: Option<i64>,
    /// A team.
    pub team: Option<i64>,
    /// How urgent the case is.
    #[schema(value_type = Option<shape::Priority>)]
    pub priority: Option<String>,
    /// Where the case stands.
    #[schema(value_type = Option<shape::CaseStatus>)]
    pub status: Option<String>,
    /// Whose address decides: the writer's or the recipients'.
    #[schema(value_type = Option<shape::Side>)]
    pub by: Option<String>,
    /// Where the parts of a record stand.
    pub mapping: Option<FormMapping>,
    /// To whom.
    pub assignment: Option<Assignment>,
    /// A label.
    pub label: Option<i64>,
    /// A template.
    pub template: Option<i64>,
    /// The address of a webhook that an administrator has named.
    pub url: Option<String>,
    /// A folder's name on the server.
    pub folder: Option<String>,
}

/// Where the parts of a record stand in a web form's mail: the label before the value in the text, or
/// `@from`, `@reply_to`, `@subject`, `@body`.
#[derive(ToSchema)]
pub struct FormMapping {
    /// The record's name; several are joined with a blank.
    pub name: Option<Vec<String>>,
    /// Its mail address.
    pub address: String,
    /// Its company's name.
    pub account: Option<String>,
    /// What each field is called in the record, and where it comes from.
    pub fields: Option<Vec<Vec<String>>>,
}

/// Who is to act: `{"to": "user", "user": 3}`, or `{"to": "team", "team": 2, "by": "round_robin"}`.
#[derive(ToSchema)]
pub struct Assignment {
    /// `user` or `team`.
    pub to: String,
    /// Of `user`: who.
    pub user: Option<i64>,
    /// Of `team`: which.
    pub team: Option<i64>,
    /// How one of the team is chosen; `none`: the team as a whole.
    #[schema(value_type = Option<shape::Distribution>)]
    pub by: Option<String>,
}

model::words! {
    /// Whose filters.
    Scope {
        /// One's own.
        Mine = "mine",
        /// Of all mailboxes.
        Global = "global",
    }
}

/// A rule or filter.
#[derive(Serialize, ToSchema)]
pub struct Rule {
    id: i64,
    #[schema(value_type = shape::RuleKind)]
    kind: RuleKind,
    name: String,
    /// Of a rule, and of a filter of one mailbox.
    mailbox: Option<i64>,
    /// Of a rule that is for one folder only.
    folder: Option<i64>,
    /// Whose filter it is; null: the administrators'.
    user: Option<i64>,
    enabled: bool,
    #[schema(value_type = shape::Matching)]
    matching: Matching,
    /// With none it matches every message.
    #[schema(value_type = Vec<Condition>)]
    conditions: Vec<model::Condition>,
    #[schema(value_type = Vec<Action>)]
    actions: Vec<model::Action>,
    version: i64,
    /// How often it matched.
    hits: i64,
    /// When it matched last.
    hit_at: Option<Moment>,
    /// Why it was switched off by itself; null: it was not, or somebody has changed it since.
    missing: Option<RuleMissing>,
}

/// What a rule needs and was removed.
#[derive(Serialize, ToSchema)]
pub struct RuleMissing {
    #[schema(value_type = shape::RuleNeed)]
    what: model::RuleNeed,
    /// What it was called.
    name: String,
}

impl From<Kept> for Rule {
    fn from(rule: Kept) -> Rule {
        Rule {
            id: rule.id.0,
            kind: rule.place.kind(),
            name: rule.name,
            mailbox: rule.place.mailbox().map(|id| id.0),
            folder: rule.folder.map(|id| id.0),
            user: rule.place.user().map(|id| id.0),
            enabled: rule.enabled,
            matching: rule.matching,
            conditions: rule.conditions,
            actions: rule.actions,
            version: rule.version,
            hits: rule.hits,
            hit_at: rule.hit_at.map(Moment),
            missing: rule.missing.map(|missing| RuleMissing { what: missing.what, name: missing.name }),
        }
    }
}

/// A new rule or filter: a rule of a mailbox; a filter of all mailboxes (`scope` global), of one's whole
/// inbox (`scope` mine), or of one personal mailbox of one's own (`mailbox`).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    #[schema(value_type = shape::RuleKind)]
    kind: RuleKind,
    name: String,
    mailbox: Option<i64>,
    folder: Option<i64>,
    /// Of a filter; without it one's own.
    #[schema(value_type = Option<shape::RuleScope>)]
    scope: Option<Scope>,
    /// True where it is left out.
    enabled: Option<bool>,
    /// All where it is left out.
    #[schema(value_type = Option<shape::Matching>)]
    matching: Option<Matching>,
    #[schema(value_type = Option<Vec<Condition>>)]
    #[serde(default)]
    conditions: Vec<model::Condition>,
    #[schema(value_type = Vec<Action>)]
    actions: Vec<model::Action>,
}

impl NewRule {
    pub(super) fn draft(self, user: Option<UserId>) -> Result<Draft, Problem> {
        Ok(Draft {
            place: place(Some(self.kind), self.mailbox, self.scope, user)?,
            folder: self.folder.map(FolderId),
            name: self.name,
            enabled: self.enabled.unwrap_or(true),
            matching: self.matching.unwrap_or(Matching::All),
            conditions: self.conditions,
            actions: self.actions,
        })
    }
}

/// The list that is meant.
pub(super) fn place(
    kind: Option<RuleKind>,
    mailbox: Option<i64>,
    scope: Option<Scope>,
    user: Option<UserId>,
) -> Result<Place, Problem> {
    let mailbox = mailbox.map(MailboxId);
    let person =
        || user.ok_or_else(|| Problem::invalid("scope", "unknown", "only a person has filters of their own"));
    match (kind.unwrap_or(RuleKind::Rule), mailbox, scope) {
        (RuleKind::Rule, Some(mailbox), _) => Ok(Place::Mailbox(mailbox)),
        (RuleKind::Rule, None, _) => Err(Problem::invalid("mailbox", "required", "a rule is a mailbox's")),
        (RuleKind::Filter, None, Some(Scope::Global)) => Ok(Place::Global),
        (RuleKind::Filter, Some(_), Some(Scope::Global)) => {
            Err(Problem::invalid("mailbox", "unknown", "a filter of all mailboxes is none of one mailbox"))
        }
        (RuleKind::Filter, Some(mailbox), _) => Ok(Place::Own(person()?, mailbox)),
        (RuleKind::Filter, None, _) => Ok(Place::Inbox(person()?)),
    }
}

/// What is to change of a rule; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulePatch {
    /// The version the change was thought for; another is a conflict (409, `changed_meanwhile`).
    pub(super) version: i64,
    name: Option<String>,
    /// Null: all folders.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    folder: Option<Option<i64>>,
    enabled: Option<bool>,
    #[schema(value_type = Option<shape::Matching>)]
    matching: Option<Matching>,
    #[schema(value_type = Option<Vec<Condition>>)]
    conditions: Option<Vec<model::Condition>>,
    #[schema(value_type = Option<Vec<Action>>)]
    actions: Option<Vec<model::Action>>,
}

impl From<RulePatch> for RuleChange {
    fn from(form: RulePatch) -> RuleChange {
        RuleChange {
            folder: form.folder.map(|folder| folder.map(FolderId)),
            name: form.name,
            enabled: form.enabled,
            matching: form.matching,
            conditions: form.conditions,
            actions: form.actions,
        }
    }
}

/// The order of a list of rules.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleOrder {
    /// All rules of one list, each once.
    pub(super) ids: Vec<i64>,
}

/// A rule to be tried out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryRule {
    /// One that is not saved.
    pub(super) rule: Option<NewRule>,
    /// One that is, as it is saved.
    pub(super) id: Option<i64>,
    /// On how many of the newest messages, 1 to 1000. Default 200.
    pub(super) last: Option<usize>,
    /// Of a filter of several mailboxes: on mail of this one only.
    pub(super) mailbox: Option<i64>,
}

/// How a rule fared.
#[derive(Serialize, ToSchema)]
pub struct RuleTried {
    /// Messages that were looked at: fewer than asked for where there are fewer, or where they are large.
    tried: usize,
    matched: usize,
    /// Those it matched, newest first.
    rows: Vec<TriedRow>,
}

/// A message that a rule would match.
#[derive(Serialize, ToSchema)]
pub struct TriedRow {
    message: i64,
    thread: i64,
    subject: String,
    /// The writer's name, or the address where there is none.
    from: String,
    at: Moment,
    on: Vec<HeldOn>,
    /// What it would do.
    #[schema(value_type = Vec<Action>)]
    would: Vec<model::Action>,
}

/// A condition that held.
#[derive(Serialize, ToSchema)]
pub struct HeldOn {
    #[schema(value_type = Condition)]
    condition: model::Condition,
    /// On what of the message, shortened; empty where on something's absence.
    text: String,
}

fn held_on(on: Vec<(model::Condition, String)>) -> Vec<HeldOn> {
    on.into_iter().map(|(condition, text)| HeldOn { condition, text }).collect()
}

impl From<desk::rule::Tried> for RuleTried {
    fn from(tried: desk::rule::Tried) -> RuleTried {
        let rows: Vec<TriedRow> = tried.rows.into_iter().map(TriedRow::from).collect();
        RuleTried { tried: tried.tried, matched: rows.len(), rows }
    }
}

impl From<TriedMessage> for TriedRow {
    fn from(row: TriedMessage) -> TriedRow {
        TriedRow {
            message: row.message.0,
            thread: row.thread.0,
            subject: row.subject,
            from: row.from,
            at: row.at.into(),
            on: held_on(row.on),
            would: row.would,
        }
    }
}

/// What rules did with a message.
#[derive(Serialize, ToSchema)]
pub struct MessageTrace {
    /// One for each mailbox it came through in which rules were tried.
    trials: Vec<RuleTrial>,
}

/// The rules that were tried in one mailbox.
#[derive(Serialize, ToSchema)]
pub struct RuleTrial {
    mailbox: i64,
    /// In the order in which they were tried; other people's own filters are not among them.
    tried: Vec<TriedRule>,
    /// Those that matched.
    hits: Vec<RuleHit>,
    /// False: it is so long ago that of those that were tried only the ones that matched are known.
    complete: bool,
}

/// A rule as it was when it was tried.
#[derive(Serialize, ToSchema)]
pub struct TriedRule {
    id: i64,
    name: String,
    version: i64,
    #[schema(value_type = shape::RuleKind)]
    kind: RuleKind,
    /// What became of it since then.
    #[schema(value_type = shape::RuleSince)]
    since: RuleSince,
    /// Whether the reader may open it.
    may_open: bool,
}

/// A rule that matched.
#[derive(Serialize, ToSchema)]
pub struct RuleHit {
    /// Its place in `tried`, counted from 0.
    tried: usize,
    on: Vec<HeldOn>,
    did: Vec<ActionDone>,
}

/// An action and what became of it.
#[derive(Serialize, ToSchema)]
pub struct ActionDone {
    #[schema(value_type = Action)]
    action: model::Action,
    /// `done`, or why it was not done, as a word: `has_case`, `no_contact`, `is_machine` …
    result: String,
    /// What the word speaks of: a number, a name, an address; may be empty.
    detail: String,
}

impl MessageTrace {
    pub(super) fn new(trials: Vec<Trial>, now: &Now) -> MessageTrace {
        MessageTrace { trials: trials.into_iter().map(|trial| RuleTrial::new(trial, now)).collect() }
    }
}

impl RuleTrial {
    fn new(trial: Trial, now: &Now) -> RuleTrial {
        let tried = trial.tried.into_iter().map(|rule| TriedRule {
            since: now.since(&rule),
            may_open: now.may_open(&rule),
            id: rule.id.0,
            name: rule.name,
            version: rule.version,
            kind: rule.kind,
        });
        RuleTrial {
            mailbox: trial.mailbox.0,
            tried: tried.collect(),
            hits: trial.hits.into_iter().map(RuleHit::from).collect(),
            complete: trial.complete,
        }
    }
}

impl From<model::Hit> for RuleHit {
    fn from(hit: model::Hit) -> RuleHit {
        let did = hit.did.into_iter().map(|done| ActionDone {
            action: done.action,
            result: done.result,
            detail: done.detail,
        });
        RuleHit { tried: hit.tried, on: held_on(hit.on), did: did.collect() }
    }
}

/// What there is to choose from in a condition.
#[derive(Serialize, ToSchema)]
pub struct RuleFields {
    /// By field the tests it can be put to.
    tests: BTreeMap<&'static str, Vec<&'static str>>,
}

impl RuleFields {
    pub(super) fn all() -> RuleFields {
        let tests = |field: &model::RuleField| {
            (field.word(), desk::rule::tests_of(*field).iter().map(|test| test.word()).collect())
        };
        RuleFields { tests: model::RuleField::ALL.iter().map(tests).collect() }
    }
}
