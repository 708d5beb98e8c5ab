//! What is to listen, as the settings or gostats' file say it.

use std::error::Error;
use std::path::PathBuf;

use tidemark_collect::{Secret, SecretSource, chain};
use tidemark_expose::{Access, Credentials, ListenAddress, Tls, TlsFiles};

use super::names::Names;
use crate::plan::PlanMistakes;
use crate::settings::{DiscoverySettings, PrometheusSettings};

/// What is to listen beside each cluster's own port.
#[derive(Clone, Debug, Default)]
pub struct ListenerPlan {
    /// Where the values of all clusters are shown.
    pub(super) all: Option<ListenAddress>,
    /// Whether the clusters' own ports count.
    pub(super) own_ports: bool,
    pub(super) access: Access,
    pub(super) tls: Option<Tls>,
    pub(super) names: Names,
    /// Where the list of listeners is.
    pub(super) discovery: Option<Discovery>,
}

/// The list of listeners.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    /// What this host is called in it; as it was asked, where none is given.
    pub(super) host: Option<String>,
    pub(super) port: u16,
}

/// What both ways of configuring say.
struct Said<'a> {
    all: Option<&'a str>,
    own_ports: bool,
    user: Option<(&'a str, &'a SecretSource)>,
    tls: Option<(&'a PathBuf, &'a PathBuf)>,
    names: Names,
    discovery: Option<Discovery>,
    open: bool,
}

impl<'a> Said<'a> {
    fn of_settings(
        prometheus: &'a PrometheusSettings,
        discovery: &'a DiscoverySettings,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let user = pair(
            ("username", prometheus.username.as_deref()),
            ("password", prometheus.password.as_ref()),
            mistakes,
        );
        let tls = pair(
            ("tls_cert", prometheus.tls_cert.as_ref()),
            ("tls_key", prometheus.tls_key.as_ref()),
            mistakes,
        );
        Self {
            all: prometheus.listen.as_deref(),
            own_ports: true,
            user,
            tls,
            names: Names {
                prefix: prometheus.prefix.clone(),
                cluster_label: prometheus.cluster_label.clone(),
                instance_label: prometheus.instance_label_name.clone(),
            },
            discovery: discovery.enabled.then(|| Discovery {
                host: discovery.listen_addr.clone(),
                port: discovery.sd_port,
            }),
            open: prometheus.open_listener,
        }
    }

    /// gostats gives the list to anyone, over plain HTTP: a Prometheus that was set up for it finds nothing from now on.
    fn list_is_no_longer_open(&self) -> Option<String> {
        let asks = match (&self.user, &self.tls) {
            (None, None) => return None,
            (Some(_), None) => "asks for the listeners' user and password",
            (None, Some(_)) => "is served over HTTPS",
            (Some(_), Some(_)) => "asks for the listeners' user and password, over HTTPS",
        };
        Some(format!(
            "the list of [prom_http_sd] {asks}, which gostats' does not: say so in `http_sd_configs` of Prometheus too"
        ))
    }
}

impl ListenerPlan {
    /// What `[collector.onefs.prometheus]` and `[collector.onefs.prom_http_sd]` say, and notices.
    ///
    /// # Errors
    /// A line for each mistake.
    pub fn of_settings<E: Error>(
        prometheus: &PrometheusSettings,
        discovery: &DiscoverySettings,
        resolve: impl Fn(&SecretSource) -> Result<Secret, E>,
    ) -> Result<(Self, Vec<String>), PlanMistakes> {
        let mut mistakes = Vec::new();
        let said = Said::of_settings(prometheus, discovery, &mut mistakes);
        Self::checked(said, mistakes, resolve)
    }

