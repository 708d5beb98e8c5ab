"""What Grafana reads: panels, variables and dashboards, and their JSON.

Each says the few things that differ; all else is said here once. Names of keys and values are Grafana's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

Json = dict[str, Any]

# Grafana 12's: older versions read it too, newer ones bring it up to theirs.
SCHEMA = 41
COLUMNS = 24

# How a collection that is this often due is written, and after how many seconds without points a line is broken: after
# four that were missed, but of OneFS's statistics, of which some come each few minutes alone.
BROKEN = {"30s": 600, "1m": 240, "5m": 1200, "1h": 14400, "1d": 345600}


@dataclass(frozen=True)
class Source:
    """A kind of data source, which a variable of each dashboard names."""

    kind: str
    variable: Json

    @property
    def reference(self) -> Json:
        """What panels and variables say of it."""
        return {"type": self.kind, "uid": f"${{{self.variable['name']}}}"}


INFLUXDB = Source(
    "influxdb",
    {
        "type": "datasource",
        "name": "datasource",
        "label": "InfluxDB",
        "query": "influxdb",
        "multi": False,
        "includeAll": False,
        "current": {},
        "refresh": 1,
        "regex": "",
        "hide": 0,
        "options": [],
        "skipUrlSync": False,
    },
)
# To the letter the variable that COS adds to every dashboard: where it finds this one, it adds no second one.
PROMETHEUS = Source(
    "prometheus",
    {
        "description": None,
        "error": None,
        "hide": 0,
        "includeAll": True,
        "label": "Prometheus datasource",
        "multi": True,
        "name": "prometheusds",
        "options": [],
        "query": "prometheus",
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
        "type": "datasource",
    },
)


@dataclass(frozen=True)
class Variable:
    """A choice that is filled from the data: one value, or several and All."""

    name: str
    label: str
    query: str
    several: bool = True
    # An expression of InfluxQL or PromQL for any value, those too that come later.
    every: str = ".*"
    # Which part of what was found is the value: the first group.
    regex: str = ""

    def json(self, source: Source) -> Json:
        """Write it."""
        chosen: Json = {"text": ["All"], "value": ["$__all"]} if self.several else {}
        every: Json = {"allValue": self.every} if self.several else {}
        query: str | Json = self.query
        if source is PROMETHEUS:
            query = {"query": self.query, "refId": "StandardVariableQuery"}
        return {
            "type": "query",
            "name": self.name,
            "label": self.label,
            "datasource": source.reference,
            "definition": self.query,
            "query": query,
            "multi": self.several,
            "includeAll": self.several,
            "current": chosen,
            # At each change of the time range: what ran then.
            "refresh": 2,
            "regex": self.regex,
            "sort": 1,
            "hide": 0,
            "options": [],
            "skipUrlSync": False,
        } | every


@dataclass(frozen=True)
class Text:
    """What is written by hand: a part of names that differs from site to site."""

    name: str
    label: str
    description: str
    value: str

    def json(self, source: Source) -> Json:  # noqa: ARG002
        """Write it."""
        value = {"text": self.value, "value": self.value}
        return {
            "type": "textbox",
            "name": self.name,
            "label": self.label,
            "description": self.description,
            "query": self.value,
            "current": value,
            "options": [value | {"selected": True}],
            "hide": 0,
            "skipUrlSync": False,
        }


@dataclass(frozen=True)
class Query:
    """A statement of InfluxQL or an expression of PromQL, and the legend of its series."""

    text: str
    legend: str

    def json(self, source: Source, number: int, *, instant: bool, table: bool = False) -> Json:
        """Write it."""
        target: Json = {"refId": reference(number), "datasource": source.reference}
        if source is INFLUXDB:
            return target | {
                "query": self.text,
                "rawQuery": True,
                "resultFormat": "table" if table else "time_series",
                "alias": self.legend,
            }
        if table:
            target["format"] = "table"
        return target | {
            "expr": self.text,
            "legendFormat": self.legend,
            "editorMode": "code",
            "instant": instant,
            "range": not instant,
        }


def thresholds(warn: float | None, bad: float | None) -> list[Json]:
    """Give the steps from green over yellow to red; the other way round where what is bad is less."""
    if warn is not None and bad is not None and bad < warn:
        return [
            {"color": "red", "value": None},
            {"color": "yellow", "value": bad},
            {"color": "green", "value": warn},
        ]
    steps: list[Json] = [{"color": "green", "value": None}]
    for color, value in (("yellow", warn), ("red", bad)):
        if value is not None:
            steps.append({"color": color, "value": value})
    return steps


def named(words: Sequence[tuple[str, str]]) -> list[Json]:
    """Give the mapping of values to these words."""
    if not words:
        return []
    options: Json = {}
    for number, (text, color) in enumerate(words):
        word = {"text": text, "color": color}
        options[str(number)] = word
        if len(words) == 2:
            options["true" if number else "false"] = word
    return [{"type": "value", "options": options}]


def reference(number: int) -> str:
    """Give the name of a panel's query."""
    return chr(ord("A") + number)


