//! What the dashboards expect, written out: measurements, their tags, their fields and the fields' types. Nothing here comes
//! from the collectors.

/// A measurement.
pub(crate) struct Contract {
    pub(super) collector: &'static str,
    pub(crate) measurement: &'static str,
    /// In the order of their names.
    pub(super) tags: &'static [&'static str],
    /// In the order of their names, each with InfluxDB's name of its type.
    pub(crate) fields: &'static [(&'static str, &'static str)],
}

/// Each collector, and how often it runs.
pub(crate) const INTERVALS: [(&str, &str); 10] = [
    ("autopkgtest", "5m"),
    ("britney", "5m"),
    ("cnf", "5m"),
    ("contributors", "1h"),
    ("images", "5m"),
    ("rls-bugs", "1h"),
    ("sponsoring", "5m"),
    ("ubuntu-archive", "1h"),
    ("upload-queues", "5m"),
    ("versions", "1h"),
];

const COUNT: &[(&str, &str)] = &[("count", "integer")];

pub(crate) const CONTRACT: [Contract; 22] = [
    Contract {
        collector: "autopkgtest",
        measurement: "autopkgtest_queue_size",
        tags: &["arch", "context", "instance", "release"],
        fields: COUNT,
    },
    Contract {
        collector: "autopkgtest",
        measurement: "autopkgtest_running",
        tags: &["arch", "instance", "release"],
        fields: COUNT,
    },
    Contract {
        collector: "britney",
        measurement: "britney_last_run_age",
        tags: &["release"],
        fields: &[("run_age", "integer")],
    },
    Contract {
        collector: "britney",
        measurement: "britney_last_run_duration",
        tags: &["release"],
        fields: &[("run_duration", "integer")],
    },
    Contract {
        collector: "britney",
        measurement: "update_excuses_stats",
        tags: &["release"],
        fields: &[
            ("backlog", "integer"),
            ("median_age", "integer"),
            ("not_considered", "integer"),
            ("total", "integer"),
            ("valid_candidates", "integer"),
        ],
    },
    Contract {
        collector: "britney",
        measurement: "update_excuses_by_team_stats",
        tags: &["release", "team"],
        fields: &[("age", "float"), ("count", "integer")],
    },
    Contract {
        collector: "cnf",
        measurement: "command_not_found_age",
        tags: &["release"],
        fields: &[("cnf_age", "float"), ("out_of_date", "boolean")],
    },
    Contract {
        collector: "contributors",
        measurement: "launchpad_team_members",
        tags: &["count_type", "team"],
        fields: COUNT,
    },
    Contract {
        collector: "images",
        measurement: "daily_image_details",
        tags: &[
            "architecture",
            "current_or_pending",
            "flavor",
            "image_type",
            "release",
        ],
        fields: &[("age", "integer"), ("size", "integer")],
    },
    Contract {
        collector: "rls-bugs",
        measurement: "distro_rls_bug_tasks",
        tags: &["release", "tag", "team_name"],
        fields: COUNT,
    },
    Contract {
        collector: "sponsoring",
        measurement: "sponsoring_queue_stats",
        tags: &["report"],
        fields: &[
            ("average_age", "integer"),
            ("count", "integer"),
            ("oldest", "integer"),
        ],
    },
    Contract {
        collector: "ubuntu-archive",
        measurement: "nbs_stats",
        tags: &["release"],
        fields: &[("removable", "integer"), ("total", "integer")],
    },
    Contract {
        collector: "ubuntu-archive",
        measurement: "component_mismatch_stats",
        tags: &["action", "pocket", "release", "type"],
        fields: COUNT,
    },
    Contract {
        collector: "ubuntu-archive",
        measurement: "uninst_stats",
        tags: &["arch", "release"],
        fields: COUNT,
    },
    Contract {
        collector: "ubuntu-archive",
        measurement: "outdate_stats",
        tags: &["arch", "release"],
        fields: COUNT,
    },
    Contract {
        collector: "ubuntu-archive",
        measurement: "priority_mismatch_stats",
        tags: &["arch", "release"],
        fields: COUNT,
    },
    Contract {
        collector: "ubuntu-archive",
        measurement: "ubuntu_archive_reviews",
        tags: &[],
        fields: COUNT,
    },
    Contract {
        collector: "ubuntu-archive",
        measurement: "ubuntu_archive_bugs",
        tags: &["type"],
        fields: COUNT,
    },
    Contract {
        collector: "upload-queues",
        measurement: "ubuntu_queue_size",
        tags: &["devel", "release", "status"],
        fields: COUNT,
    },
    Contract {
        collector: "upload-queues",
        measurement: "queue_ages",
        tags: &["devel", "release", "status"],
        fields: &[
            ("oldest_age_in_days", "integer"),
            ("ten_day_backlog_count", "integer"),
        ],
    },
    Contract {
        collector: "upload-queues",
        measurement: "ubuntu_new_queue_size",
        tags: &["devel", "release", "type"],
        fields: COUNT,
    },
    Contract {
        collector: "versions",
        measurement: "versions_script_stats",
        tags: &["category", "report", "series"],
        fields: COUNT,
    },
];
