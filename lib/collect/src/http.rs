//! HTTP for collectors, and the same TLS for sinks.
//!
//! A client is made when it is first used: a collector that asks nobody pays nothing. Requests are bounded in time
//! and in bytes (counted after decompression), gzip is decoded, redirects are followed (at most
//! [`REDIRECT_LIMIT`], never from https to http), proxies and certificates come from the environment that the
//! options were made with. Nothing is retried: the next run is the retry.
//!
//! A client for many servers ([`ClientOptions::many_servers`]) asks for what follows no redirect in a second, leaner way
//! (`lean.rs`): a connection that is kept then holds a buffer of 32 KiB, not one of up to 400. It has the same errors, and no
//! gzip; behind a proxy it is not used.
//!
//! # Certificates
//! Without a `ca_file`, a server's chain must end at one of the system's authorities: those of `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` where either is set, else the distribution's bundle, else `/etc/ssl/certs`. They are looked up by
//! name at the first handshake, and only those that are asked for are parsed.
//!
//! With a `ca_file`, its certificates alone are trusted: as authorities, or one of them as exactly the server's own.
//! Of the server's own, name and validity are still checked, and that the server holds its key; who signed it, what
//! it may be used for, and whether it calls itself an authority are not.
//!
//! `insecure_skip_verify` checks nothing: whoever answers is believed.

mod body;
mod certificate;
mod client;
mod error;
mod headers;
mod lean;
mod names;
mod options;
mod pem;
mod request;
mod roots;
mod tls;
mod tls_error;

pub use body::Body;
pub use client::{Http, REDIRECT_LIMIT, client};
pub use error::{HttpError, HttpErrorKind, redacted};
pub use headers::Headers;
pub use options::ClientOptions;
pub use request::{MAX_BYTES, Request, Response, TIMEOUT};
pub use url::Url;
