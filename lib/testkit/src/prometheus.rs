//! A real Prometheus on a free port.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::http::{self, escape};
use crate::process::ServerProcess;

/// Who may ask and write where a server has a user.
const USER: (&str, &str) = ("metrics", "push it");
/// That password by bcrypt, at its lowest cost.
const PASSWORD_HASH: &str = "$2b$04$xxWi/ul7BcVWsbqU0Goz2Om8ohd5GRm.KL0jE0iaZMog/Stel5rQK";

/// What a server is to be.
#[derive(Clone, Debug, Default)]
pub struct PrometheusOptions {
    /// It takes remote writes at `/api/v1/write`; without it that path answers 404.
    pub remote_write: bool,
    /// It is reached over HTTPS, with a certificate of [`Certificates::authority`].
    pub tls: bool,
    /// It asks for a user and a password ([`Prometheus::user`]), everywhere.
    pub user: bool,
    /// Rule files, read where they lie and evaluated every second.
    pub rules: Vec<PathBuf>,
    /// What it scrapes every second, as `localhost:PORT`, at `/metrics`.
    pub targets: Vec<String>,
    /// What it scrapes beside them: entries of `scrape_configs`, as they stand in its settings, from the first column on.
    pub scrape_configs: String,
    /// How far back it takes samples that are older than a series' newest: `1d`. Without it, it takes none.
    pub out_of_order_time_window: Option<String>,
}

/// A running Prometheus with its data in a temporary folder. It is killed, and the folder goes, when it is dropped.
///
/// The process dies with the thread that started it, so that nothing is left of a test that was killed.
pub struct Prometheus {
    // Before the folder: the process ends first.
    process: ServerProcess,
    folder: TempDir,
    options: PrometheusOptions,
    certificates: Option<Certificates>,
    port: u16,
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Its labels, `__name__` among them where the answer has it.
    pub labels: BTreeMap<String, String>,
    /// Its samples: milliseconds since the epoch, and the value's own text: `0.30000000000000004`, `NaN`, `+Inf`.
    pub samples: Vec<(i64, String)>,
}

/// An alert of a rule file that is pending or fires.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Alert {
    /// Its labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// What it tells a person, by the annotation's name.
    pub annotations: BTreeMap<String, String>,
    /// `pending` or `firing`.
    pub state: String,
}

impl Prometheus {
    /// Starts one.
    ///
    /// # Panics
    /// When Prometheus is not installed (the message names the package), or is not ready within two minutes.
    #[track_caller]
    pub fn start(options: PrometheusOptions) -> Self {
        let folder = TempDir::with_prefix("tidemark-prometheus-").expect("a temporary folder");
        let mut server = Self {
            process: ServerProcess::new("prometheus", "prometheus", folder.path().join("log")),
            folder,
            certificates: options.tls.then(Certificates::new),
            options,
            port: 0,
        };
        let folder = server.folder.path();
        write(&folder.join("prometheus.yml"), &settings(&server.options));
        write(
            &folder.join("web.yml"),
            &web_settings(&server.options, server.certificates.as_ref()),
        );
        server.port = server.process.start_somewhere(
            |port| arguments(folder, &server.options, port),
            |port| is_ready(&server.options, server.certificates.as_ref(), port),
        );
        server
    }

    /// Starts it again, on the same port and data. Nothing where it runs.
    ///
    /// # Panics
    /// When it is not ready within two minutes.
    #[track_caller]
    pub fn restart(&mut self) {
        let arguments = arguments(self.folder.path(), &self.options, self.port);
        self.process.restart(&arguments, self.port, || {
            is_ready(&self.options, self.certificates.as_ref(), self.port)
        });
    }

    /// Ends it in good order (SIGTERM). Nothing where it does not run.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Kills it (SIGKILL). Nothing where it does not run.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Its address, at `localhost`, without a path.
    pub fn url(&self) -> String {
        address(&self.options, self.port)
    }

    /// Where remote writes go.
    pub fn write_url(&self) -> String {
        format!("{}/api/v1/write", self.url())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user and the password that it asks for.
    pub fn user(&self) -> Option<(&str, &str)> {
        self.options.user.then_some(USER)
    }

    /// The certificate that a client names as `ca_file`.
    ///
    /// # Panics
    /// When it has no TLS.
    pub fn ca_file(&self) -> &Path {
        self.certificates.as_ref().expect("a server with TLS").authority()
    }

    /// Its log so far: warnings and errors.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// A request of its interface, as the user where it has one.
    pub fn request(&self, path: &str) -> http::Request<'_> {
        request(&self.options, self.certificates.as_ref(), self.port, path)
    }

    /// The answer to an expression as of that time in milliseconds, or of now: one sample a series of an instant vector,
    /// each of a range vector.
    ///
    /// # Panics
    /// When the server says that something is wrong.
    #[track_caller]
    pub fn query(&self, expression: &str, at: Option<i64>) -> Vec<Samples> {
        let time = at.map_or(String::new(), |at| format!("&time={}", seconds(at)));
        let data = self.ask(&format!("/api/v1/query?query={}{time}", escape(expression)));
        read_samples(&data).unwrap_or_else(|why| panic!("{expression}: {why}: {data}"))
    }

    /// The answer to an expression at each step of a time range, all in milliseconds.
    ///
    /// # Panics
    /// When the server says that something is wrong.
    #[track_caller]
    pub fn query_range(&self, expression: &str, from: i64, to: i64, step: i64) -> Vec<Samples> {
        let [from, to, step] = [from, to, step].map(seconds);
        let query = escape(expression);
        let data = self.ask(&format!(
            "/api/v1/query_range?query={query}&start={from}&end={to}&step={step}"
        ));
        read_samples(&data).unwrap_or_else(|why| panic!("{expression}: {why}: {data}"))
    }

