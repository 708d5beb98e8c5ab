//! What `up` says: a first screen, and a calm line for each run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tidemark_app::exit;
use tidemark_catalogue::Timing;
use tidemark_collect::http::redacted;
use tidemark_collect::{Clock, one_line};
use tidemark_delivery::{Delivery, OpenOptions, SinkLedger};
use tidemark_point::Timestamp;
use tidemark_settings::{Loaded, Settings, SinkKind, SinkSettings};

use super::Member;
use crate::catalogue::Catalogue;
use crate::list;
use crate::runs;
use crate::show;
use crate::table::{Align, Cell, Table};
use crate::wording::date_and_time;

/// The most runs of a collector that are told at once: those of a second, where one stays.
const RUNS_AT_ONCE: u32 = 20;

/// What runs, where the points go, and how to look.
pub(super) fn first_screen(catalogue: &Catalogue, loaded: &Loaded, state: &Path, config: &Path) -> String {
    let settings = &loaded.settings;
    let mut table = Table::new([
        ("COLLECTOR", Align::Left),
        ("EVERY", Align::Left),
        ("STARTED", Align::Left),
    ]);
    let mut example = None;
    for collector in &catalogue.collectors {
        let timing = Timing::of(collector, loaded);
        match &collector.description {
            Ok(_) => {
                if timing.enabled && show::takes(settings, &collector.name) {
                    example = example.or(Some(collector.name.as_str()));
                }
                let why = list::why(timing, collector, loaded);
                table.row([
                    Cell::from(collector.name.as_str()),
                    timing.interval.to_string().into(),
                    why.into(),
                ]);
            }
            Err(broken) => {
                table.row([Cell::from(collector.name.as_str()), "-".into(), "broken".into()]);
                table.note(&broken.to_string());
            }
        }
    }
    let sinks: Vec<String> = settings.sinks.iter().map(|sink| sink_text(sink, state)).collect();
    let switch_on = list::wanting_a_section(catalogue, loaded).map_or_else(String::new, |(section, _)| {
        let config = one_line(config.display());
        format!("Switch on     what is off by its section ({section}, say) in {config}\n")
    });
    let show = example.map_or_else(String::new, |name| {
        format!("              tidemark show {name}\n")
    });
    format!(
        "tidemark {} on {} (Ctrl-C ends it)\n\n{}\nPoints go to  {}\nLook with     tidemark status\n{show}{switch_on}\n",
        env!("CARGO_PKG_VERSION"),
        one_line(&settings.host.name),
        table.render(false),
        sinks.join("\n              "),
    )
}

/// A sink and where it is.
pub(crate) fn sink_text(sink: &SinkSettings, state: &Path) -> String {
    match &sink.kind {
        SinkKind::Influxdb(influxdb) => format!(
            "{} (influxdb, {}, {})",
            sink.name, influxdb.url, influxdb.database
        ),
        SinkKind::Influxdb2(influxdb2) => format!(
            "{} (influxdb2, {}, {} of {})",
            sink.name, influxdb2.url, influxdb2.bucket, influxdb2.org
        ),
        // Its query may hold what is not for everybody.
        SinkKind::RemoteWrite(remote_write) => {
            format!("{} (remote-write, {})", sink.name, redacted(&remote_write.url))
        }
        SinkKind::Textfile(textfile) => {
            format!("{} (textfile, {})", sink.name, textfile.directory.display())
        }
        SinkKind::Store => format!("{} ({})", sink.name, state.join("store.db").display()),
        kind => format!("{} ({})", sink.name, kind.name()),
    }
}

/// Tells of runs as they are recorded.
pub(super) struct Reporter {
    delivery: Delivery,
    clock: Arc<dyn Clock>,
    sinks: Vec<SinkSettings>,
    /// The newest run told, by collector.
    told: BTreeMap<String, Option<Timestamp>>,
    width: usize,
}

impl Reporter {
    /// Opens what is needed to read the runs; those that are recorded already are not told.
    pub(super) async fn open(options: OpenOptions, settings: &Settings, members: &[Member]) -> Self {
        let clock = Arc::clone(&options.clock);
        let mut delivery = Delivery::open(options).await;
        for notice in delivery.take_notices() {
            tracing::debug!("{notice}");
        }
        let mut told = BTreeMap::new();
        for member in members {
            let newest = match delivery.outbox() {
                Some(outbox) => outbox.runs(&member.name, 1).await.unwrap_or_default(),
                None => Vec::new(),
            };
            told.insert(member.name.clone(), newest.first().map(|run| run.started));
        }
        let width = members
            .iter()
            .map(|member| member.name.len())
            .max()
            .unwrap_or_default();
        Self {
            delivery,
            clock,
            sinks: settings.sinks.clone(),
            told,
            width,
        }
    }

