"""A new package over the old one, and the end."""

import ops
import pytest
from ops import testing

from host import Host
from juju import Juju
from test_influxdb import SAID, related
from workload import Result

OWN = ("juju", "tidemark.influxdb", "/etc/apt")


def test_a_refresh_installs_the_new_package_and_stops_nothing(host: Host, deployed: Juju) -> None:
    files = host.files()
    deployed.package.write_text("tidemark 1.1.0-1")
    host.forget()
    status = deployed.emit(deployed.on.upgrade_charm())
    assert isinstance(status, ops.ActiveStatus)
    assert deployed.state.workload_version == "1.1.0-1"
    # The package's own scripts see to the timers; nothing else does.
    assert [c.words for c in host.commands if c.words[1] in ("stop", "restart", "disable", "mask", "start")] == []
    assert ops.MaintenanceStatus("installing tidemark") in deployed.statuses
    changed = {name for name, seen in host.files().items() if files.get(name) != seen}
    assert changed == {"/var/lib/tidemark-juju/package"}


def test_a_refresh_of_the_charm_alone_installs_nothing(host: Host, deployed: Juju) -> None:
    host.forget()
    deployed.emit(deployed.on.upgrade_charm())
    assert host.called("apt-get") == []


def test_another_build_of_the_same_version_and_an_older_one_are_installed(host: Host, deployed: Juju) -> None:
    for content, version in (("tidemark 1.0.0-1 again", "1.0.0-1"), ("tidemark 0.9.0-1", "0.9.0-1")):
        deployed.package.write_text(content)
        host.forget()
        deployed.emit(deployed.on.upgrade_charm())
        assert len(host.called("install", "--reinstall", "--allow-downgrades")) == 1
        assert deployed.state.workload_version == version


def test_a_refresh_from_an_apt_source_takes_the_newest(host: Host, juju: Juju) -> None:
    juju.deploy(config={"package_source": "deb https://apt.example.com/ubuntu noble main"})
    host.candidate = "3.0.0-1"
    juju.update_status()
    assert host.package[1] == "2.0.0-1"
    juju.emit(juju.on.upgrade_charm())
    assert juju.state.workload_version == "3.0.0-1"


def test_a_refresh_that_fails_leaves_the_old_version_at_work(host: Host, deployed: Juju) -> None:
    deployed.package.write_text("tidemark 1.1.0-1")
    host.broken["apt-get"] = Result(100, stderr="E: no space left on device")
    status = deployed.emit(deployed.on.upgrade_charm())
    assert isinstance(status, ops.BlockedStatus)
    assert "no space left on device" in status.message
    assert host.package == ("ii", "1.0.0-1")
    assert "tidemark.target" in host.active
    host.broken.clear()
    deployed.update_status()
    assert host.package == ("ii", "1.1.0-1")


@pytest.mark.parametrize("purge", [False, True])
def test_removal_stops_the_timers_and_takes_away_what_the_charm_brought(
    host: Host, deployed: Juju, purge: bool
) -> None:
    deployed.relate(related(**SAID))
    deployed.configure(purge_on_removal=purge, settings="[store]\nkeep = '30d'", log_level="error")
    host.write("/etc/tidemark/conf.d/site.toml", "")
    host.write("/etc/credstore/own", "")
    host.forget()
    deployed.emit(deployed.on.stop())
    words = [" ".join(command.words) for command in host.commands]
    stop = "systemctl stop tidemark-units.path tidemark-units.secrets.path tidemark.target tidemark-*.timer"
    assert words.index(stop) < words.index("tidemark outbox flush")
    deployed.emit(deployed.on.remove())
    left = host.files()
    assert [name for name in left if any(own in name for own in OWN)] == []
    assert "/etc/credstore/own" in left
    assert ("/etc/tidemark/conf.d/site.toml" in left) is not purge
    assert host.package[0] == ("" if purge else "rc")
    assert not host.path("/etc/systemd/system/tidemark-.service.d").exists()
    assert not host.path("/var/lib/tidemark-juju").exists()
    # Once more: there is nothing left to do.
    host.forget()
    deployed.emit(deployed.on.remove())
    assert host.called("apt-get") == []
    assert host.files() == left


@pytest.mark.parametrize(("event", "broken"), [("stop", "systemctl stop"), ("remove", "apt-get")])
def test_a_removal_that_fails_is_said_and_tried_again(host: Host, deployed: Juju, event: str, broken: str) -> None:
    host.broken[broken] = Result(1, stderr="E: no")
    # Juju runs a hook that failed again; one that did not has left timers behind.
    with pytest.raises(testing.errors.UncaughtCharmError):
        deployed.emit(getattr(deployed.on, event)())
    assert f"`{broken}" in deployed.log
    assert "juju resolved tidemark/0" in deployed.log
    host.broken.clear()
    deployed.emit(getattr(deployed.on, event)())
    assert "tidemark.target" not in host.active


def test_a_purge_takes_what_an_earlier_removal_left(host: Host, deployed: Juju) -> None:
    deployed.emit(deployed.on.remove())
    assert host.package[0] == "rc"
    deployed.emit(deployed.on.remove(), config={"purge_on_removal": True})
    assert host.package[0] == ""


def test_a_unit_that_never_had_a_package_is_removed(host: Host, juju: Juju) -> None:
    juju.emit(juju.on.stop())
    juju.emit(juju.on.remove())
    assert {command.words[0] for command in host.commands} == {"dpkg-query"}


def test_an_operator_s_drop_in_stays(host: Host, deployed: Juju) -> None:
    name = "/etc/systemd/system/tidemark-.service.d/own.conf"
    host.write(name, "[Service]\n")
    deployed.emit(deployed.on.remove())
    assert host.text(name) == "[Service]\n"
