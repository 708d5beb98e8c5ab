//! What `--describe` prints.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use tidemark_collect::{
    CollectorError, Context, DefaultState, Description, Measurement, Metric, Needs, Points, Schema, Settings,
    Span,
};

/// Uploads that wait for a sponsor.
#[derive(Measurement)]
#[measurement("sponsoring_queue_stats")]
struct Queue {
    /// The report that counts them.
    #[tag]
    report: String,
    /// Uploads in the queue.
    count: i64,
    /// Age of the oldest.
    #[unit("d")]
    oldest: Option<i64>,
    /// Uploads ever.
    #[counter]
    total: u64,
}

/// The queue of uploads that need a sponsor.
#[derive(Settings)]
struct Sponsoring {
    /// The report's address.
    #[default("http://reports.example/general.json")]
    #[expect(dead_code, reason = "described, not read")]
    url: tidemark_collect::http::Url,
    /// The longest list.
    #[expect(dead_code, reason = "described, not read")]
    limit: Option<u64>,
}

impl Metric for Sponsoring {
    const NAME: &'static str = "sponsoring";
    const RUN_INTERVAL: Span = Span::minutes(60);
    const DEFAULT: DefaultState = DefaultState::Off;
    const NEEDS: Needs = Needs {
        network: true,
        listens: false,
        programs: &["rsync"],
        paths: &["/proc"],
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[Queue::SCHEMA];

    async fn collect(&self, _cx: &Context) -> Result<Points, CollectorError> {
        Ok(Points::new())
    }
}

#[test]
fn it_has_exactly_the_keys_of_the_contract() {
    let json: serde_json::Value =
        serde_json::from_str(&Description::of::<Sponsoring>().to_json().unwrap()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "name": "sponsoring",
            "summary": "The queue of uploads that need a sponsor.",
            "version": env!("CARGO_PKG_VERSION"),
            "run_interval": "1h",
            "deadline": "10m",
            "default": "off",
            "needs": {"network": true, "programs": ["rsync"], "paths": ["/proc"]},
            "measurements": [{
                "name": "sponsoring_queue_stats",
                "help": "Uploads that wait for a sponsor.",
                "tags": [{"name": "report", "help": "The report that counts them."}],
                "fields": [
                    {"name": "count", "type": "int", "kind": "gauge", "unit": null, "help": "Uploads in the queue."},
                    {"name": "oldest", "type": "int", "kind": "gauge", "unit": "d", "help": "Age of the oldest."},
                    {"name": "total", "type": "uint", "kind": "counter", "unit": null, "help": "Uploads ever."},
                ],
            }],
            "settings": [
                {
                    "name": "url",
                    "type": json["settings"][0]["type"],
                    "default": json["settings"][0]["default"],
                    "help": "The report's address.",
                },
                {
                    "name": "limit",
                    "type": json["settings"][1]["type"],
                    "default": null,
                    "help": "The longest list.",
                },
            ],
        })
    );
    let default = json["settings"][0]["default"].as_str().unwrap();
    assert!(
        default.contains("http://reports.example/general.json"),
        "{default}"
    );
    for setting in 0..2 {
        assert!(
            json["settings"][setting]["type"]
                .as_str()
                .is_some_and(|name| !name.is_empty())
        );
    }
}

#[test]
fn it_reads_back_what_it_wrote_and_passes_over_what_it_does_not_know() {
    let written = Description::of::<Sponsoring>();
    let text = written.to_json().unwrap().replacen('{', "{\"later\": [1],", 1);
    assert_eq!(serde_json::from_str::<Description>(&text).unwrap(), written);
}

/// A page of metrics.
#[derive(Settings)]
struct Scrape {}

impl Metric for Scrape {
    const NAME: &'static str = "scrape";
    const MEASUREMENTS: &'static [&'static Schema] = &[];
    const RULE: Option<&'static str> = Some("one measurement a family of the page");

    async fn collect(&self, _cx: &Context) -> Result<Points, CollectorError> {
        Ok(Points::new())
    }
}

#[test]
fn names_that_come_from_the_source_are_declared_by_rule() {
    let json: serde_json::Value =
        serde_json::from_str(&Description::of::<Scrape>().to_json().unwrap()).unwrap();
    assert_eq!(json["dynamic"], true);
    assert_eq!(json["rule"], "one measurement a family of the page");
    let again: Description = serde_json::from_value(json).unwrap();
    assert_eq!(again, Description::of::<Scrape>());
}
