//! Pages of Launchpad's `getPackageUploads`.

use std::fmt::Write as _;

use super::names::{below, json, one_in, package, person, version};
use super::{ARCHITECTURES, Size, utc};
use crate::Random;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// What is right to read in the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uploads {
    /// Entries.
    pub count: i64,
    /// Age of the oldest in whole days.
    pub oldest_days: i64,
    /// Those of more than ten whole days.
    pub ten_day_backlog: i64,
    /// Those that contain sources.
    pub source: i64,
    /// Those that contain builds.
    pub binary: i64,
    /// Those that contain copies.
    pub sync: i64,
}

/// The pages of 600 uploads where it is real, in pages of `per_page`, 1.1 MB for each 300; each page but the last names the
/// next under `collection`, a URL with its query. An upload may contain more than one thing, or nothing.
pub fn package_uploads(size: Size, now: i64, per_page: usize, collection: &str) -> (Vec<String>, Uploads) {
    let mut random = Random::new(300);
    let total = size.of(600);
    let (mut pages, mut answer) = (Vec::new(), Uploads::default());
    for start in (0..total).step_by(per_page) {
        let end = (start + per_page).min(total);
        let mut page = format!("{{\"start\": {start}, \"total_size\": {total}");
        let link = |at: usize| {
            json(&format!(
                "{collection}&ws.size={per_page}&memo={at}&ws.start={at}"
            ))
        };
        if start > 0 {
            let _ = write!(page, ", \"prev_collection_link\": {}", link(start - per_page));
        }
        if end < total {
            let _ = write!(page, ", \"next_collection_link\": {}", link(end));
        }
        page.push_str(", \"entries\": [");
        for number in start..end {
            if number > start {
                page.push_str(", ");
            }
            one(&mut page, &mut random, number, now, &mut answer);
        }
        page.push_str("]}");
        pages.push(page);
    }
    (pages, answer)
}

fn one(page: &mut String, random: &mut Random, number: usize, now: i64, answer: &mut Uploads) {
    // Two on the edge of more than ten whole days: one is there, one lacks a millisecond.
    let age = match number {
        1 => 11 * DAY,
        2 => 11 * DAY - 1,
        _ => i64::try_from(random.below(90 * DAY.unsigned_abs())).expect("less than a quarter"),
    };
    let (source, build, copy) = (one_in(random, 2), one_in(random, 3), one_in(random, 4));
    answer.count += 1;
    answer.oldest_days = answer.oldest_days.max(age / DAY);
    answer.ten_day_backlog += i64::from(age / DAY > 10);
    answer.source += i64::from(source);
    answer.binary += i64::from(build);
    answer.sync += i64::from(copy);

    let (name, version) = (package(random), version(random));
    let id = 34_000_000 + number;
    let root = "https://api.launchpad.net/devel/ubuntu/resolute";
    let created = utc(now - age).format("%Y-%m-%dT%H:%M:%S%.6f+00:00");
    let _ = write!(
        page,
        "{{\"self_link\": \"{root}/+upload/{id}\", \"resource_type_link\": \"https://api.launchpad.net/devel/#package_upload\", \"id\": {id}, \"date_created\": \"{created}\", \"status\": \"Unapproved\", \"distroseries_link\": \"{root}\", \"pocket\": \"Proposed\", "
    );
    let arches: Vec<&str> = ARCHITECTURES[..=below(random, 7)].to_vec();
    let _ = write!(
        page,
        "\"display_name\": {0}, \"display_version\": {1}, \"display_arches\": \"source, {2}\", \"package_name\": {0}, \"package_version\": {1}, ",
        json(&name),
        json(&version),
        arches.join(", ")
    );
    let _ = write!(
        page,
        "\"component_name\": \"universe\", \"section_name\": \"libs\", \"contains_source\": {source}, \"contains_build\": {build}, \"contains_copy\": {copy}, \"contains_installer\": false, \"contains_translation\": false, \"contains_upgrader\": false, \"contains_ddtp\": false, "
    );
    let _ = write!(
        page,
        "\"changes_file_url\": {}, ",
        if copy {
            "null".to_owned()
        } else {
            json(&format!(
                "https://launchpad.net/ubuntu/resolute/+upload/{id}/+files/{name}_{version}_source.changes"
            ))
        }
    );
    let _ = write!(
        page,
        "\"changed_by\": {}, \"searchable_names\": {}, \"searchable_versions\": [], \"copy_source_archive_link\": null, \"archive_link\": \"https://api.launchpad.net/devel/ubuntu/+archive/primary\", \"custom_file_urls\": [",
        json(person(random)),
        json(&format!("{name} {name}-dev {name}-doc"))
    );
    for file in 0..20 {
        let _ = write!(
            page,
            "{}{}",
            if file == 0 { "" } else { ", " },
            json(&format!(
                "https://launchpad.net/ubuntu/resolute/+upload/{id}/+files/{name}-{file}_{version}_{}.deb",
                ARCHITECTURES[file % 8]
            ))
        );
    }
    let _ = write!(
        page,
        "], \"http_etag\": \"\\\"{:016x}{:016x}-{:016x}\\\"\"}}",
        random.next_u64(),
        random.next_u64(),
        random.next_u64()
    );
}
