//! What to say of a clock that is not to be trusted yet.
//!
//! The kernel knows whether its clock is synchronised (`adjtimex`), but tells nobody in the sandbox of a unit
//! (`ProtectClock=` refuses to read as well). So this goes by what can be seen there: systemd-timesyncd makes a folder when
//! it starts, and a file in it once it has set the clock. Of another daemon, and of a host whose clock its hypervisor keeps,
//! nothing is known. What every host shows is a clock that stands before the last run, and one that stands before the file of
//! this very program was written: that one was not set since the boot.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tidemark_point::Timestamp;
use tidemark_settings::Span;

/// What systemd-timesyncd makes at its start, and what it makes once the clock is synchronised.
const TIMESYNC: &str = "run/systemd/timesync";
const SYNCHRONIZED: &str = "run/systemd/timesync/synchronized";

/// The program that runs.
const PROGRAM: &str = "proc/self/exe";

/// A clock that was set back by less, in nanoseconds, was merely adjusted.
const ADJUSTED: i64 = 60 * 1_000_000_000;

/// The notice of a run at `now` on the host under `root`; `before` is the start of the run before.
pub(crate) fn clock_notice(root: &Path, now: Timestamp, before: Option<Timestamp>) -> Option<String> {
    for (then, what, or_others) in [
        (before, "the last run, of", ", or of those,"),
        (made(root), "this program was made,", ""),
    ] {
        let Some(then) = then.filter(|then| then.since(now) > ADJUSTED) else {
            continue;
        };
        let by = Span::secs(then.since(now).unsigned_abs() / 1_000_000_000);
        return Some(format!(
            "the clock stands {by} before {what} {then}: the times of these points{or_others} are wrong"
        ));
    }
    let waits = root.join(TIMESYNC).is_dir() && !root.join(SYNCHRONIZED).exists();
    waits.then(|| {
        "the clock is not synchronised yet: the times of these points may be wrong; `timedatectl timesync-status` says more"
            .to_owned()
    })
}

/// When the file of this program was written.
fn made(root: &Path) -> Option<Timestamp> {
    let modified = std::fs::metadata(root.join(PROGRAM)).ok()?.mtime();
    Timestamp::from_secs(modified)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_795_244_400 + seconds).expect("in range")
    }

    #[test]
    fn a_clock_that_waits_for_its_server_is_said_until_it_is_set() {
        let root = tempfile::tempdir().expect("a folder");
        let said = || clock_notice(root.path(), at(0), Some(at(-60)));
        // No daemon that we know: a container, or another daemon.
        assert_eq!(said(), None);
        std::fs::create_dir_all(root.path().join(TIMESYNC)).expect("a folder");
        assert!(said().is_some_and(|notice| notice.starts_with("the clock is not synchronised yet")));
        std::fs::write(root.path().join(SYNCHRONIZED), "").expect("write");
        assert_eq!(said(), None);
    }

    #[test]
    fn a_clock_that_was_not_set_since_the_boot_is_said_at_each_run() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("proc/self")).expect("folders");
        let program = std::fs::File::create(root.path().join(PROGRAM)).expect("a file");
        let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_244_400);
        program.set_modified(written).expect("a time");
        let said = |now: i64| clock_notice(root.path(), at(now), Some(at(now - 300)));
        assert_eq!(said(0), None);
        assert_eq!(said(-60), None);
        assert_eq!(
            said(-90).as_deref(),
            Some(
                "the clock stands 1min 30s before this program was made, 2026-11-21T07:00:00Z: the times of these points \
                 are wrong"
            )
        );
        assert!(said(-1_000_000_000).is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_is_said() {
        let root = tempfile::tempdir().expect("a folder");
        let said = |before: i64| clock_notice(root.path(), at(0), Some(at(before)));
        assert_eq!(said(-1), None);
        assert_eq!(said(60), None);
        assert_eq!(
            said(90).as_deref(),
            Some(
                "the clock stands 1min 30s before the last run, of 2026-11-21T07:01:30Z: the times of these points, or of \
                 those, are wrong"
            )
        );
        assert!(clock_notice(root.path(), Timestamp::MIN, Some(Timestamp::MAX)).is_some());
        assert_eq!(clock_notice(root.path(), at(0), None), None);
    }
}
