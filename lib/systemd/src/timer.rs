use tidemark_settings::Span;

use crate::text::Text;
use crate::value;

/// The first run after a boot: others start first.
const AFTER_BOOT: Span = Span::secs(30);

/// A fifth of the interval, at most this, is each host's own delay, so that they do not all ask a server at once.
const LONGEST_DELAY: Span = Span::minutes(1);

/// systemd may start a run later by a sixtieth of the interval, to wake the machine once for many; within these bounds.
const ACCURACY: (Span, Span) = (Span::secs(1), Span::minutes(1));

/// The text of the timer that starts the service of the same name.
pub(crate) fn timer(description: &str, interval: Span) -> String {
    let mut text = Text::new();
    text.section("Unit");
    text.key("Description", &value::description(description));
    text.key("PartOf", "tidemark.target");
    text.key("StartLimitIntervalSec", "0");
    text.section("Timer");
    text.key("OnBootSec", &AFTER_BOOT.to_string());
    text.key("OnUnitInactiveSec", &interval.to_string());
    text.key("RandomizedDelaySec", &random_delay(interval).to_string());
    text.key("FixedRandomDelay", "yes");
    text.key("AccuracySec", &accuracy(interval).to_string());
    text.section("Install");
    text.key("WantedBy", "tidemark.target");
    text.finish()
}

fn random_delay(interval: Span) -> Span {
    Span::secs(interval.as_secs() / 5).min(LONGEST_DELAY)
}

fn accuracy(interval: Span) -> Span {
    Span::secs(interval.as_secs() / 60).clamp(ACCURACY.0, ACCURACY.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_in_proportion() {
        for (interval, delay, exact) in [
            ("1m", "12s", "1s"),
            ("90s", "18s", "1s"),
            ("5m", "1m", "5s"),
            ("1h", "1m", "1m"),
            ("2weeks", "1m", "1m"),
            ("584541y", "1m", "1m"),
        ] {
            let span: Span = interval.parse().unwrap();
            assert_eq!(random_delay(span).to_string(), delay, "{interval}");
            assert_eq!(accuracy(span).to_string(), exact, "{interval}");
        }
    }
}
