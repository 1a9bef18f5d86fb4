//! The rules of a folder, compiled, and kept as long as no rule was changed anywhere.
//!
//! All processes see a change with the next filing: it reads the version of all rules in its transaction,
//! one row. Places are compiled once for all folders that share them. Both caches forget everything when
//! they are full: more mailboxes than that are read by a process seldom, and compiling is quick.

use intake::rules::{Place as Compiled, Rule, Rules};
use model::{FolderId, MailboxId, MailboxKind, TriedRule};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use store::mailboxes;
use store::rules::{self, Place, Rule as Kept};
use store::sql::{Error, Sql};

/// Folders whose rules are kept compiled.
const MOST_FOLDERS: usize = 1024;
/// Places that are kept compiled.
const MOST_PLACES: usize = 1024;
/// Filters of whole inboxes that are tried on mail of groups.
const MOST_SILENCING: i64 = 2000;

/// Compiled rules.
#[derive(Default)]
pub(crate) struct RuleCache(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    folders: HashMap<(MailboxId, FolderId), (i64, Arc<Rules>)>,
    /// By what the rules say, so that what did not change is not compiled again.
    places: HashMap<u64, Arc<Compiled>>,
}

impl RuleCache {
    /// The rules of a folder as they are in this transaction.
    pub async fn of(
        &self,
        sql: &mut impl Sql,
        mailbox: MailboxId,
        folder: FolderId,
    ) -> Result<Arc<Rules>, Error> {
        let version = rules::version(sql).await?;
        if let Some((known, rules)) = self.lock().folders.get(&(mailbox, folder))
            && *known == version
        {
            return Ok(rules.clone());
        }
        let rules = Arc::new(self.read(sql, mailbox, folder).await?);
        let mut inner = self.lock();
        if inner.folders.len() >= MOST_FOLDERS {
            inner.folders.clear();
        }
        inner.folders.insert((mailbox, folder), (version, rules.clone()));
        Ok(rules)
    }

    async fn read(&self, sql: &mut impl Sql, id: MailboxId, folder: FolderId) -> Result<Rules, Error> {
        let Some(mailbox) = mailboxes::mailbox(sql, id).await? else { return Ok(Rules::default()) };
        let is_group = mailbox.kind == MailboxKind::Group;
        let owner = mailbox.owner.filter(|_| !is_group);
        let mut places = vec![Place::Global];
        places.extend(owner.into_iter().flat_map(|owner| [Place::Own(owner, id), Place::Inbox(owner)]));
        places.push(Place::Mailbox(id));
        let mut compiled = Vec::new();
        for place in places {
            let rules = rules::of_place(sql, place).await?;
            let tried =
                rules.into_iter().filter(|rule| rule.enabled && rule.folder.is_none_or(|one| one == folder));
            compiled.extend(self.compiled(&tried.collect::<Vec<_>>()));
        }
        let silencing = if is_group { rules::of_inboxes(sql, MOST_SILENCING).await? } else { Vec::new() };
        let silencing = silencing.chunk_by(|one, next| one.place == next.place);
        Ok(Rules::new(compiled, silencing.filter_map(|rules| self.compiled(rules)).collect()))
    }

    /// Rules of one place; none where there is nothing to try.
    fn compiled(&self, rules: &[Kept]) -> Option<Arc<Compiled>> {
        if rules.is_empty() {
            return None;
        }
        let key = key_of(rules);
        if let Some(known) = self.lock().places.get(&key) {
            return Some(known.clone());
        }
        let rules: Vec<Rule> = rules.iter().map(rule_of).collect();
        let compiled = Arc::new(Compiled::new(&rules));
        let mut inner = self.lock();
        if inner.places.len() >= MOST_PLACES {
            inner.places.clear();
        }
        inner.places.insert(key, compiled.clone());
        Some(compiled)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Id and version say what a rule is.
fn key_of(rules: &[Kept]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for rule in rules {
        (rule.id, rule.version, rule.place).hash(&mut hasher);
    }
    hasher.finish()
}

fn rule_of(rule: &Kept) -> Rule {
    Rule {
        tried: TriedRule {
            id: rule.id,
            version: rule.version,
            kind: rule.place.kind(),
            name: rule.name.clone(),
            user: rule.place.user(),
        },
        matching: rule.matching,
        conditions: rule.conditions.clone(),
        actions: rule.actions.clone(),
    }
}
