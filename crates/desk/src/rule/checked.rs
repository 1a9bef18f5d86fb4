//! Whether a rule can be saved: its parts, what it refers to, and whether the actor may want that.

use super::{Keeps, Place};
use crate::Refusal;
use crate::may::{Actor, Verb};
use crate::people::checked_name;
use intake::rules::Fault;
use model::{Action, Condition, FormMapping, Protocol, RuleKind};
use store::folders;
use store::rules::{self, Reference, Rule};
use store::sql::Tx;

/// Rules of one place.
pub const MOST_RULES: i64 = 500;
/// Conditions of one rule.
pub const MOST_CONDITIONS: usize = 50;
/// Actions of one rule.
pub const MOST_ACTIONS: usize = 20;
/// Longest value of a condition or action, in bytes.
const LONGEST_VALUE: usize = 4 << 10;
/// Fields that a form's mail may fill.
const MOST_FORM_FIELDS: usize = 50;
/// All conditions and actions of a place as stored, in bytes: bounds what is compiled.
const MOST_PLACE_BYTES: i64 = 1 << 20;

/// Whether a place gets one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// One more.
    OneMore,
    /// One of those that are there is longer or shorter.
    SameNumber,
}

/// A rule that can be saved.
pub(super) async fn rule(tx: &mut Tx, actor: &Actor, keeps: &Keeps, rule: Rule) -> Result<Rule, Refusal> {
    let name = checked_name("name", &rule.name)?;
    conditions(&rule.conditions)?;
    if rule.actions.is_empty() || rule.actions.len() > MOST_ACTIONS {
        return Err(Refusal::invalid(
            "actions",
            "one_to_most_actions",
            format!("1 to {MOST_ACTIONS} actions"),
        )
        .with("most", MOST_ACTIONS));
    }
    if let Some(folder) = rule.folder {
        let known = folders::get(tx, folder).await?.map(|folder| folder.mailbox);
        if rule.place.kind() == RuleKind::Filter || known != rule.place.mailbox() {
            return Err(Refusal::invalid("folder", "unknown", "there is no such folder in this mailbox"));
        }
    }
    for (at, action) in rule.actions.iter().enumerate() {
        let numbered = |refusal: Refusal| refusal.with("number", at + 1);
        of_kind(rule.place, action).map_err(numbered)?;
        parts(action).map_err(numbered)?;
        allowed(actor, keeps, action)?;
        for what in rules::references(action) {
            there(tx, &what).await.map_err(numbered)?;
        }
    }
    Ok(Rule { name, ..rule })
}

/// Conditions that can be saved.
pub(super) fn conditions(conditions: &[Condition]) -> Result<(), Refusal> {
    if conditions.len() > MOST_CONDITIONS {
        return Err(Refusal::invalid("conditions", "too_many", format!("at most {MOST_CONDITIONS}"))
            .with("most", MOST_CONDITIONS));
    }
    for (at, condition) in conditions.iter().enumerate() {
        if condition.value.len() > LONGEST_VALUE || condition.header.len() > LONGEST_VALUE {
            return Err(too_long("conditions").with("number", at + 1));
        }
    }
    intake::rules::check(conditions).map_err(|(at, fault)| fault_of(at, &fault))
}

fn fault_of(at: usize, fault: &Fault) -> Refusal {
    let refusal = Refusal::invalid("conditions", fault.code(), format!("condition {}: {fault}", at + 1))
        .with("number", at + 1);
    match fault {
        Fault::Pattern { at, said } => refusal.with("at", at).with("said", said),
        Fault::Word(words) => refusal.with("value", words.join(", ")),
        _ => refusal,
    }
}

fn too_long(field: &'static str) -> Refusal {
    Refusal::invalid(field, "value_too_long", format!("at most {LONGEST_VALUE} bytes"))
        .with("most", LONGEST_VALUE)
}

/// Whether the place has room.
pub(super) async fn room(tx: &mut Tx, rule: &Rule, room: Room) -> Result<(), Refusal> {
    let (count, bytes) = rules::size_of(tx, rule.place).await?;
    if room == Room::OneMore && count >= MOST_RULES {
        return Err(Refusal::conflict(
            "too_many_rules",
            format!("There are {MOST_RULES} rules already, which is the most. Remove one first."),
        )
        .with("most", MOST_RULES));
    }
    let mut more =
        serde_json::to_string(&(&rule.conditions, &rule.actions)).map_or(0, |text| text.len() as i64);
    if room == Room::SameNumber
        && let Some(there) = rules::get(tx, rule.id).await?
    {
        more -=
            serde_json::to_string(&(&there.conditions, &there.actions)).map_or(0, |text| text.len() as i64);
    }
    match bytes + more > MOST_PLACE_BYTES {
        false => Ok(()),
        true => Err(Refusal::conflict(
            "rules_too_large",
            "The rules of this list are too long together. Shorten or remove some first.",
        )),
    }
}

