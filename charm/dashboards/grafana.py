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

# How a collection that is this often due is written, and after what time without points a line is broken.
SPANS = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86400}
MISSED = 4


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

    def json(self, source: Source) -> Json:
        """Write it."""
        chosen: Json = {"text": ["All"], "value": ["$__all"]} if self.several else {}
        # An expression of InfluxQL or PromQL for any value, those too that come later.
        every: Json = {"allValue": ".*"} if self.several else {}
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
            "regex": "",
            "sort": 1,
            "hide": 0,
            "options": [],
            "skipUrlSync": False,
        } | every


@dataclass(frozen=True)
class Query:
    """A statement of InfluxQL or an expression of PromQL, and the legend of its series."""

    text: str
    legend: str

    def json(self, source: Source, number: int, *, instant: bool) -> Json:
        """Write it."""
        target: Json = {"refId": chr(ord("A") + number), "datasource": source.reference}
        if source is INFLUXDB:
            return target | {
                "query": self.text,
                "rawQuery": True,
                "resultFormat": "time_series",
                "alias": self.legend,
            }
        return target | {
            "expr": self.text,
            "legendFormat": self.legend,
            "editorMode": "code",
            "instant": instant,
            "range": not instant,
        }


@dataclass(frozen=True)
class Panel:
    """Something to look at. Subclasses say how it is drawn."""

    title: str
    description: str
    queries: Sequence[Query]
    # One of Grafana's: `short` for a count, `d`, `h`, `m`, `s`, `bytes` (in 1024s), `decbytes` (in 1000s), `Bps`,
    # `percentunit`, `cps` (each second).
    unit: str = "short"
    # How often there are points: a bucket of time is never shorter.
    every: str = "5m"
    # From which value on it is yellow, and red.
    warn: float | None = None
    bad: float | None = None
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
        steps: list[Json] = [{"color": "green", "value": None}]
        for color, value in (("yellow", self.warn), ("red", self.bad)):
            if value is not None:
                steps.append({"color": color, "value": value})
        return steps

    def color(self) -> Json:
        """Give what the colour tells."""
        return {"mode": "thresholds"}

    def custom(self) -> Json:
        """Give how it is drawn."""
        return {}

    def mappings(self) -> list[Json]:
        """Give the words for values."""
        return []

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
            "insertNulls": MISSED * SPANS[self.every] * 1000,
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

    # What 0 and 1, false and true, are called, each with its colour.
    words: tuple[tuple[str, str], tuple[str, str]] | None = None

    kind: ClassVar[str] = "state-timeline"

    def custom(self) -> Json:
        """Draw bars that end where runs were missed."""
        return {"fillOpacity": 80, "lineWidth": 0, "insertNulls": MISSED * SPANS[self.every] * 1000}

    def mappings(self) -> list[Json]:
        """Give the words."""
        if not self.words:
            return []
        no, yes = ({"text": text, "color": color} for text, color in self.words)
        return [{"type": "value", "options": {"0": no, "false": no, "1": yes, "true": yes}}]

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
    variables: Sequence[Variable]
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
