//! `[prometheus]` and `[prom_http_sd]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tidemark_settings::{
    Key, Mistake, Mistakes, Position, SecretSource, Section, SectionReader, UnknownKeys, quoted,
};

use crate::key::key;
use crate::text::{Name, Port};
use crate::user::user;
use crate::{BackEnd, Idic};

/// The listeners of the back end `prometheus`, one a cluster, on its `prometheus_port`.
#[derive(Clone, Debug)]
pub struct Prometheus {
    /// Who may ask, with the password; everybody where there is none.
    pub user: Option<(String, SecretSource)>,
    /// The certificate and its key; without them the listeners speak plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// A second label that holds the cluster's name.
    pub instance_label_name: Option<String>,
    /// The listener that names the others.
    pub http_sd: Option<HttpSd>,
}

/// The listener of HTTP service discovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSd {
    /// The host that it names the listeners by; one of its own addresses where there is none.
    pub listen_addr: Option<String>,
    /// Its port.
    pub port: u16,
}

impl Idic {
    /// The listeners, where the file's back end is Prometheus.
    ///
    /// # Errors
    /// Every mistake in its sections, and of clusters that have no port.
    pub fn prometheus(&self) -> Result<Option<Prometheus>, Mistakes> {
        match &self.back_end {
            Ok(BackEnd::Prometheus) => {}
            _ => return Ok(None),
        }
        let (prometheus, mut mistakes, _) = self.document.section::<PrometheusSection>("prometheus");
        let (http_sd, more, _) = self.document.section::<HttpSdSection>("prom_http_sd");
        mistakes.extend(more);
        let mut ports: BTreeMap<u16, &Position> = BTreeMap::new();
        for cluster in self.active_clusters() {
            let shown = quoted(&cluster.hostname);
            let Some(port) = cluster.prometheus_port else {
                let what = format!("[[cluster]] {shown} has no `prometheus_port`");
                let advice = "write prometheus_port = 9090, or another that is free, in it";
                mistakes.push(Mistake::new(cluster.place.clone(), what, advice));
                continue;
            };
            if let Some(first) = ports.insert(port, &cluster.place) {
                let what = format!("[[cluster]] {shown} has the `prometheus_port` {port} of another, at");
                let mistake = Mistake::new(cluster.place.clone(), what, "give each a port of its own");
                mistakes.push(mistake.beside(first.clone()));
            }
        }
        Mistakes::check(mistakes)?;
        Ok(prometheus
            .zip(http_sd)
            .map(
                |(PrometheusSection(prometheus), HttpSdSection(http_sd))| Prometheus {
                    http_sd,
                    ..prometheus
                },
            ))
    }
}

struct PrometheusSection(Prometheus);

impl Section for PrometheusSection {
    const SUMMARY: &'static str = "The listeners.";
    const KEYS: &'static [Key] = &[
        key::<bool>("authenticated"),
        key::<String>("username"),
        key::<String>("password"),
        key::<PathBuf>("tls_cert"),
        key::<PathBuf>("tls_key"),
        key::<String>("instance_label_name"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<PrometheusSection> {
        let user = user(section);
        let cert = path(section, "tls_cert");
        let key = path(section, "tls_key");
        let label = section.optional::<String>("instance_label_name");
        let (user, cert, key, label) = (user?, cert?, key?, label?);
        let tls = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (one, _) => {
                let (there, missing) = match one {
                    Some(_) => ("tls_cert", "tls_key"),
                    None => ("tls_key", "tls_cert"),
                };
                let at = section
                    .value(there)
                    .map_or(section.place(), |value| value.place())
                    .clone();
                let what = format!("`{there}` has no `{missing}` beside it");
                section.mistake(Mistake::new(
                    at,
                    what,
                    format!("write {missing} = \"/path/to/it\" too"),
                ));
                return None;
            }
        };
        Some(PrometheusSection(Prometheus {
            user,
            tls,
            instance_label_name: label.filter(|label| !label.is_empty()),
            http_sd: None,
        }))
    }
}

/// A path; an empty text is none.
fn path(section: &mut SectionReader<'_>, key: &str) -> Option<Option<PathBuf>> {
    match section.value(key).and_then(|value| value.as_str()) {
        Some("") => Some(None),
        _ => section.optional::<PathBuf>(key),
    }
}

struct HttpSdSection(Option<HttpSd>);

impl Section for HttpSdSection {
    const SUMMARY: &'static str = "The listener of service discovery.";
    const KEYS: &'static [Key] = &[
        key::<bool>("enabled"),
        key::<Name>("listen_addr"),
        key::<Port>("sd_port"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<HttpSdSection> {
        let enabled = section.optional::<bool>("enabled");
        let address = section.optional::<String>("listen_addr");
        if enabled? != Some(true) {
            return Some(HttpSdSection(None));
        }
        let port = section.required::<Port>("sd_port");
        Some(HttpSdSection(Some(HttpSd {
            listen_addr: address?.filter(|address| !address.is_empty()),
            port: port?.0,
        })))
    }
}
