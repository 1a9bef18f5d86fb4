//! Rules and filters as people keep them: made, changed, ordered, switched off, removed.
//!
//! Rules of a mailbox are its keeper's and its owner's; filters of all mailboxes the administrators';
//! somebody's own filters are nobody else's to see, not even an administrator's. A rule is checked as a
//! whole whenever it is saved, with all it refers to; should that be removed later, the rule is switched
//! off and whoever keeps it is told ([`switch_off`]).

mod checked;
mod set;
mod trace;
mod trial;

pub use checked::{MOST_ACTIONS, MOST_CONDITIONS, MOST_RULES};
pub use intake::rules::tests_of;
pub(crate) use set::RuleCache;
pub(crate) use trace::Trials;
pub use trace::{Now, RuleSince, Trial, now, trace};
pub use trial::{MOST_TRIED, Tried, TriedMessage, try_out};

use crate::mailbox::Hold;
use crate::may::{Actor, Verb};
use crate::notification::{self, Notice};
use crate::{Desk, Refusal};
use model::{Action, Condition, FolderId, MailboxId, MailboxKind, MailboxMode, Matching, Missing, RuleId};
use std::collections::BTreeSet;
use store::changes::{self, Change, ChangeKind};
use store::folders::{self, synchronised};
use store::mailboxes::{self, Mailbox};
use store::rules::{self, Reference, Rule};
pub use store::rules::{Place, Rule as Kept};
use store::sql::{Sql, Tx};

model::words! {
    /// The actions by name, as `model::Action` is written in JSON.
    ActionWord {
        /// Make a case.
        CreateCase = "create_case",
        /// Change the case.
        UpdateCase = "update_case",
        /// Link a contact.
        LinkContact = "link_contact",
        /// Link an account.
        LinkAccount = "link_account",
        /// Make a contact of a form.
        CreateContact = "create_contact",
        /// Make a lead of a form.
        CreateLead = "create_lead",
        /// Nobody's unread mail.
        MarkRead = "mark_read",
        /// Give it to somebody.
        Assign = "assign",
        /// Put a label on it.
        Label = "label",
        /// Answer with a template.
        Reply = "reply",
        /// Tell another system.
        Webhook = "webhook",
        /// Do not import it.
        Skip = "skip",
        /// Move it on its server.
        Move = "move",
        /// Try no further rules.
        Stop = "stop",
    }
}

/// A rule or filter as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The list it stands in.
    pub place: Place,
    /// Of a rule: the one folder it is for.
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
}

/// What is to be changed of one; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleChange {
    /// Of a rule: the one folder it is for; `Some(None)`: all.
    pub folder: Option<Option<FolderId>>,
    /// Its name.
    pub name: Option<String>,
    /// Whether it is tried.
    pub enabled: Option<bool>,
    /// All or any.
    pub matching: Option<Matching>,
    /// What is asked, all of it.
    pub conditions: Option<Vec<Condition>>,
    /// What is done, all of it.
    pub actions: Option<Vec<Action>>,
}

/// Who keeps the rules of a place, as far as that concerns the actor.
#[derive(Clone, Debug)]
pub(crate) enum Keeps {
    /// They set it up for others too: administrators, keepers.
    ForAll(Option<Box<Mailbox>>),
    /// It is their own mail.
    Own(Option<Box<Mailbox>>),
}

impl Keeps {
    /// The mailbox, if the place is about one.
    pub(crate) fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Keeps::ForAll(mailbox) | Keeps::Own(mailbox) => mailbox.as_deref(),
        }
    }
}

/// Whether the actor may see and change the rules of a place.
///
/// # Errors
/// `NotFound` where they may not know of them.
async fn keeps(sql: &mut impl Sql, actor: &Actor, place: Place) -> Result<Keeps, Refusal> {
    actor.may(Verb::ManageRules)?;
    let is_me = |user| actor.user == Some(user);
    match place {
        Place::Global if actor.administrator => Ok(Keeps::ForAll(None)),
        Place::Global => Err(Refusal::Forbidden("Only an administrator keeps the filters of all mailboxes.")),
        Place::Inbox(user) if is_me(user) => Ok(Keeps::Own(None)),
        Place::Inbox(_) => Err(Refusal::NotFound),
        Place::Own(user, mailbox) => {
            let mailbox = mailboxes::mailbox(sql, mailbox).await?.ok_or(Refusal::NotFound)?;
            let is_own = mailbox.kind == MailboxKind::Personal && mailbox.owner == Some(user) && is_me(user);
            is_own.then_some(Keeps::Own(Some(Box::new(mailbox)))).ok_or(Refusal::NotFound)
        }
        Place::Mailbox(mailbox) => {
            let mailbox = mailboxes::mailbox(sql, mailbox).await?.ok_or(Refusal::NotFound)?;
            let is_own = mailbox.kind == MailboxKind::Personal && mailbox.owner.is_some_and(is_me);
            match Hold::of(actor, &mailbox) {
                Hold::Nothing => Err(Refusal::NotFound),
                Hold::Owner => Ok(Keeps::Own(Some(Box::new(mailbox)))),
                Hold::Keeper if is_own => Ok(Keeps::Own(Some(Box::new(mailbox)))),
                Hold::Keeper | Hold::Administrator => Ok(Keeps::ForAll(Some(Box::new(mailbox)))),
            }
        }
    }
}

