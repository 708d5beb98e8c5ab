"""All clusters beside each other."""

from grafana import Dashboard, Lines, Panel, Row, Source, States, Table

from .page import BUSY, EVERY, FULL, HEALTH, page
from .queries import Clusters


def dashboard(source: Source) -> Dashboard:
    """Give the page for that source."""
    of = Clusters(source, several=True)
    panels: list[Panel | Row] = [
        Table(
            "Clusters",
            "A row for each cluster: its last figures. What is written and read is that of the filesystem; clients are "
            "those that are active, on all nodes.",
            [],
            every=EVERY,
            rows=[("cluster", "Cluster")],
            columns=[
                of.column("Health", "cluster.health", words=HEALTH, warn=1, bad=2),
                of.column("Nodes", "cluster.node.count.all"),
                of.column("Down", "cluster.node.count.down", bad=1, warn=1),
                of.column("In use", "ifs.percent.avail", form="100 - {}", unit="percent", warn=FULL[0], bad=FULL[1]),
                of.column("Left", "ifs.bytes.avail", unit="bytes"),
                of.column("CPU", "cluster.cpu.idle.avg", form=BUSY, unit="percentunit", warn=0.8, bad=0.95),
                of.column("Written", "ifs.bytes.in.rate", unit="Bps"),
                of.column("Read", "ifs.bytes.out.rate", unit="Bps"),
                of.column("NFS operations", "cluster.protostats.nfs.total", "op_rate", unit="ops"),
                of.column("NFS latency", "cluster.protostats.nfs.total", "time_avg", unit="µs"),
                of.column("SMB operations", "cluster.protostats.smb2.total", "op_rate", unit="ops"),
                of.column("SMB latency", "cluster.protostats.smb2.total", "time_avg", unit="µs"),
                of.sum_column("NFS clients", "node.clientstats.active.nfs"),
                of.sum_column("SMB clients", "node.clientstats.active.smb2"),
            ],
            sort="Health",
            height=10,
        ),
        Row("Health"),
        States(
            "Health over time",
            "As each cluster itself judges. A gap is a time in which nothing was collected.",
            [of.last("cluster.health")],
            every=EVERY,
            words=HEALTH,
        ),
        Lines(
            "Nodes that are down",
            "Nodes that do not answer.",
            [of.largest("cluster.node.count.down")],
            every=EVERY,
            bad=1,
        ),
        Row("Space"),
        Lines(
            "Space in use",
            "The share that clients cannot write to any more.",
            [of.last("ifs.percent.avail", form="100 - {}")],
            unit="percent",
            every=EVERY,
            warn=FULL[0],
            bad=FULL[1],
        ),
        Lines(
            "Space that is left",
            "What clients can still write.",
            [of.last("ifs.bytes.avail")],
            unit="bytes",
            every=EVERY,
        ),
        Row("Load"),
        Lines(
            "CPU",
            "The share of all CPUs of a cluster that is not idle.",
            [of.mean("cluster.cpu.idle.avg", form=BUSY)],
            unit="percentunit",
            every=EVERY,
        ),
        Lines(
            "Latency of NFS",
            "The mean time that an operation took.",
            [of.mean("cluster.protostats.nfs.total", "time_avg")],
            unit="µs",
            every=EVERY,
        ),
        Lines(
            "Written into the filesystem",
            "Bytes each second.",
            [of.mean("ifs.bytes.in.rate")],
            unit="Bps",
            every=EVERY,
            stacked=True,
        ),
        Lines(
            "Read from the filesystem",
            "Bytes each second.",
            [of.mean("ifs.bytes.out.rate")],
            unit="Bps",
            every=EVERY,
            stacked=True,
        ),
        Lines(
            "Operations of NFS",
            "Each second.",
            [of.mean("cluster.protostats.nfs.total", "op_rate")],
            unit="ops",
            every=EVERY,
            stacked=True,
        ),
        Lines(
            "Operations of SMB",
            "Each second.",
            [of.mean("cluster.protostats.smb2.total", "op_rate")],
            unit="ops",
            every=EVERY,
            stacked=True,
        ),
        Lines(
            "Received by clients' networks",
            "Bytes each second on the external interfaces.",
            [of.mean("cluster.net.ext.bytes.in.rate")],
            unit="Bps",
            every=EVERY,
        ),
        Lines(
            "Sent to clients' networks",
            "Bytes each second on the external interfaces.",
            [of.mean("cluster.net.ext.bytes.out.rate")],
            unit="Bps",
            every=EVERY,
        ),
        Row("Clients"),
        Lines(
            "Clients of NFS that are active",
            "On all nodes.",
            [of.total("node.clientstats.active.nfs")],
            every=EVERY,
        ),
        Lines(
            "Clients of SMB that are active",
            "On all nodes.",
            [of.total("node.clientstats.active.smb2")],
            every=EVERY,
        ),
    ]
    return page(
        source,
        "overview",
        "clusters",
        "All clusters beside each other: health, nodes that are down, space, load, operations, clients. "
        "Collector: onefs, with the stock groups.",
        of.variables(),
        panels,
    )
