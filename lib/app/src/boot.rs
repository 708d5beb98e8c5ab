//! A clock that nobody sets: how long the host was awake since the kernel started, and of which boot that is.
//!
//! What two programs of the same boot say can be compared, whatever became of the host's clock between them. It stands still
//! while the host sleeps, as the clock of timers does: nothing runs then, and nothing is missed.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tidemark_settings::Environment;

/// The variable in which a unit says the boot's id: its sandbox hides the file that holds it.
const VARIABLE: &str = "TIDEMARK_BOOT_ID";

/// The file that holds the boot's id.
const FILE: &str = "proc/sys/kernel/random/boot_id";

/// An instant of a boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootInstant {
    /// The boot's id: 32 digits, hexadecimal.
    boot: String,
    awake: Duration,
}

impl BootInstant {
    /// So long after the start of the boot of that id, sleep not counted; none where it is no id. Dashes in it do not count.
    #[must_use]
    pub fn new(boot: &str, awake: Duration) -> Option<Self> {
        let mut boot = boot.trim().replace('-', "");
        boot.make_ascii_lowercase();
        let is_id = boot.len() == 32 && boot.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_id.then_some(Self { boot, awake })
    }

    /// Now, on the host under `root`; none where nothing says which boot this is.
    #[must_use]
    pub fn now(environment: &dyn Environment, root: &Path) -> Option<Self> {
        let said = environment.get_nonempty(VARIABLE);
        let boot = match said.and_then(|said| said.into_string().ok()) {
            Some(said) => said,
            None => std::fs::read_to_string(root.join(FILE)).ok()?,
        };
        Self::new(&boot, read(ClockId::Monotonic))
    }

    /// The time awake from `earlier` to this; none where that is of another boot, or later.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Duration> {
        if self.boot != earlier.boot {
            return None;
        }
        self.awake.checked_sub(earlier.awake)
    }
}

/// `BOOT NANOSECONDS`.
impl fmt::Display for BootInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.boot, self.awake.as_nanos())
    }
}

impl FromStr for BootInstant {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (boot, nanos) = text.split_once(' ').ok_or(())?;
        let nanos = nanos.parse().map_err(|_| ())?;
        Self::new(boot, Duration::from_nanos(nanos)).ok_or(())
    }
}

/// How long the host under `root` is up, awake or asleep: since its first process started, which in a container is the container's; since
/// the kernel's start where that process cannot be seen.
#[must_use]
pub fn uptime(root: &Path) -> Duration {
    let now = read(ClockId::Boottime);
    let stat = std::fs::read_to_string(root.join("proc/1/stat")).unwrap_or_default();
    let started = start_of(&stat, rustix::param::clock_ticks_per_second());
    started
        .and_then(|started| now.checked_sub(started))
        .unwrap_or(now)
}

fn read(clock: ClockId) -> Duration {
    clock_gettime(clock).try_into().unwrap_or_default()
}

/// When a process started, since the boot: the 22nd field of its `stat`, in ticks (proc_pid_stat(5)). Its name, in
/// parentheses, may hold anything.
fn start_of(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let ticks: u64 = behind_name.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let millis = u128::from(ticks) * 1000 / u128::from(ticks_per_second.max(1));
    Some(Duration::from_millis(u64::try_from(millis).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    const A: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    const B: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f1";

    fn at(boot: &str, seconds: u64) -> BootInstant {
        BootInstant::new(boot, Duration::from_secs(seconds)).expect("an id")
    }

    #[test]
    fn instants_of_one_boot_are_compared() {
        assert_eq!(at(A, 70).since(&at(A, 10)), Some(Duration::from_secs(60)));
        assert_eq!(
            at(&A.replace('-', "").to_uppercase(), 70).since(&at(A, 70)),
            Some(Duration::ZERO)
        );
        assert_eq!(at(A, 10).since(&at(A, 70)), None);
        assert_eq!(at(B, 70).since(&at(A, 10)), None);
    }

    #[test]
    fn an_instant_is_a_text_and_back() {
        let instant = at(A, 5);
        let text = instant.to_string();
        assert_eq!(text, "0f1e2d3c4b5a69788796a5b4c3d2e1f0 5000000000");
        assert_eq!(text.parse(), Ok(instant));
        for wrong in [
            "",
            " ",
            "x 5",
            "0f1e 5",
            &format!("{A}5 5"),
            &format!("{A} -5"),
            A,
        ] {
            assert_eq!(wrong.parse::<BootInstant>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn the_unit_says_the_boot_else_the_kernel() {
        let root = tempfile::tempdir().expect("a folder");
        let nothing = BTreeMap::new();
        assert_eq!(BootInstant::now(&nothing, root.path()), None);
        std::fs::create_dir_all(root.path().join("proc/sys/kernel/random")).expect("folders");
        std::fs::write(root.path().join(FILE), format!("{A}\n")).expect("write");
        let kernels = BootInstant::now(&nothing, root.path()).expect("an id");
        let unit = BTreeMap::from([(VARIABLE.to_owned(), OsString::from(B))]);
        let units = BootInstant::now(&unit, root.path()).expect("an id");
        assert_eq!(
            (kernels.boot.as_str(), units.boot.as_str()),
            (at(A, 0).boot.as_str(), B)
        );
        assert!(units.awake >= kernels.awake && kernels.awake > Duration::ZERO);
    }

    #[test]
    fn the_first_process_says_since_when_the_system_is_up() {
        let stat = "1 (a ) b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9";
        assert_eq!(start_of(stat, 100), Some(Duration::from_millis(123_450)));
        for wrong in ["", "1 (systemd", "1 (systemd) S 0", &stat.replace("12345", "-1")] {
            assert_eq!(start_of(wrong, 100), None, "{wrong}");
        }
        let root = tempfile::tempdir().expect("a folder");
        let kernels = uptime(root.path());
        assert!(uptime(Path::new("/")) <= read(ClockId::Boottime) && kernels > Duration::ZERO);
    }
}
