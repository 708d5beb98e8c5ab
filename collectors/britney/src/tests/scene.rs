//! A server with britney's documents, and a run of the collector against it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::{Batch, ManualClock, Strictness, line, run_once};
use tidemark_testkit::{Answer, Source};

use crate::*;

/// 2026-11-21 07:00.
const NOW: i64 = 1_795_244_400;

pub(super) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Everything below a folder, as paths below it.
fn files(folder: &Path, below: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

/// A server with these paths, below `/proposed-migration/`.
pub(super) struct Scene {
    pub(super) source: Source,
    pub(super) metric: Britney,
    now: Timestamp,
}

impl Scene {
    pub(super) fn new(series: &[&str]) -> Self {
        let source = Source::http();
        let metric = Britney {
            url: source.url("/proposed-migration").parse().unwrap(),
            series: series.iter().map(|&series| series.to_owned()).collect(),
            development: Some("tenacious".to_owned()),
            distro_info: "/ubuntu.csv".to_owned(),
        };
        let now = Timestamp::from_secs(NOW).unwrap();
        let scene = Self { source, metric, now };
        scene.route(
            EXCUSES,
            Answer::ok(
                "time,valid candidates,not considered,total,median age,backlog\n1795242600000,1,2,3,4,5\n",
            ),
        );
        scene.route(BY_TEAM, Answer::ok("desktop-packages: [{age: 4.5}]\n"));
        scene
    }

    /// One with the recorded documents, which finds out the series.
    pub(super) fn recorded(change: impl Fn(Answer) -> Answer) -> Self {
        let mut scene = Self::new(&[]);
        scene.metric.development = None;
        let mut names = Vec::new();
        files(&fixtures(), "", &mut names);
        for name in names {
            let answer = Answer::ok(std::fs::read(fixtures().join(&name)).unwrap());
            let path = match name.strip_suffix("index.html") {
                Some(folder) => folder.to_owned(),
                // Files have dots where logs have colons.
                None if name.starts_with("log/") => {
                    let (folder, log) = name.rsplit_once('/').unwrap();
                    format!("{folder}/{}{}", log[..8].replace('.', ":"), &log[8..])
                }
                None => name,
            };
            scene.route(
                &path,
                if path.ends_with(".log") {
                    change(answer)
                } else {
                    answer.gzip()
                },
            );
        }
        scene
    }

    pub(super) fn route(&self, path: &str, answer: Answer) {
        self.source.route(&format!("/proposed-migration/{path}"), answer);
    }

    /// The page of a series that was made then.
    pub(super) fn page(&self, series: &str, generated: &str) {
        let page = format!("<html>\n<p>Generated: {generated} +0000</p>\n<ul></ul></html>\n");
        self.route(&format!("{series}/update_excuses.html"), Answer::ok(page));
    }

    /// The listing of a day's folder, and its logs.
    pub(super) fn logs(&self, series: &str, day: &str, logs: &[(&str, &str)]) {
        let rows: String = logs
            .iter()
            .map(|(name, _)| format!("<li><a href=\"./{name}\">{name}</a></li>\n"))
            .collect();
        self.route(
            &format!("log/{series}/{day}/"),
            Answer::ok(format!("<ul>\n{rows}</ul>\n")),
        );
        for (name, log) in logs {
            self.route(&format!("log/{series}/{day}/{name}"), Answer::ok(log).by_range());
        }
    }

    /// The paths that were asked for, below `/proposed-migration/`, sorted.
    pub(super) fn asked(&self) -> Vec<String> {
        let requests = self.source.requests().into_iter();
        let mut paths: Vec<String> = requests
            .map(|request| request.path["/proposed-migration/".len()..].to_owned())
            .collect();
        paths.sort_unstable();
        paths
    }

    pub(super) fn run(&self) -> Batch {
        self.run_within(Duration::from_secs(60))
    }

    pub(super) fn run_within(&self, deadline: Duration) -> Batch {
        self.run_on(&fixtures(), deadline)
    }

    /// A run on a host with these files.
    pub(super) fn run_below(&self, files: &[(&str, &str)]) -> Batch {
        let host = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(host.path().join(name), text).unwrap();
        }
        self.run_on(host.path(), Duration::from_secs(60))
    }

    fn run_on(&self, host: &Path, deadline: Duration) -> Batch {
        let cx = Context::builder()
            .metric::<Britney>()
            .clock(ManualClock::new(self.now))
            .host_root(host)
            .deadline(deadline)
            .strictness(Strictness::Strict)
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run_once(&self.metric, &cx))
    }

    /// One run at that time; the lines of the last runs, without their times.
    pub(super) fn last_runs(&mut self, now: &str) -> (Vec<String>, Batch) {
        self.now = now.parse().unwrap();
        let batch = self.run();
        assert_eq!(batch.error, None);
        let lines = text(&batch);
        let lines = lines.lines().filter(|line| line.starts_with("britney"));
        (
            lines
                .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
                .collect(),
            batch,
        )
    }
}

pub(super) fn text(batch: &Batch) -> String {
    String::from_utf8(line::write(&batch.points, line::Dialect::V1)).unwrap()
}

pub(super) fn age(series: &str, hours: i64) -> String {
    format!("britney_last_run_age,release={series} run_age={hours}i")
}

pub(super) fn took(series: &str, minutes: i64) -> String {
    format!("britney_last_run_duration,release={series} run_duration={minutes}i")
}
