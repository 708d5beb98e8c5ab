use std::fmt;
use std::str::FromStr;

use tidemark_collect::http::Url;

/// The port of the API where an address names none.
pub const PORT: u16 = 8080;
/// The longest address in bytes: a name of DNS and what may stand around it.
const LONGEST: usize = 300;

/// Where a cluster's API is: `host`, `host:port`, `https://host:port`, an IPv6 address with or without brackets; a
/// trailing slash does not matter. The port is [`PORT`] where none is named, in a URL too.
///
/// `http://` is for loopback addresses alone: a password would go over the network as it is.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    url: Url,
    /// `https://host:port`.
    base: String,
}

/// What is no address of a cluster. It does not quote the text: there may be a password in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BadAddress {
    /// Nothing is there.
    Empty,
    /// Longer than any address.
    TooLong,
    /// `user@` or `user:password@` in it.
    Credentials,
    /// A path, a query or a fragment behind it.
    Path,
    /// Another scheme than https.
    Scheme,
    /// `http://` to another machine.
    Plain,
    /// The port is no number from 1 to 65535.
    Port,
    /// The host is no name and no address.
    Host,
}

impl Address {
    /// The address of a path of the API, which begins with a slash; a query may follow.
    pub(crate) fn url(&self, target: &str) -> Url {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(query);
        url
    }

    /// The address with that last segment behind that path; what is special in it is escaped.
    pub(crate) fn url_of(&self, path: &str, segment: &str) -> Url {
        let mut url = self.url(path);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(segment);
        }
        url
    }

    /// The base URL, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        self.url
            .host_str()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']')
    }

    /// As people write it: the host, with its port where that is not [`PORT`].
    pub fn short(&self) -> String {
        match self.port() {
            PORT => self.host().to_owned(),
            port => format!("{}:{port}", self.url.host_str().unwrap_or_default()),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(PORT)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base())
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadAddress::Empty);
        }
        if text.len() > LONGEST {
            return Err(BadAddress::TooLong);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", rest),
            Some(_) => return Err(BadAddress::Scheme),
            None => ("https", text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            return Err(BadAddress::Credentials);
        }
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(BadAddress::Path);
        }
        let (host, port) = split_port(rest)?;
        let url = format!("{scheme}://{host}/");
        let mut url = Url::parse(&url).map_err(|_| BadAddress::Host)?;
        if url.host_str().is_none_or(str::is_empty) || url.path() != "/" {
            return Err(BadAddress::Host);
        }
        url.set_port(Some(port)).map_err(|()| BadAddress::Host)?;
        if scheme == "http" && !is_loopback(&url) {
            return Err(BadAddress::Plain);
        }
        let base = format!("{scheme}://{}:{port}", url.host_str().unwrap_or_default());
        Ok(Self { url, base })
    }
}

/// The host as a URL has it, and the port.
fn split_port(text: &str) -> Result<(String, u16), BadAddress> {
    let number = |digits: &str| match digits.parse::<u16>() {
        Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(BadAddress::Port),
    };
    if let Some(inner) = text.strip_prefix('[') {
        let (inner, rest) = inner.split_once(']').ok_or(BadAddress::Host)?;
        let port = match rest.strip_prefix(':') {
            Some(digits) => number(digits)?,
            None if rest.is_empty() => PORT,
            None => return Err(BadAddress::Host),
        };
        return Ok((format!("[{inner}]"), port));
    }
    match text.split_once(':') {
        None => Ok((text.to_owned(), PORT)),
        // More than one colon: IPv6 without brackets, which has no port.
        Some((_, rest)) if rest.contains(':') => Ok((format!("[{text}]"), PORT)),
        Some((host, digits)) => Ok((host.to_owned(), number(digits)?)),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the address is empty; write the cluster's name",
            Self::TooLong => "the address is longer than any; write the cluster's name",
            Self::Credentials => {
                "the address has a user in it; write the name alone, and user and password beside it"
            }
            Self::Path => "the address has a path in it; write the cluster's name, and `:PORT` where it is not 8080",
            Self::Scheme => "the address is none of https; write the cluster's name, or `https://NAME:PORT`",
            Self::Plain => {
                "the address is http://, which would send the password unencrypted; write https:// or the name alone"
            }
            Self::Port => "the port is no number from 1 to 65535; write `NAME:PORT`",
            Self::Host => "the host is neither a name nor an IP address; write the cluster's name",
        })
    }
}

