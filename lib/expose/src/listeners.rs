//! All listeners of a program: opened, changed and closed as its settings say.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidemark_collect::{Shutdown, ShutdownTrigger};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::connections::Connections;
use crate::limits::Patience;
use crate::server::Server;
use crate::{Listener, Site};

/// The wait after an address could not be had; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// For how long nothing is said: who had the address before may be about to leave it.
const SILENT: Duration = Duration::from_secs(1);
/// How often [`Listeners::settle`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Listeners that run. Those that an address is not to be had for are tried again, and hold none of the others off.
///
/// When it is dropped they close; answers under way have 5 s to end, as long as the runtime lives.
#[derive(Default)]
pub struct Listeners(Mutex<BTreeMap<SocketAddr, Running>>);

struct Running {
    site: watch::Sender<Site>,
    connections: Connections,
    /// Where it listens in fact; none while the address is not to be had.
    open: watch::Receiver<Option<SocketAddr>>,
    stop: ShutdownTrigger,
    task: JoinHandle<()>,
}

impl Listeners {
    /// None yet.
    #[must_use]
    pub fn new() -> Listeners {
        Listeners::default()
    }

    /// Opens those that are new, closes those that are no longer wanted, and changes what the others show. Of two with
    /// one address the last counts. It is called within a runtime, and does not wait; those that were opened within another
    /// which has ended since are opened anew.
    pub fn set(&self, wanted: Vec<Listener>) {
        let mut running = self.lock();
        let wanted: BTreeMap<SocketAddr, Listener> = wanted
            .into_iter()
            .map(|listener| (listener.address, listener))
            .collect();
        running.retain(|address, running| {
            let stays = wanted.contains_key(address);
            if !stays {
                running.stop.fire();
            }
            stays
        });
        for (address, listener) in wanted {
            match running.get(&address) {
                // One whose runtime has ended listens no more.
                Some(known) if !known.task.is_finished() => {
                    known.site.send_replace(Site::new(listener));
                }
                _ => {
                    running.insert(address, open(listener));
                }
            }
        }
    }

    /// The addresses that are wanted, each with where it listens in fact: nowhere while the address is not to be had.
    #[must_use]
    pub fn open(&self) -> Vec<(SocketAddr, Option<SocketAddr>)> {
        let running = self.lock();
        running
            .iter()
            .map(|(address, running)| (*address, *running.open.borrow()))
            .collect()
    }

    /// Waits until no answer is under way, at most so long: before a program ends.
    pub async fn settle(&self, within: Duration) {
        let start = Instant::now();
        while start.elapsed() < within {
            let answering: usize = self
                .lock()
                .values()
                .map(|running| running.connections.answering())
                .sum();
            if answering == 0 {
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Closes all, and waits until they are; answers under way have 5 s to end.
    pub async fn close(&self) {
        let running = std::mem::take(&mut *self.lock());
        for listener in running.values() {
            listener.stop.fire();
        }
        for listener in running.into_values() {
            let _ = listener.task.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for running in self.lock().values() {
            running.stop.fire();
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listeners").field(&self.open()).finish()
    }
}

fn open(listener: Listener) -> Running {
    let (address, title) = (listener.address, listener.title.clone());
    let (site, shown) = watch::channel(Site::new(listener));
    let (opened, open) = watch::channel(None);
    let (stop, stopped) = Shutdown::new();
    let connections = Connections::default();
    let server = Server {
        connections: connections.clone(),
        patience: Patience::DEFAULT,
    };
    let task = tokio::spawn(async move {
        let bound = tokio::select! {
            biased;
            () = stopped.fired() => return,
            bound = bind_at_last(address, &title) => bound,
        };
        let at = bound.local_addr().unwrap_or(address);
        tracing::info!("{title}: listening on {at}");
        opened.send_replace(Some(at));
        server.serve(bound, shown, stopped).await;
        opened.send_replace(None);
    });
    Running {
        site,
        connections,
        open,
        stop,
        task,
    }
}

/// Tries until the address is to be had, and says once that it is not.
async fn bind_at_last(address: SocketAddr, title: &str) -> TcpListener {
    let start = Instant::now();
    let mut wait = FIRST_WAIT;
    let mut said = false;
    loop {
        match bind(address).await {
            Ok(listener) => return listener,
            Err(error) => {
                if !said && start.elapsed() >= SILENT {
                    said = true;
                    tracing::error!("{title}: cannot listen on {address}: {}", words(&error));
                }
            }
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// On all addresses of both families, or of IPv4 alone where the host has no IPv6.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let result = TcpListener::bind(address).await;
    match result {
        Err(error)
            if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
                && address.ip().is_unspecified() =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        result => result,
    }
}

fn words(error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program, or another listener of these settings, has this port; choose another, or end that program"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 are for privileged programs; choose another",
        io::ErrorKind::AddrNotAvailable => "this host has no such address; name one of its own",
        _ => "choose another address",
    };
    format!("{error}; {advice}; it is tried again")
}
