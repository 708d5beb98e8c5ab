"""Statistics of OneFS as queries, the same of InfluxDB and of Prometheus.

In InfluxDB a statistic is a measurement by its key's name, and the cluster the tag `cluster`. In Prometheus the key's
dots are underscores behind a prefix, and the cluster's label has a name that sites choose: both are variables of the
dashboard.

Rates are rates already, so nothing here makes a rate of one. A bucket of time is the mean of what was measured in it;
where nodes are added up, it is their means that are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana import INFLUXDB, Column, Query, Source, Text, Variable
from influxql import INTERVAL, chosen, values

# In a key: any of the chosen protocols.
PROTOCOL = "PROTOCOL"
# A drive is known by its node's number and its bay's, as in 3:12.
DRIVES = "node.summary.drive"
PREFIX = "${prefix}"
LABEL = "$label"

# How Prometheus' names differ from site to site.
NAMES = [
    Text(
        "prefix",
        "Prefix",
        "What metrics' names begin with: isilon_stat_ from OneFS's own listener, isilon_ from older collectors, "
        "nothing by remote write.",
        "isilon_stat_",
    ),
    Text(
        "label",
        "Label",
        "The label that names the cluster: cluster; exported_cluster where Prometheus adds one of that name; hostname "
        "from older collectors.",
        "cluster",
    ),
]


@dataclass(frozen=True)
class Clusters:
    """What is chosen, and of which source it is asked."""

    source: Source
    # Whether several clusters are chosen, and each is a series of its own.
    several: bool = False
    # Whether nodes are chosen: of what nodes measure.
    nodes: bool = False

    def variables(self) -> list[Variable | Text]:
        """Give the choices."""
        influxdb = self.source is INFLUXDB
        found: list[Variable | Text] = [] if influxdb else [*NAMES]
        query = values("cluster.health", "cluster")
        if not influxdb:
            query = f"label_values({PREFIX}cluster_health, {LABEL})"
        found.append(Variable("cluster", "Cluster", query, several=self.several))
        if self.nodes:
            query = values("node.load.1min", "node", chosen("cluster"))
            if not influxdb:
                query = f"label_values({PREFIX}node_load_1min{{{self._chosen()}}}, node)"
            found.append(Variable("node", "Node", query))
        return found

    def mean(  # noqa: PLR0913
        self,
        key: str,
        name: str = "value",
        *,
        by: Sequence[str] = (),
        form: str = "{}",
        legend: str = "",
        where: Sequence[tuple[str, str]] = (),
    ) -> Query:
        """Give a field of a statistic, a series for each of the tags `by`, as that form makes it."""
        return self._query(key, [name], by, form, legend, where, "mean")

    def last(self, key: str, *, by: Sequence[str] = (), form: str = "{}", legend: str = "") -> Query:
        """Give what a statistic was last: a state, or a capacity."""
        return self._query(key, ["value"], by, form, legend, (), "last")

    def largest(
        self,
        key: str,
        name: str = "value",
        *,
        by: Sequence[str] = (),
        legend: str = "",
        where: Sequence[tuple[str, str]] = (),
    ) -> Query:
        """Give the largest value of a field, of all that have it."""
        return self._query(key, [name], by, "{}", legend, where, "max")

    def total(  # noqa: PLR0913
        self,
        key: str,
        name: str = "value",
        *,
        of: Sequence[str] = ("node",),
        by: Sequence[str] = (),
        legend: str = "",
        where: Sequence[tuple[str, str]] = (),
    ) -> Query:
        """Give the sum over what the tags `of` tell apart, a series for each of the tags `by`."""
        legend = self._legend(key, by, legend)
        if self.source is INFLUXDB:
            each = self._select(key, f'mean("{name}") AS "{name}"', [*by, *of], where)
            # The tags' names and the measurement are those of the inner statement.
            text = f'SELECT sum("{name}") FROM ({each}) WHERE $timeFilter {self._grouped(by)}'  # noqa: S608
            return Query(text, legend)
        return Query(
            f"sum{self._by(key, by)} (avg{self._by(key, [*by, *of])} ({self._metric(key, name, where)}))", legend
        )

    def share(self, key: str, part: str, whole: str, *, by: Sequence[str] = (), legend: str = "") -> Query:
        """Give a field's share of another, added up over nodes; nothing while the other is zero."""
        legend = self._legend(key, by, legend)
        if self.source is INFLUXDB:
            # A division by zero is zero there.
            form = f'sum("{part}") / sum("{whole}")'
            return Query(self._select(key, form, by, (), f'"{whole}" > 0'), legend)
        parts, wholes = (f"sum{self._by(key, by)} ({self._metric(key, name, ())})" for name in (part, whole))
        return Query(f"{parts} / ({wholes} > 0)", legend)

    def weighted(  # noqa: PLR0913
        self, key: str, name: str, weight: str, *, of: Sequence[str], by: Sequence[str], legend: str = ""
    ) -> Query:
        """Give the mean over what the tags `of` tell apart, each by its weight; nothing while that is zero."""
        legend = self._legend(key, by, legend)
        if self.source is INFLUXDB:
            both = f'mean("{name}") * mean("{weight}") AS "product", mean("{weight}") AS "weight"'
            each = self._select(key, both, [*by, *of], ())
            mean = f'SELECT sum("product") / sum("weight") FROM ({each})'  # noqa: S608
            return Query(f'{mean} WHERE "weight" > 0 AND $timeFilter {self._grouped(by)}', legend)
        figure, heft = (f"avg{self._by(key, [*by, *of])} ({self._metric(key, field, ())})" for field in (name, weight))
        return Query(f"sum{self._by(key, by)} ({figure} * {heft}) / (sum{self._by(key, by)} ({heft}) > 0)", legend)

    def column(self, title: str, key: str, name: str = "value", form: str = "{}", **shown: Any) -> Column:
        """Give a column of a table with a row for each cluster: what a field was last."""
        if self.source is INFLUXDB:
            value = form.format(f'last("{name}")')
            condition = f"WHERE {chosen('cluster')} AND $timeFilter"
            text = f'SELECT {value} AS "{title}" FROM "{key}" {condition} GROUP BY "cluster"'  # noqa: S608
            return Column(title, text, **shown)
        value = form.format(f"avg by ({LABEL}) ({self._metric(key, name, ())})")
        return Column(title, self._as_cluster(value), **shown)

    def sum_column(self, title: str, key: str, **shown: Any) -> Column:
        """Give the same of the sum over the nodes."""
        if self.source is INFLUXDB:
            condition = f"WHERE {chosen('cluster')} AND $timeFilter"
            each = f'SELECT last("value") AS "value" FROM "{key}" {condition} GROUP BY "cluster", "node"'  # noqa: S608
            text = f'SELECT sum("value") AS "{title}" FROM ({each}) GROUP BY "cluster"'  # noqa: S608
            return Column(title, text, **shown)
        each = f"avg by ({LABEL}, node) ({self._metric(key, 'value', ())})"
        return Column(title, self._as_cluster(f"sum by ({LABEL}) ({each})"), **shown)

    @staticmethod
    def _as_cluster(value: str) -> str:
        """Rows of a table are joined by a label of one name."""
        return f'label_replace({value}, "cluster", "$1", "{LABEL}", "(.*)")'

    def _query(  # noqa: PLR0913, PLR0917
        self,
        key: str,
        names: Sequence[str],
        by: Sequence[str],
        form: str,
        legend: str,
        where: Sequence[tuple[str, str]],
        fold: str,
    ) -> Query:
        legend = self._legend(key, by, legend)
        if self.source is INFLUXDB:
            value = form.format(*(f'{fold}("{name}")' for name in names))
            return Query(self._select(key, value, by, where), legend)
        fold = "max" if fold == "max" else "avg"
        value = form.format(*(f"{fold}{self._by(key, by)} ({self._metric(key, name, where)})" for name in names))
        return Query(value, legend)

    def _select(self, key: str, what: str, by: Sequence[str], where: Sequence[tuple[str, str]], more: str = "") -> str:
        conditions = [chosen("cluster")]
        if self.nodes and key == DRIVES:
            conditions.append('"drive_id" =~ /^${node:regex}:/')
        elif self.nodes and key.startswith("node."):
            conditions.append(chosen("node"))
        conditions += [f"\"{tag}\" != '{value}'" for tag, value in where]
        conditions += [more, "$timeFilter"] if more else ["$timeFilter"]
        return f"SELECT {what} FROM {source_of(key)} WHERE {' AND '.join(conditions)} {self._grouped(by)}"  # noqa: S608

    def _grouped(self, by: Sequence[str]) -> str:
        tags = ["cluster", *by] if self.several else by
        return "GROUP BY " + ", ".join([f"time({INTERVAL})", *(f'"{tag}"' for tag in tags)]) + " fill(none)"

    def _chosen(self) -> str:
        return f'{LABEL}{"=~" if self.several else "="}"$cluster"'

    def _metric(self, key: str, name: str, where: Sequence[tuple[str, str]]) -> str:
        labels = [self._chosen()]
        if self.nodes and key == DRIVES:
            labels.append('drive_id=~"$node:.+"')
        elif self.nodes and key.startswith("node."):
            labels.append('node=~"$node"')
        labels += [f'{tag}!="{value}"' for tag, value in where]
        metric = PREFIX + key.replace(".", "_") + ("" if name == "value" else f"_{name}")
        if PROTOCOL not in key:
            return f"{metric}{{{', '.join(labels)}}}"
        if key.endswith(PROTOCOL) and "protostats" in key:
            # Not the totals, which have no operations.
            labels.append('op_name!=""')
        chosen_ones = metric.replace(PROTOCOL, "($protocol)")
        any_one = metric.replace(PROTOCOL, "(.+)")
        named = f'{{__name__=~"{chosen_ones}", {", ".join(labels)}}}'
        return f'label_replace({named}, "protocol", "$1", "__name__", "{any_one}")'

    def _by(self, key: str, by: Sequence[str]) -> str:
        labels = [LABEL] if self.several else []
        labels += ["protocol"] if PROTOCOL in key else []
        labels += by
        return f" by ({', '.join(labels)})" if labels else ""

    def _legend(self, key: str, by: Sequence[str], legend: str) -> str:
        influxdb = self.source is INFLUXDB
        words = []
        if self.several:
            words.append("$tag_cluster" if influxdb else f"{{{{{LABEL}}}}}")
        if PROTOCOL in key:
            words.append(f"${key.split('.').index(PROTOCOL)}" if influxdb else "{{protocol}}")
        words += [f"$tag_{tag}" if influxdb else f"{{{{{tag}}}}}" for tag in by]
        return " ".join([*words, legend] if legend else words)


def source_of(key: str) -> str:
    """Give the measurement of a key, or all of the chosen protocols."""
    if PROTOCOL not in key:
        return f'"{key}"'
    return "/^" + key.replace(".", r"\.").replace(PROTOCOL, "(${protocol:regex})") + "$/"


def protocols(source: Source) -> Variable:
    """Give the choice of protocols: those of which there are totals."""
    if source is INFLUXDB:
        return Variable(
            "protocol",
            "Protocol",
            r"SHOW MEASUREMENTS WITH MEASUREMENT =~ /^cluster\.protostats\.[^.]+\.total$/",
            # Not the totals, where operations are asked for.
            every="[^.]+",
            regex=r"/^cluster\.protostats\.([^.]+)\.total$/",
        )
    return Variable(
        "protocol",
        "Protocol",
        f'label_values({{__name__=~"{PREFIX}cluster_protostats_.+_total_op_rate"}}, __name__)',
        every=".+",
        regex="/cluster_protostats_(.+)_total_op_rate$/",
    )
