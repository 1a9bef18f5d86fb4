//! Who spoke last in a thread: when somebody outside did, when one of us answered, and which of us.
//!
//! Written beside the thread's row, not with it: most of what changes a thread does not change this.

use super::Writes;
use crate::params;
use crate::sql::{Error, Tx};
use model::{MessageId, ThreadId, Time, UserId};

/// Who wrote a message, as far as it matters to who asks whether a thread was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Somebody outside.
    Outside,
    /// One of us, if it is known which.
    Us(Option<UserId>),
}

impl Writes {
    /// Takes down who wrote a message, and when it came or went. Of us it is an answer: the case's first, if it has
    /// none, and the message bears who wrote it.
    pub fn spoke(&mut self, thread: ThreadId, message: MessageId, voice: Voice, at: Time) {
        match voice {
            Voice::Outside => self.heard.push(params![thread, at]),
            Voice::Us(user) => {
                self.answered.push(params![thread, at, user]);
                self.first_answers.push(params![thread, at, at.plus_s(1)]);
                if let Some(user) = user {
                    self.writers.push(params![message, user]);
                }
            }
        }
    }

    pub(super) async fn flush_spoke(&mut self, tx: &mut Tx) -> Result<(), Error> {
        for (text, rows) in [
            (
                "UPDATE threads SET last_in_at = $2 WHERE id = $1 AND COALESCE(last_in_at, 0) < $2",
                std::mem::take(&mut self.heard),
            ),
            (
                "UPDATE threads SET last_out_at = $2, answered_by = $3 WHERE id = $1 AND COALESCE(last_out_at, 0) <= $2",
                std::mem::take(&mut self.answered),
            ),
            // Dates of letters are whole seconds. What was written before there was a case is no answer to it.
            (
                "UPDATE records SET first_reply_at = $2 WHERE id = (SELECT case_id FROM threads WHERE id = $1) \
                 AND first_reply_at IS NULL AND created_at < $3",
                std::mem::take(&mut self.first_answers),
            ),
            ("UPDATE messages SET user_id = $2 WHERE id = $1", std::mem::take(&mut self.writers)),
        ] {
            tx.execute_many(text, rows).await?;
        }
        Ok(())
    }
}
