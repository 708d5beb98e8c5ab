//! The ledger, as `tidemark status --json` tells it.

use serde_json::Value;
use tidemark_testkit::Home;

use super::BOUND;

/// `tidemark status --json`.
#[derive(Debug)]
pub(crate) struct Status(pub(crate) Value);

/// One sink's line of the ledger, in points.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) collected: u64,
    pub(crate) delivered: u64,
    pub(crate) waiting: u64,
    pub(crate) rejected: u64,
    pub(crate) dropped: u64,
    pub(crate) superseded: u64,
    /// RFC 3339.
    pub(crate) backoff_until: Option<String>,
    pub(crate) last_error: Option<String>,
}

/// Asks for it.
#[track_caller]
pub(crate) fn status(home: &Home) -> Status {
    let ended = home
        .run("tidemark")
        .args(["status", "--json"])
        .bound(BOUND)
        .run()
        .expect_code(0);
    let value = serde_json::from_str(&ended.stdout);
    Status(value.unwrap_or_else(|why| panic!("status --json: {why}: {}", ended.stdout)))
}

impl Status {
    /// A collector's entry.
    #[track_caller]
    pub(crate) fn collector(&self, name: &str) -> &Value {
        let found = self.0["collectors"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("no collector {name} in {}", self.0))
    }

    /// A sink's line; it must add up.
    #[track_caller]
    pub(crate) fn sink(&self, name: &str) -> Ledger {
        let found = self.0["sinks"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|entry| entry["name"] == name);
        let entry = found.unwrap_or_else(|| panic!("no sink {name} in {}", self.0));
        let number = |key: &str| {
            entry[key]
                .as_u64()
                .unwrap_or_else(|| panic!("sink {name}: {key} is {}", entry[key]))
        };
        let text = |key: &str| entry[key].as_str().map(str::to_owned);
        let ledger = Ledger {
            collected: number("collected"),
            delivered: number("delivered"),
            waiting: number("waiting"),
            rejected: number("rejected"),
            dropped: number("dropped"),
            superseded: number("superseded"),
            backoff_until: text("backoff_until"),
            last_error: text("last_error"),
        };
        let sum = ledger.delivered + ledger.waiting + ledger.rejected + ledger.dropped + ledger.superseded;
        assert_eq!(
            ledger.collected, sum,
            "the ledger of {name} must add up: {ledger:?}"
        );
        ledger
    }
}

impl Ledger {
    /// Collected, delivered, waiting, rejected; nothing may be dropped.
    #[track_caller]
    pub(crate) fn figures(&self) -> (u64, u64, u64, u64) {
        assert_eq!((self.dropped, self.superseded), (0, 0), "{self:?}");
        (self.collected, self.delivered, self.waiting, self.rejected)
    }

    /// What went wrong last, in lower case.
    pub(crate) fn said(&self) -> String {
        self.last_error.clone().unwrap_or_default().to_lowercase()
    }
}
