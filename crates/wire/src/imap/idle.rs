//! Waiting for news: IDLE (RFC 2177).

use std::time::{Duration, Instant};

use crate::imap::command::Command;
use crate::imap::response::Response;
use crate::imap::session::{BodySink, Session, outcome};
use crate::imap::types::SessionError;

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleEvent {
    /// Something in the open folder changed: search it again.
    Changed,
    /// Nothing happened for the whole time.
    Timeout,
}

/// Servers may close after 30 minutes without a command (RFC 2177).
const LONGEST: Duration = Duration::from_secs(28 * 60);

impl Session {
    /// Waits for a change in the open folder, at most for `max` (and never above 28 minutes).
    /// Gives `Changed` at once if something came since the last search. Many routers forget a silent
    /// connection sooner than servers do, so 5 to 10 minutes are a good `max`.
    ///
    /// # Errors
    /// `NotOffered` if the server has no IDLE: then poll with [`Session::noop`].
    pub async fn idle(&mut self, max: Duration) -> Result<IdleEvent, SessionError> {
        self.check()?;
        if !self.offers("IDLE") {
            return Err(SessionError::NotOffered("IDLE"));
        }
        if self.something_new() {
            return Ok(IdleEvent::Changed);
        }
        // From here on a dropped future leaves an IDLE behind, which the next command ends.
        self.idling = Some(self.send(Command::new("IDLE")));
        self.flush().await?;
        let deadline = Instant::now() + max.min(LONGEST);
        let event = self.wait_for_change(deadline).await?;
        self.end_idle().await?;
        Ok(event)
    }

    fn something_new(&mut self) -> bool {
        self.view.news || std::mem::take(&mut self.view.changed)
    }

    async fn wait_for_change(&mut self, deadline: Instant) -> Result<IdleEvent, SessionError> {
        loop {
            while let Some(response) = self.next_unread(&mut BodySink::default())? {
                match response {
                    Response::Tagged { said, .. } if self.idle_is_over() => {
                        self.idling = None;
                        outcome("IDLE", said)?;
                        return Ok(IdleEvent::Changed);
                    }
                    Response::Fetch(_) => self.view.changed = true,
                    // "Still here" is progress: only what is left unread without end is not.
                    _ => self.engine.made_progress(),
                }
            }
            if self.something_new() {
                return Ok(IdleEvent::Changed);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.fill_within(left).await? {
                return Ok(IdleEvent::Timeout);
            }
        }
    }

    fn idle_is_over(&self) -> bool {
        self.idling.is_some_and(|tag| self.answered(tag))
    }

    async fn end_idle(&mut self) -> Result<(), SessionError> {
        let Some(tag) = self.idling.take() else {
            return Ok(());
        };
        self.engine.send_line("DONE", "DONE");
        loop {
            match self.next(&mut BodySink::default()).await? {
                Response::Tagged { tag: answered, said } if answered == tag.text() => {
                    return outcome("IDLE", said).map(|_| ());
                }
                _ => {}
            }
        }
    }
}
