//! Names of servers that are many, of which a client stays with one.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The most names that are kept: more clusters than anyone has.
const MOST: usize = 10_000;

/// What is known of names; where nothing is said of a name, it is looked up for each connection.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// In small letters. Nothing is known yet where the list is empty.
    kept: Mutex<HashMap<String, Vec<SocketAddr>>>,
}

impl Names {
    /// From here on, connections to that name go where the first one goes.
    pub(super) fn keep(&self, host: &str) {
        let mut kept = self.kept();
        if kept.len() < MOST {
            kept.entry(host.to_ascii_lowercase()).or_default();
        }
    }

    /// The next connection may go elsewhere, and those after it go there too.
    pub(super) fn look_up_again(&self, host: &str) {
        if let Some(addresses) = self.kept().get_mut(&host.to_ascii_lowercase()) {
            addresses.clear();
        }
    }

    /// Where connections to that name go, where it is kept and known.
    fn known(&self, host: &str) -> Option<Vec<SocketAddr>> {
        let kept = self.kept();
        let addresses = kept.get(&host.to_ascii_lowercase())?;
        (!addresses.is_empty()).then(|| addresses.clone())
    }

    /// What a look-up has found, or what another has found before it, where the name is kept.
    fn learn(&self, host: &str, found: Vec<SocketAddr>) -> Vec<SocketAddr> {
        match self.kept().get_mut(&host.to_ascii_lowercase()) {
            None => found,
            Some(addresses) => {
                if addresses.is_empty() {
                    *addresses = found;
                }
                addresses.clone()
            }
        }
    }

    /// Where connections to that name go: what is known, else what the system's look-up finds.
    pub(super) async fn addresses(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        if let Some(addresses) = self.known(host) {
            return Ok(addresses);
        }
        // The port is the URL's.
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(self.learn(host, found.collect()))
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Vec<SocketAddr>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The system's look-up, and what is known.
#[derive(Clone, Debug)]
pub(super) struct Resolver(pub(super) Arc<Names>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let names = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = names.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([192, 0, 2, last], 0))]
    }

    #[test]
    fn a_name_that_is_kept_stays_where_it_is() {
        let names = Names::default();
        assert_eq!(names.learn("cl17", at(1)), at(1));
        assert_eq!(names.known("cl17"), None, "nobody asked for it");
        names.keep("CL17");
        assert_eq!(names.known("cl17"), None);
        assert_eq!(names.learn("cl17", at(2)), at(2));
        assert_eq!(names.learn("Cl17", at(3)), at(2), "whoever was first");
        names.keep("cl17");
        assert_eq!(names.known("cl17"), Some(at(2)));
        names.look_up_again("cl17");
        assert_eq!(names.known("cl17"), None);
        assert_eq!(names.learn("cl17", at(3)), at(3));
        assert_eq!(names.known("cl17"), Some(at(3)));
        names.look_up_again("cl18");
        assert_eq!(names.known("cl18"), None);
    }

    #[test]
    fn a_look_up_that_finds_nothing_is_not_kept() {
        let names = Names::default();
        names.keep("cl17");
        assert_eq!(names.learn("cl17", Vec::new()), Vec::new());
        assert_eq!(names.learn("cl17", at(1)), at(1));
    }

    #[test]
    fn names_are_bounded() {
        let names = Names::default();
        for number in 0..=MOST {
            names.keep(&format!("cl{number}"));
        }
        assert_eq!(names.kept().len(), MOST);
    }

    #[tokio::test]
    async fn the_system_is_asked_once() {
        let names = Arc::new(Names::default());
        names.keep("localhost");
        let resolver = Resolver(Arc::clone(&names));
        let name = || "localhost".parse::<Name>().unwrap();
        let first: Vec<SocketAddr> = resolver.resolve(name()).await.unwrap().collect();
        assert!(
            first.iter().all(|address| address.ip().is_loopback()),
            "{first:?}"
        );
        assert_eq!(names.known("localhost"), Some(first));
        // The other way goes where this one went.
        names.look_up_again("localhost");
        names.learn("localhost", at(1));
        let mut resolver = resolver;
        let name = "localhost".parse().unwrap();
        let found = tower_service::Service::call(&mut resolver, name);
        assert!(found.await.unwrap().eq(at(1)));
    }
}
