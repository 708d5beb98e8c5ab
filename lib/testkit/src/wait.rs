//! Waiting for conditions, and ports that nobody has.

use std::net::{Ipv4Addr, TcpListener};
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

/// Waits until `condition` is true, looking every few milliseconds; less often where a look takes long itself.
///
/// # Panics
/// When it is still false after `bound`; the message names `what`.
#[track_caller]
pub fn wait_until(what: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + bound;
    loop {
        let began = Instant::now();
        if condition() {
            return;
        }
        assert!(Instant::now() < end, "waited {bound:?} in vain for: {what}");
        std::thread::park_timeout(LOOK_AGAIN.max(began.elapsed() * LEISURE));
    }
}

/// A TCP port of 127.0.0.1 that nothing listens on, outside the range of outgoing connections.
///
/// Another process may take it before the caller does: a server that is started on it tries again with another.
pub fn free_port() -> u16 {
    bind_free()
        .local_addr()
        .expect("a bound listener has an address")
        .port()
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