/// Filters skip, move or stop; a message stays on a POP3 server where it is.
fn of_kind(place: Place, action: &Action) -> Result<(), Refusal> {
    let is_filters = matches!(action, Action::Skip | Action::Move { .. } | Action::Stop);
    match place.kind() == RuleKind::Filter && !is_filters {
        false => Ok(()),
        true => Err(Refusal::invalid(
            "actions",
            "not_for_filters",
            "a filter skips, moves or stops; the rest is for rules",
        )),
    }
}

/// What an action says of itself.
fn parts(action: &Action) -> Result<(), Refusal> {
    match action {
        Action::Move { folder } if folder.trim().is_empty() || folder.contains(char::is_control) => {
            Err(Refusal::invalid("actions", "folder_needed", "name the folder it is moved to"))
        }
        Action::Move { folder } if folder.len() > LONGEST_VALUE => Err(too_long("actions")),
        Action::Webhook { url } if url.len() > LONGEST_VALUE => Err(too_long("actions")),
        Action::UpdateCase { status: None, priority: None } => {
            Err(Refusal::invalid("actions", "nothing_to_change", "say what is to change of the case"))
        }
        Action::CreateContact { mapping } | Action::CreateLead { mapping } => form(mapping),
        _ => Ok(()),
    }
}

fn form(mapping: &FormMapping) -> Result<(), Refusal> {
    let FormMapping { name, address, account, fields } = mapping;
    let values = name.iter().chain([address, account]).chain(fields.iter().flat_map(|(to, from)| [to, from]));
    if values.clone().any(|value| value.len() > LONGEST_VALUE) {
        return Err(too_long("actions"));
    }
    if fields.len() + name.len() > MOST_FORM_FIELDS {
        return Err(Refusal::invalid("actions", "too_many", format!("at most {MOST_FORM_FIELDS}"))
            .with("most", MOST_FORM_FIELDS));
    }
    match address.trim().is_empty() {
        false => Ok(()),
        true => Err(Refusal::invalid(
            "actions",
            "form_address_needed",
            "say where the form's mail has the address",
        )),
    }
}

/// What somebody sets up for their own mail only is no more than they could do by hand; what concerns
/// other systems is the administrators'.
fn allowed(actor: &Actor, keeps: &Keeps, action: &Action) -> Result<(), Refusal> {
    if let (Action::Move { .. }, Some(mailbox)) = (action, keeps.mailbox())
        && mailbox.protocol == Protocol::Pop3
    {
        return Err(Refusal::invalid(
            "actions",
            "pop3_has_no_folders",
            "a POP3 server has no folders to move mail to",
        ));
    }
    let verb = match action {
        Action::Webhook { .. } => Verb::ChangeSystem,
        _ if actor.administrator || matches!(keeps, Keeps::ForAll(_)) => return Ok(()),
        Action::CreateCase { .. } => Verb::CreateCase,
        Action::UpdateCase { .. } | Action::Assign { .. } => Verb::ChangeCase,
        Action::LinkContact { .. } | Action::LinkAccount { .. } => Verb::LinkThread,
        Action::CreateContact { .. } | Action::CreateLead { .. } => Verb::CreateRecord,
        Action::Label { .. } => Verb::LabelThread,
        Action::MarkRead | Action::Reply { .. } | Action::Skip | Action::Move { .. } | Action::Stop => {
            return Ok(());
        }
    };
    actor.may(verb)
}

async fn there(tx: &mut Tx, what: &Reference) -> Result<(), Refusal> {
    if rules::exists(tx, what).await? {
        return Ok(());
    }
    Err(match what {
        Reference::User(_) => {
            Refusal::invalid("actions", "no_such_user", "this user is not there, or switched off")
        }
        Reference::Team(_) => Refusal::invalid("actions", "no_such_team", "this team is not there"),
        Reference::Process(_) => Refusal::invalid("actions", "no_such_process", "this process is not there"),
        Reference::Label(_) => Refusal::invalid("actions", "no_such_label", "this label is not there"),
        Reference::Template(_) => {
            Refusal::invalid("actions", "no_such_template", "this template is not there")
        }
        Reference::Webhook(_) => {
            Refusal::invalid("actions", "no_such_webhook", "no administrator has named this address")
        }
        Reference::Folder(_) => Refusal::invalid("folder", "unknown", "there is no such folder"),
    })
}
