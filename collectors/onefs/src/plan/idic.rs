//! The plan of gostats' configuration file.

use std::sync::Arc;

use tidemark_collect::SecretSource;
use tidemark_idic::{AuthType, Cluster, Idic, UpdateInterval};
use tidemark_papi::{Address, Summary};

use super::{Plan, PlanMistakes, PlannedCluster};
use crate::derived::Derivations;
use crate::group::{Group, Pace};

impl Plan<SecretSource> {
    /// The plan of that file. Mistakes in it are known already but for what a cluster's address may be.
    ///
    /// # Errors
    /// Where a cluster's name is no address.
    pub fn of_idic(idic: &Idic) -> Result<Self, PlanMistakes> {
        let mut mistakes = Vec::new();
        let mut clusters: Vec<PlannedCluster<SecretSource>> = Vec::new();
        for cluster in idic.active_clusters() {
            match cluster.hostname.parse::<Address>() {
                // That it is there twice, the file's own notices say.
                Ok(address) if clusters.iter().any(|other| other.address == address) => {}
                Ok(address) => clusters.push(planned(cluster, address, idic.global.preserve_case)),
                Err(error) => mistakes.push(format!(
                    "{}: [[cluster]] has a `hostname` that cannot be: {error}",
                    cluster.place
                )),
            }
        }
        if !mistakes.is_empty() {
            return Err(PlanMistakes(mistakes));
        }
        let groups = idic.active_groups().map(|group| {
            let pace = match group.update_interval {
                UpdateInterval::Times(times) => Pace::Times(times),
                UpdateInterval::Every(interval) => Pace::Every(interval),
            };
            Group::new(&group.name, pace, group.stats.iter().map(String::as_str))
        });
        let summaries = [
            (idic.summary_stats.protocol, Summary::Protocol),
            (idic.summary_stats.client, Summary::Client),
            (idic.summary_stats.drive, Summary::Drive),
        ];
        Ok(Self {
            clusters,
            groups: groups.collect(),
            summaries: summaries
                .into_iter()
                .filter_map(|(wanted, summary)| wanted.then_some(summary))
                .collect(),
            minimum: idic.global.min_update_interval.as_duration(),
            by_group: idic.global.fetch_by_statgroup,
            include_degraded: idic.global.include_degraded,
            derivations: Derivations::default(),
            listener: Arc::default(),
            notices: Vec::new(),
        })
    }
}

fn planned(cluster: &Cluster, address: Address, preserve_case: bool) -> PlannedCluster<SecretSource> {
    PlannedCluster {
        address,
        username: cluster.username.clone(),
        password: cluster.password.clone(),
        authtype: match cluster.authtype {
            AuthType::Session => tidemark_papi::AuthType::Session,
            AuthType::Basic => tidemark_papi::AuthType::Basic,
        },
        insecure_skip_verify: !cluster.verify_ssl,
        ca_file: cluster.ca_file.clone(),
        preserve_case: cluster.preserve_case.unwrap_or(preserve_case),
        prometheus_port: cluster.prometheus_port,
    }
}
