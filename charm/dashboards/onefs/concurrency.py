"""How much a cluster has under way at once."""

from grafana import Dashboard, Lines, Panel, Row, Source

from .page import EVERY, page, states
from .queries import Clusters

NODE = ["node"]
LATENCY = "cluster.node.disk.iosched.latency.avg.avg"


def dashboard(source: Source) -> Dashboard:
    """Give the page for that source."""
    of = Clusters(source, nodes=True)
    panels: list[Panel | Row] = [
        *states(of),
        Row("Cluster"),
        Lines(
            "Concurrency of the filesystem",
            "Operations times the time that they wait for disks: about how many are under way at once. It grows while "
            "operations do not: disks are what holds them up.",
            [of.mean("cluster.ifs.concurrency", legend="concurrency")],
            every=EVERY,
        ),
        Lines(
            "Time in the disks' queues",
            "The mean of all nodes.",
            [of.mean(LATENCY, legend="mean")],
            unit="s",
            every=EVERY,
        ),
        Lines(
            "Change of the time in the queues",
            "From one measurement to the next, in percent of the one before.",
            [of.mean(f"{LATENCY}.percentchange", legend="change")],
            unit="percent",
            every=EVERY,
            signed=True,
        ),
        Lines(
            "Operations of the filesystem",
            "The sum of all nodes.",
            [of.mean(f"cluster.node.ifs.ops.{way}.sum", legend=way) for way in ("in", "out")],
            unit="ops",
            every=EVERY,
        ),
        Row("Node by node"),
        Lines(
            "Time in the queues of a node's disks",
            "The mean of its disks.",
            [of.mean("node.disk.iosched.latency.avg", by=NODE)],
            unit="s",
            every=EVERY,
        ),
        Lines(
            "Operations of a node",
            "Those that write, and those that read.",
            [of.mean(f"node.ifs.ops.{way}", by=NODE, legend=way) for way in ("in", "out")],
            unit="ops",
            every=EVERY,
        ),
    ]
    return page(
        source,
        "concurrency",
        "concurrency",
        "How much a cluster has under way at once, and whether disks hold it up. It needs statistics that are derived: "
        "`concurrency = true` in `[collector.onefs]`.",
        of.variables(),
        panels,
    )
