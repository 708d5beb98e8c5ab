"""What waits for the administrators of Ubuntu's archive."""

from grafana import INFLUXDB, Dashboard, Lines, Query, Variable
from influxql import chosen, last, total, values

REPORTS = "https://ubuntu-archive-team.ubuntu.com"
PROPOSED = f"{REPORTS}/proposed-migration/"

DASHBOARD = Dashboard(
    name="ubuntu-archive",
    title="Ubuntu: archive",
    description="What waits for the administrators of Ubuntu's archive. Collectors: ubuntu-archive, upload-queues.",
    source=INFLUXDB,
    tags=["ubuntu"],
    variables=[Variable("arch", "Architecture", values("outdate_stats", "arch"))],
    panels=[
        Lines(
            "NEW queues",
            "Uploads in the queue of new packages of each series.",
            [Query(last("ubuntu_queue_size", "count", ["release"], "\"status\" = 'New'"), "$tag_release")],
            link=("The series", "https://launchpad.net/ubuntu/+series"),
        ),
        Lines(
            "NEW queues by type",
            "The same by what an upload holds. One that holds more than one of these counts for each.",
            [Query(total("ubuntu_new_queue_size", "count", ["release"], ["type"]), "$tag_type")],
        ),
        Lines(
            "Uninstallable packages",
            "Packages of the development series that cannot be installed on an architecture.",
            [Query(last("uninst_stats", "count", ["arch"], chosen("arch")), "$tag_arch")],
            every="1h",
            link=("The reports", PROPOSED),
        ),
        Lines(
            "Out-of-date packages",
            "Packages of the development series whose binaries on an architecture are older than their source.",
            [Query(last("outdate_stats", "count", ["arch"], chosen("arch")), "$tag_arch")],
            every="1h",
            link=("The reports", PROPOSED),
        ),
        Lines(
            "NBS: not built from source",
            "Binary packages of the development series that no source builds any more: all of them, and those on which "
            "nothing depends, so that they can be removed.",
            [Query(last("nbs_stats", ["removable", "total"]), "$col")],
            every="1h",
            link=("The reports", REPORTS),
        ),
        Lines(
            "Priority mismatches",
            "Packages of the development series with another priority than they should have.",
            [Query(last("priority_mismatch_stats", "count", ["arch"], chosen("arch")), "$tag_arch")],
            every="1h",
            link=("The report", f"{REPORTS}/priority-mismatches.txt"),
        ),
        Lines(
            "Component mismatches",
            "Packages of the development series that are in another component than the seeds make of them.",
            [
                Query(
                    last("component_mismatch_stats", "count", ["action", "type"], "\"pocket\" = 'release'"),
                    "$tag_action, $tag_type",
                )
            ],
            every="1h",
            link=("The reports", REPORTS),
        ),
        Lines(
            "Component mismatches in proposed",
            "The same as it will be with the packages of the pocket proposed.",
            [
                Query(
                    last("component_mismatch_stats", "count", ["action", "type"], "\"pocket\" = 'proposed'"),
                    "$tag_action, $tag_type",
                )
            ],
            every="1h",
            link=("The reports", REPORTS),
        ),
        Lines(
            "Bugs",
            "Open bug tasks to which the team is subscribed, and those assigned to it.",
            [Query(last("ubuntu_archive_bugs", "count", ["type"]), "$tag_type")],
            every="1h",
            link=("The bugs", "https://bugs.launchpad.net/~ubuntu-archive"),
        ),
        Lines(
            "Reviews",
            "Merge proposals that wait for a review by the team.",
            [Query(last("ubuntu_archive_reviews", "count"), "proposals")],
            every="1h",
            link=("The proposals", "https://code.launchpad.net/~ubuntu-archive/+activereviews"),
        ),
    ],
)
