//! The journal of systemd, by its native protocol: an entry is a datagram of fields.
//!
//! The protocol is <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>. Every value is written with its length in front, so that
//! no text of a source begins a field. Entries are bounded, so that each fits into one datagram.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::net::SendFlags;
use tidemark_settings::Environment;

use crate::log::printable;

/// Where the journal listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// The most bytes of a message; what is longer ends in `…`.
pub(crate) const MAX_MESSAGE: usize = 8 << 10;

/// The most bytes of any other field.
const MAX_FIELD: usize = 1 << 10;

/// How long a journal that is busy is waited for, once; then nothing waits for it until it takes an entry again.
const PATIENCE: Duration = Duration::from_millis(200);

/// How urgent an entry is, as syslog counts.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A run failed, or points were lost.
    Error = 3,
    /// The operator must know.
    Warning = 4,
    /// Worth knowing, and nothing to do.
    Notice = 5,
    /// What a run did.
    Info = 6,
    /// What is done on the way.
    Debug = 7,
}

/// An entry.
#[derive(Debug)]
pub(crate) struct Entry {
    priority: Priority,
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Entry {
    pub(crate) fn new(priority: Priority, message: &str) -> Self {
        Self {
            priority,
            message: bounded(&printable(message), MAX_MESSAGE),
            fields: Vec::new(),
        }
    }

    /// Adds a field that is not there yet. Its name is in capitals, and does not begin with an underscore.
    pub(crate) fn add(&mut self, name: &'static str, value: &str) {
        if self.fields.iter().all(|(there, _)| *there != name) {
            self.fields.push((name, bounded(&printable(value), MAX_FIELD)));
        }
    }

    fn datagram(&self) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(self.message.len() + 256);
        put(&mut datagram, "PRIORITY", &(self.priority as u8).to_string());
        for (name, value) in &self.fields {
            put(&mut datagram, name, value);
        }
        put(&mut datagram, "MESSAGE", &self.message);
        datagram
    }
}

fn put(datagram: &mut Vec<u8>, name: &str, value: &str) {
    datagram.extend_from_slice(name.as_bytes());
    datagram.push(b'\n');
    datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    datagram.extend_from_slice(value.as_bytes());
    datagram.push(b'\n');
}

/// `text`, cut to so many bytes.
fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most - '…'.len_utf8());
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The journal, for one program.
#[derive(Debug)]
pub(crate) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
    program: String,
    collector: Option<String>,
    /// It was waited for in vain.
    busy: AtomicBool,
}

impl Journal {
    /// The journal, where standard error goes there: `$JOURNAL_STREAM` names its device and inode (systemd.exec(5)).
    pub(crate) fn of_standard_error(
        environment: &dyn Environment,
        program: &str,
        collector: Option<&str>,
    ) -> Option<Self> {
        let stream = environment.get_nonempty("JOURNAL_STREAM")?;
        let found = rustix::fs::fstat(std::io::stderr()).ok()?;
        if !names(stream.to_str()?, found.st_dev, found.st_ino) {
            return None;
        }
        let journal = Self::at(Path::new(SOCKET), program, collector).ok()?;
        // The journal looks up in /proc whose unit a datagram is, in vain where its sender has ended by then, and
        // `journalctl -u` has it not. Of a stream it knows the unit, and remembers it for the process once it has read a line.
        // An empty one is no entry.
        write_to_stream(b"\n");
        Some(journal)
    }

    pub(crate) fn at(path: &Path, program: &str, collector: Option<&str>) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            socket,
            path: path.to_owned(),
            program: program.to_owned(),
            collector: collector.map(str::to_owned),
            busy: AtomicBool::new(false),
        })
    }

    /// Writes an entry; to standard error where the journal does not take it. It fails never, and waits for a moment at
    /// most.
    pub(crate) fn write(&self, mut entry: Entry) {
        if let Some(collector) = &self.collector {
            entry.add("COLLECTOR", collector);
        }
        entry.add("SYSLOG_IDENTIFIER", &self.program);
        if self.send(&entry.datagram()).is_err() {
            // It keeps the priority.
            write_to_stream(format!("<{}>{}\n", entry.priority as u8, entry.message).as_bytes());
        }
    }

    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        match self.socket.send_to(datagram, &self.path) {
            Ok(_) => {
                if self.busy.swap(false, Ordering::Relaxed) {
                    self.socket.set_nonblocking(false)?;
                }
                Ok(())
            }
            Err(error) => {
                if error.kind() == io::ErrorKind::WouldBlock && !self.busy.swap(true, Ordering::Relaxed) {
                    self.socket.set_nonblocking(true)?;
                }
                Err(error)
            }
        }
    }
}

/// Writes to standard error where it is the journal's own stream, which is a socket: a full one must not be waited for.
fn write_to_stream(bytes: &[u8]) {
    let _ = rustix::net::send(
        std::io::stderr(),
        bytes,
        SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
    );
}

/// Whether the text of `$JOURNAL_STREAM` names this device and inode.
fn names(stream: &str, device: u64, inode: u64) -> bool {
    let parts = stream.split_once(':');
    parts.and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)))
        == Some((device, inode))
}

#[cfg(test)]
pub(crate) mod tests;
