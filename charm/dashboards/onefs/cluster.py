"""One cluster in detail."""

from typing import Any

from grafana import Dashboard, Lines, Panel, Query, Row, Source, States

from .page import EVERY, HEALTH, THOUSANDTHS, page, states
from .queries import Clusters

NODE = ["node"]
CACHES = {"L1": "l1", "L2": "l2", "L3": "l3"}
EVENTS = [
    "lock",
    "blocked",
    "contended",
    "deadlocked",
    "write",
    "read",
    "lookup",
    "rename",
    "link",
    "unlink",
    "getattr",
    "setattr",
]
CLIENTS = {
    "active": ["ftp", "hdfs", "http", "lsass_out", "jobd", "nfs", "nfs4", "nlm", "papi", "siq", "cifs", "smb2"],
    "connected": ["ftp", "hdfs", "http", "nfs", "nlm", "papi", "siq", "cifs"],
}


def lines(title: str, description: str, queries: list[Query], unit: str = "short", **more: Any) -> Lines:
    """Give a panel of what comes each half minute."""
    return Lines(title, description, queries, unit=unit, every=EVERY, **more)


def both(of: Clusters, key: str, words: tuple[str, str] = ("in", "out"), *, node: bool = False) -> list[Query]:
    """Give a statistic of both directions, whose key says `WAY`."""
    by = NODE if node else []
    return [
        of.mean(key.replace("WAY", way), by=by, legend=word) for way, word in zip(("in", "out"), words, strict=True)
    ]


def whole(of: Clusters) -> list[Panel | Row]:
    """Give what the cluster measures as a whole."""
    return [
        Row("Cluster"),
        States(
            "Health over time",
            "As the cluster itself judges.",
            [of.last("cluster.health", legend="health")],
            every=EVERY,
            words=HEALTH,
            height=4,
        ),
        lines(
            "Nodes that are down",
            "Nodes that do not answer.",
            [of.largest("cluster.node.count.down", legend="down")],
            bad=1,
            height=4,
        ),
        lines(
            "CPU time",
            "The share of all CPUs' time, by what it went to.",
            [of.mean(f"cluster.cpu.{kind}.avg", form=THOUSANDTHS, legend=kind) for kind in ("user", "sys", "intr")],
            "percentunit",
            stacked=True,
        ),
        lines(
            "Space",
            "All of it, what is in use, what is free, and what of that clients can write.",
            [of.last(f"ifs.bytes.{kind}", legend=kind) for kind in ("total", "used", "free", "avail")],
            "bytes",
        ),
        lines(
            "Filesystem: throughput", "Bytes each second.", both(of, "ifs.bytes.WAY.rate", ("written", "read")), "Bps"
        ),
        lines("Filesystem: operations", "Each second.", both(of, "ifs.ops.WAY.rate", ("writing", "reading")), "ops"),
        lines(
            "Disks: throughput",
            "Bytes each second, of all disks.",
            both(of, "cluster.disk.bytes.WAY.rate", ("written", "read")),
            "Bps",
        ),
        lines(
            "Disks: transfers",
            "Each second, of all disks.",
            [
                *both(of, "cluster.disk.xfers.WAY.rate", ("writing", "reading")),
                of.mean("cluster.disk.xfers.rate", legend="all"),
            ],
            "ops",
        ),
        lines(
            "External network: traffic",
            "Bytes each second, of all nodes.",
            both(of, "cluster.net.ext.bytes.WAY.rate"),
            "Bps",
        ),
        lines(
            "External network: packets",
            "Each second, of all nodes.",
            both(of, "cluster.net.ext.packets.WAY.rate"),
            "pps",
        ),
        lines(
            "External network: errors",
            "Each second, of all nodes.",
            both(of, "cluster.net.ext.errors.WAY.rate"),
            "cps",
            warn=1,
        ),
        lines(
            "Operations by protocol",
            "Each second.",
            [
                of.mean(f"cluster.protostats.{name}.total", "op_rate", legend=name)
                for name in (
                    "nfs",
                    "nfs4",
                    "smb2",
                    "cifs",
                    "hdfs",
                    "http",
                    "ftp",
                    "nlm",
                    "siq",
                    "jobd",
                    "irp",
                    "papi",
                    "lsass_in",
                    "lsass_out",
                )
            ],
            "ops",
            stacked=True,
        ),
        Row("Clients"),
        *(
            lines(
                f"Clients that are {state}",
                "By protocol, on the chosen nodes. One that speaks to several nodes is counted on each.",
                [of.total(f"node.clientstats.{state}.{name}", legend=name) for name in names],
            )
            for state, names in CLIENTS.items()
        ),
    ]


