//! The sources of the collectors, and how long they are.

use tidemark_testkit::ubuntu::{self, IndexStyle, Size};

/// A source, and how its collector reads it.
pub(crate) struct Case {
    /// As the project calls it.
    pub(crate) name: &'static str,
    /// Makes it, for a time in milliseconds.
    pub(crate) make: fn(Size, i64) -> String,
    /// Whether it has more than 1 MB in truth, and a peer.
    pub(crate) is_long: bool,
    /// The first of the three sizes: a hundred times that is what a collector would read at most.
    pub(crate) first: Size,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "update_excuses_by_team.yaml",
        make: |size, _| ubuntu::update_excuses_by_team(size).text,
        is_long: true,
        first: Size::percent(5),
    },
    Case {
        name: "update_excuses.html",
        make: |size, now| ubuntu::update_excuses_html(size, now, 90).text,
        is_long: true,
        first: Size::percent(5),
    },
    Case {
        name: "update_excuses.csv",
        make: |size, now| ubuntu::update_excuses_csv(size, now).text,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "log",
        make: |size, now| ubuntu::britney_log(size, now, 3_000).text,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "rls-tracking.json",
        make: |size, _| ubuntu::rls_json(size).text,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "getPackageUploads",
        make: a_page_of_uploads,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "nbs.csv",
        make: |size, now| ubuntu::nbs_csv(size, now).text,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "component-mismatches.csv",
        make: |size, now| ubuntu::component_mismatches_csv(size, now).text,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "outdate.txt",
        make: |size, now| ubuntu::outdate_txt(size, now).text,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "uninst.txt",
        make: |size, now| ubuntu::uninst_txt(size, now).text,
        is_long: true,
        first: Size::percent(10),
    },
    Case {
        name: "priority-mismatches.txt",
        make: |size, now| ubuntu::priority_mismatches_txt(size, now).text,
        is_long: false,
        first: Size::REAL,
    },
    Case {
        name: "+activereviews",
        make: |size, _| ubuntu::active_reviews(size).text,
        is_long: false,
        first: Size::REAL,
    },
    Case {
        name: "an index, a table",
        make: |size, now| ubuntu::britney_day_index(size, now, IndexStyle::Table).text,
        is_long: false,
        first: Size::REAL,
    },
    Case {
        name: "an index, preformatted",
        make: |size, now| ubuntu::britney_day_index(size, now, IndexStyle::Pre).text,
        is_long: false,
        first: Size::REAL,
    },
    Case {
        name: "distro-info",
        make: |size, now| ubuntu::distro_info_csv(size, now).text,
        is_long: false,
        first: Size::REAL,
    },
    Case {
        name: "a listing of rsync",
        make: |size, now| ubuntu::rsync_listing(size, now).text,
        is_long: false,
        first: Size::REAL,
    },
    Case {
        name: "a report of versions",
        make: |size, _| ubuntu::versions_report(size).text,
        is_long: false,
        first: Size::REAL,
    },
];

/// One page, which has 300 where it is real.
fn a_page_of_uploads(size: Size, now: i64) -> String {
    let (mut pages, _) = ubuntu::package_uploads(size, now, size.of(300), "https://host/?a=b");
    pages.remove(0)
}