/// The rules of a place, in their order.
pub async fn of_place(desk: &Desk, actor: &Actor, place: Place) -> Result<Vec<Rule>, Refusal> {
    let mut sql = desk.db.snapshot().await?;
    keeps(&mut sql, actor, place).await?;
    Ok(rules::of_place(&mut sql, place).await?)
}

/// All rules the actor keeps, by place and in order.
pub async fn all(desk: &Desk, actor: &Actor) -> Result<Vec<Rule>, Refusal> {
    actor.may(Verb::ManageRules)?;
    let mut sql = desk.db.snapshot().await?;
    let mut seen = Vec::new();
    let mut last: Option<(Place, bool)> = None;
    for rule in rules::all(&mut sql).await? {
        let keeps = match last {
            Some((place, keeps)) if place == rule.place => keeps,
            _ => match keeps(&mut sql, actor, rule.place).await {
                Ok(_) => true,
                Err(Refusal::NotFound | Refusal::Forbidden(_)) => false,
                Err(error) => return Err(error),
            },
        };
        last = Some((rule.place, keeps));
        seen.extend(keeps.then_some(rule));
    }
    Ok(seen)
}

/// One rule.
pub async fn open(desk: &Desk, actor: &Actor, id: RuleId) -> Result<Rule, Refusal> {
    let mut sql = desk.db.snapshot().await?;
    kept(&mut sql, actor, id).await.map(|(rule, _)| rule)
}

async fn kept(sql: &mut impl Sql, actor: &Actor, id: RuleId) -> Result<(Rule, Keeps), Refusal> {
    let rule = rules::get(sql, id).await?.ok_or(Refusal::NotFound)?;
    match keeps(sql, actor, rule.place).await {
        // That there is such a filter is nobody's business.
        Err(Refusal::Forbidden(_)) => Err(Refusal::NotFound),
        keeps => Ok((rule, keeps?)),
    }
}

/// Adds a rule behind the others of its place.
pub async fn create(desk: &Desk, actor: &Actor, draft: Draft) -> Result<Rule, Refusal> {
    let mut tx = desk.db.begin().await?;
    let keeps = keeps(&mut tx, actor, draft.place).await?;
    let rule = Rule {
        id: RuleId(0),
        place: draft.place,
        folder: draft.folder,
        name: draft.name,
        enabled: draft.enabled,
        matching: draft.matching,
        conditions: draft.conditions,
        actions: draft.actions,
        version: 1,
        hits: 0,
        hit_at: None,
        missing: None,
    };
    let mut rule = checked::rule(&mut tx, actor, &keeps, rule).await?;
    checked::room(&mut tx, &rule, checked::Room::OneMore).await?;
    rule.id = rules::add(&mut tx, &rule, actor.user, desk.clock.now()).await?;
    tell(desk, &mut tx, rule.place).await?;
    tx.commit().await?;
    Ok(rule)
}

/// Changes a rule that is still of this version.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: RuleId,
    version: i64,
    change: RuleChange,
) -> Result<Rule, Refusal> {
    let mut tx = desk.db.begin().await?;
    let (rule, keeps) = kept(&mut tx, actor, id).await?;
    let changed_meanwhile =
        || Refusal::conflict("changed_meanwhile", "Somebody else has changed this rule. Look at it again.");
    if rule.version != version {
        return Err(changed_meanwhile());
    }
    let wanted = Rule {
        folder: change.folder.unwrap_or(rule.folder),
        name: change.name.unwrap_or(rule.name),
        enabled: change.enabled.unwrap_or(rule.enabled),
        matching: change.matching.unwrap_or(rule.matching),
        conditions: change.conditions.unwrap_or(rule.conditions),
        actions: change.actions.unwrap_or(rule.actions),
        ..rule
    };
    let is_switched_off = !wanted.enabled;
    let mut wanted = match checked::rule(&mut tx, actor, &keeps, wanted.clone()).await {
        // What refers to something that is gone can still be switched off.
        Err(Refusal::Invalid { .. }) if is_switched_off && only_switch(&wanted, id, &mut tx).await? => wanted,
        checked => Rule { missing: None, ..checked? },
    };
    checked::room(&mut tx, &wanted, checked::Room::SameNumber).await?;
    if !rules::change(&mut tx, &wanted, actor.user, desk.clock.now()).await? {
        return Err(changed_meanwhile());
    }
    wanted.version += 1;
    tell(desk, &mut tx, wanted.place).await?;
    tx.commit().await?;
    Ok(wanted)
}

