"""What the versions script counts."""

from grafana import INFLUXDB, Bars, Dashboard, Lines, Query, Variable
from influxql import chosen, last, values

COUNTS = [
    Query(
        last("versions_script_stats", "count", ["report", "category", "series"], chosen("report")),
        "$tag_report: $tag_category",
    )
]
SCRIPT = ("The reports", "https://people.canonical.com/~platform/desktop/versions/")

DASHBOARD = Dashboard(
    name="ubuntu-versions",
    title="Ubuntu: versions",
    description="How many of the desktop's packages are up to date in the development series. Collector: versions.",
    source=INFLUXDB,
    tags=["ubuntu"],
    time="now-30d",
    variables=[Variable("report", "Report", values("versions_script_stats", "report"))],
    panels=[
        Lines("Packages", "By report and category.", COUNTS, every="1h", link=SCRIPT, width=16, height=14),
        Bars("Packages now", "The last count of each.", COUNTS, every="1h", link=SCRIPT, width=8, height=14),
    ],
)
