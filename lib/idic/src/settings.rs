//! The same as settings of tidemark.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use tidemark_settings::{SecretSource, SinkKind, SinkSettings, Span, quoted};

use crate::{BackEnd, COLLECTOR, Cluster, HttpSd, Idic, Prometheus, SINK, StatGroup, UpdateInterval};

/// Where systemd, and a program of root's, look for a credential by its name.
const CREDENTIALS: &str = "/etc/credstore";

impl Idic {
    /// The file as settings of tidemark, to be put beside others. A secret is a reference: to its variable where it is in
    /// one, else to a credential that a comment says how to make. What has no place in them is said in comments.
    #[must_use]
    pub fn to_settings(&self) -> String {
        let mut writer = Writer::default();
        writer.comment(&format!(
            "From {}, version {}.",
            shown(self.path()),
            self.global.version
        ));
        for note in self.notes() {
            writer.comment(note);
        }
        self.write_section(&mut writer);
        for cluster in &self.clusters {
            self.write_cluster(&mut writer, cluster);
        }
        for group in &self.statgroups {
            write_group(&mut writer, group);
        }
        let summaries = self.summary_stats;
        writer.header("[collector.onefs.summary_stats]");
        writer.boolean("protocol", summaries.protocol);
        writer.boolean("client", summaries.client);
        writer.boolean("drive", summaries.drive);
        match self.prometheus() {
            Ok(Some(prometheus)) => write_prometheus(&mut writer, &prometheus),
            Ok(None) => {}
            Err(mistakes) => writer.wrong("The listeners for Prometheus are left out", &mistakes),
        }
        match self.sink() {
            Ok(sink) => write_sink(&mut writer, &sink),
            Err(mistakes) => writer.wrong("The back end is left out", &mistakes),
        }
        writer.text
    }

    fn write_section(&self, writer: &mut Writer) {
        let global = &self.global;
        writer.header("[collector.onefs]");
        writer.string("min_update_interval", &global.min_update_interval.to_string());
        writer.boolean("preserve_case", global.preserve_case);
        writer.boolean("include_degraded", global.include_degraded);
        writer.boolean("fetch_by_statgroup", global.fetch_by_statgroup);
        writer.list("active_stat_groups", &global.active_stat_groups);
    }

    fn write_cluster(&self, writer: &mut Writer, cluster: &Cluster) {
        writer.header("[[collector.onefs.cluster]]");
        writer.string("hostname", &cluster.hostname);
        writer.string("username", &cluster.username);
        let name = format!("{COLLECTOR}.{}", cluster.hostname);
        writer.secret("password", &cluster.password, &name);
        writer.boolean("verify-ssl", cluster.verify_ssl);
        if let Some(path) = &cluster.ca_file {
            writer.path("ca_file", path);
        }
        writer.string("authtype", cluster.authtype.name());
        writer.boolean("disabled", cluster.disabled);
        // The others' listeners are not there: nobody asks for the port.
        if matches!(self.back_end, Ok(BackEnd::Prometheus))
            && let Some(port) = cluster.prometheus_port
        {
            writer.line("prometheus_port", &port.to_string());
        }
        if let Some(preserve_case) = cluster.preserve_case {
            writer.boolean("preserve_case", preserve_case);
        }
    }
}

fn write_group(writer: &mut Writer, group: &StatGroup) {
    writer.header("[[collector.onefs.statgroup]]");
    writer.string("name", &group.name);
    let interval = match group.update_interval {
        UpdateInterval::Times(times) if (times - 1.0).abs() < f64::EPSILON => "*".to_owned(),
        UpdateInterval::Times(times) => format!("*{times}"),
        UpdateInterval::Every(interval) => Span::from(interval).to_string(),
    };
    writer.string("update_interval", &interval);
    writer.list("stats", &group.stats);
}

fn write_prometheus(writer: &mut Writer, prometheus: &Prometheus) {
    writer.header("[collector.onefs.prometheus]");
    match &prometheus.user {
        Some((name, password)) => {
            writer.string("username", name);
            writer.secret("password", password, "onefs.prometheus");
        }
        None => {
            writer.comment(
                "Without a user the listeners answer this host alone. To let anybody ask, as gostats does:",
            );
            writer.comment("open_listener = true");
        }
    }
    if let Some((cert, key)) = &prometheus.tls {
        writer.path("tls_cert", cert);
        writer.path("tls_key", key);
    }
    if let Some(label) = &prometheus.instance_label_name {
        writer.string("instance_label_name", label);
    }
    if let Some(HttpSd { listen_addr, port }) = &prometheus.http_sd {
        writer.header("[collector.onefs.prom_http_sd]");
        writer.boolean("enabled", true);
        if let Some(address) = listen_addr {
            writer.string("listen_addr", address);
        }
        writer.line("sd_port", &port.to_string());
    }
}

