"""tidemark itself: its runs and its sinks, from InfluxDB and from Prometheus."""

from grafana import INFLUXDB, PROMETHEUS, Dashboard, Lines, Panel, Query, Row, Source, States, Variable
from influxql import chosen, count, growth, largest, last, values

RUN = ["collector", "host", "target"]
RUNS = f"{chosen('host')} AND {chosen('collector')}"
RUN_NAME = "$tag_collector $tag_host $tag_target"
RUN_LABELS = 'host=~"$host", collector=~"$collector"'
REMOTE_LABELS = f'{RUN_LABELS}, instance=""'
RUN_LEGEND = "{{collector}} {{host}} {{target}}"
SINK = ["sink", "host"]
SINKS = chosen("host")
SINK_NAME = "$tag_sink $tag_host"
SINK_LABELS = 'host=~"$host"'
SINK_LEGEND = "{{sink}} {{host}}"
# By remote write a run is one sample: what the last one said, for two hours, is shown in between.
SEEN = "[2h]"


def panels(source: Source) -> list[Panel | Row]:
    """Give the panels, with the queries for that source."""

    def either(influxql: str, promql: str, name: str = RUN_NAME, legend: str = RUN_LEGEND) -> list[Query]:
        return [Query(influxql, name) if source is INFLUXDB else Query(promql, legend)]

    def sink(name: str) -> list[Query]:
        return either(
            last("tidemark_sink", name, SINK, SINKS),
            f"tidemark_sink_{name}{{{SINK_LABELS}}}",
            SINK_NAME,
            SINK_LEGEND,
        )

    def lost(name: str) -> list[Query]:
        return either(
            growth("tidemark_sink", name, SINK, SINKS, "1h"),
            f"increase(tidemark_sink_{name}_total{{{SINK_LABELS}}}[1h])",
            SINK_NAME,
            SINK_LEGEND,
        )

    return [
        Row("Runs"),
        States(
            "Runs that went well",
            "A run fails where nothing could be collected. `tidemark status` on the host shows the error.",
            either(
                last("tidemark_run", "ok", RUN, RUNS),
                f"last_over_time(tidemark_run_ok{{{RUN_LABELS}}}{SEEN})",
            ),
            every="5m",
            words=(("failed", "red"), ("ok", "green")),
            width=24,
            height=10,
        ),
        States(
            "Runs that were partial",
            "A run is partial where data is missing that should be there: it has gaps. The rest is collected.",
            either(
                last("tidemark_run", "partial", RUN, RUNS),
                f"last_over_time(tidemark_run_partial{{{RUN_LABELS}}}{SEEN})",
            ),
            every="5m",
            words=(("whole", "green"), ("partial", "yellow")),
            width=24,
            height=10,
        ),
        Lines(
            "Runs in an hour",
            "How many runs ended, good or bad. A collector that none starts any more is no longer here."
            + ("" if source is INFLUXDB else " By textfile they cannot be counted: its samples are scrapes."),
            either(
                count("tidemark_run", "points", RUN, RUNS, "1h"),
                f"count_over_time(tidemark_run_points{{{REMOTE_LABELS}}}[1h])",
            ),
            every="1h",
        ),
        Lines(
            "Duration",
            "The longest run.",
            either(
                largest("tidemark_run", "duration_seconds", RUN, RUNS),
                f"max_over_time(tidemark_run_duration_seconds{{{RUN_LABELS}}}{SEEN})",
            ),
            unit="s",
        ),
        Lines(
            "Points",
            "Points that the last run collected.",
            either(
                last("tidemark_run", "points", RUN, RUNS),
                f"last_over_time(tidemark_run_points{{{RUN_LABELS}}}{SEEN})",
            ),
        ),
        Lines(
            "Gaps",
            "Parts of a source that the last run could not read.",
            either(
                last("tidemark_run", "gaps", RUN, RUNS),
                f"last_over_time(tidemark_run_gaps{{{RUN_LABELS}}}{SEEN})",
            ),
            warn=1,
        ),
        Row("Sinks"),
        Lines("Waiting", "Points that wait in the outbox for a sink.", sink("waiting")),
        Lines(
            "Waiting for",
            "How long the oldest of them has waited. There is an alert from one hour on.",
            sink("oldest_waiting_seconds"),
            unit="s",
            warn=600,
            bad=3600,
        ),
        Lines(
            "Refused",
            "Points that a sink refused for good, in an hour. `tidemark outbox show --rejected` shows them, with the "
            "server's words.",
            lost("rejected"),
            every="1h",
            warn=1,
        ),
        Lines(
            "Given up",
            "Points that the outbox dropped in an hour because it was over its bounds.",
            lost("dropped"),
            every="1h",
            warn=1,
        ),
    ]


def dashboard(source: Source, name: str) -> Dashboard:
    """Give the dashboard for that source."""
    variables = [
        Variable("host", "Host", values("tidemark_run", "host")),
        Variable("collector", "Collector", values("tidemark_run", "collector")),
    ]
    if source is PROMETHEUS:
        variables = [
            Variable(variable.name, variable.label, f"label_values(tidemark_run_points, {variable.name})")
            for variable in variables
        ]
    return Dashboard(
        name=f"tidemark-{name.lower()}",
        title=f"tidemark ({name})",
        description="How tidemark's collectors ran, and what waits for its sinks or was lost. Every run and every "
        "flush says so to every sink, on every host.",
        source=source,
        variables=variables,
        panels=panels(source),
        time="now-24h",
        refresh="1m",
    )


DASHBOARDS = [dashboard(INFLUXDB, "InfluxDB"), dashboard(PROMETHEUS, "Prometheus")]