/// Whether nothing but the switch is different.
async fn only_switch(wanted: &Rule, id: RuleId, tx: &mut Tx) -> Result<bool, Refusal> {
    let there = rules::get(tx, id).await?;
    Ok(there.is_some_and(|there| Rule { enabled: wanted.enabled, ..there } == *wanted))
}

/// Removes a rule. What messages say of it stays.
pub async fn remove(desk: &Desk, actor: &Actor, id: RuleId) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    let (rule, _) = kept(&mut tx, actor, id).await?;
    rules::remove(&mut tx, id).await?;
    tell(desk, &mut tx, rule.place).await?;
    Ok(tx.commit().await?)
}

/// Puts the rules of a place into this order: all of them, each once.
pub async fn order(desk: &Desk, actor: &Actor, ids: &[RuleId]) -> Result<(), Refusal> {
    let all = || {
        Refusal::invalid(
            "ids",
            "not_all",
            "name all rules of one list, each once; it may have changed meanwhile",
        )
    };
    let mut tx = desk.db.begin().await?;
    let first = *ids.first().ok_or_else(all)?;
    let (rule, _) = kept(&mut tx, actor, first).await?;
    let mut there: Vec<RuleId> =
        rules::of_place(&mut tx, rule.place).await?.into_iter().map(|rule| rule.id).collect();
    let mut named = ids.to_vec();
    there.sort();
    named.sort();
    if there != named {
        return Err(all());
    }
    rules::order(&mut tx, ids).await?;
    tell(desk, &mut tx, rule.place).await?;
    Ok(tx.commit().await?)
}

/// Something is removed: rules that refer to it are switched off and say why, and who keeps them is told.
/// `name` is that of the removed thing.
pub async fn switch_off(desk: &Desk, tx: &mut Tx, what: Reference, name: &str) -> Result<(), Refusal> {
    let missing = Missing { what: what.what(), name: name.to_owned() };
    for rule in rules::all(tx).await? {
        if !rule.enabled || !rules::needs(&rule, &what) {
            continue;
        }
        rules::switch_off(tx, rule.id, &missing, desk.clock.now()).await?;
        tell(desk, tx, rule.place).await?;
        let notice = Notice::new("rule_switched_off").with("rule", rule.id);
        let notice = notice.with("name", &rule.name).with("value", name);
        tell_keepers(desk, tx, rule.place, notice).await?;
    }
    Ok(())
}

/// Folders of a mailbox are read no more, or are gone from its server: rules for one of them alone are switched off.
pub(crate) async fn folders_changed(desk: &Desk, tx: &mut Tx, id: MailboxId) -> Result<(), Refusal> {
    let Some(mailbox) = mailboxes::mailbox(tx, id).await? else { return Ok(()) };
    let there: Vec<FolderId> = match mailbox.mode {
        MailboxMode::File => {
            folders::read_folders(tx, id).await?.into_iter().map(|folder| folder.id).collect()
        }
        MailboxMode::Synchronise => {
            synchronised::present(tx, id).await?.into_iter().map(|one| one.folder.id).collect()
        }
    };
    let of_rules = rules::of_place(tx, Place::Mailbox(id)).await?.into_iter().filter_map(|rule| rule.folder);
    for folder in of_rules.filter(|folder| !there.contains(folder)).collect::<BTreeSet<_>>() {
        let name = folders::get(tx, folder).await?.map_or(String::new(), |folder| folder.name);
        switch_off(desk, tx, Reference::Folder(folder), &name).await?;
    }
    Ok(())
}

async fn tell_keepers(desk: &Desk, tx: &mut Tx, place: Place, notice: Notice) -> Result<(), Refusal> {
    if let Some(user) = place.user() {
        return Ok(notification::tell(desk, tx, user, &notice).await?);
    }
    if let Some(id) = place.mailbox()
        && let Some(mailbox) = mailboxes::mailbox(tx, id).await?
    {
        let notice = notice.at_mailbox(id);
        return Ok(notification::tell_keepers(desk, tx, &mailbox, &notice).await?);
    }
    for user in store::people::administrators(tx).await? {
        notification::tell(desk, tx, user, &notice).await?;
    }
    Ok(())
}

/// Rules are heard of by who hears of their mailbox, filters of all mailboxes by administrators.
async fn tell(desk: &Desk, tx: &mut Tx, place: Place) -> Result<(), Refusal> {
    let (kind, entity_id) = match (place.mailbox(), place.user()) {
        (Some(MailboxId(mailbox)), _) => (ChangeKind::Mailbox, mailbox),
        (None, Some(user)) => (ChangeKind::User, user.0),
        (None, None) => (ChangeKind::System, 0),
    };
    let change = Change { kind, entity_id, thread: None, action: "rules" };
    changes::add(tx, change, desk.clock.now()).await?;
    Ok(())
}