@dataclass(frozen=True)
class Panel:
    """Something to look at. Subclasses say how it is drawn."""

    title: str
    description: str
    queries: Sequence[Query]
    # One of Grafana's: `short` for a count, `d`, `h`, `m`, `s`, `ms`, `µs`, `bytes` (in 1024s), `decbytes` (in 1000s),
    # `Bps`, `percentunit` (of 1), `percent` (of 100), `cps`, `ops`, `pps` (each second).
    unit: str = "short"
    # How often there are points: a bucket of time is never shorter.
    every: str = "5m"
    # From which value on it is yellow, and red.
    warn: float | None = None
    bad: float | None = None
    # What 0, 1, 2 … are called (0 and 1: false and true too), each with its colour.
    words: Sequence[tuple[str, str]] = ()
    # Where the figures come from.
    link: tuple[str, str] | None = None
    width: int = 12
    height: int = 8

    kind: ClassVar[str] = "timeseries"

    def json(self, source: Source) -> Json:
        """Write it, but for its number and place."""
        defaults: Json = {
            "unit": self.unit,
            "color": self.color(),
            "custom": self.custom(),
            "mappings": self.mappings(),
        }
        defaults["thresholds"] = {"mode": "absolute", "steps": self.steps()}
        panel: Json = {
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": source.reference,
            "interval": self.every,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": self.options(),
            "targets": [
                query.json(source, number, instant=self.kind in ("stat", "bargauge"))
                for number, query in enumerate(self.queries)
            ],
        }
        if self.link:
            title, url = self.link
            panel["links"] = [{"title": title, "url": url, "targetBlank": True}]
        return panel

    def steps(self) -> list[Json]:
        """Give the thresholds."""
        return thresholds(self.warn, self.bad)

    def color(self) -> Json:
        """Give what the colour tells."""
        return {"mode": "thresholds"}

    def mappings(self) -> list[Json]:
        """Give the words for values."""
        return named(self.words)

    def custom(self) -> Json:
        """Give how it is drawn."""
        return {}

    def options(self) -> Json:
        """Give how it behaves."""
        return {}


@dataclass(frozen=True)
class Lines(Panel):
    """Values over time."""

    stacked: bool = False
    # Whether values below zero belong there.
    signed: bool = False

    def json(self, source: Source) -> Json:
        """Write it."""
        panel = super().json(source)
        if not self.signed:
            panel["fieldConfig"]["defaults"]["min"] = 0
        return panel

    def color(self) -> Json:
        """Give a colour to each series."""
        return {"mode": "palette-classic"}

    def custom(self) -> Json:
        """Draw lines, broken where runs were missed."""
        custom: Json = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if self.stacked else 5,
            "showPoints": "auto",
            "pointSize": 4,
            "insertNulls": BROKEN[self.every] * 1000,
            "spanNulls": False,
        }
        if self.stacked:
            custom["stacking"] = {"mode": "normal", "group": "A"}
        if self.warn is not None or self.bad is not None:
            custom["thresholdsStyle"] = {"mode": "dashed"}
        return custom

    def options(self) -> Json:
        """Show the last values in the legend."""
        return {
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": ["lastNotNull"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }


@dataclass(frozen=True)
class States(Panel):
    """A row a series, coloured by its value over time."""

    kind: ClassVar[str] = "state-timeline"

    def custom(self) -> Json:
        """Draw bars that end where runs were missed."""
        return {"fillOpacity": 80, "lineWidth": 0, "insertNulls": BROKEN[self.every] * 1000}

    def options(self) -> Json:
        """Put rows under each other."""
        return {
            "alignValue": "center",
            "mergeValues": True,
            "rowHeight": 0.9,
            "showValue": "auto",
            "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "single", "sort": "none"},
        }


@dataclass(frozen=True)
class Now(Panel):
    """The last value of each series."""

    width: int = 6
    height: int = 5

    kind: ClassVar[str] = "stat"

    def options(self) -> Json:
        """Show the last value, large."""
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "value_and_name",
        }


@dataclass(frozen=True)
class Bars(Panel):
    """A bar a series: the last value of each."""

    kind: ClassVar[str] = "bargauge"

    def options(self) -> Json:
        """Put bars under each other."""
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "displayMode": "basic",
            "orientation": "horizontal",
            "showUnfilled": True,
            "valueMode": "color",
        }


