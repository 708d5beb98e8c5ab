//! A collector of many targets as one: what the newest run of each says together.

use std::collections::BTreeMap;
use std::time::Duration;

use tidemark_delivery::Run;
use tidemark_point::Timestamp;

use super::LastRun;
use crate::wording::date_and_time;

/// The most errors that are said together.
const ERRORS_SAID: usize = 3;
/// The most gaps, or notices, that are said together.
const NOTES_SAID: usize = 100;
/// The most targets that are named together.
const TARGETS_NAMED: usize = 5;

/// How long a target is late before it counts as one that is looked at no more: whoever removed it waits a day for
/// `status --check` to be content, and one whose task hangs is an alarm for a day.
const LATE_FOR: Duration = Duration::from_secs(86_400);

/// A collector of many targets as one.
pub(super) struct Together {
    /// What the newest runs of those that are not late say together.
    pub(super) last_run: LastRun,
    /// Which targets are late, and since when.
    pub(super) late: Option<String>,
}

/// How long ago a target was seen, as the newest run of all tells.
#[derive(PartialEq)]
enum Seen {
    /// No longer than it may be.
    InTime,
    /// No run of it has ended for 2 × interval + deadline, while others did.
    Late,
    /// It has been late for [`LATE_FOR`].
    NoMore,
}

/// What the newest runs of a collector's targets say together; `newest` is the newest of them all. None where that is of
/// no target: then it stands for the collector.
///
/// A target that is seen no more is not judged. It is named for as long as its run is kept.
pub(super) fn together(newest: &Run, targets: &[Run]) -> Option<Together> {
    newest.target.as_ref()?;
    let that_are = |seen: Seen| -> Vec<&Run> {
        let runs = targets.iter();
        runs.filter(|run| self::seen(run, newest) == seen).collect()
    };
    let (in_time, late, gone) = (
        that_are(Seen::InTime),
        that_are(Seen::Late),
        that_are(Seen::NoMore),
    );
    let all = in_time.len() + late.len();
    let failing: Vec<&Run> = in_time.iter().copied().filter(|run| !run.ok).collect();
    let late = said_late(&late, all);
    // The screen shows the first few alone.
    let mut notices: Vec<String> = late.iter().cloned().collect();
    notices.extend(notes(&in_time, |run| &run.notices));
    if !gone.is_empty() {
        let verb = if gone.len() == 1 {
            "target is"
        } else {
            "targets are"
        };
        let names: Vec<&str> = gone.iter().map(|run| target(run)).collect();
        notices.push(format!("{} {verb} seen no more: {}", gone.len(), named(&names)));
    }
    let last_run = LastRun {
        started: newest.started,
        duration_seconds: newest.duration.as_secs_f64(),
        ok: failing.is_empty(),
        partial: failing.is_empty() && in_time.iter().any(|run| run.is_partial()),
        points: in_time.iter().map(|run| run.points).sum(),
        gaps: notes(&in_time, |run| &run.gaps),
        notices,
        error: error(&failing, all),
    };
    Some(Together { last_run, late })
}

fn seen(run: &Run, newest: &Run) -> Seen {
    let in_time = run.interval.saturating_mul(2).saturating_add(run.deadline);
    let quiet = Duration::from_nanos(u64::try_from(ended(newest).since(ended(run))).unwrap_or(0));
    match quiet.checked_sub(in_time) {
        None | Some(Duration::ZERO) => Seen::InTime,
        Some(late) if late <= LATE_FOR => Seen::Late,
        Some(_) => Seen::NoMore,
    }
}

fn ended(run: &Run) -> Timestamp {
    run.started.saturating_add(run.duration)
}

