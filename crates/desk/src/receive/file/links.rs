//! Ties between a letter's thread and records: made, or suggested.

use super::Round;
use intake::plan::Plan;
use model::{LinkReason, MessageId, ThreadId};
use store::filing::NewSuggestion;
use store::sql::Error;

impl Round<'_> {
    pub(super) fn links(&mut self, thread: ThreadId, message: MessageId, plan: &Plan) -> Result<(), Error> {
        for link in &plan.links {
            self.link(thread, link.record, message, link.reason, &link.detail)?;
        }
        for one in &plan.suggestions {
            let suggestion = NewSuggestion {
                record: one.record,
                message,
                reason: one.reason,
                detail: &one.detail,
                confidence: one.confidence,
            };
            self.writes.suggest(thread, &suggestion, self.at)?;
        }
        Ok(())
    }

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
