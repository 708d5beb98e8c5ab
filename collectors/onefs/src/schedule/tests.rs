use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{Schedule, phase};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What is taken at each of these seconds after the origin: `names missed`.
fn taken(schedule: &mut Schedule<&'static str>, origin: Instant, at: u64) -> String {
    let due = schedule.take(origin + seconds(at));
    let names: Vec<&str> = due.lines.iter().map(|(_, name)| *name).collect();
    format!("{} {}", names.join(","), due.missed)
}

fn next(schedule: &Schedule<&'static str>, origin: Instant) -> Option<u64> {
    schedule.next().map(|at| at.duration_since(origin).as_secs())
}

#[test]
fn lines_come_at_their_intervals_and_together_where_they_meet() {
    let origin = Instant::now();
    let mut schedule = Schedule::new(origin);
    assert_eq!(schedule.next(), None);
    schedule.set([(seconds(5), "five"), (seconds(30), "thirty")], origin);
    let mut told = Vec::new();
    for _ in 0..9 {
        let at = next(&schedule, origin).expect("there are lines");
        told.push(format!("{at}: {}", taken(&mut schedule, origin, at)));
    }
    assert_eq!(
        told,
        [
            "0: five,thirty 0",
            "5: five 0",
            "10: five 0",
            "15: five 0",
            "20: five 0",
            "25: five 0",
            "30: five,thirty 0",
            "35: five 0",
            "40: five 0",
        ]
    );
}

#[test]
fn a_tick_that_passes_unheeded_is_skipped() {
    let origin = Instant::now();
    let mut schedule = Schedule::new(origin);
    schedule.set([(seconds(5), "five"), (seconds(12), "twelve")], origin);
    assert_eq!(taken(&mut schedule, origin, 0), "five,twelve 0");
    // 5, 10, 15 and 12 passed: one of each is heeded late, and those that follow stay where they were.
    assert_eq!(taken(&mut schedule, origin, 17), "five,twelve 2");
    assert_eq!(next(&schedule, origin), Some(20));
    assert_eq!(taken(&mut schedule, origin, 20), "five 0");
    assert_eq!(taken(&mut schedule, origin, 21), " 0");
    assert_eq!(next(&schedule, origin), Some(24));
}

#[test]
fn what_failed_comes_again_before_its_tick() {
    let origin = Instant::now();
    let mut schedule = Schedule::new(origin);
    schedule.set([(seconds(300), "long"), (seconds(5), "short")], origin);
    assert_eq!(taken(&mut schedule, origin, 0), "long,short 0");
    schedule.put_back(&"long", origin + seconds(7));
    schedule.put_back(&"short", origin + seconds(7));
    assert_eq!(next(&schedule, origin), Some(5));
    assert_eq!(taken(&mut schedule, origin, 5), "short 0");
    assert_eq!(next(&schedule, origin), Some(7));
    assert_eq!(taken(&mut schedule, origin, 7), "long 0");
    assert_eq!(taken(&mut schedule, origin, 10), "short 0");
    assert_eq!(taken(&mut schedule, origin, 300), "long,short 57");
}

#[test]
fn what_stays_on_it_keeps_its_moment() {
    let origin = Instant::now() + seconds(3);
    let mut schedule = Schedule::new(origin);
    let lines = [(seconds(5), "five"), (seconds(30), "thirty")];
    schedule.set(lines, origin - seconds(3));
    assert_eq!(next(&schedule, origin), Some(0));
    assert_eq!(taken(&mut schedule, origin, 0), "five,thirty 0");
    schedule.set(
        [(seconds(5), "five"), (seconds(60), "thirty")],
        origin + seconds(2),
    );
    // At another interval it is another line, due at once; from then on at that interval's ticks.
    assert_eq!(next(&schedule, origin), Some(2));
    assert_eq!(taken(&mut schedule, origin, 2), "thirty 0");
    assert_eq!(next(&schedule, origin), Some(5));
    assert_eq!(taken(&mut schedule, origin, 5), "five 0");
    assert_eq!(taken(&mut schedule, origin, 60), "five,thirty 10");
}

#[test]
fn phases_spread_clusters_over_the_interval() {
    let of = |number, count| phase(number, count, seconds(5)).as_millis();
    assert_eq!(of(0, 0), 0);
    assert_eq!(of(0, 1), 0);
    assert_eq!(of(399, 400), 4987);
    assert_eq!(of(usize::MAX, 2), 5000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// However late it is asked: a line's moments are multiples of its interval, each at most once, and together with
    /// those that are missed they are all there were.
    #[test]
    fn moments_add_up(interval in 1_u64..100, delays in prop::collection::vec(0_u64..400, 1..40)) {
        let origin = Instant::now();
        let mut schedule = Schedule::new(origin);
        schedule.set([(seconds(interval), "line")], origin);
        let (mut now, mut heeded, mut missed) = (origin, 0, 0);
        for delay in delays {
            now = now.max(schedule.next().expect("a line")) + seconds(delay);
            let due = schedule.take(now);
            prop_assert_eq!(due.lines.len(), 1);
            heeded += 1;
            missed += due.missed;
            let next = schedule.next().expect("a line").duration_since(origin);
            prop_assert!(origin + next > now && origin + next <= now + seconds(interval));
            prop_assert_eq!(next.as_secs() % interval, 0);
            prop_assert_eq!(heeded + missed, next.as_secs() / interval);
        }
    }
}
