//! Instants, written as the sources write them: not the programs' own code.

use tidemark_collect::{Clock, SystemClock};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Seconds since the epoch.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Instant(pub(super) i64);

impl Instant {
    pub(super) fn now() -> Self {
        Self(SystemClock.now().nanos() / 1_000_000_000)
    }

    pub(super) fn days_ago(self, days: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
        Self(self.0 - (days * 86_400.0) as i64)
    }

    pub(super) fn hours_ago(self, hours: i64) -> Self {
        Self(self.0 - hours * HOUR)
    }

    pub(super) fn minutes_ago(self, minutes: i64) -> Self {
        Self(self.0 - minutes * MINUTE)
    }

    pub(super) fn seconds_left_of_day(self) -> u64 {
        u64::try_from(DAY - self.0.rem_euclid(DAY)).unwrap_or(0)
    }

    pub(super) fn milliseconds(self) -> i64 {
        self.0 * 1000
    }

    /// Year, month and day; Howard Hinnant's `civil_from_days`.
    fn civil(self) -> (i64, usize, i64) {
        let days = self.0.div_euclid(DAY) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (
            year + era * 400 + i64::from(month <= 2),
            usize::try_from(month).expect("1 to 12"),
            day,
        )
    }

    /// `2026-11-21`
    pub(super) fn date(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `16:02:30`
    pub(super) fn clock(self) -> String {
        let second = self.0.rem_euclid(DAY);
        format!(
            "{:02}:{:02}:{:02}",
            second / HOUR,
            second / MINUTE % 60,
            second % 60
        )
    }

    /// `2026.11.21 16:02:30`
    pub(super) fn dotted(self) -> String {
        format!("{} {}", self.date().replace('-', "."), self.clock())
    }

    /// `2026-11-21 16:02`
    pub(super) fn minute(self) -> String {
        format!("{} {}", self.date(), &self.clock()[..5])
    }

    /// `11/21/26`
    pub(super) fn american(self) -> String {
        let (year, month, day) = self.civil();
        format!("{month:02}/{day:02}/{:02}", year % 100)
    }

    /// `2026-11-21T16:02:30.123456+00:00`
    pub(super) fn launchpad(self) -> String {
        format!("{}T{}.123456+00:00", self.date(), self.clock())
    }

    fn weekday(self) -> &'static str {
        WEEKDAYS[usize::try_from(self.0.div_euclid(DAY).rem_euclid(7)).expect("0 to 6")]
    }

    /// `Sat, 21 Nov 2026 16:02:30 +0000`
    pub(super) fn mail(self) -> String {
        let (year, month, day) = self.civil();
        let (weekday, clock) = (self.weekday(), self.clock());
        format!("{weekday}, {day:02} {} {year} {clock} +0000", MONTHS[month - 1])
    }

    /// `Sat Nov 21 16:02:30 GMT 2026`
    pub(super) fn unix(self) -> String {
        let (year, month, day) = self.civil();
        let (weekday, clock) = (self.weekday(), self.clock());
        format!("{weekday} {} {day:2} {clock} GMT {year}", MONTHS[month - 1])
    }
}

#[test]
fn instants_are_written_as_they_are() {
    let instant = Instant(1_795_276_950);
    assert_eq!(instant.mail(), "Sat, 21 Nov 2026 16:02:30 +0000");
    assert_eq!(instant.unix(), "Sat Nov 21 16:02:30 GMT 2026");
    assert_eq!(instant.dotted(), "2026.11.21 16:02:30");
    assert_eq!(instant.american(), "11/21/26");
    let leap = Instant(1_709_164_800);
    assert_eq!(leap.mail(), "Thu, 29 Feb 2024 00:00:00 +0000");
    assert_eq!(leap.unix(), "Thu Feb 29 00:00:00 GMT 2024");
}
