//! The listeners as they run.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidemark_collect::Clock;
use tidemark_expose::{Content, Group, ListenAddress, Listener, Listeners, Registry, Target};
use tidemark_papi::Address;

use super::feed::{Feed, SharedSource, ShownSource};
use super::names::Families;
use super::plan::ListenerPlan;
use crate::plan::{PlanMistakes, PlannedCluster};

/// What gostats calls the job in its list of targets.
const JOB: &str = "isilon_stats";
/// How long answers under way are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The samples of all clusters, and the listeners that show them. Clones share them: a reload hands one on.
#[derive(Clone, Debug)]
pub struct Exposition {
    registry: Registry,
    listeners: Arc<Listeners>,
    families: Arc<Families>,
    plan: Arc<ListenerPlan>,
    /// What each cluster shows, by its address.
    clusters: BTreeMap<Address, SharedSource>,
}

impl ListenerPlan {
    /// Whether anything is to listen.
    pub fn is_wanted<P>(&self, clusters: &[PlannedCluster<P>]) -> bool {
        self.all.is_some() || clusters.iter().any(|cluster| self.own_port(cluster).is_some())
    }

    fn own_port<P>(&self, cluster: &PlannedCluster<P>) -> Option<u16> {
        cluster.prometheus_port.filter(|_| self.own_ports)
    }

    /// Notices of where it listens, or that two would listen at one place.
    ///
    /// # Errors
    /// A line for each pair that shares a port.
    pub fn check<P>(&self, clusters: &[PlannedCluster<P>]) -> Result<Vec<String>, PlanMistakes> {
        let mut owners: BTreeMap<u16, String> = BTreeMap::new();
        let mut mistakes = Vec::new();
        let ports = clusters
            .iter()
            .filter_map(|cluster| {
                Some((
                    self.own_port(cluster)?,
                    format!("`prometheus_port` of {}", cluster.address.short()),
                ))
            })
            .chain(self.all.map(|all| (all.port(), "`listen`".to_owned())))
            .chain(
                self.discovery
                    .as_ref()
                    .map(|discovery| (discovery.port, "`sd_port`".to_owned())),
            );
        for (port, owner) in ports {
            if port == 0 {
                mistakes.push(format!("{owner} is 0; write a port that is free, such as 9090"));
            } else if let Some(first) = owners.get(&port) {
                mistakes.push(format!(
                    "{owner} is {port}, which is that of {first}; give each a port of its own"
                ));
            } else {
                owners.insert(port, owner);
            }
        }
        if !mistakes.is_empty() {
            return Err(PlanMistakes(mistakes));
        }
        let mut notices = Vec::new();
        let own_ports = clusters.iter().any(|cluster| self.own_port(cluster).is_some());
        if own_ports && self.access.credentials.is_none() && !self.access.open {
            notices.push(
                "the clusters' listeners are open to this host alone, on 127.0.0.1, as they ask for no password; set \
                 `username` and `password` in [collector.onefs.prometheus], or write `open_listener = true` there where \
                 anyone may scrape them"
                    .to_owned(),
            );
        }
        Ok(notices)
    }

    pub(super) fn listeners<P>(&self, clusters: &[PlannedCluster<P>], registry: &Registry) -> Vec<Listener> {
        let listener = |address: SocketAddr, title: String, content: Content| Listener {
            address,
            title,
            access: self.access.clone(),
            tls: self.tls.clone(),
            content,
        };
        // What is refused was a mistake before.
        let at = |wanted: ListenAddress| self.access.address(wanted).ok();
        let mut listeners = Vec::new();
        for cluster in clusters {
            let Some(address) = self.own_port(cluster).map(ListenAddress::Port).and_then(at) else {
                continue;
            };
            let content = Content::Metrics {
                registry: registry.clone(),
                source: Some(cluster.address.short()),
            };
            let title = format!("OneFS cluster {}", cluster.address.short());
            listeners.push(listener(address, title, content));
        }
        if let Some(address) = self.all.and_then(at) {
            let content = Content::Metrics {
                registry: registry.clone(),
                source: None,
            };
            listeners.push(listener(address, "OneFS clusters".to_owned(), content));
        }
        if let Some(discovery) = &self.discovery
            && let Some(address) = at(ListenAddress::Port(discovery.port))
        {
            let content = Content::Targets(self.targets(clusters, discovery.host.as_deref()));
            listeners.push(listener(address, "OneFS targets".to_owned(), content));
        }
        listeners
    }

    /// Each cluster's own listener; where none has one, that of all.
    pub(super) fn targets<P>(&self, clusters: &[PlannedCluster<P>], host: Option<&str>) -> Vec<Group> {
        let group = |port: u16, cluster: Option<String>| {
            let mut labels = BTreeMap::from([("__meta_prometheus_job".to_owned(), JOB.to_owned())]);
            labels.extend(cluster.map(|cluster| ("__meta_onefs_cluster".to_owned(), cluster)));
            if self.tls.is_some() {
                labels.insert("__scheme__".to_owned(), "https".to_owned());
            }
            Group {
                target: Target {
                    host: host.map(str::to_owned),
                    port,
                },
                labels,
            }
        };
        let mut groups: Vec<Group> = clusters
            .iter()
            .filter_map(|cluster| Some(group(self.own_port(cluster)?, Some(cluster.address.short()))))
            .collect();
        if groups.is_empty() {
            groups.extend(self.all.map(|all| group(all.port(), None)));
        }
        groups
    }
}

impl Exposition {
    /// Opens what the plan wants. What ran before with another plan is taken over: what stays the same stays open, and
    /// shows what it showed.
    pub fn open<P>(
        plan: Arc<ListenerPlan>,
        clusters: &[PlannedCluster<P>],
        clock: Arc<dyn Clock>,
        before: Option<Exposition>,
    ) -> Self {
        let (registry, listeners, families, mut known) = match before {
            Some(before) => {
                let same = before.plan.names.prefix == plan.names.prefix;
                let families = same.then_some(before.families);
                (before.registry, before.listeners, families, before.clusters)
            }
            None => (Registry::new(clock), Arc::default(), None, BTreeMap::new()),
        };
        listeners.set(plan.listeners(clusters, &registry));
        let clusters = clusters.iter().map(|cluster| {
            let address = cluster.address.clone();
            let source = known
                .remove(&address)
                .unwrap_or_else(|| Arc::new(Mutex::new(ShownSource::new(&registry, &address))));
            (address, source)
        });
        Self {
            clusters: clusters.collect(),
            families: families.unwrap_or_else(|| Arc::new(Families::new(&plan.names.prefix))),
            registry,
            listeners,
            plan,
        }
    }

    /// What the points of the cluster at this address are handed to; none where it is not of the plan.
    pub fn feed(&self, cluster: &Address) -> Option<Feed> {
        Some(Feed {
            registry: self.registry.clone(),
            names: self.plan.names.clone(),
            families: Arc::clone(&self.families),
            source: Arc::clone(self.clusters.get(cluster)?),
        })
    }

    /// Waits for answers under way, for 2 s at most; the listeners stay open for who takes over.
    pub async fn settle(&self) {
        self.listeners.settle(LAST_ANSWERS).await;
    }
}
