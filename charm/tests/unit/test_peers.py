"""Several units: one collects, the others stand by, and a change of leader hands over."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import ops
import pytest
from ops import testing

from charm import TidemarkCharm
from host import NOW, Host
from juju import Juju, app_data, unit_data
from workload import Machine, Result

STANDBY = "/etc/tidemark/conf.d/juju-standby.toml"


def peers(**collects: bool) -> testing.PeerRelation:
    """Give the relation, with what each other unit says."""
    data = {int(unit.removeprefix("u")): {"collects": str(says).lower()} for unit, says in collects.items()}
    return testing.PeerRelation("tidemark-peers", peers_data=data)


def says(juju: Juju, relation: testing.PeerRelation) -> str | None:
    return unit_data(juju.state, relation).get("collects")


def test_the_leader_collects_and_says_so(host: Host, juju: Juju) -> None:
    relation = peers(u1=False)
    assert isinstance(juju.deploy(relations={relation}), ops.ActiveStatus)
    assert says(juju, relation) == "true"
    assert not host.path(STANDBY).exists()


def test_who_leads_is_said_where_the_others_hear_it(host: Host, juju: Juju) -> None:
    relation = peers(u1=True)
    juju.deploy(relations={relation}, leader=False)
    assert app_data(juju.state, relation) == {}
    juju.emit(juju.on.leader_elected(), leader=True)
    assert app_data(juju.state, relation) == {"leader": "tidemark/0"}


def test_another_unit_stands_by(host: Host, juju: Juju) -> None:
    relation = peers(u1=True)
    status = juju.deploy(relations={relation}, leader=False)
    assert status == ops.ActiveStatus("stands by")
    assert host.text(STANDBY) == "# Written by the charm: another unit collects.\n[host]\nstandby = true\n"
    assert host.path(STANDBY).stat().st_mode & 0o777 == 0o640
    assert says(juju, relation) == "false"
    assert host.called("tidemark", "units", "sync")
    host.forget()
    assert juju.update_status() == ops.ActiveStatus("stands by")
    assert not host.called("tidemark", "units", "sync")


def test_a_leader_that_is_lost_hands_over(host: Host, juju: Juju) -> None:
    relation = peers(u1=False)
    juju.deploy(relations={relation})
    host.forget()
    host.waiting = 7
    status = juju.emit(juju.on.relation_changed(juju.state.get_relation(relation.id)), leader=False)
    assert host.path(STANDBY).exists()
    assert says(juju, relation) == "false"
    # What waited from its time went out.
    assert host.called("tidemark", "outbox", "flush")
    assert status == ops.ActiveStatus("stands by")


def test_what_cannot_be_delivered_by_a_unit_that_stands_by_is_said_and_tried_again(host: Host, juju: Juju) -> None:
    host.waiting = 7
    host.broken["outbox flush"] = Result(1, "7 points wait")
    status = juju.deploy(relations={peers(u1=True)}, leader=False)
    assert status == ops.ActiveStatus("stands by; 7 points wait for influxdb")
    host.broken.clear()
    assert juju.update_status() == ops.ActiveStatus("stands by")


def test_a_new_leader_waits_until_no_other_collects(host: Host, juju: Juju) -> None:
    relation = peers(u1=True, u2=False)
    juju.deploy(relations={relation}, leader=False)
    status = juju.emit(juju.on.leader_elected(), leader=True)
    assert status == ops.WaitingStatus("for tidemark/1 to stand by; without an answer this unit collects in a while")
    assert host.path(STANDBY).exists()
    assert says(juju, relation) == "false"
    current = juju.state.get_relation(relation.id)
    assert isinstance(current, testing.PeerRelation)
    handed = replace(current, peers_data={1: {"collects": "false"}, 2: {"collects": "false"}})
    assert isinstance(juju.relate(handed), ops.ActiveStatus)
    assert not host.path(STANDBY).exists()
    assert says(juju, relation) == "true"


def test_a_leader_that_died_is_waited_for_no_longer_than_a_while(
    host: Host, juju: Juju, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(minutes: float) -> None:
        monkeypatch.setattr("charm.now", lambda: NOW + timedelta(minutes=minutes))

    relation = peers(u1=True)
    juju.deploy(relations={relation}, leader=False)
    assert "waits_since" not in unit_data(juju.state, relation)
    juju.emit(juju.on.leader_elected(), leader=True)
    # However soon the next event is: the other may not have heard yet.
    for minutes in (0, 1, 3.9):
        at(minutes)
        assert isinstance(juju.update_status(), ops.WaitingStatus)
        assert host.path(STANDBY).exists()
    # A clock that was set back counts anew.
    at(-60)
    juju.update_status()
    at(-57)
    juju.update_status()
    assert host.path(STANDBY).exists()
    at(-56)
    assert isinstance(juju.update_status(), ops.ActiveStatus)
    assert not host.path(STANDBY).exists()
    assert "waits_since" not in unit_data(juju.state, relation)
    # Whatever the dead one still says.
    assert isinstance(juju.emit(juju.on.config_changed()), ops.ActiveStatus)
    assert not host.path(STANDBY).exists()


def test_standing_by_holds_whatever_else_is_wrong(host: Host, juju: Juju) -> None:
    juju.deploy(relations={peers(u1=False)})
    juju.configure(settings="[store\n")
    assert isinstance(juju.emit(juju.on.config_changed(), leader=False), ops.BlockedStatus)
    assert host.path(STANDBY).exists()
    assert isinstance(juju.configure(log_level="loud"), ops.BlockedStatus)
    juju.configure(log_level="info")
    juju.package.write_text("no package")
    assert isinstance(juju.emit(juju.on.leader_elected(), leader=True), ops.BlockedStatus)
    assert not host.path(STANDBY).exists()


def test_a_hand_over_that_fails_in_the_middle_is_finished(host: Host, juju: Juju) -> None:
    relation = peers(u1=False)
    juju.deploy(relations={relation})
    host.broken["units sync"] = Result(1, stderr="no bus")
    assert isinstance(juju.emit(juju.on.config_changed(), leader=False), ops.BlockedStatus)
    # It has not let go yet, as far as it knows.
    assert says(juju, relation) == "true"
    host.broken.clear()
    host.forget()
    assert juju.update_status() == ops.ActiveStatus("stands by")
    assert host.called("tidemark", "units", "sync")
    assert says(juju, relation) == "false"


def test_a_take_over_that_fails_in_the_middle_is_known_to_the_others(host: Host, juju: Juju) -> None:
    relation = peers(u1=False)
    juju.deploy(relations={relation}, leader=False)
    host.broken["units sync"] = Result(1, stderr="no bus")
    assert isinstance(juju.emit(juju.on.leader_elected(), leader=True), ops.BlockedStatus)
    # Some of it may run.
    assert not host.path(STANDBY).exists()
    assert says(juju, relation) == "true"


@pytest.mark.parametrize("leader", [True, False])
def test_a_reboot_changes_nothing(host: Host, juju: Juju, leader: bool) -> None:
    juju.deploy(relations={peers(u1=not leader)}, leader=leader)
    files = host.files()
    juju.emit(juju.on.start())
    assert host.files() == files
    assert host.path(STANDBY).exists() is not leader


class Pair:
    """Two units, each on its machine, and the controller that carries what one says to the other."""

    def __init__(self, folder: Path, charm_root: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hosts = [Host(folder / str(unit)) for unit in (0, 1)]
        self.leader = 0
        self.relation = testing.PeerRelation("tidemark-peers")
        resources = frozenset({testing.Resource(name="tidemark-package", path=package)})
        self.units = [
            Juju(
                testing.Context(TidemarkCharm, charm_root=charm_root, unit_id=unit),
                testing.State(resources=resources, planned_units=2),
                package,
            )
            for unit in (0, 1)
        ]
        self._monkeypatch = monkeypatch

    def collecting(self) -> list[int]:
        return [unit for unit in (0, 1) if self.hosts[unit].package[0] and not self.hosts[unit].path(STANDBY).exists()]

    def emit(self, unit: int, name: str) -> None:
        """Let something happen to a unit, which sees what the other said last."""
        juju, other = self.units[unit], self.units[1 - unit]
        said = unit_data(other.state, self.relation) if other.state.relations else {}
        own = unit_data(juju.state, self.relation) if juju.state.relations else {}
        relation = replace(self.relation, local_unit_data=own, peers_data={1 - unit: said})
        event = juju.on.relation_changed(relation) if name == "changed" else getattr(juju.on, name)()
        self._monkeypatch.setattr(Machine, "here", self.hosts[unit].machine)
        juju.emit(event, leader=unit == self.leader, relations=frozenset({relation}))


@pytest.mark.parametrize("hears_first", [0, 1])
def test_two_units_never_collect_at_once(
    tmp_path: Path, charm_root: Path, monkeypatch: pytest.MonkeyPatch, juju: Juju, hears_first: int
) -> None:
    pair = Pair(tmp_path, charm_root, juju.package, monkeypatch)
    for unit in (0, 1):
        pair.emit(unit, "install")
        pair.emit(unit, "config_changed")
    assert pair.collecting() == [0]
    # The lease changes hands; the units hear of it one after the other, and then of each other.
    pair.leader = 1
    seen = [pair.collecting()]
    for unit in (hears_first, 1 - hears_first):
        pair.emit(unit, "leader_elected" if unit == 1 else "config_changed")
        seen.append(pair.collecting())
    for unit in (0, 1, 0):
        pair.emit(unit, "changed")
        seen.append(pair.collecting())
    assert seen[-1] == [1]
    assert all(len(units) <= 1 for units in seen), seen
