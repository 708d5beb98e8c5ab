use super::*;

/// Made twice the same, and about as long as it says.
#[track_caller]
fn same<A: PartialEq + std::fmt::Debug>(
    make: impl Fn(Size) -> Made<A>,
    real: std::ops::Range<usize>,
) -> Made<A> {
    let (one, other) = (make(Size::REAL), make(Size::REAL));
    assert!(one.text == other.text);
    assert_eq!(one.answer, other.answer);
    let bytes = one.text.len();
    assert!(real.contains(&bytes), "{bytes} bytes");
    let (tenth, ten) = (make(Size::percent(10)).text.len(), one.text.len());
    assert!(tenth < ten || ten < 100_000, "{tenth} and {ten} bytes");
    one
}

const MB: usize = 1_000_000;

#[test]
fn what_is_long_in_truth_is_as_long() {
    let teams = same(update_excuses_by_team, 11 * MB..14 * MB).answer;
    assert_eq!(teams.teams.len(), 22);
    assert!(teams.malformed > 5 && teams.items > 1_500, "{teams:?}");
    assert_eq!(
        teams.teams[20],
        Team {
            name: "null-team".to_owned(),
            count: 0,
            age: 0.0
        }
    );
    same(|size| update_excuses_html(size, NOW, 90), 9 * MB..12 * MB);
    same(|size| britney_log(size, NOW, 3_000), 2 * MB..6 * MB);
    same(rls_json, MB..3 * MB);
    same(|size| outdate_txt(size, NOW), MB..3 * MB);
    same(|size| uninst_txt(size, NOW), MB..3 * MB);
    same(running_json, 300_000..MB);
    same(|size| rsync_listing(size, NOW), 100_000..400_000);
    let (pages, uploads) = package_uploads(
        Size::REAL,
        NOW,
        300,
        "https://api.launchpad.net/devel/ubuntu/resolute?ws.op=getPackageUploads",
    );
    assert_eq!((pages.len(), uploads.count, uploads.oldest_days), (2, 600, 89));
    assert!(pages[0].len() > MB && pages[0].contains("next_collection_link"));
    assert!(!pages[1].contains("next_collection_link"));
    let values: Vec<serde_json::Value> = pages
        .iter()
        .map(|page| serde_json::from_str(page).unwrap())
        .collect();
    assert_eq!(values[1]["entries"].as_array().unwrap().len(), 300);
}

#[test]
fn the_rows_of_twelve_hours_are_told() {
    let rows = same(|size| update_excuses_csv(size, NOW), 3 * MB..6 * MB);
    // 24 rows, of which the one on the edge is out, and two are none.
    assert_eq!((rows.answer.recent.len(), rows.answer.malformed), (22, 2));
    assert!(
        rows.answer
            .recent
            .iter()
            .all(|(time, columns)| *time > NOW - 43_200_000 && columns.len() == 5)
    );
    assert!(rows.text.contains(&format!("\n{},", NOW - 43_200_000)));
    assert_eq!(
        same(|size| nbs_csv(size, NOW), MB..2 * MB).answer.recent.len(),
        10
    );
    same(|size| component_mismatches_csv(size, NOW), MB..3 * MB);
}

#[test]
fn the_small_ones_are_well_formed() {
    for made in [
        running_json(Size::REAL).text,
        queue_size_json(Size::REAL).text,
        rls_json(Size::REAL).text,
    ] {
        serde_json::from_str::<serde_json::Value>(&made).unwrap();
    }
    let index = cnf_index(Size::REAL, NOW, 100, IndexStyle::Table);
    assert!(index.text.contains("2026-11-21 10:20"), "{}", index.text);
    let day = britney_day_index(Size::percent(5), NOW, IndexStyle::Pre);
    assert!(
        day.text.contains("href=\"./00:00:00") && day.answer.len() > 10,
        "{}",
        day.text
    );
    assert!(active_reviews(Size::REAL).answer == 120);
    assert_eq!(priority_mismatches_txt(Size::REAL, NOW).answer.counts.len(), 6);
    assert!(
        priority_mismatches_txt(Size::REAL, NOW)
            .text
            .starts_with("Generated: Sat Nov 21 12:00:00 GMT 2026\n")
    );
    assert_eq!(versions_report(Size::REAL).answer.len(), 30);
    let info = distro_info_csv(Size::REAL, NOW);
    assert_eq!(info.text.lines().count(), 46);
    assert!((2..12).contains(&info.answer.len()), "{:?}", info.answer);
    let images = rsync_listing(Size::REAL, NOW).answer;
    assert!(images.iter().any(|image| image.image_type.is_none()));
}