    /// Every sample of the series that a selector names (`{__name__=~".+"}`: of all), with the times that it was given.
    #[track_caller]
    pub fn stored(&self, selector: &str) -> Vec<Samples> {
        // An hour ahead of now too, for clocks that go ahead.
        self.query(&format!("{selector}[100y] offset -1h"), None)
    }

    /// The alerts that are pending or fire.
    #[track_caller]
    pub fn alerts(&self) -> Vec<Alert> {
        #[derive(Deserialize)]
        struct Alerts {
            alerts: Vec<Alert>,
        }
        let data = self.ask("/api/v1/alerts");
        let alerts: Alerts = serde_json::from_value(data).expect("alerts");
        alerts.alerts
    }

    /// How each rule's last evaluation went, by the rule's name: `ok`, `err`; `unknown` before the first.
    #[track_caller]
    pub fn rule_health(&self) -> BTreeMap<String, String> {
        let data = self.ask("/api/v1/rules");
        let groups = data["groups"].as_array().into_iter().flatten();
        let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        rules
            .map(|rule| (text(&rule["name"]), text(&rule["health"])))
            .collect()
    }

    /// The `data` of an answer.
    #[track_caller]
    fn ask(&self, path: &str) -> serde_json::Value {
        let answer = self
            .request(path)
            .send()
            .unwrap_or_else(|why| panic!("{path}: {why}"));
        let text = answer.text();
        assert_eq!(answer.status, 200, "{path}: {text}");
        let mut answer: serde_json::Value =
            serde_json::from_str(text).unwrap_or_else(|why| panic!("{path}: {why}: {text}"));
        answer["data"].take()
    }
}

impl Samples {
    /// A label's value; empty where it has none of that name.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

fn address(options: &PrometheusOptions, port: u16) -> String {
    let scheme = if options.tls { "https" } else { "http" };
    format!("{scheme}://localhost:{port}")
}

fn request<'a>(
    options: &PrometheusOptions,
    certificates: Option<&'a Certificates>,
    port: u16,
    path: &str,
) -> http::Request<'a> {
    let mut request = http::Request::get(&format!("{}{path}", address(options, port)));
    if let Some(certificates) = certificates {
        request = request.trust(certificates.authority());
    }
    if options.user {
        request = request.basic(USER.0, USER.1);
    }
    request
}

fn is_ready(options: &PrometheusOptions, certificates: Option<&Certificates>, port: u16) -> bool {
    let answer = request(options, certificates, port, "/-/ready").send();
    answer.is_ok_and(|answer| answer.status == 200)
}

/// `prometheus.yml`.
fn settings(options: &PrometheusOptions) -> String {
    let mut text = "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files:\n".to_owned();
    for path in &options.rules {
        text += &format!("  - {}\n", quote(&path.display().to_string()));
    }
    text += "scrape_configs:\n";
    if !options.targets.is_empty() {
        let targets: Vec<String> = options.targets.iter().map(|target| quote(target)).collect();
        text += &format!(
            "  - job_name: test\n    static_configs:\n      - targets: [{}]\n",
            targets.join(", ")
        );
    }
    text += &options.scrape_configs;
    if let Some(window) = &options.out_of_order_time_window {
        text += &format!("storage:\n  tsdb:\n    out_of_order_time_window: {window}\n");
    }
    text
}

/// `web.yml`.
fn web_settings(options: &PrometheusOptions, certificates: Option<&Certificates>) -> String {
    let mut text = String::new();
    if let Some(certificates) = certificates {
        let [certificate, key] = [&certificates.leaf.certificate, &certificates.leaf.key]
            .map(|path| quote(&path.display().to_string()));
        text += &format!("tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n");
    }
    if options.user {
        text += &format!("basic_auth_users:\n  {}: {}\n", USER.0, quote(PASSWORD_HASH));
    }
    text
}

fn arguments(folder: &Path, options: &PrometheusOptions, port: u16) -> Vec<OsString> {
    let folder = folder.display();
    let mut arguments = vec![
        format!("--config.file={folder}/prometheus.yml"),
        format!("--web.config.file={folder}/web.yml"),
        format!("--storage.tsdb.path={folder}/data"),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--storage.tsdb.retention.time=100y".to_owned(),
        "--log.level=warn".to_owned(),
    ];
    if options.remote_write {
        arguments.push("--web.enable-remote-write-receiver".to_owned());
    }
    arguments.into_iter().map(OsString::from).collect()
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a file in the temporary folder");
}

/// A string of YAML.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Milliseconds as the interface takes times: seconds with decimals.
fn seconds(milliseconds: i64) -> String {
    format!(
        "{}.{:03}",
        milliseconds.div_euclid(1000),
        milliseconds.rem_euclid(1000)
    )
}

/// The series of a vector or a matrix.
fn read_samples(data: &serde_json::Value) -> Result<Vec<Samples>, String> {
    #[derive(Deserialize)]
    struct Series {
        metric: BTreeMap<String, String>,
        value: Option<(f64, String)>,
        #[serde(default)]
        values: Vec<(f64, String)>,
    }
    let series: Vec<Series> = Vec::deserialize(&data["result"]).map_err(|why| why.to_string())?;
    Ok(series
        .into_iter()
        .map(|series| Samples {
            labels: series.metric,
            samples: series
                .value
                .into_iter()
                .chain(series.values)
                .map(|(time, value)| (milliseconds(time), value))
                .collect(),
        })
        .collect())
}

/// Seconds of an answer, which have three decimals at most.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole numbers of milliseconds, far below 2^53"
)]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests;
