//! What rules want done with a letter, each action by whoever knows how, and what became of it.
//!
//! Everything that can be decided from the letter alone is decided in `intake` and in the plan already
//! (cases, links); here it is only said what came of it. Nothing fails a filing: what cannot be done is a
//! word in the trace.

use super::Round;
use crate::receive::open::{Opened, Read};
use crate::receive::recall::Recalled;
use crate::rule::Trials;
use intake::plan::{CasePlan, Origin, Plan, RuleAction};
use intake::rules::{self, Rules};
use model::{
    Action, Done, Flag, FlagChange, Flags, Hit, MailboxMode, MessageId, OccurrenceId, Protocol, RecordKind,
    RuleId, ThreadId,
};
use store::folders::synchronised;
use store::operations::{self, Act, NewOperation};
use store::sql::{Error, Tx};
use store::{labels, mailboxes};

/// How often rules move a message within a mailbox: those of two folders may move it to one another for ever.
const MOST_MOVES: i64 = 3;

/// An action's outcome: a word, and what it speaks of.
type Outcome = (&'static str, String);

/// A letter as it was filed.
pub(super) struct Acted<'a> {
    pub id: OccurrenceId,
    pub thread: ThreadId,
    pub message: MessageId,
    pub one: &'a Opened,
    pub read: &'a Read,
    pub plan: &'a Plan,
    /// The rules that were tried.
    pub rules: &'a Rules,
}

/// What became of the actions of a letter.
#[derive(Default)]
pub(super) struct Did {
    did: Vec<(RuleId, Done)>,
    /// It is being moved on its server: nothing else is to be done there.
    pub moves: bool,
}

