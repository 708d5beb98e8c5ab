//! Rows with times of their own, which come again at each run, into a real Prometheus and a real VictoriaMetrics.

use std::collections::BTreeSet;

use tidemark_testkit::{Home, Prometheus, PrometheusOptions, VictoriaMetrics};

use super::world::World;
use crate::scene::{BOUND, Ledger, status};

const WITH_ROWS: [&str; 2] = ["britney", "ubuntu-archive"];

fn prometheus(out_of_order: Option<&str>) -> Prometheus {
    Prometheus::start(PrometheusOptions {
        remote_write: true,
        out_of_order_time_window: out_of_order.map(str::to_owned),
        ..PrometheusOptions::default()
    })
}

/// Two runs of each; gives what Prometheus holds of the rows, as `hours before: value`, and the ledger after each.
fn runs(server: &Prometheus) -> (BTreeSet<String>, [Ledger; 2]) {
    let world = World::new();
    let ledgers = two_runs(&world, &server.write_url());
    let mut rows = BTreeSet::new();
    for name in ["update_excuses_stats_total", "nbs_stats_total"] {
        for series in server.stored(name) {
            assert_eq!(series.labels["release"], "tenacious");
            for (time, value) in &series.samples {
                let before = (world.now.milliseconds() - time) / 3_600_000;
                let is_new = rows.insert(format!("{name} {before} h before: {value}"));
                assert!(is_new, "twice: {name} {time} {value}");
            }
        }
    }
    // What has no time of its own is there from both runs, however it went with the rows.
    let ages = server.stored("britney_last_run_age_run_age{release=\"noble\"}");
    assert_eq!(ages[0].samples.len(), 2);
    (rows, ledgers)
}

/// Two runs of each; gives the ledger after each.
fn two_runs(world: &World, url: &str) -> [Ledger; 2] {
    let home = Home::new();
    home.settings(&format!(
        "{}[[sink]]\nname = \"prometheus\"\ntype = \"remote-write\"\nurl = \"{url}\"\n",
        world.settings()
    ));
    [0, 1].map(|_| {
        for collector in WITH_ROWS {
            let run = home.run(&format!("tidemark-{collector}")).bound(BOUND);
            run.run().expect_code(0);
        }
        status(&home).sink("prometheus")
    })
}

#[test]
fn rows_that_come_again_are_stored_once_within_its_window() {
    let (rows, ledgers) = runs(&prometheus(Some("1d")));
    let due = [
        "nbs_stats_total 1 h before: 171",
        "nbs_stats_total 10 h before: 170",
        "update_excuses_stats_total 1 h before: 31",
        "update_excuses_stats_total 11 h before: 30",
    ];
    assert_eq!(rows, due.map(str::to_owned).into());
    for ledger in ledgers {
        assert_eq!((ledger.rejected, ledger.waiting, ledger.dropped), (0, 0, 0));
    }
}

/// What UPGRADING.md says of a Prometheus without a window.
#[test]
fn without_a_window_rows_are_refused_again_and_counted() {
    let (rows, [first, second]) = runs(&prometheus(None));
    assert!(
        !rows.contains("update_excuses_stats_total 11 h before: 30"),
        "{rows:?}"
    );
    assert!(first.rejected > 0, "{first:?}");
    assert!(second.rejected > first.rejected, "{second:?}");
    assert_eq!(
        (second.waiting, second.dropped),
        (0, 0),
        "nothing else is held up"
    );
}

/// What UPGRADING.md says of VictoriaMetrics.
#[test]
fn victoria_metrics_stores_rows_once_where_it_is_told_to() {
    for (arguments, times) in [(&[][..], 2), (&["-dedup.minScrapeInterval=1ms"], 1)] {
        let server = VictoriaMetrics::start_with(arguments);
        let world = World::new();
        for ledger in two_runs(&world, &format!("{}/api/v1/write", server.url())) {
            assert_eq!((ledger.rejected, ledger.waiting), (0, 0));
        }
        // Blocks that were written apart are read as one.
        let exported = server.export("nbs_stats_total");
        let mut rows: Vec<(i64, String)> = exported.into_iter().flat_map(|series| series.samples).collect();
        rows.sort_unstable();
        let row = |hours: i64, total: &str| (world.now.hours_ago(hours).milliseconds(), total.to_owned());
        let due = [row(10, "170"), row(1, "171")];
        let due: Vec<_> = due.into_iter().flat_map(|row| vec![row; times]).collect();
        assert_eq!(rows, due, "{arguments:?}");
    }
}
