//! A real node_exporter that serves a folder of textfiles.

use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;

use crate::http;
use crate::process::ServerProcess;

/// A running node_exporter with its textfile collector alone. It is killed when it is dropped.
///
/// The process dies with the thread that started it, so that nothing is left of a test that was killed.
pub struct NodeExporter {
    process: ServerProcess,
    port: u16,
    _log: TempDir,
}

impl NodeExporter {
    /// Starts one that serves the `*.prom` files of a folder.
    ///
    /// # Panics
    /// When node_exporter is not installed (the message names the package), or does not answer within two minutes.
    #[track_caller]
    pub fn start(textfiles: &Path) -> Self {
        let log = TempDir::with_prefix("tidemark-node-exporter-").expect("a temporary folder");
        let path = log.path().join("log");
        let package = "prometheus-node-exporter";
        let mut process = ServerProcess::new(package, package, path);
        let mut folder = OsString::from("--collector.textfile.directory=");
        folder.push(textfiles);
        let port = process.start_somewhere(
            |port| {
                let listen = format!("--web.listen-address=127.0.0.1:{port}");
                let others = ["--collector.disable-defaults", "--collector.textfile"];
                let mut arguments = vec![OsString::from(listen), folder.clone()];
                arguments.extend(others.map(OsString::from));
                arguments
            },
            |port| {
                let answer = http::Request::get(&format!("http://localhost:{port}/")).send();
                answer.is_ok_and(|answer| answer.status == 200)
            },
        );
        Self {
            process,
            port,
            _log: log,
        }
    }

    /// What a Prometheus names as its target: `localhost:PORT`.
    pub fn target(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Its page, in the Prometheus text format.
    ///
    /// # Panics
    /// When it does not answer with 200.
    #[track_caller]
    pub fn scrape(&self) -> String {
        let answer = http::get(&format!("http://{}/metrics", self.target()));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().to_owned()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::wait::wait_until;
    use crate::{Prometheus, PrometheusOptions};

    #[test]
    fn serves_a_file_and_refuses_one_with_times() {
        let folder = tempfile::tempdir().unwrap();
        let page = "# HELP a Help.\n# TYPE a gauge\na{b=\"c\"} 0.30000000000000004\n";
        fs::write(folder.path().join("a.prom"), page).unwrap();
        let server = NodeExporter::start(folder.path());
        let text = server.scrape();
        assert!(text.contains(page), "{text}");
        assert!(text.contains("node_textfile_scrape_error 0"), "{text}");
        fs::write(folder.path().join("b.prom"), "b 1 1000\n").unwrap();
        let text = server.scrape();
        assert!(text.contains("node_textfile_scrape_error 1"), "{text}");
        assert!(text.contains("a{b=\"c\"}") && !text.contains("\nb 1"), "{text}");
    }

    #[test]
    fn a_prometheus_scrapes_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.prom"), "a 5e-324\n").unwrap();
        let server = NodeExporter::start(folder.path());
        let prometheus = Prometheus::start(PrometheusOptions {
            targets: vec![server.target()],
            ..PrometheusOptions::default()
        });
        let mut found = Vec::new();
        wait_until("a scrape", std::time::Duration::from_secs(60), || {
            found = prometheus.query("a", None);
            !found.is_empty()
        });
        let value: f64 = found[0].samples[0].1.parse().unwrap();
        assert_eq!(value.to_bits(), 1, "{found:?}");
        assert_eq!(found[0].label("instance"), server.target());
    }
}
