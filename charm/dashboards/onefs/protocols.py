"""The protocols of a cluster."""

from typing import Any

from grafana import Dashboard, Lines, Panel, Query, Row, Source

from .page import EVERY, page, states
from .queries import PROTOCOL, Clusters, protocols

TOTAL = f"cluster.protostats.{PROTOCOL}.total"
EACH = f"cluster.protostats.{PROTOCOL}"
OPERATION = ["op_name"]
CLASS = ["class_name"]


def lines(title: str, description: str, queries: list[Query], unit: str, **more: Any) -> Lines:
    """Give a panel of what comes each half minute."""
    return Lines(title, description, queries, unit=unit, every=EVERY, **more)


def dashboard(source: Source) -> Dashboard:
    """Give the page for that source."""
    of = Clusters(source)
    panels: list[Panel | Row] = [
        *states(of),
        Row("Protocols"),
        lines("Operations by protocol", "Each second.", [of.mean(TOTAL, "op_rate")], "ops", stacked=True),
        lines("Received", "Bytes each second.", [of.mean(TOTAL, "in_rate")], "Bps", stacked=True),
        lines("Sent", "Bytes each second.", [of.mean(TOTAL, "out_rate")], "Bps", stacked=True),
        lines("Time of an operation", "The mean of all operations.", [of.mean(TOTAL, "time_avg")], "µs"),
        lines("Time of the slowest operation", "The longest that one took.", [of.largest(TOTAL, "time_max")], "µs"),
        lines(
            "Clients that are active",
            "On all nodes. Some protocols have no clients.",
            [of.total(f"node.clientstats.active.{PROTOCOL}")],
            "short",
        ),
        lines(
            "Clients that are connected",
            "On all nodes. Some protocols do not tell.",
            [of.total(f"node.clientstats.connected.{PROTOCOL}")],
            "short",
        ),
        Row("Classes of operations"),
        lines(
            "Operations by class",
            "Each second.",
            [of.total(EACH, "op_rate", of=OPERATION, by=CLASS)],
            "ops",
            stacked=True,
        ),
        lines(
            "Time of an operation by class",
            "The mean of a class's operations, each by how often there was one.",
            [of.weighted(EACH, "time_avg", "op_rate", of=OPERATION, by=CLASS)],
            "µs",
        ),
        lines(
            "Received by class",
            "Bytes each second.",
            [of.total(EACH, "in_rate", of=OPERATION, by=CLASS)],
            "Bps",
            stacked=True,
        ),
        lines(
            "Sent by class",
            "Bytes each second.",
            [of.total(EACH, "out_rate", of=OPERATION, by=CLASS)],
            "Bps",
            stacked=True,
        ),
        Row("Operations by name"),
        lines("Each operation", "How many each second.", [of.mean(EACH, "op_rate", by=OPERATION)], "ops", width=24),
        lines("Each operation: time", "The mean.", [of.mean(EACH, "time_avg", by=OPERATION)], "µs"),
        lines(
            "Each operation: longest time", "The slowest of them.", [of.largest(EACH, "time_max", by=OPERATION)], "µs"
        ),
        lines("Each operation: received", "Bytes each second.", [of.mean(EACH, "in_rate", by=OPERATION)], "Bps"),
        lines("Each operation: sent", "Bytes each second.", [of.mean(EACH, "out_rate", by=OPERATION)], "Bps"),
    ]
    return page(
        source,
        "protocols",
        "protocols",
        "What clients ask of a cluster, by protocol, by class of operations and by operation: how often, how much, how "
        "long it takes. "
        "Collector: onefs, with the stock groups.",
        [*of.variables(), protocols(source)],
        panels,
    )
