"""A host: what the collector `host` measures, from InfluxDB and from Prometheus."""

from grafana import INFLUXDB, PROMETHEUS, Dashboard, Lines, Now, Panel, Query, Row, Source, Variable
from influxql import chosen, highest, last, rate, share, values

HERE = chosen("host")
LABEL = 'host="$host"'
# Filesystems that are in memory, or full by their nature.
SPECIAL = "tmpfs|ramfs|squashfs|iso9660|erofs"
MAIN = f'{HERE} AND "fstype" !~ /^({SPECIAL})$/'
MAIN_LABELS = f'{LABEL}, fstype!~"{SPECIAL}"'


def rates(names: dict[str, str]) -> list[Query]:
    """Give how fast these counters grow, each second, with their legends."""
    return [Query(f"rate({name}{{{LABEL}}}[$__rate_interval])", legend) for name, legend in names.items()]


def panels(source: Source) -> list[Panel | Row]:
    """Give the panels, with the queries for that source."""

    def either(influxql: list[Query], promql: list[Query]) -> list[Query]:
        return influxql if source is INFLUXDB else promql

    def fields(measurement: str, names: list[str]) -> list[Query]:
        return either(
            [Query(last(measurement, names, (), HERE), "$col")],
            [Query(f"{measurement}_{name}{{{LABEL}}}", name) for name in names],
        )

    return [
        Now(
            "Up for",
            "Since its boot, the time asleep included.",
            either(
                [Query(last("host_uptime", "seconds", (), HERE), "up")],
                [Query(f"host_uptime_seconds{{{LABEL}}}", "up")],
            ),
            unit="s",
            every="1m",
        ),
        Now(
            "CPUs",
            "Online.",
            either(
                [Query(last("host_kernel", "cpus", (), HERE), "CPUs")],
                [Query(f"host_kernel_cpus{{{LABEL}}}", "CPUs")],
            ),
            every="1m",
        ),
        Now(
            "Memory in use",
            "What programs could not get without swapping.",
            either(
                [Query(share("host_memory", "available_bytes", "total_bytes", (), HERE), "in use")],
                [Query(f"1 - host_memory_available_bytes{{{LABEL}}} / host_memory_total_bytes{{{LABEL}}}", "in use")],
            ),
            unit="percentunit",
            every="1m",
            warn=0.8,
            bad=0.95,
        ),
        Now(
            "Fullest filesystem",
            "The largest share that is not free for users other than root.",
            either(
                [
                    Query(
                        highest(
                            "used", share("host_filesystem", "available_bytes", "size_bytes", ("mountpoint",), MAIN)
                        ),
                        "in use",
                    )
                ],
                [
                    Query(
                        f"max(1 - host_filesystem_available_bytes{{{MAIN_LABELS}}}"
                        f" / host_filesystem_size_bytes{{{MAIN_LABELS}}})",
                        "in use",
                    )
                ],
            ),
            unit="percentunit",
            every="1m",
            warn=0.8,
            bad=0.9,
        ),
        Row("CPU"),
        Lines(
            "Load",
            "How many threads ran, waited for a CPU or for a disk: over one, five and fifteen minutes.",
            fields("host_load", ["load1", "load5", "load15"]),
            every="1m",
        ),
        Lines(
            "CPU time",
            "How many CPUs were busy, and with what.",
            either(
                [Query(rate("host_cpu", "seconds", ["mode"], f"{HERE} AND \"mode\" != 'idle'"), "$tag_mode")],
                [Query(f'rate(host_cpu_seconds_total{{{LABEL}, mode!="idle"}}[$__rate_interval])', "{{mode}}")],
            ),
            every="1m",
            stacked=True,
        ),
        Lines(
            "Pressure",
            "The share of the last minute that was lost by waiting for a resource: some of the threads, or all (full).",
            either(
                [
                    Query(
                        last("host_pressure", "avg60", ["resource", "scope"], HERE),
                        "$tag_resource $tag_scope",
                    )
                ],
                [Query(f"host_pressure_avg60{{{LABEL}}}", "{{resource}} {{scope}}")],
            ),
            unit="percentunit",
            every="1m",
        ),
        Lines(
            "Kernel",
            "Context switches, interrupts and new processes and threads, each second.",
            either(
                [Query(rate("host_kernel", ["context_switches", "interrupts", "forks"], (), HERE), "$col")],
                rates(
                    {
                        "host_kernel_context_switches_total": "context_switches",
                        "host_kernel_interrupts_total": "interrupts",
                        "host_kernel_forks_total": "forks",
                    }
                ),
            ),
            unit="cps",
            every="1m",
        ),
        Lines(
            "Processes",
            "All of them, their threads, and those that wait for a disk or the like and take no signal.",
            fields("host_processes", ["total", "threads", "uninterruptible", "zombie"]),
            every="1m",
        ),
        Lines(
            "Open files",
            "File handles in use, of the whole host.",
            fields("host_files", ["open"]),
            every="1m",
        ),
        Row("Memory and swap"),
        Lines(
            "Memory",
            "All of it, what programs could get, what they have, and the cache of files.",
            fields("host_memory", ["total_bytes", "available_bytes", "anonymous_bytes", "cached_bytes", "slab_bytes"]),
            unit="bytes",
            every="1m",
        ),
        Lines(
            "Swap",
            "All of it, and what is free. Nothing on a host that has none.",
            fields("host_swap", ["total_bytes", "free_bytes"]),
            unit="bytes",
            every="1m",
        ),
        Row("Filesystems and disks"),
        Lines(
            "Filesystems: space in use",
            "The share that is not free for users other than root.",
            either(
                [
                    Query(
                        share("host_filesystem", "available_bytes", "size_bytes", ("mountpoint",), MAIN),
                        "$tag_mountpoint",
                    )
                ],
                [
                    Query(
                        f"1 - host_filesystem_available_bytes{{{MAIN_LABELS}}}"
                        f" / host_filesystem_size_bytes{{{MAIN_LABELS}}}",
                        "{{mountpoint}}",
                    )
                ],
            ),
            unit="percentunit",
            every="1m",
            warn=0.8,
            bad=0.9,
        ),
        Lines(
            "Filesystems: files in use",
            "The share of the files that there can be, where their number is fixed.",
            either(
                [Query(share("host_filesystem", "files_free", "files", ("mountpoint",), MAIN), "$tag_mountpoint")],
                [
                    Query(
                        f"1 - host_filesystem_files_free{{{MAIN_LABELS}}} / host_filesystem_files{{{MAIN_LABELS}}}",
                        "{{mountpoint}}",
                    )
                ],
            ),
            unit="percentunit",
            every="1m",
            warn=0.8,
            bad=0.9,
        ),
        Lines(
            "Disks: read and written",
            "Bytes each second.",
            either(
                [Query(rate("host_disk", ["read_bytes", "written_bytes"], ["device"], HERE), "$tag_device $col")],
                rates(
                    {
                        "host_disk_read_bytes_total": "{{device}} read_bytes",
                        "host_disk_written_bytes_total": "{{device}} written_bytes",
                    }
                ),
            ),
            unit="Bps",
            every="1m",
        ),
        Lines(
            "Disks: busy",
            "The share of time in which at least one request was under way.",
            either(
                [Query(rate("host_disk", "busy_seconds", ["device"], HERE), "$tag_device")],
                rates({"host_disk_busy_seconds_total": "{{device}}"}),
            ),
            unit="percentunit",
            every="1m",
        ),
        Row("Network"),
        Lines(
            "Traffic",
            "Bytes each second.",
            either(
                [
                    Query(
                        rate("host_network", ["received_bytes", "sent_bytes"], ["interface"], HERE),
                        "$tag_interface $col",
                    )
                ],
                rates(
                    {
                        "host_network_received_bytes_total": "{{interface}} received_bytes",
                        "host_network_sent_bytes_total": "{{interface}} sent_bytes",
                    }
                ),
            ),
            unit="Bps",
            every="1m",
        ),
        Lines(
            "Errors and drops",
            "Packets each second that were bad or dropped.",
            either(
                [
                    Query(
                        rate(
                            "host_network",
                            ["received_errors", "received_drops", "sent_errors", "sent_drops"],
                            ["interface"],
                            HERE,
                        ),
                        "$tag_interface $col",
                    )
                ],
                rates(
                    {
                        f"host_network_{name}_total": f"{{{{interface}}}} {name}"
                        for name in ("received_errors", "received_drops", "sent_errors", "sent_drops")
                    }
                ),
            ),
            unit="cps",
            every="1m",
        ),
    ]


def dashboard(source: Source, name: str) -> Dashboard:
    """Give the dashboard for that source."""
    query = values("host_load", "host") if source is INFLUXDB else "label_values(host_load_load1, host)"
    return Dashboard(
        name=f"host-{name.lower()}",
        title=f"Host ({name})",
        description="A host's load, CPU, memory, filesystems, disks, network and processes. Collector: host.",
        source=source,
        variables=[Variable("host", "Host", query, several=False)],
        panels=panels(source),
        time="now-6h",
        refresh="1m",
    )


DASHBOARDS = [dashboard(INFLUXDB, "InfluxDB"), dashboard(PROMETHEUS, "Prometheus")]