/// "1 of 100 targets is late: no run of cl17 has ended since …".
fn said_late(late: &[&Run], all: usize) -> Option<String> {
    let since = late.iter().map(|run| ended(run)).min()?;
    let names: Vec<&str> = late.iter().map(|run| target(run)).collect();
    let (noun, verb) = (
        if all == 1 { "target" } else { "targets" },
        if late.len() == 1 { "is" } else { "are" },
    );
    Some(format!(
        "{} of {all} {noun} {verb} late: no run of {} has ended, the longest since {}; one that was removed counts for a \
         day",
        late.len(),
        named(&names),
        date_and_time(since)
    ))
}

fn target(run: &Run) -> &str {
    run.target.as_deref().unwrap_or_default()
}

/// "1 of 100 targets fails: cl17: connection refused"; where many fail alike, that is said once.
fn error(failing: &[&Run], all: usize) -> Option<String> {
    if failing.is_empty() {
        return None;
    }
    let errors = failing
        .iter()
        .map(|run| (target(run), run.error.as_deref().unwrap_or("the run failed")));
    let (noun, verb) = (
        if all == 1 { "target" } else { "targets" },
        if failing.len() == 1 { "fails" } else { "fail" },
    );
    let said = alike(errors, ERRORS_SAID).join("; ");
    Some(format!("{} of {all} {noun} {verb}: {said}", failing.len()))
}

/// The gaps or notices of runs, each with its target.
fn notes<'a>(runs: &[&'a Run], of: impl Fn(&'a Run) -> &'a [String]) -> Vec<String> {
    let all = runs.iter().flat_map(|run| {
        let notes = of(run).iter();
        notes.map(|note| (target(run), note.as_str()))
    });
    alike(all, NOTES_SAID)
}

/// "TARGETS: text" for each different text, those of the most targets first; and how many more there are.
fn alike<'a>(said: impl Iterator<Item = (&'a str, &'a str)>, most: usize) -> Vec<String> {
    let mut targets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (target, text) in said {
        targets.entry(text).or_default().push(target);
    }
    let mut texts: Vec<(&str, Vec<&str>)> = targets.into_iter().collect();
    texts.sort_by_key(|(_, targets)| std::cmp::Reverse(targets.len()));
    let more = texts.len().saturating_sub(most);
    let mut lines: Vec<String> = texts
        .into_iter()
        .take(most)
        .map(|(text, targets)| format!("{}: {text}", named(&targets)))
        .collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// The names of targets: the first few, and how many more there are.
