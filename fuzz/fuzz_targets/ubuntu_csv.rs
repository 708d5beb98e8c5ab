//! Any text is read as distro-info's file and as rows without harm; recent rows are recent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_point::Timestamp;
use tidemark_ubuntu::distro_info::DistroInfo;
use tidemark_ubuntu::rows::{MAX_ROWS, RECENT, Recent, recent, recent_named};

fuzz_target!(|input: (i64, &str)| {
    let (now, text) = input;
    if let Ok(info) = DistroInfo::parse(text) {
        assert!(!info.releases().is_empty());
        let dates = info.releases().iter().filter_map(|release| release.release());
        for date in dates.take(20) {
            assert!(
                info.supported(date)
                    .chain(info.esm(date))
                    .all(|release| release.is_released(date))
            );
            assert!(
                info.development(date)
                    .is_none_or(|release| !release.is_released(date))
            );
        }
    }
    let Some(now) = Timestamp::from_millis(now) else {
        return;
    };
    check(recent::<2>(text, now).ok(), now);
    check(recent::<4>(text, now).ok(), now);
    let header = format!("time,valid candidates,not considered,total,median age,backlog\n{text}");
    let names = [
        "valid candidates",
        "not considered",
        "total",
        "median age",
        "backlog",
    ];
    check(recent_named(&header, "time", names, now).ok(), now);
    check(recent_named(text, "time", ["a"], now).ok(), now);
});

fn check<const N: usize>(recent: Option<Recent<N>>, now: Timestamp) {
    let Some(recent) = recent else {
        return;
    };
    assert!(recent.rows.len() <= MAX_ROWS);
    assert!(recent.gaps.len() + recent.notices.len() < 20);
    assert!(
        recent
            .rows
            .iter()
            .all(|row| row.time.saturating_add(RECENT) > now)
    );
}
