//! Who may ask, and where a listener may be for that.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::Credentials;

/// Where to listen, as settings say it: a port, or an address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListenAddress {
    /// A port: of all addresses where there is authentication, else of 127.0.0.1.
    Port(u16),
    /// This address and port.
    Socket(SocketAddr),
}

/// Who may ask.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// What every request must bring; none where anyone may ask.
    pub credentials: Option<Credentials>,
    /// Whether anyone may ask from anywhere: `open_listener = true`.
    pub open: bool,
}

/// A listener would show its samples to anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it was to listen.
    pub address: SocketAddr,
}

impl Access {
    /// Where to listen for this access: beyond the loopback addresses only with credentials, or where `open` says so.
    ///
    /// # Errors
    /// Where an address beyond them was named without either.
    pub fn address(&self, wanted: ListenAddress) -> Result<SocketAddr, Refused> {
        let free = self.open || self.credentials.is_some();
        match wanted {
            ListenAddress::Port(port) if free => Ok((Ipv6Addr::UNSPECIFIED, port).into()),
            ListenAddress::Port(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
            ListenAddress::Socket(address) if free || is_loopback(address.ip()) => Ok(address),
            ListenAddress::Socket(address) => Err(Refused { address }),
        }
    }
}

/// 127.0.0.0/8 and ::1, in any spelling.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

impl ListenAddress {
    /// The port.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            ListenAddress::Port(port) => port,
            ListenAddress::Socket(address) => address.port(),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    /// `9090`, `:9090`, `127.0.0.1:9090`, `[::1]:9090`, `localhost:9090`. Other names are refused: what they mean may
    /// change.
    fn from_str(text: &str) -> Result<ListenAddress, String> {
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        if let Some(port) = port(text.strip_prefix(':').unwrap_or(text)) {
            return Ok(ListenAddress::Port(port));
        }
        let address = match text.strip_prefix("localhost:").and_then(port) {
            Some(port) => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
            None => text.parse::<SocketAddr>().ok(),
        };
        match address {
            Some(address) if address.port() > 0 => Ok(ListenAddress::Socket(address)),
            _ => Err(
                "is no address to listen on; write \"PORT\", \"127.0.0.1:PORT\" or \"[::1]:PORT\" instead"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Port(port) => write!(f, "{port}"),
            ListenAddress::Socket(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a listener on {} would show the values to anyone who reaches it; set `username` and `password`, listen on \
             127.0.0.1, or write `open_listener = true` where anyone may see them",
            self.address
        )
    }
}

impl Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("9090", Some("9090")),
            (":9090", Some("9090")),
            ("127.0.0.1:1", Some("127.0.0.1:1")),
            ("0.0.0.0:9090", Some("0.0.0.0:9090")),
            ("[::1]:9090", Some("[::1]:9090")),
            ("localhost:80", Some("127.0.0.1:80")),
            ("example.org:80", None),
            ("127.0.0.1", None),
            ("0", None),
            ("127.0.0.1:0", None),
            ("65536", None),
            ("", None),
            (":", None),
            ("-1", None),
        ] {
            let found = text.parse::<ListenAddress>().ok().map(|found| found.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn nobody_is_let_in_by_mistake() {
        let closed = Access::default();
        let open = Access {
            open: true,
            ..Access::default()
        };
        let at = |access: &Access, text: &str| {
            access
                .address(text.parse().unwrap())
                .map(|address| address.to_string())
                .map_err(|refused| refused.to_string())
        };
        assert_eq!(at(&closed, "9090").as_deref(), Ok("127.0.0.1:9090"));
        assert_eq!(at(&open, "9090").as_deref(), Ok("[::]:9090"));
        for loopback in ["127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(at(&closed, loopback).is_ok(), "{loopback}");
        }
        for wide in [
            "0.0.0.0:1",
            "[::]:1",
            "192.0.2.1:1",
            "[2001:db8::1]:1",
            "[::ffff:192.0.2.1]:1",
        ] {
            let refused = at(&closed, wide).unwrap_err();
            assert!(refused.contains("open_listener = true"), "{refused}");
            assert!(refused.contains(wide), "{refused}");
            assert!(at(&open, wide).is_ok(), "{wide}");
        }
    }
}
