"""The relation `cos-agent`: alert rules and dashboards, as files of the charm, for those who show them.

The interface is `cos_agent`: one object of JSON in the unit's data. `cosl`, the library of those charms, reads the
rules, gives them the labels of this application, and packs the dashboards.
"""

import json
from pathlib import Path
from typing import Any

import ops
from cosl import DashboardPath40UID, JujuTopology, LZMABase64
from cosl.rules import Rules

RELATION = "cos-agent"
RULES = "src/prometheus_alert_rules"
DASHBOARDS = "src/grafana_dashboards"


class CosAgent(ops.Object):
    """The provider's side of the relation."""

    def __init__(self, charm: ops.CharmBase) -> None:
        super().__init__(charm, RELATION)
        self._charm = charm
        events = charm.on[RELATION]
        # What is handed on comes with the charm: it is another after an upgrade alone.
        for event in (events.relation_joined, events.relation_changed, charm.on.upgrade_charm):
            self.framework.observe(event, self._on_refresh)

    def _on_refresh(self, _: ops.EventBase) -> None:
        for relation in self.model.relations[RELATION]:
            relation.data[self.model.unit]["config"] = json.dumps(self._handed_on(), sort_keys=True)

    def _handed_on(self) -> dict[str, Any]:
        rules = Rules(query_type="promql", topology=JujuTopology.from_charm(self._charm))
        rules.add_path(self._charm.charm_dir / RULES)
        return {
            "metrics_alert_rules": rules.as_dict(),
            "log_alert_rules": {},
            "dashboards": self._dashboards(),
            # There is no listener yet that could be asked.
            "metrics_scrape_jobs": [],
            "log_slots": [],
        }

    def _dashboards(self) -> list[str]:
        packed: list[str] = []
        for file in sorted((self._charm.charm_dir / DASHBOARDS).glob("*.json")):
            dashboard = _read(file)
            name = f"{DASHBOARDS}/{file.name}"
            # The same wherever the charm is deployed, as Grafana replaces a dashboard by its uid.
            dashboard["uid"] = DashboardPath40UID.generate(self._charm.meta.name, name)
            dashboard["tags"] = [*dashboard.get("tags", []), f"charm: {self._charm.meta.name}"]
            packed.append(LZMABase64.compress(json.dumps(dashboard)))
        return packed


def _read(file: Path) -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads(file.read_text())
    return dashboard
