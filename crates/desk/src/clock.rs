//! The one place where the time is read.

use model::Time;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clock, or one that a test moves by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock { fixed: None }
    }

    /// A clock that stands still until [`Clock::advance_s`] moves it.
    pub fn fixed(at: Time) -> Clock {
        Clock { fixed: Some(Arc::new(AtomicI64::new(at.0))) }
    }

    /// This moment.
    pub fn now(&self) -> Time {
        match &self.fixed {
            Some(at) => Time(at.load(Ordering::Relaxed)),
            None => system_now(),
        }
    }

    /// Moves a fixed clock; the system's clock does not listen.
    pub fn advance_s(&self, seconds: i64) {
        if let Some(at) = &self.fixed {
            at.fetch_add(seconds.saturating_mul(1_000_000), Ordering::Relaxed);
        }
    }
}

fn system_now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Time(since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
}