impl Round<'_> {
    /// Carries out what rules want done.
    pub(super) async fn act(
        &mut self,
        tx: &mut Tx,
        recalled: &Recalled,
        acted: &Acted<'_>,
    ) -> Result<Did, Error> {
        let mut did = Did::default();
        for one in &acted.plan.actions {
            let (result, detail) = self.action(tx, recalled, acted, one).await?;
            did.moves |= result == "done" && matches!(one.action, Action::Move { .. });
            did.did.push((one.rule, rules::done(&one.action, result, &detail)));
        }
        Ok(did)
    }

    async fn action(
        &mut self,
        tx: &mut Tx,
        recalled: &Recalled,
        acted: &Acted<'_>,
        one: &RuleAction,
    ) -> Result<Outcome, Error> {
        let none = String::new;
        let RuleAction { rule, action } = one;
        let Acted { thread, message, read, plan, .. } = *acted;
        Ok(match action {
            Action::CreateCase { .. } => match plan.case {
                CasePlan::Create(_) => ("done", self.case_number(thread)),
                _ if self.writes.thread(thread).is_some_and(|thread| thread.case.is_some()) => {
                    ("has_case", self.case_number(thread))
                }
                _ => ("no_case", none()),
            },
            Action::UpdateCase { .. } | Action::Assign { .. } if plan.unverified.is_some() => {
                ("unverified", none())
            }
            Action::UpdateCase { status, priority } => {
                self.update_case(tx, acted, *status, *priority).await?
            }
            Action::Assign { assignment } => self.assign(tx, thread, plan, assignment).await?,
            Action::CreateContact { mapping } => {
                self.form(tx, (RecordKind::Contact, mapping), acted, one.rule).await?
            }
            Action::CreateLead { mapping } => {
                self.form(tx, (RecordKind::Lead, mapping), acted, one.rule).await?
            }
            Action::Reply { template } => {
                (self.answer(tx, recalled, (thread, read), plan, *template).await?, none())
            }
            Action::Webhook { .. } if plan.seen.is_some() => ("is_copy", none()),
            Action::Webhook { url } => {
                (self.report(tx, (thread, message), read, (*rule, url)).await?, url.clone())
            }
            Action::LinkContact { .. } | Action::LinkAccount { .. } if plan.unverified.is_some() => {
                ("unverified", none())
            }
            Action::LinkContact { .. } => {
                linked(&rules::named(action, &read.letter, &recalled.directory), "no_contact")
            }
            Action::LinkAccount { .. } => {
                linked(&rules::named(action, &read.letter, &recalled.directory), "no_account")
            }
            Action::MarkRead => self.mark_read(tx, acted).await?,
            Action::Label { label } => match labels::get(tx, *label).await? {
                None => ("no_label", none()),
                Some(known) => {
                    self.writes.label(thread, known.id);
                    ("done", known.name)
                }
            },
            Action::Move { folder } => self.move_away(tx, acted, folder).await?,
            Action::Skip | Action::Stop => ("done", none()),
        })
    }

    pub(super) fn case_number(&self, thread: ThreadId) -> String {
        let case = self.writes.thread(thread).and_then(|thread| thread.case.as_ref());
        case.map_or(String::new(), |case| case.number.to_string())
    }

    /// That it is nobody's unread mail was seen to where the message was written; a synchronised mailbox
    /// has its server told.
    async fn mark_read(&mut self, tx: &mut Tx, acted: &Acted<'_>) -> Result<Outcome, Error> {
        if acted.plan.seen.is_some() {
            return Ok(("is_copy", String::new()));
        }
        let mailbox = mailboxes::mailbox(tx, self.channel.id).await?;
        let is_synchronised = |mailbox: &mailboxes::Mailbox| {
            mailbox.protocol == Protocol::Imap && mailbox.mode == MailboxMode::Synchronise
        };
        if mailbox.as_ref().is_some_and(is_synchronised) && acted.one.uid > 0 {
            let change = FlagChange { add: vec![Flag::Seen], remove: Vec::new() };
            let flags = store::folders::contents::items(tx, self.channel.id, &[acted.id]).await?;
            let flags: Vec<(OccurrenceId, Flags)> =
                flags.into_iter().map(|item| (item.id, change.applied(item.flags))).collect();
            synchronised::set_flags(tx, &flags).await?;
            self.ask(tx, acted.id, None, Act::Flag(change)).await?;
        }
        Ok(("done", String::new()))
    }

    /// Has it moved on its server, after which it is found where it went.
    async fn move_away(&mut self, tx: &mut Tx, acted: &Acted<'_>, name: &str) -> Result<Outcome, Error> {
        let name = name.trim();
        let mailbox = mailboxes::mailbox(tx, self.channel.id).await?;
        if mailbox.is_none_or(|mailbox| mailbox.protocol != Protocol::Imap) {
            return Ok(("pop3_has_no_folders", name.to_owned()));
        }
        if name == self.folder.name {
            return Ok(("is_there", name.to_owned()));
        }
        if operations::leaving(tx, &[acted.id]).await?.contains(&true) {
            return Ok(("being_moved", name.to_owned()));
        }
        if operations::moved_by_rules(tx, self.channel.id, acted.message).await? >= MOST_MOVES {
            return Ok(("moved_before", name.to_owned()));
        }
        let target = synchronised::named(tx, self.channel.id, name).await?;
        self.ask(tx, acted.id, Some(target), Act::Move).await?;
        Ok(("done", name.to_owned()))
    }

    async fn ask(
        &mut self,
        tx: &mut Tx,
        id: OccurrenceId,
        target: Option<model::FolderId>,
        act: Act,
    ) -> Result<(), Error> {
        let operation = NewOperation {
            mailbox: self.channel.id,
            folder: self.folder.id,
            occurrence: Some(id),
            target,
            act,
            raw: None,
            user: None,
        };
        self.done.asked += 1;
        operations::add(tx, &[operation], self.at).await
    }

    /// Writes down what was tried and what matched, and counts.
    pub(super) async fn trace(&mut self, tx: &mut Tx, acted: &Acted<'_>, did: &Did) -> Result<(), Error> {
        let tried = acted.rules.tried();
        if tried.is_empty() || self.channel.origin != Origin::Live {
            return Ok(());
        }
        let mut hits: Vec<Hit> = acted.plan.hits.clone();
        let mut matched = Vec::with_capacity(hits.len());
        for hit in &mut hits {
            let Some(rule) = tried.get(hit.tried) else { continue };
            matched.push(rule.clone());
            self.writes.rule_hit(rule.id);
            hit.did = did.did.iter().filter(|(id, _)| *id == rule.id).map(|(_, done)| done.clone()).collect();
            if rule.user.is_some_and(|user| acted.plan.silenced.contains(&user)) {
                hit.did.push(rules::done(&Action::MarkRead, "done", ""));
            }
        }
        let set = match self.set {
            Some(set) if !acted.one.after_all => set,
            _ => store::rules::set_id(tx, tried, self.at).await?,
        };
        if !acted.one.after_all {
            self.set = Some(set);
        }
        let trials = Trials { mailbox: self.channel.id, set, matched, hits };
        let json = serde_json::to_string(&trials).map_err(|error| Error::Other(error.to_string()))?;
        self.writes.trace(acted.message, json);
        Ok(())
    }
}

fn linked(named: &rules::Named, nothing: &'static str) -> Outcome {
    let names: Vec<&str> = named.records.iter().map(|(_, name)| name.as_str()).collect();
    match (&named.ambiguous, named.records.is_empty()) {
        (_, false) => ("done", names.join(", ")),
        (Some(address), true) => ("ambiguous", address.clone()),
        (None, true) => (nothing, String::new()),
    }
}
