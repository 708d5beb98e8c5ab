"""What all pages of OneFS have in common."""

from collections.abc import Sequence

from grafana import INFLUXDB, Dashboard, Now, Panel, Row, Source, Text, Variable

from .queries import Clusters

EVERY = "30s"
HEALTH = (("ok", "green"), ("attention", "yellow"), ("down", "red"))
# Shares are in thousandths.
BUSY = "1 - {} / 1000"
THOUSANDTHS = "{} / 1000"
# From which share on a cluster is rather full: OneFS itself slows down, and repairs want room.
FULL = (80, 90)


def page(  # noqa: PLR0913, PLR0917
    source: Source,
    name: str,
    title: str,
    description: str,
    variables: Sequence[Variable | Text],
    panels: Sequence[Panel | Row],
    time: str = "now-6h",
) -> Dashboard:
    """Give a page for that source."""
    server = "InfluxDB" if source is INFLUXDB else "Prometheus"
    return Dashboard(
        name=f"onefs-{name}-{server.lower()}",
        title=f"OneFS: {title} ({server})",
        description=description,
        source=source,
        variables=variables,
        panels=panels,
        time=time,
        refresh="1m",
        tags=["onefs"],
    )


def states(of: Clusters) -> list[Panel | Row]:
    """Give how a cluster is: one line of figures."""
    return [
        Now(
            "Health",
            "As the cluster itself judges.",
            [of.last("cluster.health", legend="health")],
            every=EVERY,
            words=HEALTH,
            width=3,
        ),
        Now(
            "Nodes",
            "All nodes of the cluster.",
            [of.last("cluster.node.count.all", legend="nodes")],
            every=EVERY,
            width=3,
        ),
        Now(
            "Nodes down",
            "Nodes that do not answer.",
            [of.last("cluster.node.count.down", legend="down")],
            every=EVERY,
            bad=1,
            width=3,
        ),
        Now(
            "Space in use",
            "The share that clients cannot write to any more.",
            [of.last("ifs.percent.avail", form="100 - {}", legend="in use")],
            unit="percent",
            every=EVERY,
            warn=FULL[0],
            bad=FULL[1],
            width=3,
        ),
        Now(
            "CPU",
            "The share of all CPUs that is not idle.",
            [of.mean("cluster.cpu.idle.avg", form=BUSY, legend="busy")],
            unit="percentunit",
            every=EVERY,
            warn=0.8,
            bad=0.95,
            width=3,
        ),
        Now(
            "Written",
            "Into the filesystem, each second.",
            [of.mean("ifs.bytes.in.rate", legend="in")],
            unit="Bps",
            every=EVERY,
            width=3,
        ),
        Now(
            "Read",
            "From the filesystem, each second.",
            [of.mean("ifs.bytes.out.rate", legend="out")],
            unit="Bps",
            every=EVERY,
            width=3,
        ),
        Now(
            "Operations",
            "Of the filesystem, each second: those that write and those that read.",
            [of.mean("ifs.ops.in.rate", legend="in"), of.mean("ifs.ops.out.rate", legend="out")],
            unit="ops",
            every=EVERY,
            width=3,
        ),
    ]