def nodes(of: Clusters) -> list[Panel | Row]:
    """Give what each node measures."""
    return [
        Row("Node by node"),
        lines(
            "Load of a minute",
            "How many threads ran or waited for a CPU, as OneFS counts them.",
            [of.mean("node.load.1min", by=NODE)],
        ),
        lines(
            "Load of longer",
            "The same over five and fifteen minutes.",
            [of.mean(f"node.load.{span}", by=NODE, legend=span) for span in ("5min", "15min")],
        ),
        lines("Memory in use", "Bytes.", [of.mean("node.memory.used", by=NODE)], "bytes"),
        lines("Memory that is free", "Bytes.", [of.mean("node.memory.free", by=NODE)], "bytes"),
        lines("Open files", "Files that are open on a node.", [of.mean("node.open.files", by=NODE)]),
        lines(
            "CPU throttling",
            "As OneFS gives it: zero where a node runs at full speed. Not every hardware has it.",
            [of.mean("node.cpu.throttling", by=NODE)],
            warn=1,
        ),
        Row("Disks"),
        lines(
            "Disks: busy",
            "The share of time in which disks of a node had something to do, the mean of its disks.",
            [of.mean("node.disk.busy.avg", by=NODE, form=THOUSANDTHS)],
            "percentunit",
        ),
        lines(
            "Disks: time of an access",
            "The mean of a node's disks.",
            [of.mean("node.disk.access.latency.avg", by=NODE)],
            "s",
        ),
        lines(
            "Disks: slow accesses",
            "Each second: those that took far longer than others.",
            [of.mean("node.disk.access.slow.avg", by=NODE)],
            "cps",
        ),
        lines(
            "Disks: queue",
            "Requests that wait in the scheduler, the mean of a node's disks.",
            [of.mean("node.disk.iosched.queue.avg", by=NODE)],
        ),
        lines(
            "Disks: time in the queue",
            "How long a request waited there.",
            [of.mean("node.disk.iosched.latency.avg", by=NODE)],
            "s",
        ),
        lines(
            "Disks: size of a transfer",
            "The mean of a node's disks.",
            both(of, "node.disk.xfer.size.WAY.avg", ("writing", "reading"), node=True),
            "bytes",
        ),
        lines(
            "Disks: throughput of a node's",
            "Bytes each second, the mean of a node's disks.",
            both(of, "node.disk.bytes.WAY.rate.avg", ("written", "read"), node=True),
            "Bps",
        ),
        lines(
            "Disks: transfers of a node's",
            "Each second, the mean of a node's disks.",
            both(of, "node.disk.xfers.WAY.rate.avg", ("writing", "reading"), node=True),
            "ops",
        ),
        Row("Network"),
        *(
            panel
            for kind, title in (("ext", "External"), ("int", "Internal"))
            for panel in (
                lines(
                    f"{title} network of a node: traffic",
                    "Bytes each second.",
                    both(of, f"node.net.{kind}.bytes.WAY.rate", node=True),
                    "Bps",
                ),
                lines(
                    f"{title} network of a node: errors",
                    "Each second.",
                    both(of, f"node.net.{kind}.errors.WAY.rate", node=True),
                    "cps",
                    warn=1,
                ),
            )
        ),
    ]


def inside(of: Clusters) -> list[Panel | Row]:
    """Give what goes on inside the filesystem."""
    cache = "node.ifs.cache"
    return [
        Row("Cache"),
        *(
            lines(
                f"Cache {title}: hits of reads",
                "The share of reads that were answered from there, on the chosen nodes. Nothing while there are none."
                + (" A cluster without disks for it has none." if level == "l3" else ""),
                [
                    of.share(cache, f"{level}_{kind}_read_hit", f"{level}_{kind}_read_start", legend=word)
                    for kind, word in (("data", "data"), ("meta", "metadata"))
                ],
                "percentunit",
                width=8,
            )
            for title, level in CACHES.items()
        ),
        lines(
            "Cache: hits of what was read ahead",
            "The share of it that was asked for, on the chosen nodes.",
            [
                of.share(
                    cache, f"{level}_{kind}_prefetch_hit", f"{level}_{kind}_prefetch_start", legend=f"{title} {word}"
                )
                for title, level in (("L1", "l1"), ("L2", "l2"))
                for kind, word in (("data", "data"), ("meta", "metadata"))
            ],
            "percentunit",
        ),
        lines(
            "Cache: age of the oldest page",
            "How long a page stays: the shorter, the less memory there is for what is asked for.",
            [of.mean(cache, "oldest_page_age", by=NODE)],
            "ms",
        ),
        Row("Heat"),
        lines(
            "Events of the filesystem",
            "Each second, of the chosen nodes.",
            [of.total(f"node.ifs.heat.{event}.total", legend=event) for event in EVENTS[4:]],
            "cps",
        ),
        lines(
            "Locks",
            "Each second, of the chosen nodes: taken, waited for, wanted by several, and deadlocks that were undone.",
            [of.total(f"node.ifs.heat.{event}.total", legend=event) for event in EVENTS[:4]],
            "cps",
        ),
        lines("Locks: contended", "Each second, by node.", [of.mean("node.ifs.heat.contended.total", by=NODE)], "cps"),
        lines("Locks: blocked", "Each second, by node.", [of.mean("node.ifs.heat.blocked.total", by=NODE)], "cps"),
    ]


def dashboard(source: Source) -> Dashboard:
    """Give the page for that source."""
    of = Clusters(source, nodes=True)
    return page(
        source,
        "cluster",
        "a cluster",
        "A cluster in detail: the whole, its nodes with their disks and networks, caches, the heat of its filesystem. "
        "Collector: onefs, with the stock groups.",
        of.variables(),
        [*states(of), *whole(of), *nodes(of), *inside(of)],
    )
