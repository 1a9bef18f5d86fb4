//! Live events: the feed of changes as a stream (server-sent events, HTML standard section 9.2).
//!
//! Each event has the id of its change, so a browser that was cut off resumes by `Last-Event-ID` and
//! misses nothing. Who may see a change is asked of the database for every batch, and the listener's
//! own rights are read again after every change of people and every [`REFRESH`]: somebody who loses a
//! right stops hearing, somebody whose session ended is cut off. A connection waits on the database's signal and asks nothing meanwhile.

use super::changes::{ChangeRow, listener};
use crate::App;
use crate::extract::Who;
use crate::guard::Signed;
use crate::problem::Problem;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use desk::may::Actor;
use desk::sign_in::{self, Session};
use futures_util::stream::{self, Stream};
use model::{ChangeId, UserId};
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::changes::{self, ChangeKind, Listener};
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;

/// Connections of one user.
const MOST_PER_USER: usize = 20;
/// Connections in all.
const MOST: usize = 2_000;
/// Changes read at a time.
const BATCH: usize = 100;
/// A comment keeps proxies from cutting a silent connection.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// The listener's rights are read again so often.
const REFRESH: Duration = Duration::from_secs(30);
/// Whoever was away for more changes than this starts anew instead of hearing them all.
const FURTHEST_BACK: i64 = 5_000;

/// Open connections per user.
#[derive(Clone, Default)]
pub struct Listeners(Arc<Mutex<HashMap<UserId, usize>>>);

impl Listeners {
    fn enter(&self, user: UserId) -> Option<Seat> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= MOST || open.get(&user).is_some_and(|n| *n >= MOST_PER_USER) {
            return None;
        }
        *open.entry(user).or_default() += 1;
        Some(Seat { listeners: self.clone(), user })
    }
}

/// One connection; leaves the count when dropped.
struct Seat {
    listeners: Listeners,
    user: UserId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.listeners.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
        }
        open.retain(|_, count| *count > 0);
    }
}

/// The first event: where the feed stands. Whoever was away too long reads everything anew.
#[derive(Serialize, ToSchema)]
pub struct Hello {
    change_id: i64,
    /// Changes were left out: what was kept in memory is old.
    missed: bool,
}

/// The data of one event.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum LiveEvent {
    /// Of the event `hello`.
    Hello(Hello),
    /// Of the event `change`.
    Change(ChangeRow),
}

/// Events `hello` (`Hello`) and `change` (`ChangeRow`), as they happen
#[utoipa::path(get, path = "/api/v1/events", params(("Last-Event-ID" = Option<i64>, Header, description = "Resume after this change.")),
    responses((status = 200, description = "A stream of server-sent events; the data of each is JSON.",
        body = LiveEvent, content_type = "text/event-stream")))]
pub async fn follow_events(
    State(app): State<App>,
    Who(actor): Who,
    signed: Option<Extension<Signed>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seat = app.listeners.enter(actor.person()?).ok_or_else(|| {
        let detail = "Too many live connections are open. Close some windows.";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_listeners", detail).retry_after(30)
    })?;
    // Watched before the feed is read, so that nothing falls between.
    let signal = app.desk.db.changes_signal();
    let last = changes::last(&mut &app.desk.db).await?;
    let from = last_event_id(&headers).map(ChangeId);
    let near = from.filter(|from| from.0 <= last.0 && last.0 - from.0 <= FURTHEST_BACK);
    let missed = from.is_some() && near.is_none();
    let at = near.unwrap_or(last);
    let first = event("hello", at.0, &LiveEvent::Hello(Hello { change_id: at.0, missed }));
    let feed = Feed {
        listener: listener(&actor),
        session: signed.map(|Extension(Signed(session))| session),
        user: seat.user,
        ready: VecDeque::from([first]),
        at,
        signal,
        refreshed: Instant::now(),
        stale: false,
        app,
        _seat: seat,
    };
    let stream = Sse::new(events(feed)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let mut response = stream.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies of the nginx kind would otherwise hold the events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok().filter(|id| *id >= 0)
}

fn event(name: &str, id: i64, data: &LiveEvent) -> Event {
    let data = serde_json::to_string(data).expect("plain data with text keys is JSON");
    Event::default().event(name).id(id.to_string()).data(data)
}

/// One listener's place in the feed.
struct Feed {
    app: App,
    user: UserId,
    session: Option<Session>,
    listener: Listener,
    at: ChangeId,
    ready: VecDeque<Event>,
    signal: watch::Receiver<u64>,
    refreshed: Instant,
    /// Somebody's rights have changed since.
    stale: bool,
    _seat: Seat,
}

fn events(feed: Feed) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(feed, |mut feed| async move {
        loop {
            if let Some(event) = feed.ready.pop_front() {
                return Some((Ok(event), feed));
            }
            // An error ends the stream; the browser comes back by itself and resumes.
            if let Err(error) = feed.advance().await? {
                tracing::warn!(error = format!("{error:#}"), "live events cut off");
                return None;
            }
        }
    })
}

impl Feed {
    /// Reads what is new; where there is nothing, waits. `None`: the stream is over.
    async fn advance(&mut self) -> Option<anyhow::Result<()>> {
        if self.stale || self.refreshed.elapsed() >= REFRESH {
            match self.refresh().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        self.signal.borrow_and_update();
        let read = changes::after(&mut &self.app.desk.db, &self.listener, self.at, BATCH).await;
        let (mut rows, mut at) = match read {
            Ok(read) => read,
            Err(error) => return Some(Err(error.into())),
        };
        // What comes after a change of people is read anew, with the rights they have by then.
        if let Some(end) = rows.iter().position(|row| row.kind == ChangeKind::User) {
            at = rows[end].id;
            rows.truncate(end + 1);
            self.stale = true;
        }
        let idle = rows.is_empty() && at == self.at;
        self.at = at;
        let rows = rows.into_iter().map(|row| event("change", row.id.0, &LiveEvent::Change(row.into())));
        self.ready.extend(rows);
        if !idle {
            return Some(Ok(()));
        }
        tokio::select! {
            changed = self.signal.changed() => changed.is_ok().then_some(Ok(())),
            () = tokio::time::sleep_until(self.refreshed + REFRESH) => Some(Ok(())),
            () = self.app.closing.cancelled() => None,
        }
    }

    /// Reads the listener's rights again; false where they may listen no longer.
    async fn refresh(&mut self) -> anyhow::Result<bool> {
        self.refreshed = Instant::now();
        self.stale = false;
        if let Some(session) = &self.session
            && !sign_in::still_signed_in(&self.app.desk, session).await?
        {
            return Ok(false);
        }
        let actor: Option<Actor> = sign_in::actor(&self.app.desk.db, self.user).await?;
        let Some(actor) = actor else { return Ok(false) };
        self.listener = listener(&actor);
        Ok(true)
    }
}