    /// What gostats' file says, where its back end is Prometheus; what it cannot say, or does not, is taken of the
    /// settings beside it.
    ///
    /// # Errors
    /// A line for each mistake.
    pub fn of_idic<E: Error>(
        file: Option<&tidemark_idic::Prometheus>,
        beside: &PrometheusSettings,
        discovery: &DiscoverySettings,
        resolve: impl Fn(&SecretSource) -> Result<Secret, E>,
    ) -> Result<(Self, Vec<String>), PlanMistakes> {
        let mut mistakes = Vec::new();
        let mut notices = Vec::new();
        let mut said = Said::of_settings(beside, discovery, &mut mistakes);
        // Clusters have ports in the file whatever its back end is.
        said.own_ports = file.is_some();
        if let Some(file) = file {
            let user = file.user.as_ref();
            said.user = user
                .map(|(name, password)| (name.as_str(), password))
                .or(said.user);
            let tls = file.tls.as_ref();
            said.tls = tls.map(|(certificate, key)| (certificate, key)).or(said.tls);
            said.names.instance_label = file.instance_label_name.clone().or(said.names.instance_label);
            let discovery = file.http_sd.as_ref().map(|discovery| Discovery {
                host: discovery.listen_addr.clone(),
                port: discovery.port,
            });
            notices.extend(discovery.as_ref().and_then(|_| said.list_is_no_longer_open()));
            said.discovery = discovery.or(said.discovery);
        }
        let (plan, more) = Self::checked(said, mistakes, resolve)?;
        notices.extend(more);
        Ok((plan, notices))
    }

    fn checked<E: Error>(
        said: Said<'_>,
        mut mistakes: Vec<String>,
        resolve: impl Fn(&SecretSource) -> Result<Secret, E>,
    ) -> Result<(Self, Vec<String>), PlanMistakes> {
        let mut notices = Vec::new();
        mistakes.extend(said.names.mistakes());
        let credentials = said.user.and_then(|(username, password)| {
            let credentials = resolve(password)
                .map_err(|error| chain(&error))
                .and_then(|password| Credentials::new(username, password).map_err(|error| error.to_string()));
            credentials
                .map_err(|why| mistakes.push(format!("the listeners' user: {why}")))
                .ok()
        });
        let access = Access {
            // A password that is not there opens nothing: this is a mistake by then.
            open: said.open,
            credentials,
        };
        let tls = said.tls.and_then(|(certificate, key)| {
            let files = TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            };
            match Tls::read(files) {
                Ok((tls, notice)) => {
                    notices.extend(notice);
                    Some(tls)
                }
                Err(error) => {
                    mistakes.push(format!("the listeners' certificate: {}", chain(&error)));
                    None
                }
            }
        });
        let all = said.all.and_then(|text| {
            text.parse::<ListenAddress>()
                .map_err(|why| mistakes.push(format!("`listen` {text:?} {why}")))
                .ok()
        });
        if let Some(all) = all
            && said.user.is_none()
            && let Err(refused) = access.address(all)
        {
            mistakes.push(format!("[collector.onefs.prometheus]: {refused}"));
        }
        if let Some(discovery) = &said.discovery
            && discovery.port == 0
        {
            mistakes.push("`sd_port` is 0; write a port that is free, such as 9999".to_owned());
        }
        if !mistakes.is_empty() {
            return Err(PlanMistakes(mistakes));
        }
        let plan = Self {
            all,
            own_ports: said.own_ports,
            access,
            tls,
            names: said.names,
            discovery: said.discovery,
        };
        Ok((plan, notices))
    }
}

/// Two settings of which neither means anything without the other.
fn pair<A, B>(
    (one, a): (&str, Option<A>),
    (other, b): (&str, Option<B>),
    mistakes: &mut Vec<String>,
) -> Option<(A, B)> {
    let (there, missing) = match (a, b) {
        (Some(a), Some(b)) => return Some((a, b)),
        (None, None) => return None,
        (Some(_), None) => (one, other),
        (None, Some(_)) => (other, one),
    };
    mistakes.push(format!(
        "[collector.onefs.prometheus] has `{there}` without `{missing}`; write both, or neither"
    ));
    None
}
