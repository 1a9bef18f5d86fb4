//! Connections to one server, of which every provider allows only so many.
//!
//! A mailbox holds a place from signing in to the end of its visit, idle or not. Where there are more
//! mailboxes than places, whoever waits asks one that idles to give way; from then on they share the
//! places by coming and going.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The places of all servers.
pub(crate) struct Places {
    most: usize,
    servers: Mutex<HashMap<(String, u16), Arc<Server>>>,
}

struct Server {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Somebody waits: one of those that idle may go.
    wanted: Notify,
}

/// A place at a server; free again when it is dropped.
pub(crate) struct Place {
    server: Arc<Server>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many places at each server, one at least.
    pub(crate) fn new(most: usize) -> Places {
        Places { most: most.max(1), servers: Mutex::default() }
    }

    /// Waits for a place, in the order of asking.
    pub(crate) async fn enter(&self, host: &str, port: u16) -> Place {
        let server = self.server(host, port);
        let permit = match server.free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _waits = Waits::begin(&server);
                server.wanted.notify_one();
                server.free.clone().acquire_owned().await.expect("the semaphore is never closed")
            }
        };
        Place { server, _permit: permit }
    }

    fn server(&self, host: &str, port: u16) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let free = Arc::new(Semaphore::new(self.most));
            Arc::new(Server { free, waiting: AtomicUsize::new(0), wanted: Notify::new() })
        };
        servers.entry((host.to_ascii_lowercase(), port)).or_insert_with(new).clone()
    }
}

impl Place {
    /// Whether somebody waits for a place at this server.
    pub(crate) fn is_wanted(&self) -> bool {
        self.server.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until somebody wants this one.
    pub(crate) async fn wanted(&self) {
        loop {
            self.server.wanted.notified().await;
            // Who asked may have found another one.
            if self.is_wanted() {
                return;
            }
        }
    }
}

/// One that waits, also if it stops waiting half way.
struct Waits<'a>(&'a Server);

impl<'a> Waits<'a> {
    fn begin(server: &'a Server) -> Waits<'a> {
        server.waiting.fetch_add(1, Ordering::Relaxed);
        Waits(server)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a14_who_idles_gives_way_to_who_waits() {
        let places = Arc::new(Places::new(1));
        let first = places.enter("mail.example", 993).await;
        let _elsewhere = places.enter("other.example", 993).await;
        assert!(!first.is_wanted());
        let second = tokio::spawn({
            let places = places.clone();
            async move { drop(places.enter("MAIL.example", 993).await) }
        });
        first.wanted().await;
        assert!(first.is_wanted());
        drop(first);
        second.await.unwrap();
        assert!(!places.enter("mail.example", 993).await.is_wanted());
    }
}
