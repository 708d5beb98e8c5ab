//! What a program that stays tells its service manager: that it is ready, alive, how its last run was, and that it ends.
//!
//! The protocol is sd_notify(3)'s: a datagram of assignments to the socket that `$NOTIFY_SOCKET` names.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tidemark_settings::Environment;

use crate::log::printable;

/// How long the manager is waited for where it is busy.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most characters of a status.
const MAX_STATUS: usize = 200;

/// A service manager that wants to know.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
    watchdog: Option<Duration>,
}

impl Manager {
    /// The manager that started this process; none where there is none, or it does not want to know.
    pub(crate) fn of(environment: &dyn Environment) -> Option<Self> {
        let name = environment.get_nonempty("NOTIFY_SOCKET")?;
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
            _ => SocketAddr::from_pathname(&name),
        };
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_write_timeout(Some(PATIENCE)).ok()?;
        Some(Self {
            socket,
            address: address.ok()?,
            watchdog: watchdog(environment, std::process::id()),
        })
    }

    /// How long this process may be silent; none where the manager does not watch it.
    pub(crate) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    pub(crate) fn ready(&self) {
        self.say("READY=1");
    }

    pub(crate) fn alive(&self) {
        self.say("WATCHDOG=1");
    }

    /// That it reads its settings anew, until it is ready again.
    pub(crate) fn reloading(&self) {
        let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
        // The manager tells by the time which reload that is.
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros()));
    }

    pub(crate) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// What `systemctl status` shows.
    pub(crate) fn status(&self, text: &str) {
        // Bounded before it is made printable, and one line: a line break would begin another assignment.
        let text: String = text.chars().take(MAX_STATUS).collect();
        self.say(&format!("STATUS={}", printable(&text)));
    }

    fn say(&self, text: &str) {
        if let Err(error) = self.try_say(text) {
            tracing::debug!("the service manager does not take {text:?}: {error}");
        }
    }

    fn try_say(&self, text: &str) -> io::Result<()> {
        self.socket.send_to_addr(text.as_bytes(), &self.address).map(drop)
    }
}

/// `$WATCHDOG_USEC`, where `$WATCHDOG_PID` is this process or nobody.
fn watchdog(environment: &dyn Environment, process: u32) -> Option<Duration> {
    let number = |name: &str| -> Option<Option<u64>> {
        let Some(text) = environment.get_nonempty(name) else {
            return Some(None);
        };
        text.to_str()?.parse().ok().map(Some)
    };
    let meant = number("WATCHDOG_PID")?.is_none_or(|meant| meant == u64::from(process));
    let micros = number("WATCHDOG_USEC")??;
    (meant && micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::path::Path;

    fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, OsString> {
        let variables = variables.iter();
        variables
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect()
    }

    /// A manager that listens in the test's own folder.
    pub(crate) fn listening(folder: &Path, watchdog: Duration) -> (UnixDatagram, Manager) {
        let path = folder.join("notify");
        let listener = UnixDatagram::bind(&path).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let micros = watchdog.as_micros().to_string();
        let environment = environment(&[
            ("NOTIFY_SOCKET", path.to_str().expect("text")),
            ("WATCHDOG_USEC", &micros),
        ]);
        (listener, Manager::of(&environment).expect("a manager"))
    }

    /// What it was told since the last look.
    pub(crate) fn told(listener: &UnixDatagram) -> Vec<String> {
        let mut bytes = [0; 4096];
        let mut told = Vec::new();
        while let Ok(length) = listener.recv(&mut bytes) {
            told.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        }
        told
    }

    #[test]
    fn the_manager_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let (listener, manager) = listening(folder.path(), Duration::from_secs(120));
        assert_eq!(manager.watchdog(), Some(Duration::from_secs(120)));
        manager.ready();
        manager.alive();
        manager.status("well\nMAINPID=1\u{1b}");
        manager.status(&"ä".repeat(100_000));
        manager.stopping();
        manager.reloading();
        let told = told(&listener);
        assert_eq!(
            told[..3],
            ["READY=1", "WATCHDOG=1", r"STATUS=well\nMAINPID=1\u{1b}"]
        );
        assert_eq!(told[3].chars().count(), "STATUS=".len() + MAX_STATUS);
        assert_eq!(told[4], "STOPPING=1");
        let time = told[5].strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        assert!(time.is_some_and(|time| time.parse::<u64>().is_ok_and(|time| time > 0)));
        // One that is gone is no failure.
        drop(listener);
        manager.ready();
    }

    #[test]
    fn an_abstract_socket_is_one_too() {
        let name = format!("tidemark-test-{}", std::process::id());
        let listener = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name"));
        let listener = listener.expect("a socket");
        let manager = Manager::of(&environment(&[("NOTIFY_SOCKET", &format!("@{name}"))]));
        manager.expect("a manager").ready();
        listener.set_nonblocking(true).expect("a socket");
        assert_eq!(told(&listener), ["READY=1"]);
    }

    #[test]
    fn nobody_wants_to_know_without_the_variable() {
        assert!(Manager::of(&environment(&[])).is_none());
        assert!(Manager::of(&environment(&[("NOTIFY_SOCKET", "")])).is_none());
    }

    #[test]
    fn the_watchdog_is_for_the_process_that_it_names() {
        let of = |variables: &[(&str, &str)]| watchdog(&environment(variables), 7);
        let two = Some(Duration::from_secs(2));
        assert_eq!(of(&[("WATCHDOG_USEC", "2000000")]), two);
        assert_eq!(of(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", "7")]), two);
        assert_eq!(of(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", "8")]), None);
        for none in ["", "0", "-1", "soon", "99999999999999999999999"] {
            assert_eq!(of(&[("WATCHDOG_USEC", none)]), None, "{none}");
        }
    }
}
