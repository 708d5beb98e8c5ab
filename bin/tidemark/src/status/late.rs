//! Whether a collector is late and when its next run starts, whatever became of the host's clock.
//!
//! A collector is late when no run has ended for 2 × interval + deadline. That time is counted
//! - by a clock of the boot, which nobody sets: a clock that jumps makes nothing late, and nothing less late; and which
//!   stands still while the host sleeps, as that of the timers: one that wakes up is not late;
//! - from the host's own start at the earliest, as nothing can run before: a host that was off for a week is not late when
//!   it is up again, and is when nothing has run by then.
//!
//! That clock at a run's end is noted in its lock file. Of a run without that note (one of an older version, one
//! before a power cut) only the host's clock is known, and counts; whichever way it was set.

use std::time::Duration;

use tidemark_app::boot::BootInstant;
use tidemark_point::Timestamp;

/// When timers begin after the host's start (`OnBootSec=`).
const AFTER_START: Duration = Duration::from_secs(30);

/// The time, by all that tell it.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    /// By the host's clock.
    pub(crate) wall: Timestamp,
    /// By the clock of the boot; none where the boot has no id.
    pub(crate) boot: Option<BootInstant>,
    /// How long the host is up.
    pub(crate) up: Duration,
}

/// The end of a run.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// By the host's clock.
    pub(crate) wall: Timestamp,
    /// By the clock of the boot, where that was noted.
    pub(crate) boot: Option<BootInstant>,
}

impl Now {
    /// How long no run has ended while one could.
    pub(crate) fn quiet_since(&self, end: &End) -> Duration {
        let quiet = match (&self.boot, &end.boot) {
            // None of another boot: no run has ended in this one.
            (Some(now), Some(end)) => now.since(end).unwrap_or(Duration::MAX),
            _ => Duration::from_nanos(self.wall.since(end.wall).unsigned_abs()),
        };
        quiet.min(self.up)
    }

    /// When the next run starts at the earliest, where none has ended for so long: timers delay it a little, each host by
    /// its own.
    pub(crate) fn next_run(&self, quiet: Duration, interval: Duration) -> Timestamp {
        let wait = match quiet >= self.up {
            true => AFTER_START.saturating_sub(self.up),
            false => interval.saturating_sub(quiet),
        };
        self.wall.saturating_add(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    const YEAR: i64 = 365 * 24 * 3600;

    fn wall(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_795_244_400 + seconds).expect("in range")
    }

    fn boot(digit: &str, seconds: u64) -> Option<BootInstant> {
        BootInstant::new(&digit.repeat(32), Duration::from_secs(seconds))
    }

    fn quiet(now: (i64, Option<BootInstant>, u64), end: (i64, Option<BootInstant>)) -> u64 {
        let (seconds, boot, up) = now;
        let now = Now {
            wall: wall(seconds),
            boot,
            up: Duration::from_secs(up),
        };
        let (seconds, boot) = end;
        let end = End {
            wall: wall(seconds),
            boot,
        };
        now.quiet_since(&end).as_secs()
    }

    #[test]
    fn in_one_boot_the_boots_clock_counts_whatever_the_hosts_says() {
        let end = || (0, boot("a", 1000));
        // Both clocks agree; the host's jumped forward, and back.
        for jump in [0, YEAR, -YEAR] {
            assert_eq!(quiet((60 + jump, boot("a", 1060), 5000), end()), 60);
        }
        assert_eq!(quiet((HOUR as i64, boot("a", 1000 + HOUR), 5000), end()), HOUR);
        // The host slept for all but a minute of a year.
        assert_eq!(quiet((YEAR, boot("a", 1060), YEAR as u64), end()), 60);
    }

    #[test]
    fn after_a_boot_it_counts_from_the_boot() {
        let end = || (0, boot("a", 1000));
        // Off for a week, up for a minute; up for two hours without a run, though the last boot was shorter.
        assert_eq!(quiet((604_800, boot("b", 60), 60), end()), 60);
        assert_eq!(quiet((604_800, boot("b", 2 * HOUR), 2 * HOUR), end()), 2 * HOUR);
        // The clock is set only later: it stands before the last run.
        assert_eq!(quiet((-YEAR, boot("b", 60), 60), end()), 60);
        // A container that was off for a week: its kernel was not.
        assert_eq!(quiet((604_800, boot("a", 605_800), 60), end()), 60);
    }

    #[test]
    fn without_a_note_the_hosts_clock_counts() {
        assert_eq!(quiet((60, boot("a", 1060), 5000), (0, None)), 60);
        assert_eq!(quiet((60, None, 5000), (0, boot("a", 1000))), 60);
        assert_eq!(quiet((604_800, None, 60), (0, None)), 60);
        // It tells nothing of a run that lies ahead.
        assert_eq!(quiet((-YEAR, None, 5000), (0, None)), 5000);
    }

    #[test]
    fn timers_begin_when_it_says() {
        let host = tidemark_systemd::Host::new();
        let units = tidemark_systemd::flush("/usr/bin/tidemark".as_ref(), &[], &host).expect("units");
        let span = tidemark_settings::Span::from(AFTER_START);
        assert!(units[1].text.contains(&format!("\nOnBootSec={span}\n")));
    }

    #[test]
    fn the_next_run_is_never_past() {
        let next = |up: u64, quiet: u64| {
            let now = Now {
                wall: wall(0),
                boot: None,
                up: Duration::from_secs(up),
            };
            let next = now.next_run(Duration::from_secs(quiet), Duration::from_secs(300));
            next.since(wall(0)) / 1_000_000_000
        };
        assert_eq!(next(5000, 0), 300);
        assert_eq!(next(5000, 299), 1);
        // Due: the timer's own delay.
        assert_eq!(next(5000, 310), 0);
        // Nothing has run since the host's start.
        assert_eq!(next(10, 10), 20);
        assert_eq!(next(40, 40), 0);
    }
}
