//! Any text is read as each of the reports in plain text without harm; counts are none below 0, and names are bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_britney::logs;
use tidemark_images::listing;
use tidemark_images::path::{MAX_TAG, Series};
use tidemark_ubuntu_archive::architectures::MAX_ARCHITECTURES;
use tidemark_ubuntu_archive::{priority_mismatches, summary};
use tidemark_versions::report;

fuzz_target!(|text: &str| {
    // What leads to the parts behind it.
    let in_summary = format!("* summary\n{text}\n# Generated: Sat, 21 Nov 2026 02:00:00 +0000\n");
    for text in [text, in_summary.as_str()] {
        if let Ok(summary) = summary::parse(text) {
            assert!(summary.counts.len() <= MAX_ARCHITECTURES);
            assert!(summary.counts.values().all(|count| *count >= 0));
            assert!(summary.unread.len() <= summary::MAX_SHOWN);
        }
    }
    let generated = format!("Generated: Sat Nov 21 02:00:00 GMT 2026\n{text}");
    for text in [text, generated.as_str()] {
        if let Ok(mismatches) = priority_mismatches::parse(text) {
            assert!(mismatches.counts.len() <= MAX_ARCHITECTURES);
            let all: i64 = mismatches.counts.values().sum();
            assert!(usize::try_from(all).is_ok_and(|all| all <= text.lines().count()));
        }
    }
    let log =
        format!("Sat, 21 Nov 2026 02:00:00 +0000\n{text}\nFinished at: Sat, 21 Nov 2026 02:30:00 +0000\n");
    assert!(logs::started(&log).is_some() && logs::finished(&log).is_some());
    let _ = (logs::started(text), logs::finished(text));
    let names = report::names(text).names;
    assert!(names.len() <= report::MAX_REPORTS && names.iter().all(|name| !name.contains('/')));
    let counts = report::counts(text).counts;
    assert!(counts.len() <= report::MAX_CATEGORIES && counts.iter().all(|(_, count)| *count >= 0));

    for is_complete in [false, true] {
        let series = Series {
            active: ["noble".to_owned()].into(),
            is_complete,
        };
        for line in ["", "123 2026/11/20-08:41:22 "] {
            let listing = listing::parse(&format!("{line}{text}"), &series);
            for image in &listing.images {
                let identity = &image.identity;
                assert!(identity.flavor.len() <= MAX_TAG && identity.architecture.len() <= MAX_TAG);
                assert!(!identity.release.is_empty() && image.size >= 0);
            }
        }
    }
});
