//! A rule tried out on mail that is there: what it would do, and nothing is done.
//!
//! The newest messages of its place are read from their bytes, as the letters they were, each large file
//! left out, and only those that the actor may see. At most [`MOST_TRIED`] messages and [`MOST_BYTES`]
//! are read; the answer says how many that were.

use super::{Draft, Place, checked, keeps};
use crate::may::Actor;
use crate::{Desk, Refusal, bytes, message};
use intake::rules::{self, About, Rules};
use mail::nature;
use model::{Action, Condition, MailboxId, MessageId, RuleId, ThreadId, Time, TriedRule};
use std::sync::Arc;
use store::mailboxes;
use store::messages;
use store::rules::Rule;
use store::sql::Sql;

/// Messages that are read at most.
pub const MOST_TRIED: usize = 1000;
/// Bytes that are read at most, after which no further message is begun.
const MOST_BYTES: usize = 64 << 20;
/// Messages taken from the shelf at a time.
const AT_ONCE: usize = 50;

/// How a rule fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Messages that were looked at.
    pub tried: usize,
    /// Those it matched, newest first.
    pub rows: Vec<TriedMessage>,
}

/// A message that a rule would match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedMessage {
    /// The message.
    pub message: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// Its subject.
    pub subject: String,
    /// Who wrote it: name, or address where there is none.
    pub from: String,
    /// When it arrived.
    pub at: Time,
    /// The conditions that held, and on what.
    pub on: Vec<(Condition, String)>,
    /// What it would do.
    pub would: Vec<Action>,
}

/// Tries a rule, saved or not, on the last messages of its place; with `mailbox` on those of one mailbox
/// where the place has several.
pub async fn try_out(
    desk: &Desk,
    actor: &Actor,
    draft: Draft,
    mailbox: Option<MailboxId>,
    last: usize,
) -> Result<Tried, Refusal> {
    let mut sql = desk.db.snapshot().await?;
    keeps(&mut sql, actor, draft.place).await?;
    checked::conditions(&draft.conditions)?;
    let mailboxes = mailboxes_of(&mut sql, actor, draft.place, mailbox).await?;
    let wanted = last.clamp(1, MOST_TRIED);
    let newest =
        messages::newest_of(&mut sql, mailboxes.as_deref(), &actor.mail_access(), wanted as i64).await?;
    drop(sql);
    let rules = Arc::new(alone(&draft));
    let mut out = Tried::default();
    let mut read = 0;
    for part in newest.chunks(AT_ONCE) {
        if read >= MOST_BYTES {
            break;
        }
        let letters = letters(desk, part, &mut read).await?;
        out.tried += letters.len();
        let rules = rules.clone();
        let found =
            message::apart(move || letters.into_iter().filter_map(|letter| tried(&rules, letter)).collect());
        let found: Vec<TriedMessage> = found.await?;
        out.rows.extend(found);
    }
    Ok(out)
}

/// The mailboxes whose mail a place is about; `None`: all.
async fn mailboxes_of(
    sql: &mut impl Sql,
    actor: &Actor,
    place: Place,
    mailbox: Option<MailboxId>,
) -> Result<Option<Vec<MailboxId>>, Refusal> {
    let all = match place {
        Place::Mailbox(id) | Place::Own(_, id) => return Ok(Some(vec![id])),
        Place::Inbox(_) => Some(actor.own_mailboxes.clone()),
        Place::Global => None,
    };
    match mailbox {
        None => Ok(all),
        Some(id) if all.as_ref().is_some_and(|all| !all.contains(&id)) => Err(Refusal::NotFound),
        Some(id) => mailboxes::mailbox(sql, id).await?.map(|_| Some(vec![id])).ok_or(Refusal::NotFound),
    }
}

/// The rule as the only one.
fn alone(draft: &Draft) -> Rules {
    let rule = rules::Rule {
        tried: TriedRule {
            id: RuleId(0),
            version: 0,
            kind: draft.place.kind(),
            name: draft.name.clone(),
            user: None,
        },
        matching: draft.matching,
        conditions: draft.conditions.clone(),
        actions: draft.actions.clone(),
    };
    Rules::new(vec![Arc::new(rules::Place::new(&[rule]))], Vec::new())
}

/// The same as [`alone`] of a rule that is kept: for whoever tries it out as it is saved.
impl From<Rule> for Draft {
    fn from(rule: Rule) -> Draft {
        Draft {
            place: rule.place,
            folder: rule.folder,
            name: rule.name,
            enabled: rule.enabled,
            matching: rule.matching,
            conditions: rule.conditions,
            actions: rule.actions,
        }
    }
}

/// A message and its bytes without its large files.
struct Letter {
    brief: messages::Brief,
    raw: Vec<u8>,
}

async fn letters(desk: &Desk, of: &[messages::Brief], read: &mut usize) -> Result<Vec<Letter>, Refusal> {
    let mut sql = desk.db.snapshot().await?;
    let mut letters = Vec::new();
    for brief in of {
        if *read >= MOST_BYTES {
            break;
        }
        // What is cleared or damaged cannot be tried.
        if let Ok(Some(raw)) = bytes::outline(&mut sql, brief.id).await {
            *read += raw.len();
            letters.push(Letter { brief: brief.clone(), raw });
        }
    }
    Ok(letters)
}

fn tried(rules: &Rules, Letter { brief, raw }: Letter) -> Option<TriedMessage> {
    let letter = mail::parse::parse(&raw);
    let about = About {
        letter: &letter,
        size_bytes: u64::try_from(brief.size_bytes).unwrap_or(0),
        auth: &brief.auth,
        nature: nature::nature(&letter, mail::bounce::recognise(&raw, &letter).as_ref()),
    };
    let outcome = rules::apply(rules, &about);
    let hit = outcome.hits.into_iter().next()?;
    let skipped = outcome.skip.map(|_| Action::Skip);
    Some(TriedMessage {
        message: brief.id,
        thread: brief.thread,
        subject: brief.subject,
        from: if brief.from.name.is_empty() { brief.from.address } else { brief.from.name },
        at: brief.received_at,
        on: hit.on,
        would: match skipped {
            Some(skip) => vec![skip],
            None => outcome.actions.into_iter().map(|one| one.action).collect(),
        },
    })
}
