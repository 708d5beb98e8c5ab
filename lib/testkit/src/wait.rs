//! Waiting for conditions, and ports that nobody has.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long between two looks at a condition, at least.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How many times as long as a look takes it is until the next: one that starts processes leaves the machine to what is
/// waited for.
const LEISURE: u32 = 3;

/// Ports that are asked for by number lie below the range from which Linux takes the local port of an outgoing
/// connection (32768 and up): a server that is down for a while finds its port free again, and nobody connects to
/// himself there.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// How long a port may be open after its listener was closed.
const CLOSED: Duration = Duration::from_secs(30);

/// Waits until `condition` is true, looking every few milliseconds; less often where a look takes long itself.
///
/// # Panics
/// When a look that began after `bound` finds it false still; the message names `what`.
#[track_caller]
pub fn wait_until(what: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + bound;
    loop {
        let began = Instant::now();
        if condition() {
            return;
        }
        // Where the machine stood still, what is waited for may have come meanwhile: the last look is after the end.
        assert!(began < end, "waited {bound:?} in vain for: {what}");
        std::thread::park_timeout(LOOK_AGAIN.max(began.elapsed() * LEISURE));
    }
}

/// A TCP port of 127.0.0.1 that nothing listens on, outside the range of outgoing connections.
///
/// Another process may take it before the caller does: a server that is started on it tries again with another.
pub fn free_port() -> u16 {
    let listener = bind_free();
    let address = listener.local_addr().expect("a bound listener has an address");
    drop(listener);
    wait_until_closed(address);
    address.port()
}

/// Waits until an address refuses connections whose listener this process has closed.
///
/// What another thread starts at that moment has the listener too, until it has become the program that it is to be.
pub(crate) fn wait_until_closed(address: SocketAddr) {
    let end = Instant::now() + CLOSED;
    while TcpStream::connect(address).is_ok() && Instant::now() < end {
        std::thread::park_timeout(LOOK_AGAIN);
    }
}

/// A listener on a free port.
pub(crate) fn bind_free() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let width = PORTS.end - PORTS.start;
    // Processes that run side by side begin at different places.
    let first = u16::try_from(std::process::id().wrapping_mul(7919) % u32::from(width)).unwrap_or(0);
    for _ in 0..width {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = (u32::from(first) + u32::from(step)) % u32::from(width);
        let port = PORTS.start + u16::try_from(offset).expect("smaller than the range's width");
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener;
        }
    }
    panic!("no free port between {} and {}", PORTS.start, PORTS.end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ports_are_free_and_differ() {
        let ports: BTreeSet<u16> = (0..50).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 50);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap_or_else(|why| panic!("port {port}: {why}"));
        }
    }

    #[test]
    fn a_port_is_free_though_other_threads_start_programs() {
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // With a path to look in, which has it made by a fork.
                    let started = std::process::Command::new("true")
                        .env("PATH", "/usr/bin:/bin")
                        .status();
                    assert!(started.is_ok_and(|status| status.success()));
                }
            });
            let refused = (0..500).filter(|_| {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
                TcpStream::connect(address).is_err() && TcpListener::bind(address).is_ok()
            });
            let refused = refused.count();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(refused, 500);
        });
    }

    #[test]
    fn waits_no_longer_than_needed() {
        let mut looks = 0;
        let start = Instant::now();
        wait_until("three looks", Duration::from_secs(30), || {
            looks += 1;
            looks == 3
        });
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    #[should_panic(expected = "in vain for: the moon")]
    fn says_what_it_waited_for() {
        wait_until("the moon", Duration::from_millis(20), || false);
    }
}
