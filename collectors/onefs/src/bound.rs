//! How long a visit to a cluster may take.

use std::fmt;
use std::time::Duration;

use tidemark_collect::{CollectorError, Shutdown};
use tidemark_papi::ApiError;
use tokio::time::Instant;

/// How long a request that is under way may still take once the program was told to end.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// Until when one visit to a cluster may take, and what ends it before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<'a> {
    until: Instant,
    shutdown: &'a Shutdown,
}

/// Why a request of a visit has no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// What the cluster said, or did not.
    Api(ApiError),
    /// The visit's time was over.
    Late,
    /// The program was told to end.
    Stopped,
}

impl<'a> Bound<'a> {
    pub(crate) fn new(until: Instant, shutdown: &'a Shutdown) -> Self {
        Self { until, shutdown }
    }

    /// The same, that ends so much from now at the latest.
    pub(crate) fn within(&self, time: Duration) -> Self {
        Self {
            until: self.until.min(Instant::now() + time),
            ..*self
        }
    }

    /// Whether its time is over.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// What `ask` gives, where it does so in time. What is under way when the program is told to end has [`GRACE`]; what
    /// would begin after that does not.
    pub(crate) async fn hold<T>(
        &self,
        ask: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, Unanswered> {
        if self.shutdown.is_fired() {
            return Err(Unanswered::Stopped);
        }
        if self.is_over() {
            return Err(Unanswered::Late);
        }
        let stopped = async {
            self.shutdown.fired().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            answer = tokio::time::timeout_at(self.until, ask) => match answer {
                Ok(answer) => answer.map_err(Unanswered::Api),
                Err(_) => Err(Unanswered::Late),
            },
            () = stopped => Err(Unanswered::Stopped),
        }
    }
}

impl Unanswered {
    /// Whether asking for something else is in vain now.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            // A summary that rests alone has none.
            Self::Api(error) => error.trouble().is_some(),
            Self::Late | Self::Stopped => true,
        }
    }
}

impl From<Unanswered> for CollectorError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Stopped => Self::Stopped,
            unanswered => Self::other(unanswered),
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => f.write_str(&tidemark_collect::chain(error)),
            Self::Late => f.write_str("no time was left for it"),
            Self::Stopped => f.write_str("the program was told to end before it was asked for"),
        }
    }
}
