//! What rules did with a message, for people to read.
//!
//! A message has a [`Trials`] for each mailbox it came through in which rules were tried. It names the
//! list of rules by id (`rule_sets`) and holds what matched, which stays known when the list is forgotten.
//! Filters of other people are left out for whoever reads it: neither that there are any, nor their names,
//! nor what they look for.

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use model::{Action, Hit, MailboxId, MessageId, RuleId, TriedRule};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use store::messages;
use store::rules;

/// What was tried in one mailbox, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trials {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The list of rules.
    pub set: i64,
    /// Those that matched, one for each hit.
    pub matched: Vec<TriedRule>,
    /// What they matched on, and what they did.
    pub hits: Vec<Hit>,
}

model::words! {
    /// What became of a rule since it was tried.
    RuleSince {
        /// Nothing: it is as it was.
        Same = "same",
        /// It was changed, or switched off and on.
        Changed = "changed",
        /// It was removed.
        Removed = "removed",
    }
}

/// Rules as they are now, for whoever reads a trace.
#[derive(Debug, Default)]
pub struct Now {
    /// The version of each.
    versions: HashMap<RuleId, i64>,
    /// Those the actor keeps.
    kept: HashSet<RuleId>,
}

impl Now {
    /// What became of it.
    pub fn since(&self, tried: &TriedRule) -> RuleSince {
        match self.versions.get(&tried.id) {
            None => RuleSince::Removed,
            Some(version) if *version == tried.version => RuleSince::Same,
            Some(_) => RuleSince::Changed,
        }
    }

    /// Whether the actor may open it.
    pub fn may_open(&self, tried: &TriedRule) -> bool {
        self.kept.contains(&tried.id)
    }
}

/// Rules as they are now.
pub async fn now(desk: &Desk, actor: &Actor) -> Result<Now, Refusal> {
    let kept = match super::all(desk, actor).await {
        // Who reads mail need not keep rules.
        Err(Refusal::Forbidden(_)) => HashSet::new(),
        kept => kept?.into_iter().map(|rule| rule.id).collect(),
    };
    let versions = rules::versions(&mut &desk.db).await?.into_iter().collect();
    Ok(Now { versions, kept })
}

/// What was tried in one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The rules that were tried, in their order, up to one that let no further be tried.
    pub tried: Vec<TriedRule>,
    /// Those that matched; [`Hit::tried`] counts in `tried`.
    pub hits: Vec<Hit>,
    /// Whether `tried` has all of them: of long ago only those that matched may still be known.
    pub complete: bool,
}

/// What rules did with a message the actor may see.
pub async fn trace(desk: &Desk, actor: &Actor, id: MessageId) -> Result<Vec<Trial>, Refusal> {
    actor.may(Verb::ReadMail)?;
    let mut sql = desk.db.snapshot().await?;
    messages::message(&mut sql, id, &actor.mail_access()).await?.ok_or(Refusal::NotFound)?;
    let stored = rules::trace(&mut sql, id).await?;
    // What cannot be read was written by a later version; "" is nothing.
    let stored: Vec<Trials> = serde_json::from_str(&stored).unwrap_or_default();
    let mut trials = Vec::with_capacity(stored.len());
    for one in stored {
        trials.push(match rules::set(&mut sql, one.set).await? {
            Some(tried) => shown(actor, one.mailbox, tried, one.hits),
            None => {
                let hits = one.hits.into_iter().enumerate().map(|(tried, hit)| Hit { tried, ..hit });
                Trial { complete: false, ..shown(actor, one.mailbox, one.matched, hits.collect()) }
            }
        });
    }
    Ok(trials)
}

/// What one person is shown of a trial.
fn shown(actor: &Actor, mailbox: MailboxId, mut tried: Vec<TriedRule>, hits: Vec<Hit>) -> Trial {
    let stops = |hit: &&Hit| hit.did.iter().any(|done| matches!(done.action, Action::Stop | Action::Skip));
    let is_own_or_all = |rule: &TriedRule| rule.user.is_none() || rule.user == actor.user;
    let last =
        hits.iter().filter(|hit| tried.get(hit.tried).is_some_and(|rule| rule.user.is_none())).find(stops);
    let end = last.map_or(tried.len(), |hit| hit.tried + 1);
    let mut places = Vec::with_capacity(tried.len());
    let mut kept = 0;
    for (at, rule) in tried.iter().enumerate() {
        // Filters of whole inboxes stand behind the others and are tried whatever stopped those.
        let is_shown = is_own_or_all(rule) && (at < end || rule.user.is_some());
        places.push(is_shown.then_some(kept));
        kept += usize::from(is_shown);
    }
    let mut at = 0;
    tried.retain(|_| {
        at += 1;
        places[at - 1].is_some()
    });
    let renumbered =
        hits.into_iter().filter_map(|hit| Some(Hit { tried: places.get(hit.tried).copied()??, ..hit }));
    let mut hits: Vec<Hit> = renumbered.collect();
    if !actor.sees_records() {
        let did = hits.iter_mut().flat_map(|hit| &mut hit.did);
        did.filter(|done| names_record(&done.action)).for_each(|done| done.detail.clear());
    }
    Trial { mailbox, hits, tried, complete: true }
}

/// Whether what came of it says what records are called.
fn names_record(action: &Action) -> bool {
    matches!(
        action,
        Action::LinkContact { .. }
            | Action::LinkAccount { .. }
            | Action::CreateContact { .. }
            | Action::CreateLead { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Done, RuleKind, UserId};

    fn rule(id: i64, user: Option<i64>) -> TriedRule {
        TriedRule {
            id: RuleId(id),
            version: 1,
            kind: RuleKind::Filter,
            name: format!("rule {id}"),
            user: user.map(UserId),
        }
    }

    fn hit(tried: usize, action: Action) -> Hit {
        Hit {
            tried,
            on: Vec::new(),
            did: vec![Done { action, result: "done".into(), detail: String::new() }],
        }
    }

    fn ids(trial: &Trial) -> (Vec<i64>, Vec<usize>) {
        (trial.tried.iter().map(|rule| rule.id.0).collect(), trial.hits.iter().map(|hit| hit.tried).collect())
    }

    #[test]
    fn c7_others_filters_are_left_out_and_the_rest_is_numbered_anew() {
        let set = vec![rule(1, None), rule(2, Some(7)), rule(3, None), rule(4, Some(8))];
        let hits = || vec![hit(1, Action::MarkRead), hit(2, Action::MarkRead), hit(3, Action::MarkRead)];
        let ann = Actor { user: Some(UserId(7)), ..Actor::machine() };
        assert_eq!(ids(&shown(&ann, MailboxId(1), set.clone(), hits())), (vec![1, 2, 3], vec![1, 2]));
        let carla = Actor { user: Some(UserId(9)), ..Actor::machine() };
        assert_eq!(ids(&shown(&carla, MailboxId(1), set, hits())), (vec![1, 3], vec![1]));
    }

    #[test]
    fn c7_what_stands_behind_a_stop_was_not_tried() {
        let set = vec![rule(1, None), rule(2, None), rule(3, None), rule(4, Some(8))];
        let ben = Actor { user: Some(UserId(8)), ..Actor::machine() };
        let trial = shown(&ben, MailboxId(1), set, vec![hit(1, Action::Stop), hit(3, Action::Skip)]);
        assert_eq!(ids(&trial), (vec![1, 2, 4], vec![1, 2]));
    }
}
