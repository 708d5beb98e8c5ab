//! Processes by state, from each `/proc/PID/stat`.

use crate::topic::Topic;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc";
const FIRST: &str = "/proc/1/stat";

/// The most processes that are looked at in one run: some 200 ms of CPU.
const PROCESSES_LIMIT: u64 = 32_768;

/// A line of `stat` up to the number of threads: pid, name (63 bytes at most), 18 numbers.
const STAT_BYTES: usize = 512;

/// Processes by state: that of the first thread of each.
#[derive(Debug, Default, PartialEq, Measurement)]
#[measurement("host_processes")]
pub(crate) struct Processes {
    /// The host's name.
    #[tag]
    host: String,
    /// All of them.
    total: u64,
    /// Their threads.
    threads: u64,
    /// Run, or wait for a CPU.
    running: u64,
    /// Wait for something.
    sleeping: u64,
    /// Wait for a disk or the like, and take no signal.
    uninterruptible: u64,
    /// The kernel's own threads with nothing to do.
    idle: u64,
    /// Stopped by a signal or a debugger.
    stopped: u64,
    /// Ended, but their parent has not asked how.
    zombie: u64,
    /// In any other state.
    other: u64,
}

/// A process ends while others are counted: that is no gap.
pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let cx = topic.context();
    // Every host and container has a first process: where it is hidden (hidepid, ProtectProc=), so are most others.
    if let Err(source) = std::fs::metadata(cx.host_path(FIRST)) {
        return Err(CollectorError::caused(
            "cannot count processes: those of other users are hidden (hidepid or ProtectProc)",
            CollectorError::read(cx.host_path(FIRST), source),
        ));
    }
    let folder = cx.host_path(PATH);
    let failed = |source| CollectorError::read(&folder, source);
    let mut counts = Processes {
        host: topic.host_name(),
        ..Processes::default()
    };
    let mut path = folder.clone();
    let mut broken = None;
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        if counts.total == PROCESSES_LIMIT {
            topic.gap(&CollectorError::other(format_args!(
                "more than {PROCESSES_LIMIT} processes: the others are not counted"
            )));
            break;
        }
        path.push(&name);
        path.push("stat");
        match read_stat(&path) {
            Ok(Some((state, threads))) => counts.add(state, threads),
            Ok(None) => {}
            Err(error) => broken = broken.or(Some(error)),
        }
        path.pop();
        path.pop();
    }
    if let Some(error) = broken {
        topic.gap(&error);
    }
    topic.push(counts);
    Ok(())
}

impl Processes {
    fn add(&mut self, state: u8, threads: u64) {
        self.total += 1;
        self.threads = self.threads.saturating_add(threads);
        let count = match state {
            b'R' => &mut self.running,
            b'S' => &mut self.sleeping,
            b'D' => &mut self.uninterruptible,
            b'I' => &mut self.idle,
            b'T' | b't' => &mut self.stopped,
            b'Z' => &mut self.zombie,
            _ => &mut self.other,
        };
        *count += 1;
    }
}

/// State and threads; `None` where the process has ended since.
fn read_stat(path: &Path) -> Result<Option<(u8, u64)>, CollectorError> {
    let mut line = [0; STAT_BYTES];
    // The kernel gives as much as there is in one read.
    let read = File::open(path).and_then(|mut file| file.read(&mut line));
    match read {
        Ok(length) => match parse(line.get(..length).unwrap_or_default()) {
            Some(stat) => Ok(Some(stat)),
            None => Err(CollectorError::parse(
                path.display(),
                "no state and number of threads in it",
            )),
        },
        Err(error)
            if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(NO_SUCH_PROCESS) =>
        {
            Ok(None)
        }
        Err(error) => Err(CollectorError::read(path, error)),
    }
}

/// `ESRCH`: the process ended between open and read.
const NO_SUCH_PROCESS: i32 = rustix::io::Errno::SRCH.raw_os_error();

/// `12000 (cat) R 11986 ...`: the state, and the 18th number from it, the threads. The name may hold anything,
/// parentheses and newlines too, so that it ends at the last `)`.
fn parse(line: &[u8]) -> Option<(u8, u64)> {
    let end = line.iter().rposition(|byte| *byte == b')')?;
    let mut words = line
        .get(end + 1..)?
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let [state] = words.next()? else { return None };
    let threads = std::str::from_utf8(words.nth(16)?).ok()?.parse().ok()?;
    state.is_ascii_alphabetic().then_some((*state, threads))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_state_and_the_threads() {
        let line =
            b"12000 (cat) R 11986 11986 8697 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 7 0 322747 3133440 355\n";
        assert_eq!(parse(line), Some((b'R', 7)));
    }

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"1 (a) R 9 (\xff\n) Z 11986 11986 8697 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 322747\n";
        assert_eq!(parse(line), Some((b'Z', 1)));
    }

    #[test]
    fn a_line_cut_short_is_none() {
        for line in [
            "",
            "1 (x)",
            "1 (x) R",
            "1 (x) R 1 2 3",
            "1 x R 1",
            "1 (x) RR 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn every_state_counts_once() {
        let mut counts = Processes::default();
        for state in *b"RSDITtZXP" {
            counts.add(state, 2);
        }
        let expected = Processes {
            host: String::new(),
            total: 9,
            threads: 18,
            running: 1,
            sleeping: 1,
            uninterruptible: 1,
            idle: 1,
            stopped: 2,
            zombie: 1,
            other: 2,
        };
        assert_eq!(counts, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&line);
        }

        #[test]
        fn any_name_leaves_the_state(name in prop::collection::vec(any::<u8>(), 0..64), threads in any::<u64>()) {
            let mut line = b"7 (".to_vec();
            line.extend(&name);
            line.extend(format!(") S{} {threads} 0 5\n", " -1".repeat(16)).bytes());
            prop_assert_eq!(parse(&line), Some((b'S', threads)));
        }
    }
}
