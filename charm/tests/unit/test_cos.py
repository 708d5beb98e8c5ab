"""The relation `cos-agent`: what is handed on."""

import json
import lzma
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml
from ops import testing

from charm import TidemarkCharm
from conftest import CHARM
from host import Host
from juju import Juju, unit_data

RULES = {"groups": [{"name": "tidemark", "rules": [{"alert": "Silent", "expr": "absent(x{%%juju_topology%%})"}]}]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the charm's folder with a rule and two dashboards in it."""
    root = tmp_path / "charm"
    rules, dashboards = root / "src/prometheus_alert_rules", root / "src/grafana_dashboards"
    rules.mkdir(parents=True)
    dashboards.mkdir()
    (root / "charmcraft.yaml").write_text((CHARM / "charmcraft.yaml").read_text())
    (rules / "tidemark.rules").write_text(yaml.safe_dump(RULES))
    (dashboards / "host.json").write_text(json.dumps({"title": "Host", "uid": "own", "tags": ["a"]}))
    (dashboards / "more.json").write_text(json.dumps({"title": "More"}))
    (dashboards / "README.md").write_text("not a dashboard")
    return root


def handed_on(state: testing.State, relation: testing.SubordinateRelation | testing.Relation) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(unit_data(state, relation)["config"])
    return config


def dashboard(packed: str) -> dict[str, Any]:
    unpacked: dict[str, Any] = json.loads(lzma.decompress(b64decode(packed)))
    return unpacked


def test_rules_and_dashboards_are_handed_on(host: Host, root: Path) -> None:
    context = testing.Context(TidemarkCharm, charm_root=root)
    relation = testing.Relation("cos-agent")
    state = context.run(context.on.relation_joined(relation), testing.State(relations={relation}))
    config = handed_on(state, relation)
    assert set(config) == {
        "metrics_alert_rules",
        "log_alert_rules",
        "dashboards",
        "metrics_scrape_jobs",
        "log_slots",
    }
    (group,) = config["metrics_alert_rules"]["groups"]
    (rule,) = group["rules"]
    assert rule["alert"] == "Silent"
    assert rule["labels"]["juju_application"] == "tidemark"
    first, second = [dashboard(packed) for packed in config["dashboards"]]
    assert (first["title"], first["tags"]) == ("Host", ["a", "charm: tidemark"])
    assert (second["title"], second["tags"]) == ("More", ["charm: tidemark"])
    # The same wherever it is deployed, and no two alike.
    assert first["uid"] not in ("own", second["uid"])
    assert len(first["uid"]) == 40


def test_an_upgrade_hands_on_what_the_new_charm_brings(host: Host, root: Path) -> None:
    context = testing.Context(TidemarkCharm, charm_root=root)
    relation = testing.Relation("cos-agent")
    package = root / "tidemark.deb"
    package.write_text("tidemark 1.0.0-1")
    state = testing.State(relations={relation}, resources={testing.Resource(name="tidemark-package", path=package)})
    state = context.run(context.on.relation_changed(relation), state)
    assert len(handed_on(state, relation)["dashboards"]) == 2
    (root / "src/grafana_dashboards/more.json").unlink()
    state = context.run(context.on.upgrade_charm(), state)
    assert len(handed_on(state, relation)["dashboards"]) == 1


def test_without_rules_and_dashboards_the_relation_is_empty_and_no_error(host: Host, tmp_path: Path) -> None:
    (tmp_path / "charmcraft.yaml").write_text((CHARM / "charmcraft.yaml").read_text())
    context = testing.Context(TidemarkCharm, charm_root=tmp_path)
    relation = testing.Relation("cos-agent")
    state = context.run(context.on.relation_joined(relation), testing.State(relations={relation}))
    config = handed_on(state, relation)
    assert (config["metrics_alert_rules"], config["dashboards"]) == ({}, [])


def test_the_charm_s_own_files_can_be_handed_on(host: Host, deployed: Juju) -> None:
    relation = testing.Relation("cos-agent")
    deployed.emit(deployed.on.relation_joined(relation), relations={relation})
    config = handed_on(deployed.state, relation)
    files = [len(list((CHARM / "src" / name).glob("*.json"))) for name in ("grafana_dashboards",)]
    assert [len(config["dashboards"])] == files
    deployed.state = deployed.context.run(
        deployed.on.relation_broken(deployed.state.get_relation(relation.id)), deployed.state
    )
    assert deployed.status.name == "active"
