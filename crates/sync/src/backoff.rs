//! How long to wait after a failure: longer each time, and never all mailboxes at the same moment.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure: 5 s, doubled each time up to 5 minutes, and a random part
    /// (`jitter` is any random byte) of up to a quarter on top.
    pub fn after_failure(&mut self, jitter: u8) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait + wait.mul_f64(f64::from(jitter) / 255.0 / 4.0)
    }

    /// All is well again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.after_failure(0).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        backoff.succeeded();
        assert_eq!(backoff.after_failure(255).as_millis(), 6250);
    }
}
