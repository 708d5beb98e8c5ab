//! Rows with times of their own, which come again at each run, into a real Prometheus.

use std::collections::BTreeSet;

use tidemark_testkit::{Home, Prometheus, PrometheusOptions};

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
    let (home, world) = (Home::new(), World::new());
    home.settings(&format!(
        "{}[[sink]]\nname = \"prometheus\"\ntype = \"remote-write\"\nurl = \"{}\"\n",
        world.settings(),
        server.write_url()
    ));
    let ledgers = [0, 1].map(|_| {
        for collector in WITH_ROWS {
            let run = home.run(&format!("tidemark-{collector}")).bound(BOUND);
            run.run().expect_code(0);
        }
        status(&home).sink("prometheus")
    });
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