impl std::error::Error for BadAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, BadAddress> {
        text.parse::<Address>().map(|address| address.to_string())
    }

    #[test]
    fn every_form_of_an_address() {
        for (text, expected) in [
            ("cl17", "https://cl17:8080"),
            ("CL17.example.", "https://cl17.example.:8080"),
            ("cl17.example:443", "https://cl17.example:443"),
            ("https://cl17.example", "https://cl17.example:8080"),
            ("https://cl17.example/", "https://cl17.example:8080"),
            ("HTTPS://cl17.example:9443/", "https://cl17.example:9443"),
            (" 192.0.2.7 ", "https://192.0.2.7:8080"),
            ("192.0.2.7:1", "https://192.0.2.7:1"),
            ("2001:db8::7", "https://[2001:db8::7]:8080"),
            ("[2001:db8::7]", "https://[2001:db8::7]:8080"),
            ("[2001:db8::7]:8443", "https://[2001:db8::7]:8443"),
            ("https://[2001:db8::7]:8443/", "https://[2001:db8::7]:8443"),
            ("::1", "https://[::1]:8080"),
            ("http://localhost:8081", "http://localhost:8081"),
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
            ("http://[::1]", "http://[::1]:8080"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, expected) in [
            ("", BadAddress::Empty),
            ("  ", BadAddress::Empty),
            ("ftp://cl17", BadAddress::Scheme),
            ("http://cl17:8080", BadAddress::Plain),
            ("http://192.0.2.7", BadAddress::Plain),
            ("user:hunter2@cl17", BadAddress::Credentials),
            ("https://user@cl17", BadAddress::Credentials),
            ("cl17/platform", BadAddress::Path),
            ("cl17?x", BadAddress::Path),
            ("cl17\\x", BadAddress::Path),
            ("cl17:", BadAddress::Port),
            ("cl17:0", BadAddress::Port),
            ("cl17:+80", BadAddress::Port),
            ("cl17:65536", BadAddress::Port),
            ("cl17:http", BadAddress::Port),
            (":8080", BadAddress::Host),
            ("[2001:db8::7", BadAddress::Host),
            ("[2001:db8::7]8080", BadAddress::Host),
            ("[cl17]", BadAddress::Host),
            ("1:2:3", BadAddress::Host),
            ("cl 17", BadAddress::Host),
            ("https://", BadAddress::Host),
            ("https:///", BadAddress::Host),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        assert_eq!(read(&"x".repeat(301)), Err(BadAddress::TooLong));
    }

    #[test]
    fn host_and_port_apart() {
        let address: Address = "https://[2001:db8::7]:443/".parse().unwrap();
        assert_eq!((address.host(), address.port()), ("2001:db8::7", 443));
    }

    #[test]
    fn the_short_form_has_the_port_where_it_is_another() {
        for (text, expected) in [
            ("https://cl17.example:8080/", "cl17.example"),
            ("cl17.example:443", "cl17.example:443"),
            ("http://127.0.0.1:8081", "127.0.0.1:8081"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443", "[2001:db8::7]:443"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.short(), expected);
            assert_eq!(address.short().parse::<Address>().unwrap().port(), address.port());
        }
    }

    #[test]
    fn a_key_is_one_segment() {
        let address: Address = "cl17".parse().unwrap();
        let url = address.url_of("/platform/1/statistics/keys/", "a.b/../c?d");
        assert_eq!(
            url.as_str(),
            "https://cl17:8080/platform/1/statistics/keys/a.b%2F..%2Fc%3Fd"
        );
    }
}
