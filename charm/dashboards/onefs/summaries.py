"""What OneFS sums up: protocols by node, clients, drives."""

from grafana import INFLUXDB, Column, Dashboard, Lines, Panel, Row, Source, Table
from influxql import chosen

from .page import EVERY, page
from .queries import DRIVES, LABEL, PREFIX, Clusters

PROTOCOLS = "node.summary.protocol"
CLIENTS = "node.summary.client"
# Bays without a drive.
FILLED = [("type", "UNKNOWN")]
MOST = 20


def busiest(of: Clusters, title: str, column: str, name: str, unit: str) -> Table:
    """Give those clients that did the most of something."""
    description = "Each second: the mean of the times at which they were seen, on the chosen nodes."
    who = ["remote_addr", "remote_name", "user_name", "protocol"]
    labels = ", ".join(who)
    if of.source is INFLUXDB:
        tags = ", ".join(f'"{tag}"' for tag in who)
        condition = f"{chosen('cluster')} AND {chosen('node')} AND $timeFilter"
        each = f'SELECT mean("{name}") AS "{name}" FROM "{CLIENTS}" WHERE {condition} GROUP BY {tags}, "node", "class"'  # noqa: S608
        added = f'SELECT sum("{name}") AS "{name}" FROM ({each}) GROUP BY {tags}'  # noqa: S608
        text = f'SELECT top("{name}", {tags}, {MOST}) AS "{column}" FROM ({added})'  # noqa: S608
    else:
        metric = f'{PREFIX}{CLIENTS.replace(".", "_")}_{name}{{{LABEL}="$cluster", node=~"$node"}}'
        text = f"topk({MOST}, sum by ({labels}) (avg by ({labels}, node, class) (avg_over_time({metric}[$__range]))))"
    rows = [("remote_addr", "Address"), ("remote_name", "Name"), ("user_name", "User"), ("protocol", "Protocol")]
    return Table(
        title,
        description,
        [],
        unit=unit,
        every=EVERY,
        rows=rows,
        columns=[Column(column, text, unit)],
        sort=column,
        width=12,
        height=10,
    )


def drives(of: Clusters) -> list[Panel | Row]:
    """Give what drives measure."""

    def lines(title: str, description: str, names: dict[str, str], unit: str, *, largest: bool = False) -> Lines:
        queries = [
            (of.largest if largest else of.mean)(DRIVES, name, by=["type"], legend=legend, where=FILLED)
            for name, legend in names.items()
        ]
        return Lines(title, description, queries, unit=unit, every=EVERY)

    def added(title: str, description: str, names: dict[str, str], unit: str) -> Lines:
        queries = [
            of.total(DRIVES, name, of=["drive_id"], by=["type"], legend=legend, where=FILLED)
            for name, legend in names.items()
        ]
        return Lines(title, description, queries, unit=unit, every=EVERY)

    ways = {"in": "written", "out": "read"}
    return [
        Row("Drives"),
        lines("Drives: busy", "The mean of all drives of a type.", {"busy": "mean"}, "percent"),
        lines("Drives: the busiest", "The busiest drive of a type.", {"busy": "most"}, "percent", largest=True),
        lines("Drives: time of an access", "The mean of all drives of a type.", {"access_latency": "access"}, "ms"),
        lines(
            "Drives: the slowest access", "The slowest drive of a type.", {"access_latency": "most"}, "ms", largest=True
        ),
        lines("Drives: time in the queue", "The mean of all drives of a type.", {"iosched_latency": "queue"}, "ms"),
        lines(
            "Drives: queue",
            "Requests that wait, the mean of all drives of a type.",
            {"iosched_queue": "queue"},
            "short",
        ),
        added(
            "Drives: throughput",
            "Bytes each second, of all drives of a type.",
            {f"bytes_{way}": word for way, word in ways.items()},
            "Bps",
        ),
        added(
            "Drives: transfers",
            "Each second, of all drives of a type.",
            {f"xfers_{way}": word for way, word in ways.items()},
            "ops",
        ),
        lines(
            "Drives: size of a transfer",
            "The mean of all drives of a type.",
            {f"xfer_size_{way}": word for way, word in ways.items()},
            "bytes",
        ),
        added("Drives: slow accesses", "Each second, of all drives of a type.", {"access_slow": "slow"}, "cps"),
        lines(
            "Drives: space in use",
            "The fullest drive of a type.",
            {"used_bytes_percent": "most"},
            "percent",
            largest=True,
        ),
        added("Drives: inodes in use", "Of all drives of a type.", {"used_inodes": "inodes"}, "short"),
    ]


def dashboard(source: Source) -> Dashboard:
    """Give the page for that source."""
    of = Clusters(source, nodes=True)
    operations = ["node", "class", "operation"]

    def lines(title: str, description: str, name: str, by: list[str], unit: str) -> Lines:
        rest = [tag for tag in operations if tag not in by]
        if "protocol" not in by:
            rest.append("protocol")
        return Lines(title, description, [of.total(PROTOCOLS, name, of=rest, by=by)], unit=unit, every=EVERY)

    panels: list[Panel | Row] = [
        Row("Protocols"),
        lines("Operations by protocol", "Each second, on the chosen nodes.", "operation_rate", ["protocol"], "ops"),
        lines("Operations by node", "Each second, of all protocols.", "operation_rate", ["node"], "ops"),
        lines(
            "Operations by class", "Each second, on the chosen nodes.", "operation_rate", ["protocol", "class"], "ops"
        ),
        Lines(
            "Time of an operation",
            "The mean of a protocol's operations, each by how often there was one.",
            [of.weighted(PROTOCOLS, "time_avg", "operation_rate", of=operations, by=["protocol"])],
            unit="µs",
            every=EVERY,
        ),
        lines("Received by protocol", "Bytes each second, on the chosen nodes.", "in", ["protocol"], "Bps"),
        lines("Sent by protocol", "Bytes each second, on the chosen nodes.", "out", ["protocol"], "Bps"),
        Row("Clients"),
        busiest(of, "Clients with the most operations", "Operations", "operation_rate", "ops"),
        busiest(of, "Clients that are sent the most", "Sent", "out", "Bps"),
        busiest(of, "Clients that send the most", "Received", "in", "Bps"),
        Lines(
            "Clients: operations by protocol",
            "Each second, on the chosen nodes.",
            [of.total(CLIENTS, "operation_rate", of=["node", "class", "remote_addr", "user_name"], by=["protocol"])],
            unit="ops",
            every=EVERY,
            height=10,
        ),
        *drives(of),
    ]
    return page(
        source,
        "summaries",
        "clients and drives",
        "What OneFS sums up itself: protocols by node, the clients, the drives. It needs "
        "`[collector.onefs.summary_stats]` with `protocol`, `client` and `drive` switched on.",
        of.variables(),
        panels,
        time="now-1h",
    )
