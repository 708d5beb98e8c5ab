//! The sink that takes every batch and forgets it.

use std::time::Duration;

use super::Sink;
use crate::body::Payload;
use crate::policy::Outcome;

/// Takes all, keeps nothing.
#[derive(Debug)]
pub(crate) struct Discard;

impl Sink for Discard {
    fn takes_gzip(&self) -> bool {
        true
    }

    async fn send(&mut self, _: Payload, _: Duration) -> Outcome {
        Outcome::Stored
    }
}