fn write_sink(writer: &mut Writer, sink: &SinkSettings) {
    writer.headed(
        "The back end. Where there are sinks already, leave out both.",
        "[[sink]]",
    );
    writer.string("name", SINK);
    writer.string("type", sink.kind.name());
    writer.list("only", &sink.only);
    match &sink.kind {
        SinkKind::Influxdb(influxdb) => {
            writer.string("url", influxdb.url.as_str());
            writer.string("database", &influxdb.database);
            if let (Some(username), Some(password)) = (&influxdb.username, &influxdb.password) {
                writer.string("username", username);
                writer.secret("password", password, "onefs.influxdb");
            }
            write_trust(writer, influxdb.ca_file.as_deref(), influxdb.insecure_skip_verify);
        }
        SinkKind::Influxdb2(influxdb2) => {
            writer.string("url", influxdb2.url.as_str());
            writer.string("org", &influxdb2.org);
            writer.string("bucket", &influxdb2.bucket);
            writer.secret("token", &influxdb2.token, "onefs.influxdb");
            write_trust(
                writer,
                influxdb2.ca_file.as_deref(),
                influxdb2.insecure_skip_verify,
            );
        }
        // No other is made of the file.
        _ => {}
    }
    writer.headed("What the other collectors find is kept on this host.", "[[sink]]");
    writer.string("type", "store");
    writer.list("except", &sink.only);
}

/// What a sink believes of its server's certificate.
fn write_trust(writer: &mut Writer, ca_file: Option<&Path>, insecure_skip_verify: bool) {
    if let Some(path) = ca_file {
        writer.path("ca_file", path);
    }
    writer.boolean("insecure_skip_verify", insecure_skip_verify);
}

/// TOML on the way.
#[derive(Default)]
struct Writer {
    text: String,
    /// The names of the credentials so far.
    credentials: BTreeSet<String>,
}

impl Writer {
    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn header(&mut self, header: &str) {
        self.space();
        self.text.push_str(header);
        self.text.push('\n');
    }

    /// A header below a comment of its own.
    fn headed(&mut self, comment: &str, header: &str) {
        self.space();
        self.comment(comment);
        self.text.push_str(header);
        self.text.push('\n');
    }

    /// Each line of the text, without what could end a line before its end.
    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            let line: String = line.chars().filter(|character| !character.is_control()).collect();
            let _ = writeln!(self.text, "# {line}");
        }
    }

    /// What is left out, and why.
    fn wrong(&mut self, what: &str, mistakes: &tidemark_settings::Mistakes) {
        self.space();
        self.comment(&format!("{what}, as there are mistakes in it:"));
        self.comment(&mistakes.to_string());
    }

    fn line(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{key} = {value}");
    }

    fn boolean(&mut self, key: &str, value: bool) {
        self.line(key, if value { "true" } else { "false" });
    }

    fn string(&mut self, key: &str, value: &str) {
        self.line(key, &string(value));
    }

    /// A path that came from a TOML file, and so is text.
    fn path(&mut self, key: &str, path: &Path) {
        self.string(key, &path.to_string_lossy());
    }

    fn list(&mut self, key: &str, values: &[String]) {
        let items: Vec<String> = values.iter().map(|value| string(value)).collect();
        if items.len() < 2 {
            self.line(key, &format!("[{}]", items.join(", ")));
            return;
        }
        let _ = writeln!(self.text, "{key} = [");
        for item in items {
            let _ = writeln!(self.text, "    {item},");
        }
        self.text.push_str("]\n");
    }

    /// A reference to the secret; the secret itself is never written.
    fn secret(&mut self, key: &str, secret: &SecretSource, name: &str) {
        let (kind, name) = match secret {
            SecretSource::Environment(name) => ("env", name.clone()),
            SecretSource::Credential(name) => ("credential", name.clone()),
            SecretSource::File(path) => ("file", path.to_string_lossy().into_owned()),
            SecretSource::Plain(_) => {
                let name = self.credential(name);
                self.comment(&format!(
                    "It stands in that file: write it, and nothing else, to {CREDENTIALS}/{name}, a file of root's alone."
                ));
                ("credential", name)
            }
        };
        self.line(key, &format!("{{ {kind} = {} }}", string(&name)));
    }

    /// A name for a credential that no other has.
    fn credential(&mut self, name: &str) -> String {
        let plain: String = name
            .chars()
            .map(|character| match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => character,
                _ => '-',
            })
            .take(LONGEST_CREDENTIAL)
            .collect();
        let mut unique = plain.clone();
        let mut count = 1;
        while !self.credentials.insert(unique.clone()) {
            count += 1;
            unique = format!("{plain}.{count}");
        }
        unique
    }
}

/// The longest name of a credential, before what makes it another's.
const LONGEST_CREDENTIAL: usize = 200;

/// A basic string of TOML.
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            character if character.is_control() => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    quoted(&text).trim_matches('`').to_owned()
}
