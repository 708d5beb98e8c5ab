"""Ubuntu's autopkgtest service, as its public pages show it.

What its workers write of themselves (`autopkgtest_exit_event`, `autopkgtest_unit_status`, `autopkgtest_lxd_status`,
`autopkgtest_delete_event`, `apache2_requests`) is not collected by tidemark, and has no panel here.
"""

from grafana import INFLUXDB, Dashboard, Lines, Query, Variable
from influxql import chosen, total, values

SERVICE = "https://autopkgtest.ubuntu.com"
TAGS = {"arch", "context", "release"}
HERE = chosen("instance")


def waiting(tag: str) -> list[Query]:
    """Give the tests that wait, by that tag."""
    others = sorted(TAGS - {tag})
    return [Query(total("autopkgtest_queue_size", "count", others, [tag], HERE), f"$tag_{tag}")]


def running(tag: str, other: str) -> list[Query]:
    """Give the tests that run, by that tag."""
    return [Query(total("autopkgtest_running", "count", [other], [tag], HERE), f"$tag_{tag}")]


DASHBOARD = Dashboard(
    name="ubuntu-autopkgtest",
    title="Ubuntu: autopkgtest",
    description="The queues and the running tests of Ubuntu's autopkgtest service. Collector: autopkgtest. What the "
    "service's workers write of themselves (how tests ended, states of workers, deleted instances, web requests) is "
    "another program's, and not shown here.",
    source=INFLUXDB,
    tags=["ubuntu"],
    time="now-24h",
    variables=[Variable("instance", "Instance", values("autopkgtest_queue_size", "instance"), several=False)],
    panels=[
        Lines(
            "Queue by release",
            "Tests that wait for a machine.",
            waiting("release"),
            link=("Statistics", f"{SERVICE}/statistics"),
            width=24,
        ),
        Lines("Queue by architecture", "Tests that wait for a machine.", waiting("arch"), width=24),
        Lines(
            "Queue by context",
            "Tests that wait for a machine, by the queue that they are in: for Ubuntu, for PPAs, for large packages.",
            waiting("context"),
        ),
        Lines(
            "Change of the queue",
            "By how many the queue of an architecture has grown or shrunk in the time between two points. One that is "
            "not empty and flat for an hour is stuck: there is an alert for that.",
            [
                Query(
                    total("autopkgtest_queue_size", "count", ["context", "release"], ["arch"], HERE, changed=True),
                    "$tag_arch",
                )
            ],
            signed=True,
        ),
        Lines(
            "Running by architecture",
            "Tests that run. A package with other parameters is another test.",
            running("arch", "release"),
            link=("Running tests", f"{SERVICE}/running"),
            stacked=True,
        ),
        Lines(
            "Running by release",
            "Tests that run. A package with other parameters is another test.",
            running("release", "arch"),
            stacked=True,
        ),
    ],
)
