//! What a failed handshake means, and what to do about it.

use std::fmt::Write as _;

use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error};
use tidemark_point::Timestamp;
use url::Url;

use super::tls::{NoAuthorities, NotNamed};

/// The most names of a certificate that an error shows.
const NAMES_SHOWN: usize = 5;

/// The server hung up before there was a secure connection.
pub(super) const CLOSED: &str = "the server closed the connection instead of speaking TLS; write http:// if it is \
                                 meant to be plain HTTP, else see its log";

/// One line: what is wrong with the server's certificate or answer, and what to do.
pub(super) fn explain(error: &Error, url: &Url) -> String {
    let host = url.host_str().unwrap_or("the server");
    match error {
        Error::InvalidCertificate(fault) => certificate(fault, host),
        Error::Other(other) if other.0.is::<NoAuthorities>() => other.0.to_string(),
        Error::InvalidMessage(_) => format!(
            "what answers on this port does not speak TLS ({error}); write http:// if it is meant to be plain HTTP"
        ),
        _ => format!("no secure connection: {error}"),
    }
}

fn certificate(fault: &CertificateError, host: &str) -> String {
    match fault {
        CertificateError::UnknownIssuer => format!(
            "the certificate of {host} comes from an authority that is not trusted here; name the authority's \
             certificate, or the server's own, as ca_file"
        ),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let mut text = format!("the certificate is not for {host}");
            if presented.is_empty() {
                text.push_str(" (it names nobody)");
            } else {
                let names: Vec<&str> = presented
                    .iter()
                    .take(NAMES_SHOWN)
                    .map(|name| plain(name))
                    .collect();
                // Writing to a String does not fail.
                let _ = write!(text, " but for {}", names.join(", "));
                if presented.len() > NAMES_SHOWN {
                    let _ = write!(text, " and {} more", presented.len() - NAMES_SHOWN);
                }
            }
            text + "; use a name that it is for, or give the server one for this name"
        }
        CertificateError::NotValidForName => {
            format!("the certificate is not for {host}; use a name that it is for")
        }
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the certificate of {host}, or of an authority above it, expired at {} (it is {} here); renew it on the \
             server, or set this host's clock",
            moment(*not_after),
            moment(*time)
        ),
        CertificateError::Expired => {
            format!("the certificate of {host} has expired; renew it on the server, or set this host's clock")
        }
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the certificate of {host}, or of an authority above it, is valid from {} on (it is {} here); set this \
             host's clock",
            moment(*not_before),
            moment(*time)
        ),
        CertificateError::NotValidYet => {
            format!("the certificate of {host} is not valid yet; set this host's clock")
        }
        CertificateError::BadEncoding => {
            format!(
                "the certificate of {host} cannot be read: it is damaged, or of a version before 3; make it anew"
            )
        }
        CertificateError::Other(other) if other.0.is::<NotNamed>() => format!(
            "the certificate of {host} {other}; if the server has a new one, put that, or its authority's, into the file"
        ),
        other if is_self_signed(other) => format!(
            "{host} uses an authority's certificate as its own (self-signed, most likely); name this certificate as \
             ca_file to accept it"
        ),
        _ => format!("the certificate of {host} is refused: {fault}"),
    }
}

/// Whether it is of an authority that is not trusted, or of none but itself.
pub(super) fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(fault) if *fault == CertificateError::UnknownIssuer || is_self_signed(fault))
}

fn is_self_signed(fault: &CertificateError) -> bool {
    // The library's only name for it.
    matches!(fault, CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity"))
}

/// A name of a certificate as people write it: `DnsName("a.example")` is `a.example`.
fn plain(name: &str) -> &str {
    name.split_once("(\"")
        .and_then(|(_, rest)| rest.strip_suffix("\")"))
        .unwrap_or(name)
}

fn moment(time: UnixTime) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_nanos_clamped(seconds.saturating_mul(1_000_000_000))
}
