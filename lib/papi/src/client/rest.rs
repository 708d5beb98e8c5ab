//! When something is asked again, and why not before.

use tidemark_collect::{Timestamp, chain};

use super::answer::Purpose;
use super::random;
use crate::{ApiError, Backoff, Trouble};

/// When it is asked again, and what it failed for.
#[derive(Default)]
pub(super) struct Rest {
    backoff: Backoff,
    failure: Option<Failure>,
}

struct Failure {
    of: Purpose,
    trouble: Trouble,
    said: String,
}

impl Rest {
    /// The step that a request which begins now belongs to.
    ///
    /// # Errors
    /// Where it rests: the trouble, the words of the failure, and until when.
    pub(super) fn may_ask(&self, now: Timestamp) -> Result<u64, (Trouble, String, Timestamp)> {
        match (self.backoff.rests(now), &self.failure) {
            (Some(until), Some(failure)) => Err((failure.trouble, failure.said.clone(), until)),
            _ => Ok(self.backoff.step()),
        }
    }

    pub(super) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.backoff.rests(now)
    }

    /// A request of that step has failed. Until when it rests now.
    pub(super) fn failed(
        &mut self,
        step: u64,
        of: Purpose,
        trouble: Trouble,
        now: Timestamp,
        error: &ApiError,
    ) -> Option<Timestamp> {
        if self
            .backoff
            .failed(step, trouble, now, error.retry_after(), random())
        {
            let said = chain(error);
            self.failure = Some(Failure { of, trouble, said });
        }
        self.backoff.rests(now)
    }

    /// A request of that step has succeeded. What another kind of request failed for may be there still.
    pub(super) fn succeeded(&mut self, step: u64, purpose: Purpose, now: Timestamp) {
        if self
            .failure
            .as_ref()
            .is_none_or(|failure| purpose.makes_up_for(failure.of))
        {
            self.backoff.succeeded(step, now);
        }
    }

    /// It may be asked at once.
    pub(super) fn forget(&mut self) {
        self.backoff.forget();
        self.failure = None;
    }
}
