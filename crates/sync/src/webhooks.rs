//! Delivers the reports of rules to other systems (C6): at least once, again and again for about a day.
//!
//! Whatever answers with 2xx has it. A redirect is not followed, and 410 means that nobody will ever take it. Addresses
//! inside are dialled only where an administrator has allowed the host, checked at the address that was resolved (T7).

use desk::Desk;
use desk::webhook::{self, Delivery, Tried};
use futures_util::stream::{self, StreamExt};
use model::{JobId, Reach};
use std::convert::Infallible;
use std::time::Duration;
use store::jobs;
use wire::http::Http;

/// How often jobs are looked for even if no change was heard.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Reports that are taken at a look.
const MOST: u32 = 100;
/// Reports on their way at the same time.
const AT_ONCE: usize = 4;
/// A receiver has this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// Its answer is not read further than this, in bytes.
const MOST_BYTES: usize = 64 << 10;
/// Names of jobs among what a process can hold.
const DELIVERING: i64 = 0x6a6f_0000_0000_0000;
/// Whoever delivers a report holds it; others go on to the next.
const SHORT: Duration = Duration::from_millis(500);

/// Delivers until it is dropped.
pub async fn run(desk: &Desk) -> Infallible {
    let mut changes = desk.db.changes_signal();
    loop {
        if let Err(error) = deliver_due(desk).await {
            tracing::error!(%error, "reports to other systems cannot be delivered now");
        }
        tokio::select! {
            // An error means that the database is closed; then there is nothing to hear.
            _ = changes.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Tries everything that is due, once.
pub async fn deliver_due(desk: &Desk) -> anyhow::Result<()> {
    let due = jobs::due(&mut &desk.db, desk.clock.now(), MOST).await?;
    let due = due.into_iter().filter(|job| job.kind == webhook::KIND).map(|job| deliver(desk, job.id));
    let ends: Vec<anyhow::Result<()>> = stream::iter(due).buffer_unordered(AT_ONCE).collect().await;
    ends.into_iter().collect()
}

async fn deliver(desk: &Desk, id: JobId) -> anyhow::Result<()> {
    let Ok(_held) = desk.db.hold(DELIVERING + id.0, SHORT).await else { return Ok(()) };
    let Some(delivery) = webhook::delivery(desk, id).await? else { return Ok(()) };
    let how = send(&delivery).await;
    Ok(webhook::tried(desk, id, how).await?)
}

async fn send(delivery: &Delivery) -> Tried {
    let reach = match delivery.reach {
        Reach::Anywhere => wire::Reach::Anywhere,
        Reach::Public => wire::Reach::PublicOnly,
    };
    let http = Http { reach, patience: PATIENCE, most_bytes: MOST_BYTES, ..Http::default() };
    let fields = [
        ("x-lettercase-delivery", delivery.id.to_string()),
        ("x-lettercase-signature", delivery.signature.clone()),
    ];
    match http.post_json(&delivery.url, delivery.body.clone(), &fields).await {
        Ok(answer) => match answer.status {
            200..=299 => Tried::Taken,
            410 => Tried::Refused("it answered 410: nobody is there any more".into()),
            300..=399 => Tried::Later(format!("it answered {}: redirects are not followed", answer.status)),
            status => Tried::Later(format!("it answered {status}")),
        },
        Err(error) => Tried::Later(error.to_string()),
    }
}
