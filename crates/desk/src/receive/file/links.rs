//! Ties between a letter's thread and records.

use super::Round;
use model::{LinkReason, MessageId, ThreadId};
use store::sql::Error;

impl Round<'_> {
    pub(super) fn link(
        &mut self,
        thread: ThreadId,
        record: model::RecordId,
        message: MessageId,
        reason: LinkReason,
        detail: &str,
    ) -> Result<bool, Error> {
        self.writes.link(thread, record, message, reason.word(), detail, reason.confidence(), self.at)
    }
}
