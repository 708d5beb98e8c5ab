//! How a sink fares: what all collectors of the host know of it, kept in the outbox.

use tidemark_point::Timestamp;

use crate::backoff;
use crate::policy::Later;

/// The state of a sink between deliveries.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Endpoint {
    /// Its row in the outbox.
    pub(crate) id: i64,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// It is left alone until then.
    pub(crate) not_before: Option<Timestamp>,
    /// What went wrong last.
    pub(crate) last_error: Option<String>,
    /// It refused gzip.
    pub(crate) plain: bool,
    /// Points that wait for it, when this was read.
    pub(crate) waiting: u64,
}

impl Endpoint {
    /// Until when it is left alone; none where it may be tried.
    pub(crate) fn backing_off(&self, now: Timestamp) -> Option<Timestamp> {
        self.not_before
            .filter(|_| !backoff::is_over(self.not_before, now))
    }

    /// It failed: it is left alone for as long as it asks, else for longer each time.
    pub(crate) fn failed(&mut self, later: &Later, now: Timestamp, random: u64) {
        self.failures = self.failures.saturating_add(1);
        let wait = later
            .retry_after
            .unwrap_or_else(|| backoff::delay(self.failures, random));
        self.not_before = Some(now.saturating_add(wait));
        self.last_error = Some(later.said.clone());
    }

    /// It took something. Whether that is news.
    pub(crate) fn recovered(&mut self) -> bool {
        let news = self.failures > 0 || self.not_before.is_some() || self.last_error.is_some();
        (self.failures, self.not_before, self.last_error) = (0, None, None);
        news
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn failures_make_the_wait_longer_and_success_ends_it() {
        let now = Timestamp::from_secs(1_000).unwrap();
        let mut endpoint = Endpoint::default();
        assert_eq!(endpoint.backing_off(now), None);
        endpoint.failed(&Later::new("refused"), now, 4_999_999_999);
        assert_eq!(
            endpoint.backing_off(now),
            Timestamp::from_nanos(1_004_999_999_999)
        );
        assert_eq!(
            endpoint.backing_off(now.saturating_add(Duration::from_secs(5))),
            None
        );
        endpoint.failed(
            &Later {
                retry_after: Some(Duration::from_secs(90)),
                ..Later::new("busy")
            },
            now,
            7,
        );
        assert_eq!(endpoint.backing_off(now), Timestamp::from_secs(1_090));
        // The clock was ahead when this was written.
        let earlier = now.saturating_sub(Duration::from_secs(4 * 3600));
        assert_eq!(endpoint.backing_off(earlier), None);
        assert!(endpoint.recovered() && !endpoint.recovered());
        assert_eq!(endpoint.backing_off(now), None);
    }
}
