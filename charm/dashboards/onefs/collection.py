"""The collection itself: tidemark's runs of clusters."""

from grafana import INFLUXDB, Dashboard, Lines, Panel, Query, Row, Source, States, Variable
from influxql import chosen, count, largest, last, values

from .page import page

# The clusters, as they are named in every point of theirs.
TARGET = ["target"]
CONDITION = f"\"collector\" = 'onefs' AND {chosen('target')}"
LABELS = 'collector="onefs", target=~"$target"'
# By remote write a run is one sample: what the last one said is shown in between.
SEEN = "[10m]"


def dashboard(source: Source) -> Dashboard:
    """Give the page for that source."""

    def either(influxql: str, promql: str) -> list[Query]:
        return [Query(influxql, "$tag_target") if source is INFLUXDB else Query(promql, "{{target}}")]

    def newest(name: str) -> list[Query]:
        return either(
            last("tidemark_run", name, TARGET, CONDITION),
            f"max by (target) (last_over_time(tidemark_run_{name}{{{LABELS}}}{SEEN}))",
        )

    panels: list[Panel | Row] = [
        States(
            "Runs that went well",
            "By cluster. `tidemark status` on the host says why one fails.",
            newest("ok"),
            every="1m",
            words=(("failed", "red"), ("ok", "green")),
            width=24,
            height=10,
        ),
        States(
            "Runs that were partial",
            "By cluster. A key that it does not know is left out and said once; what should be there and is not makes "
            "a run partial.",
            newest("partial"),
            every="1m",
            words=(("whole", "green"), ("partial", "yellow")),
            width=24,
            height=10,
        ),
        Lines(
            "Duration",
            "The longest run: from the first request to the last answer, all points made.",
            either(
                largest("tidemark_run", "duration_seconds", TARGET, CONDITION),
                f"max by (target) (max_over_time(tidemark_run_duration_seconds{{{LABELS}}}{SEEN}))",
            ),
            unit="s",
            every="1m",
        ),
        Lines("Points", "Points of the last run.", newest("points"), every="1m"),
        Lines("Gaps", "What the last run could not get.", newest("gaps"), every="1m", warn=1),
        Lines("Notices", "What the last run said beside that.", newest("notices"), every="1m"),
        Lines(
            "Runs in an hour",
            "How many ended, good or bad. A cluster whose runs become fewer is slow."
            + ("" if source is INFLUXDB else " By textfile they cannot be counted: its samples are scrapes."),
            either(
                count("tidemark_run", "points", TARGET, CONDITION, "1h"),
                f'sum by (target) (count_over_time(tidemark_run_points{{{LABELS}, instance=""}}[1h]))',
            ),
            every="1h",
        ),
        Lines("Interval", "How often a run is due.", newest("interval_seconds"), unit="s", every="1m"),
    ]
    query = values("tidemark_run", "target", "\"collector\" = 'onefs'")
    if source is not INFLUXDB:
        query = 'label_values(tidemark_run_points{collector="onefs"}, target)'
    return page(
        source,
        "collection",
        "collection",
        "How the collection from each cluster goes: its runs, how long they take, what they miss. Collector: onefs, by "
        "what tidemark sends of every run.",
        [Variable("target", "Cluster", query)],
        panels,
    )
