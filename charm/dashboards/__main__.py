"""Write Grafana's dashboards, src/grafana_dashboards/*.json, from the modules beside this file.

    python3 charm/dashboards            writes them
    python3 charm/dashboards --check    says which are not what these modules make; exit code 1 where there are any

A dashboard is a module here, those of OneFS in `onefs`: its variables, and its panels with their queries, one after the
other. `grafana.py` places the panels and writes what Grafana reads; `influxql.py` makes the statements that many panels
share. Nothing but Python is needed. Edit a module, run this, and commit both.
"""

import sys
from pathlib import Path

import archive
import autopkgtest
import contributions
import hosts
import images
import metrics
import onefs
import tidemark
import versions

FOLDER = Path(__file__).parents[1] / "src/grafana_dashboards"
DASHBOARDS = [
    archive.DASHBOARD,
    autopkgtest.DASHBOARD,
    contributions.DASHBOARD,
    images.DASHBOARD,
    metrics.DASHBOARD,
    versions.DASHBOARD,
    *hosts.DASHBOARDS,
    *onefs.DASHBOARDS,
    *tidemark.DASHBOARDS,
]


def main(arguments: list[str]) -> str | None:
    """Write the files, or compare them; give what is wrong."""
    if arguments not in ([], ["--check"]):
        return "usage: python3 charm/dashboards [--check]"
    due = {FOLDER / f"{dashboard.name}.json": dashboard.text() for dashboard in DASHBOARDS}
    there = {path: path.read_text() for path in FOLDER.glob("*.json")}
    stale = sorted(path for path in due.keys() | there.keys() if due.get(path) != there.get(path))
    if arguments and stale:
        names = ", ".join(path.name for path in stale)
        return f"not what charm/dashboards makes: {names}; run python3 charm/dashboards"
    FOLDER.mkdir(exist_ok=True)
    for path in stale:
        if path in due:
            path.write_text(due[path])
        else:
            path.unlink()
    return None


sys.exit(main(sys.argv[1:]))
