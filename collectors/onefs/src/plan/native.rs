//! The plan of `[collector.onefs]`.

use std::sync::Arc;

use tidemark_collect::SecretSource;
use tidemark_papi::Summary;

use super::{Plan, PlanMistakes, PlannedCluster};
use crate::derived::Derivations;
use crate::group::Group;
use crate::settings::{ClusterSettings, OnefsSettings, SummarySettings};

impl Plan<SecretSource> {
    /// The plan of the settings, which fit together as far as they name clusters and groups.
    ///
    /// # Errors
    /// Where no cluster is named.
    pub fn of_settings(settings: &OnefsSettings) -> Result<Self, PlanMistakes> {
        if settings.cluster.is_empty() {
            return Err(PlanMistakes(vec![
                "[collector.onefs] names no cluster; write [[collector.onefs.cluster]] with hostname, username and \
                 password below it, or idic = \"FILE\" for gostats' configuration file"
                    .to_owned(),
            ]));
        }
        let mut notices = Vec::new();
        let groups = groups(settings, &mut notices);
        let (enabled, disabled): (Vec<_>, Vec<_>) =
            settings.cluster.iter().partition(|cluster| !cluster.disabled);
        if !disabled.is_empty() {
            let names: Vec<String> = disabled
                .iter()
                .map(|cluster| cluster.hostname.0.short())
                .collect();
            notices.push(format!("disabled in the settings: {}", names.join(", ")));
        }
        Ok(Self {
            clusters: enabled
                .into_iter()
                .map(|cluster| planned(cluster, settings.preserve_case))
                .collect(),
            groups,
            summaries: summaries(&settings.summary_stats),
            minimum: settings.min_update_interval.as_duration(),
            by_group: settings.fetch_by_statgroup,
            include_degraded: settings.include_degraded,
            derivations: Derivations::default(),
            listener: Arc::default(),
            notices,
        })
    }
}

fn planned(cluster: &ClusterSettings, preserve_case: bool) -> PlannedCluster<SecretSource> {
    PlannedCluster {
        address: cluster.hostname.0.clone(),
        username: cluster.username.clone(),
        password: cluster.password.clone(),
        authtype: cluster.authtype.into(),
        insecure_skip_verify: !cluster.verify_ssl,
        ca_file: cluster.ca_file.clone(),
        preserve_case: cluster.preserve_case.unwrap_or(preserve_case),
        prometheus_port: cluster.prometheus_port,
    }
}

fn summaries(settings: &SummarySettings) -> Vec<Summary> {
    [
        (settings.protocol, Summary::Protocol),
        (settings.client, Summary::Client),
        (settings.drive, Summary::Drive),
    ]
    .into_iter()
    .filter_map(|(wanted, summary)| wanted.then_some(summary))
    .collect()
}

/// The active groups: those that are built in but for those of the same name, then those of the settings.
fn groups(settings: &OnefsSettings, notices: &mut Vec<String>) -> Vec<Group> {
    let mut all = Group::stock();
    for own in &settings.statgroup {
        let group = Group::new(
            &own.name,
            own.update_interval,
            own.stats.iter().map(String::as_str),
        );
        match all.iter_mut().find(|built_in| *built_in.name == *own.name) {
            Some(built_in) => *built_in = group,
            None => all.push(group),
        }
    }
    let Some(active) = &settings.active_stat_groups else {
        return all;
    };
    for name in active {
        if !all.iter().any(|group| *group.name == **name) {
            notices.push(format!(
                "`active_stat_groups` names {name:?}, and there is no such group: it is passed over"
            ));
        }
    }
    all.retain(|group| active.iter().any(|name| **name == *group.name));
    all
}