fn named(targets: &[&str]) -> String {
    let more = targets.len().saturating_sub(TARGETS_NAMED);
    let first: Vec<&str> = targets.iter().copied().take(TARGETS_NAMED).collect();
    match more {
        0 => first.join(", "),
        _ => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_795_244_400 + seconds).expect("in range")
    }

    /// A run of a target, every 30 s with a deadline of 10 min.
    fn run(target: &str, started: i64) -> Run {
        Run {
            target: Some(target.to_owned()),
            points: 10,
            ..Run::new("onefs", at(started), Duration::from_secs(30))
        }
    }

    fn failed(target: &str, started: i64, error: &str) -> Run {
        Run {
            ok: false,
            points: 0,
            error: Some(error.to_owned()),
            ..run(target, started)
        }
    }

    fn of(runs: &[Run]) -> LastRun {
        let newest = runs.iter().max_by_key(|run| run.started).expect("a run");
        together(newest, runs).expect("targets").last_run
    }

    #[test]
    fn a_run_of_no_target_stands_for_the_collector() {
        let killed = Run::killed("onefs", at(100), Duration::from_secs(30));
        assert!(together(&killed, &[run("cl01", 0)]).is_none());
        assert!(together(&Run::new("host", at(0), Duration::from_secs(60)), &[]).is_none());
    }

    #[test]
    fn all_is_well_where_each_target_is() {
        let last = of(&[run("cl01", 0), run("cl02", 29), run("cl03", 15)]);
        assert!(last.ok && !last.partial && last.error.is_none());
        assert_eq!((last.points, last.started), (30, at(29)));
        assert!(last.gaps.is_empty() && last.notices.is_empty());
    }

    #[test]
    fn one_target_that_fails_is_named_with_its_error() {
        let mut runs: Vec<Run> = (0..100)
            .map(|number| run(&format!("cl{number:02}"), 20))
            .collect();
        runs[17] = failed("cl17", 10, "https://cl17:8080: connection refused");
        let last = of(&runs);
        assert_eq!(
            last.error.as_deref(),
            Some("1 of 100 targets fails: cl17: https://cl17:8080: connection refused")
        );
        assert_eq!((last.ok, last.partial, last.points), (false, false, 990));
        assert_eq!(
            of(&[failed("cl01", 0, "no")]).error.as_deref(),
            Some("1 of 1 target fails: cl01: no")
        );
    }

    #[test]
    fn many_that_fail_alike_are_one_line() {
        let mut runs: Vec<Run> = (0..10)
            .map(|number| failed(&format!("cl{number}"), 20, "no route to host"))
            .collect();
        runs.push(run("well", 20));
        runs.extend(["a", "b", "c"].map(|name| failed(name, 20, &format!("the error of {name}"))));
        assert_eq!(
            of(&runs).error.as_deref(),
            Some(
                "13 of 14 targets fail: cl0, cl1, cl2, cl3, cl4 and 5 more: no route to host; \
                 a: the error of a; b: the error of b; and 1 more"
            )
        );
    }

    #[test]
    fn gaps_make_it_partial_and_say_whose_they_are() {
        let gap = |target: &str, gaps: &[&str]| Run {
            gaps: gaps.iter().map(|gap| (*gap).to_owned()).collect(),
            notices: vec!["2 points merged".to_owned()],
            ..run(target, 0)
        };
        let last = of(&[
            gap("cl01", &["node 3 does not answer", "drive statistics"]),
            gap("cl02", &["drive statistics"]),
            run("cl03", 0),
        ]);
        assert!(last.ok && last.partial);
        assert_eq!(
            last.gaps,
            ["cl01, cl02: drive statistics", "cl01: node 3 does not answer"]
        );
        assert_eq!(last.notices, ["cl01, cl02: 2 points merged"]);
    }

    #[test]
    fn a_target_is_late_and_a_day_later_seen_no_more() {
        let of = |newest: i64| {
            let runs = [failed("old", 0, "gone"), run("cl01", newest)];
            together(&runs[1], &runs).expect("targets")
        };
        // 2 × 30 s + 10 min after its end.
        let in_time = of(660);
        assert!(!in_time.last_run.ok && in_time.late.is_none());
        for newest in [661, 660 + 86_400] {
            let together = of(newest);
            let late = "1 of 2 targets is late: no run of old has ended, the longest since 2026-11-21 07:00:00Z; one that \
                        was removed counts for a day";
            assert_eq!(together.late.as_deref(), Some(late));
            assert_eq!(together.last_run.notices, [late]);
            assert!(together.last_run.ok);
        }
        let gone = of(661 + 86_400);
        assert!(gone.last_run.ok && gone.last_run.error.is_none() && gone.late.is_none());
        assert_eq!(
            (gone.last_run.points, gone.last_run.notices),
            (10, vec!["1 target is seen no more: old".to_owned()])
        );
    }

    #[test]
    fn a_clock_that_was_set_back_makes_none_late() {
        let runs = [run("cl01", 1_000_000), run("cl02", 0)];
        let together = together(&runs[1], &runs).expect("targets");
        assert!(together.late.is_none() && together.last_run.notices.is_empty());
    }

    #[test]
    fn what_is_said_has_a_bound() {
        let runs: Vec<Run> = (0..300)
            .map(|number| Run {
                gaps: vec![format!("gap {number}")],
                ..run(&format!("cl{number}"), 0)
            })
            .collect();
        let last = of(&runs);
        assert_eq!(last.gaps.len(), NOTES_SAID + 1);
        assert_eq!(last.gaps.last().map(String::as_str), Some("and 200 more"));
    }
}
