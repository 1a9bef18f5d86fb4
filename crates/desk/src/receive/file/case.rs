//! A letter's case: made, noted or opened again.

use super::Round;
use crate::receive::open::Read;
use intake::plan::{CasePlan, Plan};
use model::{LinkReason, MessageId, ThreadId};
use store::filing::NewCase;
use store::sql::{Error, Tx};

impl Round<'_> {
    pub(super) async fn case(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        message: MessageId,
        read: &Read,
        plan: &Plan,
    ) -> Result<(), Error> {
        match plan.case {
            CasePlan::None => Ok(()),
            CasePlan::Note { reopen: false, .. } => Ok(()),
            CasePlan::Note { reopen: true, .. } => self.writes.reopen(thread, self.at),
            CasePlan::Create => {
                let account = plan
                    .links
                    .iter()
                    .find(|link| link.reason == LinkReason::ContactOf || link.reason == LinkReason::Domain);
                let case = NewCase {
                    name: read.letter.subject.clone(),
                    folded: read.index.subject.clone(),
                    description: cut(&mail::quote::reply_text(&read.letter.text), DESCRIPTION_BYTES)
                        .to_owned(),
                    account: account.map(|link| link.record),
                    process: self.channel.mailbox.process.map(|id| id.0),
                    team: self.channel.mailbox.team.map(|id| id.0),
                };
                let case = self.writes.case(tx, thread, case, self.at).await?;
                self.link(thread, case, message, LinkReason::CreatedCase, &read.letter.subject).map(drop)
            }
        }
    }
}

/// The longest beginning of at most `most` bytes that ends between characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Most of a case's description; the whole text is in the message.
const DESCRIPTION_BYTES: usize = 4000;