    /// A line without a collector.
    pub(super) fn tell(&self, text: &str) {
        // Nobody reads it any more: the collectors go on.
        let _ = exit::print(format!("{}  {text}\n", date_and_time(self.clock.now())).as_bytes());
    }

    /// A line of a collector.
    pub(super) fn tell_of(&self, collector: &str, text: &str) {
        self.tell(&format!(
            "{collector:width$}  {}",
            one_line(text),
            width = self.width
        ));
    }

    /// Tells the runs that were recorded since the last look; the collectors that had any.
    pub(super) async fn tell_new_runs(&mut self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let Some(outbox) = self.delivery.outbox() else {
            return found;
        };
        let mut lines = Vec::new();
        let mut ledger: Option<Vec<SinkLedger>> = None;
        for (collector, told) in &mut self.told {
            let runs = match outbox.runs(collector, RUNS_AT_ONCE).await {
                Ok(runs) => runs,
                Err(error) => {
                    tracing::debug!("runs of {collector}: {error}");
                    continue;
                }
            };
            let mut new: Vec<_> = runs
                .into_iter()
                .take_while(|run| Some(run.started) != *told)
                .collect();
            let Some(newest) = new.first() else { continue };
            *told = Some(newest.started);
            new.reverse();
            if ledger.is_none() {
                ledger = Some(outbox.ledger().await.unwrap_or_default());
            }
            for run in new {
                lines.push((
                    collector.clone(),
                    runs::line(&run, &self.sinks, ledger.as_deref().unwrap_or_default()),
                ));
            }
            found.insert(collector.clone());
        }
        for (collector, line) in lines {
            self.tell_of(&collector, &line);
        }
        found
    }

    /// Whether something waits for a sink that could be tried now.
    pub(super) async fn something_waits(&self) -> bool {
        let Some(outbox) = self.delivery.outbox() else {
            return false;
        };
        let ledger = outbox.ledger().await.unwrap_or_default();
        let now = self.clock.now();
        let rests =
            |sink: &SinkLedger| sink.orphaned || sink.backoff_until.is_some_and(|until| until.since(now) > 0);
        ledger.iter().any(|sink| sink.waiting > 0 && !rests(sink))
    }

    /// Closes what was opened.
    pub(super) async fn close(self) {
        self.delivery.close().await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tidemark_settings::{LoadFrom, Places};

    use super::*;

    #[test]
    fn every_kind_of_sink_says_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tidemark.toml");
        let text = r#"
            [[sink]]
            type = "influxdb"
            url = "https://one:8086"
            database = "metrics"
            [[sink]]
            type = "influxdb2"
            url = "https://two:8086/prefix"
            org = "ours"
            bucket = "metrics"
            token = "s3cr3t-t0k3n"
            [[sink]]
            type = "remote-write"
            url = "https://prometheus/api/v1/write?key=s3cr3t"
            bearer_token = "s3cr3t-t0k3n"
            [[sink]]
            type = "textfile"
            directory = "/var/lib/prometheus/node-exporter"
            [[sink]]
            type = "store"
            [[sink]]
            type = "discard"
            name = "nowhere"
        "#;
        std::fs::write(&file, text).unwrap();
        let environment = BTreeMap::new();
        let places = Places::new(&environment, false, Some(file));
        let from = LoadFrom {
            places: &places,
            environment: &environment,
            hostname: "here".to_owned(),
            known_collectors: None,
        };
        let settings = Settings::load(&from).unwrap().settings;
        let texts = settings
            .sinks
            .iter()
            .map(|sink| sink_text(sink, Path::new("/state")));
        assert_eq!(
            texts.collect::<Vec<_>>(),
            [
                "influxdb (influxdb, https://one:8086/, metrics)",
                "influxdb2 (influxdb2, https://two:8086/prefix, metrics of ours)",
                "remote-write (remote-write, https://prometheus/api/v1/write?key=…)",
                "textfile (textfile, /var/lib/prometheus/node-exporter)",
                "store (/state/store.db)",
                "nowhere (discard)",
            ]
        );
    }
}
