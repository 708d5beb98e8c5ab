//! What is to listen where, and what it shows.

use std::net::SocketAddr;

use crate::access::Access;
use crate::{Group, Registry, Tls};

/// A listener that is wanted.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Where it listens, see [`Access::address`].
    pub address: SocketAddr,
    /// What people call it, in its pages and in the log: `OneFS cluster cl17`.
    pub title: String,
    /// Who may ask.
    pub access: Access,
    /// Its certificate; plain HTTP where there is none.
    pub tls: Option<Tls>,
    /// What it shows.
    pub content: Content,
}

/// What a listener shows.
#[derive(Clone, Debug)]
pub enum Content {
    /// Samples, at `/metrics`.
    Metrics {
        /// Where they are.
        registry: Registry,
        /// The source whose samples they are; none for those of all.
        source: Option<String>,
    },
    /// A list of targets, at every path.
    Targets(Vec<Group>),
}
