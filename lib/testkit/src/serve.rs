//! A small HTTP/1.1 server on threads, plain or TLS, that closes and opens its port.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::answer::{After, Answer};
use crate::certificates::Identity;
use crate::request::Request;
use crate::wait::{bind_free, wait_until_closed};

/// How long a port that is opened again may be somebody else's.
const REOPEN: Duration = Duration::from_secs(10);

/// What answers a request.
pub(crate) type Handler = Arc<dyn Fn(Request) -> Answer + Send + Sync>;

/// A server on a port of its own; it closes when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    tls: Mutex<Option<Arc<rustls::ServerConfig>>>,
    handler: Handler,
    accepted: Arc<AtomicUsize>,
    open: Mutex<Option<Open>>,
}

/// What is there while the port is open.
struct Open {
    pause: Arc<Pause>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    accept: JoinHandle<()>,
}

/// Waits that end when the server closes.
#[derive(Default)]
pub(crate) struct Pause {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Pause {
    /// Waits so long; true as soon as the server is closed.
    pub(crate) fn closed_within(&self, time: Duration) -> bool {
        let (closed, _) = self
            .changed
            .wait_timeout_while(lock(&self.closed), time, |closed| !*closed)
            .unwrap_or_else(PoisonError::into_inner);
        *closed
    }

    fn is_closed(&self) -> bool {
        *lock(&self.closed)
    }

    fn close(&self) {
        *lock(&self.closed) = true;
        self.changed.notify_all();
    }
}

impl Server {
    pub(crate) fn start(tls: Option<&Identity>, handler: Handler) -> Self {
        let listener = bind_free();
        let address = listener.local_addr().expect("a bound listener has an address");
        let server = Self {
            address,
            tls: Mutex::new(tls.map(Identity::server_config)),
            handler,
            accepted: Arc::default(),
            open: Mutex::new(None),
        };
        *lock(&server.open) = Some(server.accept(listener));
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address of a path; `localhost` by name, so that certificates fit.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if lock(&self.tls).is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://localhost:{}{path}", self.port())
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Ends every connection; from here on connections are refused. Nothing where it is closed.
    pub(crate) fn close(&self) {
        let Some(open) = lock(&self.open).take() else {
            return;
        };
        open.pause.close();
        // The listener is in `accept`, which blocks: a connection wakes it.
        drop(TcpStream::connect(self.address));
        drop(open.accept.join());
        for connection in lock(&open.connections).drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
        wait_until_closed(self.address);
    }

    /// Listens on the same port again. Nothing where it is open.
    pub(crate) fn reopen(&self) {
        let mut open = lock(&self.open);
        if open.is_some() {
            return;
        }
        let end = Instant::now() + REOPEN;
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(why) => assert!(Instant::now() < end, "{} is taken: {why}", self.address),
            }
            std::thread::park_timeout(Duration::from_millis(10));
        };
        *open = Some(self.accept(listener));
    }

    /// Shows that certificate from now on: every connection ends, and new ones meet it.
    pub(crate) fn present(&self, identity: &Identity) {
        self.close();
        *lock(&self.tls) = Some(identity.server_config());
        self.reopen();
    }

    fn accept(&self, listener: TcpListener) -> Open {
        let pause = Arc::new(Pause::default());
        let connections: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (tls, handler) = (lock(&self.tls).clone(), Arc::clone(&self.handler));
        let (pause2, connections2) = (Arc::clone(&pause), Arc::clone(&connections));
        let accepted = Arc::clone(&self.accepted);
        let accept = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if pause2.is_closed() {
                    return;
                }
                let Ok(stream) = stream else { continue };
                accepted.fetch_add(1, Ordering::SeqCst);
                drop(stream.set_nodelay(true));
                if let Ok(clone) = stream.try_clone() {
                    lock(&connections2).push(clone);
                }
                let (tls, handler, pause) = (tls.clone(), Arc::clone(&handler), Arc::clone(&pause2));
                let connections = Arc::clone(&connections2);
                std::thread::spawn(move || {
                    let peer = stream.peer_addr();
                    // A client that leaves in the middle is the client's affair.
                    drop(converse(stream, tls, &handler, &pause));
                    // The clone would keep the connection open.
                    lock(&connections).retain(|other| match (&peer, other.peer_addr()) {
                        (Ok(peer), Ok(other)) => *peer != other,
                        _ => false,
                    });
                });
            }
        });
        Open {
            pause,
            connections,
            accept,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

/// One connection, request after request.
fn converse(
    stream: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    handler: &Handler,
    pause: &Pause,
) -> io::Result<()> {
    let raw = stream.try_clone()?;
    let channel = match tls {
        None => Channel::Plain(stream),
        Some(config) => {
            let session = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
            Channel::Tls(Box::new(rustls::StreamOwned::new(session, stream)))
        }
    };
    let mut reader = BufReader::new(channel);
    let go_on = |reader: &mut BufReader<Channel>| {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        reader.get_mut().flush()
    };
    while let Some(request) = Request::read(&mut reader, go_on)? {
        let last = request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let after = handler(request).play(reader.get_mut(), pause)?;
        match after {
            After::KeepAlive if !last => continue,
            After::KeepAlive | After::Close => reader.get_mut().end()?,
            After::Reset => {
                // No time to linger: the kernel sends a reset when the last handle goes.
                rustix::net::sockopt::set_socket_linger(&raw, Some(Duration::ZERO))?;
            }
            After::Hang => {
                // Until the client or the server ends the connection.
                while matches!((&raw).read(&mut [0; 1024]), Ok(count) if count > 0) {}
            }
        }
        break;
    }
    Ok(())
}

/// A connection, plain or TLS.
enum Channel {
    Plain(TcpStream),
    Tls(Box<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>),
}

impl Channel {
    /// Ends it in good order.
    fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown(Shutdown::Write),
            Self::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()?;
                stream.sock.shutdown(Shutdown::Write)
            }
        }
    }
}

impl Read for Channel {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// The lock, also where a test panicked while it held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
