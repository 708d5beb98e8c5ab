//! CPU time by mode, and the kernel's own counts, from `/proc/stat`.
//!
//! A program that runs once keeps no state, so nothing here is a rate: the times and counts are those since the
//! boot, and the reader takes the difference.

use crate::table::{Broken, note, number, quoted, seconds};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc/stat";

/// The kernel's `USER_HZ`: 100 on every architecture that Ubuntu and Debian support.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time of all CPUs together. The modes add up to the whole: time spent for guests is not in `user` and
/// `nice`, as it is in the kernel's file.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_cpu")]
pub(crate) struct Cpu {
    /// The host's name.
    #[tag]
    host: String,
    /// What it was spent in: user, nice, system, idle, iowait, irq, softirq, steal, guest or guest_nice.
    #[tag]
    mode: &'static str,
    /// Time since the boot. The kernel says that `iowait` may go back at times.
    #[unit("seconds")]
    #[counter]
    seconds: f64,
}

/// The kernel's counts, of all CPUs together.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_kernel")]
pub(crate) struct Kernel {
    /// The host's name.
    #[tag]
    host: String,
    /// CPUs online.
    cpus: Option<u64>,
    /// Context switches since the boot.
    #[counter]
    context_switches: Option<u64>,
    /// Interrupts served since the boot.
    #[counter]
    interrupts: Option<u64>,
    /// Processes and threads started since the boot.
    #[counter]
    forks: Option<u64>,
    /// When the host was booted: since the epoch.
    #[unit("seconds")]
    boot_time: Option<u64>,
    /// Threads that run or wait for a CPU.
    threads_running: Option<u64>,
    /// Threads that wait for I/O.
    threads_blocked: Option<u64>,
}

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let text = topic.read(PATH)?;
    let (stat, broken) = parse(&text);
    let host = topic.host_name();
    let found = !stat.modes.is_empty() || stat.has_counts();
    for (mode, ticks) in stat.modes {
        topic.push(Cpu {
            host: host.clone(),
            mode,
            seconds: seconds(ticks, TICKS_PER_SECOND),
        });
    }
    let [
        context_switches,
        interrupts,
        forks,
        boot_time,
        threads_running,
        threads_blocked,
    ] = stat.counts;
    let cpus = stat.cpus;
    if cpus.is_some() || stat.counts.iter().any(Option::is_some) {
        topic.push(Kernel {
            host,
            cpus,
            context_switches,
            interrupts,
            forks,
            boot_time,
            threads_running,
            threads_blocked,
        });
    }
    match broken {
        _ if !found => Err(CollectorError::parse(
            PATH,
            broken.unwrap_or_else(|| Broken::at(1, "no counts in it")),
        )),
        Some(broken) => {
            topic.gap(&CollectorError::parse(PATH, broken));
            Ok(())
        }
        None => Ok(()),
    }
}

/// The modes of the kernel's columns, in its order. Only the first four are in every kernel.
const MODES: [&str; 10] = [
    "user",
    "nice",
    "system",
    "idle",
    "iowait",
    "irq",
    "softirq",
    "steal",
    "guest",
    "guest_nice",
];

/// Rows with one count each, in the order of [`Stat::counts`].
const COUNTS: [&str; 6] = [
    "ctxt",
    "intr",
    "processes",
    "btime",
    "procs_running",
    "procs_blocked",
];

#[derive(Debug, Default, PartialEq)]
struct Stat {
    /// Each mode's time in ticks; none of it counted twice.
    modes: Vec<(&'static str, u64)>,
    cpus: Option<u64>,
    counts: [Option<u64>; 6],
}

impl Stat {
    fn has_counts(&self) -> bool {
        self.counts.iter().any(Option::is_some)
    }
}

fn parse(text: &str) -> (Stat, Option<Broken>) {
    let mut stat = Stat::default();
    let mut broken = None;
    let mut cpus = 0;
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        let Some(key) = words.next() else { continue };
        let read = if key == "cpu" {
            modes(words).map(|modes| stat.modes = modes)
        } else if let Some(number) = key.strip_prefix("cpu") {
            cpus += u64::from(number.bytes().all(|byte| byte.is_ascii_digit()));
            Ok(())
        } else if let Some(count) = COUNTS.iter().position(|name| *name == key) {
            // `intr` goes on with one number for each interrupt: the first is their sum.
            number(words.next(), key).map(|value| stat.counts[count] = Some(value))
        } else {
            Ok(())
        };
        if let Err(reason) = read {
            note(&mut broken, index + 1, || format!("{reason} in {}", quoted(line)));
        }
    }
    stat.cpus = (cpus > 0).then_some(cpus);
    (stat, broken)
}