@dataclass(frozen=True)
class Column:
    """A column of figures, of a query of its own."""

    title: str
    query: str
    unit: str = "short"
    warn: float | None = None
    bad: float | None = None
    words: Sequence[tuple[str, str]] = ()

    def json(self) -> Json:
        """Write what is different in it."""
        properties: list[Json] = [
            {"id": "unit", "value": self.unit},
            {"id": "mappings", "value": named(self.words)},
            {"id": "thresholds", "value": {"mode": "absolute", "steps": thresholds(self.warn, self.bad)}},
        ]
        if self.words or self.warn is not None:
            properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
        return {"matcher": {"id": "byName", "options": self.title}, "properties": properties}


@dataclass(frozen=True)
class Table(Panel):
    """A row for each thing, a column for each figure."""

    # What a row is one of: tags, and what they are called.
    rows: Sequence[tuple[str, str]] = ()
    columns: Sequence[Column] = ()
    # The column that rows are sorted by.
    sort: str = ""
    descending: bool = True
    width: int = 24

    kind: ClassVar[str] = "table"

    def json(self, source: Source) -> Json:
        """Write it."""
        panel = super().json(source)
        panel["fieldConfig"]["overrides"] = [column.json() for column in self.columns]
        panel["targets"] = [
            Query(column.query, column.title).json(source, number, instant=True, table=True)
            for number, column in enumerate(self.columns)
        ]
        names = {column.title: column.title for column in self.columns}
        if source is PROMETHEUS:
            several = len(self.columns) > 1
            names = {
                f"Value #{reference(number)}" if several else "Value": column.title
                for number, column in enumerate(self.columns)
            }
        tags = dict(self.rows)
        panel["transformations"] = [
            # Without the times of each query, rows of the same tags are one: tags are all that queries have in common.
            {"id": "filterFieldsByName", "options": {"include": {"names": [*tags, *names]}}},
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "indexByName": {name: number for number, name in enumerate([*tags, *names])},
                    "renameByName": tags | names,
                },
            },
        ]
        return panel

    def custom(self) -> Json:
        """Let columns be searched."""
        return {"align": "auto", "filterable": True}

    def options(self) -> Json:
        """Sort the rows."""
        return {
            "showHeader": True,
            "cellHeight": "sm",
            "sortBy": [{"displayName": self.sort, "desc": self.descending}],
        }


@dataclass(frozen=True)
class Row:
    """A heading for the panels after it."""

    title: str


@dataclass(frozen=True)
class Dashboard:
    """A page. Panels fill rows of the grid from left to right, in their order."""

    name: str
    title: str
    description: str
    source: Source
    variables: Sequence[Variable | Text]
    panels: Sequence[Panel | Row]
    time: str = "now-7d"
    refresh: str = "5m"
    tags: Sequence[str] = field(default_factory=tuple)

    def text(self) -> str:
        """Write its file."""
        dashboard: Json = {
            "uid": f"tidemark-{self.name}",
            "title": self.title,
            "description": self.description,
            "tags": ["tidemark", *self.tags],
            "schemaVersion": SCHEMA,
            "editable": True,
            "graphTooltip": 1,
            "timezone": "browser",
            "time": {"from": self.time, "to": "now"},
            "refresh": self.refresh,
            "annotations": {"list": []},
            "links": [
                {
                    "type": "dashboards",
                    "title": "tidemark",
                    "icon": "external link",
                    "tooltip": "All dashboards of tidemark",
                    "url": "",
                    "tags": ["tidemark"],
                    "asDropdown": True,
                    "includeVars": False,
                    "keepTime": True,
                    "targetBlank": False,
                }
            ],
            "templating": {
                "list": [self.source.variable, *(variable.json(self.source) for variable in self.variables)],
            },
            "panels": self.placed(),
        }
        return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"

    def placed(self) -> list[Json]:
        """Give each panel its number and its place."""
        placed: list[Json] = []
        x = y = height = 0
        for number, panel in enumerate(self.panels, start=1):
            wide = COLUMNS if isinstance(panel, Row) else panel.width
            if x + wide > COLUMNS:
                x, y, height = 0, y + height, 0
            if isinstance(panel, Row):
                written: Json = {"type": "row", "title": panel.title, "collapsed": False, "panels": []}
                high = 1
            else:
                written, high = panel.json(self.source), panel.height
            placed.append({"id": number, "gridPos": {"x": x, "y": y, "w": wide, "h": high}} | written)
            x, height = x + wide, max(height, high)
        return placed
