//! What is collected from where, whichever way it was configured.

mod idic;
mod native;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::Secret;
use tidemark_papi::{Address, AuthType, Summary};

use crate::derived::Derivations;
use crate::group::{Group, Pace};
use crate::listener::ListenerPlan;
use crate::settings::OnefsSettings;

/// How often a summary is fetched.
pub const SUMMARY_INTERVAL: Duration = Duration::from_secs(5);

/// The group of the keys that are fetched for what is derived of them.
const DERIVED: &str = "derived";

fn has_key(groups: &[Group], name: &str) -> bool {
    groups
        .iter()
        .any(|group| group.keys.iter().any(|key| **key == *name))
}

/// What is collected from where. `P` is the clusters' password: where it is, or what it is.
#[derive(Clone, Debug)]
pub struct Plan<P = Secret> {
    /// The clusters that are not disabled.
    pub clusters: Vec<PlannedCluster<P>>,
    /// The groups that are active. No key is in two.
    pub groups: Vec<Group>,
    /// The summaries.
    pub summaries: Vec<Summary>,
    /// No key is asked for more often.
    pub minimum: Duration,
    /// Each group has requests of its own.
    pub by_group: bool,
    /// Each point says whether its value is degraded.
    pub include_degraded: bool,
    /// What is worked out of the values.
    pub derivations: Derivations,
    /// What a Prometheus server may scrape, while the collector stays.
    pub listener: Arc<ListenerPlan>,
    /// What somebody should know at each run.
    pub notices: Vec<String>,
}

/// One cluster.
#[derive(Clone, Debug)]
pub struct PlannedCluster<P = Secret> {
    /// Where it is.
    pub address: Address,
    /// The user.
    pub username: String,
    /// The password.
    pub password: P,
    /// How it is logged in.
    pub authtype: AuthType,
    /// Its certificate is not checked.
    pub insecure_skip_verify: bool,
    /// Its certificate, or the authority's.
    pub ca_file: Option<PathBuf>,
    /// It is called as it calls itself, not in lower case.
    pub preserve_case: bool,
    /// Where its values alone can be scraped.
    pub prometheus_port: Option<u16>,
}

impl PlannedCluster {
    /// The name that its points carry, by the name that it gives itself.
    #[must_use]
    pub fn tag(&self, name: &str) -> String {
        match self.preserve_case {
            true => name.to_owned(),
            false => name.to_lowercase(),
        }
    }
}

/// A plan that nothing can be made of: a line for each mistake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlanMistakes(pub Vec<String>);

impl std::fmt::Display for PlanMistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for PlanMistakes {}

impl PlanMistakes {
    /// Both, or the mistakes of both.
    ///
    /// # Errors
    /// Where either has some.
    pub fn of_both<A, B>(a: Result<A, Self>, b: Result<B, Self>) -> Result<(A, B), Self> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (a, b) => Err(Self(
                a.err()
                    .into_iter()
                    .chain(b.err())
                    .flat_map(|Self(mistakes)| mistakes)
                    .collect(),
            )),
        }
    }
}

impl<P> Plan<P> {
    /// The same with what `[[collector.onefs.derived]]` and `concurrency` say; keys that it needs and no group has are a
    /// group of their own.
    #[must_use]
    pub fn with_derived(mut self, settings: &OnefsSettings) -> Self {
        for derived in &settings.derived {
            self.derivations
                .add(&derived.key, &derived.functions, derived.percent_change);
        }
        if settings.concurrency {
            let groups = &self.groups;
            self.derivations.concurrency(|name| has_key(groups, name));
        }
        let missing: Vec<&str> = self
            .derivations
            .keys()
            .filter(|key| !has_key(&self.groups, key))
            .collect();
        if !missing.is_empty() {
            let group = Group::new(DERIVED, Pace::OWN, missing);
            self.groups.push(group);
        }
        self
    }

    /// The plan with the passwords that `resolve` finds.
    ///
    /// # Errors
    /// A line for each that it does not find.
    pub fn resolve<E: std::error::Error>(
        self,
        resolve: impl Fn(&P) -> Result<Secret, E>,
    ) -> Result<Plan, PlanMistakes> {
        let mut mistakes = Vec::new();
        let mut clusters = Vec::new();
        for cluster in self.clusters {
            match resolve(&cluster.password) {
                Ok(password) => clusters.push(PlannedCluster {
                    address: cluster.address,
                    username: cluster.username,
                    password,
                    authtype: cluster.authtype,
                    insecure_skip_verify: cluster.insecure_skip_verify,
                    ca_file: cluster.ca_file,
                    preserve_case: cluster.preserve_case,
                    prometheus_port: cluster.prometheus_port,
                }),
                Err(error) => mistakes.push(format!(
                    "the password of {}: {}",
                    cluster.address,
                    tidemark_collect::chain(&error)
                )),
            }
        }
        if !mistakes.is_empty() {
            return Err(PlanMistakes(mistakes));
        }
        Ok(Plan {
            clusters,
            groups: self.groups,
            summaries: self.summaries,
            minimum: self.minimum,
            by_group: self.by_group,
            include_degraded: self.include_degraded,
            derivations: self.derivations,
            listener: self.listener,
            notices: self.notices,
        })
    }
}
