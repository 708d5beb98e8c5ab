"""Ubuntu's development at a glance."""

from grafana import INFLUXDB, Dashboard, Lines, Query, Row, States, Variable
from influxql import chosen, largest, last, total, values

# The queues that ~ubuntu-archive and ~ubuntu-release look after, and those of ~ubuntu-sru.
ARCHIVE = "(\"devel\" = 'True' OR \"status\" = 'New')"
UPDATES = "\"devel\" = 'False' AND \"status\" = 'Unapproved'"
QUEUE = "$tag_release $tag_status"
LAUNCHPAD = ("The series", "https://launchpad.net/ubuntu/+series")
EXCUSES = (
    "The excuses",
    "https://ubuntu-archive-team.ubuntu.com/proposed-migration/update_excuses_by_team.html",
)
SPONSORING = ("The queue", "http://sponsoring-reports.ubuntu.com/")


def size(where: str) -> list[Query]:
    """Give the uploads in these queues."""
    return [Query(last("ubuntu_queue_size", "count", ["release", "status"], where), QUEUE)]


def backlog(where: str) -> list[Query]:
    """Give the uploads that have been in these queues for more than ten days."""
    return [Query(last("queue_ages", "ten_day_backlog_count", ["release", "status"], where), QUEUE)]


def excuses(name: str) -> list[Query]:
    """Give that field of the teams' excuses."""
    return [Query(last("update_excuses_by_team_stats", name, ["team"], chosen("release")), "$tag_team")]


DASHBOARD = Dashboard(
    name="ubuntu-metrics",
    title="Ubuntu: metrics",
    description="Ubuntu's development at a glance: queues, migration, bugs, images. Collectors: autopkgtest, britney, "
    "cnf, images, rls-bugs, sponsoring, upload-queues. The release filters bugs, images and what waits to migrate.",
    source=INFLUXDB,
    tags=["ubuntu"],
    variables=[Variable("release", "Release", values("daily_image_details", "release"))],
    panels=[
        Row("Uploads"),
        Lines(
            "NEW, or unapproved in development",
            "Uploads in the queues that ~ubuntu-archive and ~ubuntu-release look after.",
            size(ARCHIVE),
            link=LAUNCHPAD,
        ),
        Lines(
            "NEW, or unapproved in development: over ten days",
            "Uploads that have been in those queues for more than ten days.",
            backlog(ARCHIVE),
            link=LAUNCHPAD,
        ),
        Lines(
            "Unapproved updates of releases",
            "Uploads in the queues that ~ubuntu-sru looks after.",
            size(UPDATES),
            link=LAUNCHPAD,
        ),
        Lines(
            "Unapproved updates of releases: over ten days",
            "Uploads that have been in those queues for more than ten days.",
            backlog(UPDATES),
            link=LAUNCHPAD,
        ),
        Lines(
            "Oldest upload",
            "How long the oldest upload of each queue has waited.",
            [Query(last("queue_ages", "oldest_age_in_days", ["release", "status"]), QUEUE)],
            unit="d",
            warn=10,
            bad=30,
            link=LAUNCHPAD,
        ),
        Lines(
            "Sponsoring: uploads",
            "Uploads that wait for a sponsor.",
            [Query(last("sponsoring_queue_stats", "count", where="\"report\" = 'sponsoring'"), "uploads")],
            link=SPONSORING,
            width=6,
        ),
        Lines(
            "Sponsoring: age",
            "How long they have waited: the oldest of them, and their mean.",
            [
                Query(
                    last("sponsoring_queue_stats", ["oldest", "average_age"], where="\"report\" = 'sponsoring'"),
                    "$col",
                )
            ],
            unit="d",
            bad=30,
            link=SPONSORING,
            width=6,
        ),
        Row("Migration"),
        Lines(
            "autopkgtest: queue",
            "Tests that wait for a machine, of all releases, on the service in production.",
            [
                Query(
                    total(
                        "autopkgtest_queue_size",
                        "count",
                        ["context", "release"],
                        ["arch"],
                        "\"instance\" = 'production'",
                    ),
                    "$tag_arch",
                )
            ],
            link=("Statistics", "https://autopkgtest.ubuntu.com/statistics"),
            width=24,
        ),
        States(
            "britney: last run",
            "How long ago its last run ended. It runs for each series that is supported; one under extended support "
            "ages for good.",
            [Query(last("britney_last_run_age", "run_age", ["release"]), "$tag_release")],
            unit="h",
            every="1h",
            warn=4,
            bad=8,
            link=("The runs", "https://ubuntu-archive-team.ubuntu.com/proposed-migration/log/"),
        ),
        Lines(
            "britney: duration",
            "How long its last whole run took.",
            [Query(last("britney_last_run_duration", "run_duration", ["release"]), "$tag_release")],
            unit="m",
            every="1h",
        ),
        Lines(
            "Excuses: packages by team",
            "Packages of the development series that have not migrated for more than three days.",
            excuses("count"),
            link=EXCUSES,
        ),
        Lines("Excuses: age by team", "The mean age of those packages.", excuses("age"), unit="d", link=EXCUSES),
        Lines(
            "Excuses: packages in proposed",
            "All of the development series, those that may migrate, and those that are held back.",
            [
                Query(
                    last(
                        "update_excuses_stats", ["total", "valid_candidates", "not_considered"], (), chosen("release")
                    ),
                    "$col",
                )
            ],
            every="1h",
            link=EXCUSES,
        ),
        Lines(
            "Excuses: age",
            "The median age of the packages in proposed, and the days by which they are older than they should be, "
            "added up.",
            [Query(last("update_excuses_stats", ["median_age", "backlog"], (), chosen("release")), "$col")],
            unit="d",
            every="1h",
            link=EXCUSES,
        ),
        Row("Releases"),
        Lines(
            "Bugs for the teams to look at",
            "Bugs tagged rls-X-incoming (to be looked at) and rls-X-tracking (to be done) with a task of the team.",
            [
                Query(
                    total("distro_rls_bug_tasks", "count", ["release"], ["team_name", "tag"], chosen("release")),
                    "$tag_team_name $tag_tag",
                )
            ],
            every="1h",
            link=("The reports", "http://reports.qa.ubuntu.com/reports/rls-mgr/"),
            width=24,
            height=12,
        ),
        Lines(
            "command-not-found: age of the index",
            "It is made anew each day for the development series, and stays as it is for a release.",
            [Query(last("command_not_found_age", "cnf_age", ["release"]), "$tag_release")],
            unit="d",
            warn=1,
        ),
        Lines(
            "Daily images of Ubuntu: age",
            "The oldest of all architectures.",
            [
                Query(
                    largest(
                        "daily_image_details",
                        "age",
                        ["release", "current_or_pending"],
                        f"\"flavor\" = 'ubuntu' AND {chosen('release')}",
                    ),
                    "$tag_release $tag_current_or_pending",
                )
            ],
            unit="d",
            warn=3,
            bad=7,
            link=("The images", "https://cdimage.ubuntu.com/"),
        ),
    ],
)
