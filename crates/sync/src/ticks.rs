//! What happens because time passes: asks the desk again and again.
//!
//! Decided against a task that sleeps until the next moment that is known: people change those moments, in other
//! processes too, and a look that finds nothing costs four walks over short partial indexes.

use desk::{Desk, access, case};
use std::convert::Infallible;
use std::time::Duration;

/// How often: nobody waits for a snooze or a target by the second.
const EVERY: Duration = Duration::from_secs(15);

/// Ticks until it is dropped.
pub async fn run(desk: &Desk) -> Infallible {
    loop {
        if let Err(error) = case::tick(desk).await {
            tracing::error!(%error, "what is due cannot be done now");
        }
        if let Err(error) = access::catch_up(desk, access::MOST_OF_TICK).await {
            tracing::error!(%error, "access cannot follow changed addresses now");
        }
        tokio::time::sleep(EVERY).await;
    }
}
