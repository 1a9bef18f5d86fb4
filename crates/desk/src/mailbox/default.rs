//! Of several mailboxes of one person, the one they write from if they say nothing.
//!
//! The first is the default until another is chosen. One that is switched off, or given to somebody
//! else, hands it on to the oldest that is fetched, where there is one.

use crate::Refusal;
use crate::people::invalid;
use model::{MailboxId, UserId};
use store::mailboxes::{self, Mailbox};
use store::people;
use store::sql::{Error, Tx};

/// Sees to its owner's default after a mailbox was written; `chosen` says whether it shall be that.
pub(super) async fn settle(tx: &mut Tx, mailbox: &Mailbox, chosen: Option<bool>) -> Result<(), Refusal> {
    let Some(owner) = mailbox.owner else {
        return match chosen {
            Some(true) => {
                Err(invalid("is_default", "not_personal", "only a personal mailbox can be a default"))
            }
            _ => Ok(()),
        };
    };
    let present = people::default_mailbox(tx, owner).await?;
    match chosen {
        Some(true) => people::set_default_mailbox(tx, owner, Some(mailbox.id)).await?,
        Some(false) if present == Some(mailbox.id) => {
            return Err(invalid("is_default", "choose_another", "make another mailbox the default instead"));
        }
        _ if present.is_none() => people::set_default_mailbox(tx, owner, Some(mailbox.id)).await?,
        _ => {}
    }
    Ok(())
}

/// Hands a default on: `mailbox` is no longer fetched, or no longer this person's.
pub(super) async fn hand_on(tx: &mut Tx, owner: UserId, mailbox: MailboxId) -> Result<(), Error> {
    if people::default_mailbox(tx, owner).await? != Some(mailbox) {
        return Ok(());
    }
    let own = mailboxes::held(tx, owner).await?.into_iter().filter(|other| other.owner == Some(owner));
    let mut own: Vec<Mailbox> = own.collect();
    own.sort_by_key(|other| (!other.active, other.id));
    let stays = own.iter().any(|other| other.id == mailbox);
    match own.first() {
        // None is fetched: it keeps what it had.
        Some(first) if !first.active && stays => Ok(()),
        first => people::set_default_mailbox(tx, owner, first.map(|other| other.id)).await,
    }
}
