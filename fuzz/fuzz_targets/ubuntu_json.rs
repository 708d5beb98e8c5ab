//! Any text is read as a report of bugs and as a list of uploads without harm, and nothing counts more than there is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_point::Timestamp;
use tidemark_reports::rls::{self, MAX_BUGS, MAX_TEAMS};
use tidemark_upload_queues::queue::Queue;
use tidemark_upload_queues::upload;

fuzz_target!(|text: &str| {
    // What leads to the parts behind it.
    let in_tasks = format!("{{\"tasks\": {{\"2000001\": [{{\"team\": {text}}}], \"2000002\": {text}}}}}");
    for text in [text, in_tasks.as_str()] {
        if let Ok(report) = rls::parse(text) {
            assert!(report.bugs.len() <= MAX_TEAMS);
            let most = i64::try_from(MAX_BUGS).unwrap_or(i64::MAX);
            assert!(report.bugs.values().all(|count| (1..=most).contains(count)));
        }
    }
    let now = Timestamp::from_millis(1_795_262_400_000).unwrap_or(Timestamp::EPOCH);
    let listed = format!("[{text}]");
    let entry =
        format!("[{{\"self_link\": {text}, \"date_created\": {text}, \"contains_source\": {text}}}, {text}]");
    for text in [text, listed.as_str(), entry.as_str()] {
        if let Ok(entries) = upload::read(text) {
            let most = i64::try_from(entries.len()).unwrap_or(i64::MAX);
            let queue = Queue::of(entries, now);
            assert!((0..=most).contains(&queue.count));
            if let Some(ages) = queue.ages {
                assert!(ages.oldest >= 0 && (0..=queue.count).contains(&ages.backlog));
            }
            if let Some(types) = queue.types {
                for count in [types.source, types.binary, types.sync] {
                    assert!((0..=queue.count).contains(&count));
                }
            }
            assert!(queue.faults().count() < 10);
        }
    }
});
