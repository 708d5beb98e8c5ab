//! Lists of targets, as Prometheus's HTTP service discovery reads them (`http_sd_configs`).

use std::collections::BTreeMap;

/// Something to scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host's name or address; where there is none, the one under which the list was asked for.
    pub host: Option<String>,
    /// The port.
    pub port: u16,
}

/// A target with the labels that Prometheus is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What to scrape.
    pub target: Target,
    /// Labels beside it; those that begin with `__meta_` are for relabelling alone.
    pub labels: BTreeMap<String, String>,
}

/// The list, for one who asked for it at this host.
pub(crate) fn json(groups: &[Group], asked: &str) -> Vec<u8> {
    let groups = groups.iter().map(|group| {
        let host = group.target.host.as_deref().unwrap_or(asked);
        // An address of IPv6 stands in brackets.
        let host = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        serde_json::json!({
            "targets": [format!("{host}:{}", group.target.port)],
            "labels": group.labels,
        })
    });
    let mut text = serde_json::Value::Array(groups.collect()).to_string();
    text.push('\n');
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list() {
        let group = |host: Option<&str>, port, labels: &[(&str, &str)]| Group {
            target: Target {
                host: host.map(str::to_owned),
                port,
            },
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let groups = [
            group(None, 9090, &[("__meta_prometheus_job", "a\"b")]),
            group(Some("2001:db8::1"), 9091, &[]),
            group(Some("metrics.example"), 9092, &[]),
        ];
        assert_eq!(
            String::from_utf8(json(&groups, "here")).unwrap(),
            "[{\"labels\":{\"__meta_prometheus_job\":\"a\\\"b\"},\"targets\":[\"here:9090\"]},\
             {\"labels\":{},\"targets\":[\"[2001:db8::1]:9091\"]},\
             {\"labels\":{},\"targets\":[\"metrics.example:9092\"]}]\n"
        );
        assert_eq!(json(&[], "here"), b"[]\n");
    }
}
