//! The first steps to a server: its name, and a connection.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::{Finding, PROBE_TIME};

/// The most addresses of a name that are shown.
const SHOWN: usize = 4;
/// The most addresses of a name that are tried.
const TRIED: usize = 8;

/// The findings so far, and the addresses that take connections or do not.
pub(super) struct Reached {
    pub(super) findings: Vec<Finding>,
    /// Whether a connection stands.
    pub(super) is_connected: bool,
}

/// Looks the name up and connects, until `end`.
pub(super) async fn reach(url: &Url, end: Instant) -> Reached {
    let failed = |findings| Reached {
        findings,
        is_connected: false,
    };
    let port = url.port_or_known_default().unwrap_or(80);
    let mut findings = Vec::new();
    let addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Domain(name)) => {
            let (addresses, finding) = look_up(name, port, end).await;
            findings.push(finding);
            if addresses.is_empty() {
                return failed(findings);
            }
            addresses
        }
        None => {
            findings.push(Finding::failed(
                "name",
                "the url names no server",
                "name one in the sink's url",
            ));
            return failed(findings);
        }
    };
    let finding = connect(&addresses, end).await;
    let is_connected = finding.verdict == super::Verdict::Ok;
    findings.push(finding);
    Reached {
        findings,
        is_connected,
    }
}

async fn look_up(name: &str, port: u16, end: Instant) -> (Vec<SocketAddr>, Finding) {
    let advice = "check the name in the sink's url, and this host's resolver (/etc/resolv.conf)";
    match timeout_at(end, lookup_host((name, port))).await {
        Err(_) => (Vec::new(), unanswered(name)),
        Ok(Err(error)) => {
            let said = error.to_string();
            // The resolver's own words stand behind these.
            let why = said
                .strip_prefix("failed to lookup address information: ")
                .unwrap_or(&said);
            let found = format!("{name} is not known: {why}");
            (Vec::new(), Finding::failed("name", found, advice))
        }
        Ok(Ok(found)) => {
            let addresses: Vec<SocketAddr> = found.collect();
            if addresses.is_empty() {
                let found = format!("{name} has no address");
                return (addresses, Finding::failed("name", found, advice));
            }
            let shown: Vec<String> = addresses
                .iter()
                .take(SHOWN)
                .map(|address| address.ip().to_string())
                .collect();
            let more = match addresses.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let found = format!("{name} is {}{more}", shown.join(", "));
            (addresses, Finding::ok("name", found))
        }
    }
}

fn unanswered(name: &str) -> Finding {
    let found = format!("no answer about {name} within {}", seconds());
    Finding::failed("name", found, "check this host's resolver (/etc/resolv.conf)")
}

/// Connects to one of them. They are tried one after the other, each with its part of the time.
async fn connect(addresses: &[SocketAddr], end: Instant) -> Finding {
    let tried = addresses.len().min(TRIED);
    let mut failures: Vec<(SocketAddr, Option<std::io::Error>)> = Vec::new();
    for (place, address) in addresses.iter().take(tried).enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(tried - place).unwrap_or(1);
        let started = Instant::now();
        match timeout_at(started + share, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                let took = started.elapsed().as_secs_f64() * 1e3;
                return Finding::ok(
                    "connection",
                    format!("{address} takes connections ({took:.1} ms)"),
                );
            }
            Ok(Err(error)) => failures.push((*address, Some(error))),
            Err(_) => failures.push((*address, None)),
        }
    }
    let said: Vec<String> = failures
        .iter()
        .take(SHOWN)
        .map(|(address, error)| failure(*address, error.as_ref()))
        .collect();
    let advice = match failures
        .last()
        .and_then(|(_, error)| error.as_ref())
        .map(std::io::Error::kind)
    {
        None => "is a firewall in between, or the server down?",
        Some(ErrorKind::ConnectionRefused) => "is the server running, and is this its port?",
        Some(ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            "check this host's network and routes"
        }
        Some(_) => "check this host's network",
    };
    Finding::failed("connection", said.join("; "), advice)
}

fn failure(address: SocketAddr, error: Option<&std::io::Error>) -> String {
    match error {
        None => format!("{address} did not answer within {}", seconds()),
        Some(error) => match error.kind() {
            ErrorKind::ConnectionRefused => format!("{address} refuses connections"),
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
                format!("{address} cannot be reached from here")
            }
            _ => format!("{address}: {error}"),
        },
    }
}

fn seconds() -> String {
    format!("{} s", PROBE_TIME.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_the_address() {
        let address = SocketAddr::from(([10, 0, 0, 3], 8086));
        let said = |kind| failure(address, Some(&std::io::Error::from(kind)));
        assert_eq!(
            said(ErrorKind::ConnectionRefused),
            "10.0.0.3:8086 refuses connections"
        );
        assert_eq!(
            said(ErrorKind::HostUnreachable),
            "10.0.0.3:8086 cannot be reached from here"
        );
        assert_eq!(
            said(ErrorKind::PermissionDenied),
            "10.0.0.3:8086: permission denied"
        );
        assert_eq!(failure(address, None), "10.0.0.3:8086 did not answer within 5 s");
        assert_eq!(unanswered("db").found, "no answer about db within 5 s");
    }
}