/// The ten columns of the line `cpu`; fewer in old kernels, more perhaps in later ones.
fn modes<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<(&'static str, u64)>, String> {
    let mut modes = Vec::with_capacity(MODES.len());
    for (mode, word) in MODES.iter().zip(words) {
        modes.push((*mode, number(Some(word), mode)?));
    }
    if modes.len() < 4 {
        return Err(format!("{} modes, not at least 4", modes.len()));
    }
    // Guests' time is in user's and nice's too. The kernel adds to both a moment apart: never below zero.
    for (whole, part) in [(0, 8), (1, 9)] {
        if let Some((_, guest)) = modes.get(part).copied() {
            modes[whole].1 = modes[whole].1.saturating_sub(guest);
        }
    }
    Ok(modes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str = "\
cpu  41694 10 8010 592263 1891 1 69 21 694 4
cpu0 20224 0 3833 297624 145 0 11 9 0 0
cpu1 21469 0 4176 294639 1746 0 57 11 0 0
intr 363986 0 0 14 0 0
ctxt 516154
btime 1795241883
processes 11992
procs_running 3
procs_blocked 1
softirq 261203 0 45376 4 5734 77332 0 249 66440 0 66068
";

    #[test]
    fn times_by_mode_add_up_to_the_whole() {
        let (stat, broken) = parse(STAT);
        assert_eq!(broken, None);
        assert_eq!(
            stat.modes,
            [
                ("user", 41000),
                ("nice", 6),
                ("system", 8010),
                ("idle", 592_263),
                ("iowait", 1891),
                ("irq", 1),
                ("softirq", 69),
                ("steal", 21),
                ("guest", 694),
                ("guest_nice", 4),
            ]
        );
        let kernel: u64 = [41694, 10, 8010, 592_263, 1891, 1, 69, 21].iter().sum();
        assert_eq!(stat.modes.iter().map(|(_, ticks)| ticks).sum::<u64>(), kernel);
    }

    #[test]
    fn counts_of_the_kernel() {
        let (stat, _) = parse(STAT);
        assert_eq!(stat.cpus, Some(2));
        let expected = [516_154, 363_986, 11992, 1_795_241_883, 3, 1];
        assert_eq!(stat.counts, expected.map(Some));
    }

    #[test]
    fn an_old_kernel_has_fewer_modes() {
        let (stat, broken) = parse("cpu 1 2 3 4\n");
        assert_eq!(
            (stat.modes, broken),
            (vec![("user", 1), ("nice", 2), ("system", 3), ("idle", 4)], None)
        );
        assert_eq!(stat.cpus, None);
    }

    #[test]
    fn huge_counts_are_kept() {
        let (stat, broken) = parse(&format!("cpu {0} {0} {0} {0}\nctxt {0}\n", u64::MAX));
        assert_eq!(broken, None);
        assert_eq!(stat.modes[3], ("idle", u64::MAX));
        assert_eq!(stat.counts[0], Some(u64::MAX));
    }

    #[test]
    fn a_broken_line_leaves_the_others() {
        let (stat, broken) = parse("cpu 1 2 x 4\nctxt\nbtime 5\nprocesses -1\n");
        assert_eq!(stat.modes, []);
        assert_eq!(stat.counts[3], Some(5));
        assert_eq!(
            broken.unwrap().to_string(),
            "line 1: system is no whole number: \"x\" in \"cpu 1 2 x 4\" (and 2 more lines)"
        );
        assert_eq!(parse(""), (Stat::default(), None));
        assert!(parse("cpu 1 2").1.is_some());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|((cpu[0-9]?|intr|ctxt|btime)[0-9 ]{0,60}\n){0,6}") {
            let _ = parse(&text);
        }
    }
}
