"""The space of all clusters, and how long it lasts."""

from grafana import INFLUXDB, Dashboard, Lines, Panel, Query, Row, Source, Table
from influxql import chosen

from .page import EVERY, FULL, page
from .queries import LABEL, PREFIX, Clusters


def pace(of: Clusters) -> list[Panel | Row]:
    """Give how fast the space goes."""
    legend = "$tag_cluster" if of.source is INFLUXDB else f"{{{{{LABEL}}}}}"
    if of.source is INFLUXDB:
        here = f'WHERE {chosen("cluster")} AND $timeFilter GROUP BY time(1d), "cluster" fill(none)'
        growth = f'SELECT difference(last("value")) FROM "ifs.bytes.used" {here}'  # noqa: S608
        # What is left over what a day took.
        days = f'SELECT last("value") / derivative(last("value"), 1d) * -1 AS "days" FROM "ifs.bytes.avail" {here}'  # noqa: S608
        left = (
            f'SELECT max("days") FROM ({days}) WHERE "days" > 0 AND $timeFilter GROUP BY time(1d), "cluster" fill(none)'  # noqa: S608
        )
    else:
        used, avail = (f'{PREFIX}ifs_bytes_{kind}{{{LABEL}=~"$cluster"}}' for kind in ("used", "avail"))
        growth = f"avg by ({LABEL}) (delta({used}[1d]))"
        left = f"avg by ({LABEL}) ({avail}) / -(avg by ({LABEL}) (delta({avail}[1d])) < 0)"
    return [
        Row("Pace"),
        Lines(
            "Growth in a day",
            "By how much what is in use grew; below zero where it shrank.",
            [Query(growth, legend)],
            unit="bytes",
            every="1d",
            signed=True,
        ),
        Lines(
            "Days until it is full",
            "At the pace of the last day. Nothing where space did not become less in it.",
            [Query(left, legend)],
            unit="d",
            every="1d",
        ),
    ]


def dashboard(source: Source) -> Dashboard:
    """Give the page for that source."""
    of = Clusters(source, several=True)
    panels: list[Panel | Row] = [
        Table(
            "Space now",
            "A row for each cluster. What is free and what clients can write differ by what OneFS keeps for itself.",
            [],
            unit="bytes",
            every=EVERY,
            rows=[("cluster", "Cluster")],
            columns=[
                of.column("In use", "ifs.percent.avail", form="100 - {}", unit="percent", warn=FULL[0], bad=FULL[1]),
                of.column("Total", "ifs.bytes.total", unit="bytes"),
                of.column("Used", "ifs.bytes.used", unit="bytes"),
                of.column("Free", "ifs.bytes.free", unit="bytes"),
                of.column("Left to clients", "ifs.bytes.avail", unit="bytes"),
                of.column("Share used", "ifs.percent.used", unit="percent"),
                of.column("Share free", "ifs.percent.free", unit="percent"),
            ],
            sort="In use",
            height=10,
        ),
        Lines(
            "Space in use",
            "The share that clients cannot write to any more.",
            [of.last("ifs.percent.avail", form="100 - {}")],
            unit="percent",
            every="1h",
            warn=FULL[0],
            bad=FULL[1],
        ),
        Lines("Used", "Bytes.", [of.last("ifs.bytes.used")], unit="bytes", every="1h"),
        Lines("Left to clients", "What they can still write.", [of.last("ifs.bytes.avail")], unit="bytes", every="1h"),
        Lines(
            "Size",
            "All space of a cluster: it grows with its nodes.",
            [of.last("ifs.bytes.total")],
            unit="bytes",
            every="1h",
        ),
        *pace(of),
    ]
    return page(
        source,
        "capacity",
        "capacity",
        "The space of all clusters, how fast it goes, and how long it lasts at that pace. "
        "Collector: onefs, with the stock groups.",
        of.variables(),
        panels,
        time="now-30d",
    )
