//! A web form's mail becomes a contact or a lead (C4).

use super::Round;
use super::actions::Acted;
use crate::Refusal;
use crate::record::form;
use model::{FormMapping, LinkReason, RecordKind, RuleId};
use store::changes::RecordsHeard;
use store::records;
use store::sql::{Error, Tx};

impl Round<'_> {
    /// Finds or makes the record that a form names and links the thread to it and its account; says what
    /// came of it, and of whom it speaks.
    pub(super) async fn form(
        &mut self,
        tx: &mut Tx,
        (kind, mapping): (RecordKind, &FormMapping),
        acted: &Acted<'_>,
        rule: RuleId,
    ) -> Result<(&'static str, String), Error> {
        let Acted { thread, message, .. } = *acted;
        let form = intake::form::read(&acted.read.letter, mapping);
        if form.address.is_empty() {
            // Then a record of this very thread is looked for, among links that may not be written yet.
            self.writes.flush(tx, self.at).await?;
        }
        let record = match form::record_of(tx, kind, &form, thread, self.at).await {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(("nothing_entered", String::new())),
            Err(Refusal::Failed(error)) => return Err(of_the_database(error)),
            Err(refusal) => return Ok(("refused", refusal.to_string())),
        };
        let (id, name) = record;
        let rule = acted.rules.tried().iter().find(|tried| tried.id == rule);
        let detail = rule.map_or("", |rule| rule.name.as_str());
        self.link(thread, id, message, LinkReason::Rule, detail)?;
        let record = records::record(tx, id, &RecordsHeard::All).await?;
        if let Some((account, _)) = record.and_then(|record| record.account) {
            self.link(thread, account, message, LinkReason::ContactOf, &name)?;
        }
        Ok(("done", name))
    }
}

fn of_the_database(error: anyhow::Error) -> Error {
    error.downcast().unwrap_or_else(|other| Error::Other(other.to_string()))
}
