"""Clusters of OneFS: what the collector `onefs` measures, from InfluxDB and from Prometheus.

`queries.py` asks for statistics; each other module is a page.
"""

from grafana import INFLUXDB, PROMETHEUS

from . import capacity, cluster, collection, concurrency, overview, protocols, summaries

PAGES = [overview, cluster, protocols, capacity, concurrency, summaries, collection]
DASHBOARDS = [page.dashboard(source) for page in PAGES for source in (INFLUXDB, PROMETHEUS)]
