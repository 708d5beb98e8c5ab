//! `[collector.onefs]`: its keys, and what is wrong with them taken together.

mod checks;
mod values;

use std::path::PathBuf;

use tidemark_collect::settings::{Key, SectionReader};
use tidemark_collect::{SecretSource, Section, Settings, Span};

use crate::group::Pace;
pub use values::{Authtype, Function, Hostname};

/// The statistics of OneFS (PowerScale, Isilon) storage clusters.
#[derive(Debug, Settings)]
pub struct OnefsSettings {
    /// gostats' configuration file: its clusters and groups, in place of any here.
    pub idic: Option<PathBuf>,
    /// No key is asked for more often than this.
    #[default("30s")]
    pub min_update_interval: Span,
    /// Clusters are called as they call themselves, not in lower case.
    #[default(false)]
    pub preserve_case: bool,
    /// Each point says whether its value is degraded.
    #[default(false)]
    pub include_degraded: bool,
    /// Each group has requests of its own, which are smaller and more.
    #[default(false)]
    pub fetch_by_statgroup: bool,
    /// The groups that are collected; where not given, those that are built in and those of your own.
    pub active_stat_groups: Option<Vec<String>>,
    /// All that the dashboard of concurrency asks for, its keys fetched too.
    #[default(false)]
    pub concurrency: bool,
    /// The clusters.
    #[default([])]
    pub cluster: Vec<ClusterSettings>,
    /// Groups of keys of your own; one that is called as one that is built in takes its place.
    #[default([])]
    pub statgroup: Vec<StatgroupSettings>,
    /// What is fetched beside the keys, every five seconds.
    pub summary_stats: SummarySettings,
    /// What is worked out of the values of a key.
    #[default([])]
    pub derived: Vec<DerivedSettings>,
    /// What a Prometheus server may scrape, while the collector stays.
    pub prometheus: PrometheusSettings,
    /// The list of what there is to scrape, for Prometheus' HTTP service discovery.
    pub prom_http_sd: DiscoverySettings,
}

/// A cluster.
#[derive(Debug, Settings)]
pub struct ClusterSettings {
    /// Its address: a name, with `:PORT` where the port is not 8080.
    pub hostname: Hostname,
    /// The user, whose role may read statistics.
    pub username: String,
    /// The user's password.
    pub password: SecretSource,
    /// Whether its certificate is checked.
    #[key("verify-ssl")]
    #[default(true)]
    pub verify_ssl: bool,
    /// Its certificate, or the authority's, where it is not one of the system's.
    pub ca_file: Option<PathBuf>,
    /// How it is logged in: `session`, or `basic-auth`.
    #[default("session")]
    pub authtype: Authtype,
    /// Whether it is left out for now.
    #[default(false)]
    pub disabled: bool,
    /// The port at which its values alone can be scraped.
    pub prometheus_port: Option<u16>,
    /// As `preserve_case` above, for this cluster.
    pub preserve_case: Option<bool>,
}

/// A group of keys.
#[derive(Debug, Settings)]
pub struct StatgroupSettings {
    /// Its name.
    pub name: String,
    /// How often: `*` as the cluster updates each key, `*2` half as often, or a time span.
    #[default("*")]
    pub update_interval: Pace,
    /// Its keys.
    pub stats: Vec<String>,
}

/// What is fetched beside the keys, every five seconds.
#[derive(Debug, Settings)]
pub struct SummarySettings {
    /// Operations by protocol, class and node.
    #[default(false)]
    pub protocol: bool,
    /// Operations by client; a cluster with many clients has many series.
    #[default(false)]
    pub client: bool,
    /// The state of each drive.
    #[default(false)]
    pub drive: bool,
}

/// What is worked out of the values of a key.
#[derive(Debug, Settings)]
pub struct DerivedSettings {
    /// The key, or `KEY:FIELD` where its values have fields; one that no active group has is fetched too.
    pub key: String,
    /// Over the cluster's nodes: `sum`, `avg`, `min`, `max`.
    #[default([])]
    pub functions: Vec<Function>,
    /// The change in percent since the time before, of each of these; without functions, of the key itself.
    #[default(false)]
    pub percent_change: bool,
}

/// What a Prometheus server may scrape.
#[derive(Debug, Settings)]
pub struct PrometheusSettings {
    /// Where the values of all clusters can be scraped: `ADDRESS:PORT`.
    pub listen: Option<String>,
    /// The user that a scraper names.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretSource>,
    /// The listeners' certificate, with those that vouch for it, as PEM.
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key, as PEM.
    pub tls_key: Option<PathBuf>,
    /// A second label with the cluster's name.
    pub instance_label_name: Option<String>,
    /// What names begin with.
    #[default("isilon_stat_")]
    pub prefix: String,
    /// The label with the cluster's name.
    #[default("cluster")]
    pub cluster_label: String,
    /// Whether anybody may scrape from elsewhere, without a password.
    #[default(false)]
    pub open_listener: bool,
}

/// The list of what there is to scrape.
#[derive(Debug, Settings)]
pub struct DiscoverySettings {
    /// Whether there is one.
    #[default(false)]
    pub enabled: bool,
    /// The name or address of this host, as Prometheus reaches it; where not given, as it asked for the list.
    pub listen_addr: Option<String>,
    /// The port of the list.
    #[default(9999)]
    pub sd_port: u16,
}

/// The section as it stands, whose parts fit each other.
#[derive(Debug)]
pub(crate) struct CheckedSettings(pub(crate) OnefsSettings);

impl Section for CheckedSettings {
    const SUMMARY: &'static str = OnefsSettings::SUMMARY;
    const KEYS: &'static [Key] = OnefsSettings::KEYS;

    fn read(section: &mut SectionReader<'_>) -> Option<Self> {
        let settings = OnefsSettings::read(section);
        checks::check(section);
        settings.map(Self)
    }
}
