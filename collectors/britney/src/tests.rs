use super::*;

mod last_run;
mod run;
mod scene;

/// The series that are looked at on that day, the one in development marked.
fn on(day: &str) -> String {
    let csv = include_str!("../fixtures/ubuntu.csv");
    let info = DistroInfo::parse(csv).unwrap();
    let series = current(&info, None, day.parse().unwrap()).unwrap().into_iter();
    let names = series.map(|series| {
        if series.is_new {
            format!("({})", series.name)
        } else {
            series.name
        }
    });
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn supported_and_extended_series_and_the_one_in_development_are_looked_at() {
    for (day, series) in [
        (
            "2026-11-21",
            "bionic focal jammy noble resolute stonking (tenacious)",
        ),
        // The day before tenacious begins and stonking is released, and that day.
        ("2026-10-14", "bionic focal jammy noble resolute (stonking)"),
        (
            "2026-10-15",
            "bionic focal jammy noble resolute stonking (tenacious)",
        ),
        // Questing's last day, and the day after.
        (
            "2026-07-09",
            "bionic focal jammy noble questing resolute (stonking)",
        ),
        ("2026-07-10", "bionic focal jammy noble resolute (stonking)"),
        // Xenial's last day of extended maintenance, on which resolute is released.
        (
            "2026-04-23",
            "xenial bionic focal jammy noble questing resolute (stonking)",
        ),
        (
            "2026-04-24",
            "bionic focal jammy noble questing resolute (stonking)",
        ),
        // A leap day.
        ("2024-02-29", "trusty xenial bionic focal jammy mantic (noble)"),
    ] {
        assert_eq!(on(day), series, "{day}");
    }
}
