"""From nothing to a unit that collects, and what is in the way of it."""

import os
from pathlib import Path

import ops
import pytest
from ops import testing

from host import Host
from juju import Juju
from workload import Result


def test_a_unit_alone_collects_into_the_store(host: Host, juju: Juju) -> None:
    status = juju.deploy()
    assert status == ops.ActiveStatus("1 collector, last run 40 s ago")
    assert juju.state.workload_version == "1.0.0-1"
    assert host.package == ("ii", "1.0.0-1")
    assert host.settings() == {}
    assert not host.path("/etc/tidemark/conf.d/juju-standby.toml").exists()
    assert ops.MaintenanceStatus("installing tidemark") in juju.statuses
    assert host.active >= {"tidemark.target", "tidemark-units.path"}


def test_events_that_come_twice_change_nothing(host: Host, deployed: Juju) -> None:
    files = host.files()
    host.forget()
    for event in (
        deployed.on.install(),
        deployed.on.start(),
        deployed.on.config_changed(),
        deployed.on.update_status(),
    ):
        deployed.emit(event)
    assert host.files() == files
    changing = ("apt-get", "tidemark check", "tidemark units", "systemctl start", "systemctl daemon-reload")
    calls = [" ".join(command.words) for command in host.commands]
    assert calls
    assert [call for call in calls if call.startswith(changing) or " check " in call] == []


@pytest.mark.parametrize("is_empty", [False, True])
def test_without_a_package_it_says_how_to_bring_one(
    host: Host, juju: Juju, monkeypatch: pytest.MonkeyPatch, is_empty: bool
) -> None:
    def none(*_: object) -> Path:
        raise ops.ModelError("resource not found")

    if is_empty:
        juju.package.write_text("")
    else:
        monkeypatch.setattr(ops.Resources, "fetch", none)
    status = juju.emit(juju.on.install())
    assert status == ops.BlockedStatus(
        "there is no package: run `juju attach-resource tidemark tidemark-package=FILE.deb`, or set package_source"
    )
    assert host.called("apt-get") == []
    assert not host.path("/etc/tidemark").exists()


def test_a_package_that_is_none_is_said_and_tried_again(host: Host, juju: Juju) -> None:
    juju.package.write_text("something else")
    status = juju.emit(juju.on.install())
    assert isinstance(status, ops.BlockedStatus)
    assert status.message.startswith(
        f"`apt-get install {juju.package}` ended with 100: E: {juju.package} is not a pack"
    )
    juju.package.write_text("tidemark 1.0.1-1")
    assert juju.update_status() == ops.ActiveStatus("1 collector, last run 40 s ago")
    assert juju.state.workload_version == "1.0.1-1"


def test_a_half_installed_package_is_installed_again(host: Host, deployed: Juju) -> None:
    host.package = ("iF", "1.0.0-1")
    host.forget()
    deployed.update_status()
    assert len(host.called("install", "--reinstall", "--allow-downgrades")) == 1
    assert host.package == ("ii", "1.0.0-1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tidemark units sync", "`tidemark units sync` ended with 1: no bus; the next event tries again"),
        ("systemctl is-active", "`systemctl is-active"),
        ("dpkg-query", "`dpkg-query"),
        ("tidemark status", "`tidemark status` ended with 1: no bus"),
    ],
)
def test_a_command_that_fails_is_said_and_the_next_event_mends_it(
    host: Host, juju: Juju, words: str, said: str
) -> None:
    code = 2 if words == "dpkg-query" else 256 if words == "systemctl is-active" else 1
    host.broken[words] = Result(code, stderr="oh\nno bus\n")
    status = juju.deploy()
    assert isinstance(status, ops.BlockedStatus)
    assert status.message.startswith(said)
    assert "no bus" in juju.log
    host.broken.clear()
    assert juju.update_status() == ops.ActiveStatus("1 collector, last run 40 s ago")
    assert host.settings() == {}


def test_a_disk_that_takes_nothing_is_said_and_the_next_event_mends_it(
    host: Host, deployed: Juju, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        status = deployed.configure(dry_run=True)
    assert isinstance(status, ops.BlockedStatus)
    assert status.message.endswith("cannot be written: No space left on device; the next event tries again")
    assert host.settings() == {}
    assert [name for name in host.files() if "/.juju-" in name] == []
    deployed.update_status()
    assert host.settings() == {"host": {"dry_run": True}}


def test_a_status_that_is_none_is_said(host: Host, juju: Juju) -> None:
    host.broken["tidemark status"] = Result(0, "{}")
    status = juju.deploy()
    assert status == ops.BlockedStatus("`tidemark status --json` printed no status: is the package whole?")


def test_what_was_stopped_is_started(host: Host, deployed: Juju) -> None:
    host.active.clear()
    host.forget()
    deployed.emit(deployed.on.start())
    assert "tidemark.target" in host.active
    assert host.called("tidemark", "units", "sync")


def test_an_apt_source(host: Host, juju: Juju) -> None:
    line = "deb https://apt.example.com/ubuntu noble main"
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nabc\n-----END PGP PUBLIC KEY BLOCK-----"
    juju.deploy(config={"package_source": line, "package_key": key, "https_proxy": "http://proxy:3128"})
    assert host.package == ("ii", "2.0.0-1")
    assert host.text("/etc/apt/sources.list.d/tidemark-juju.list") == (
        "deb [signed-by=/etc/apt/keyrings/tidemark-juju.asc] https://apt.example.com/ubuntu noble main\n"
    )
    assert host.text("/etc/apt/keyrings/tidemark-juju.asc") == key + "\n"
    apt = [command for command in host.commands if command.words[0] == "apt-get"]
    assert ["update" in command.words for command in apt] == [True, False]
    assert apt[1].words[-2:] == ("install", "tidemark")
    # Of itself, apt passes over a source that does not answer, and takes what it knew for the newest.
    assert "--error-on=any" in apt[0].words
    assert "--option=Dir::Etc::sourcelist=/etc/apt/sources.list.d/tidemark-juju.list" in apt[0].words
    assert all(command.env["https_proxy"] == "http://proxy:3128" for command in apt)

    # Without a key, and of another source: it is asked anew.
    host.candidate = "2.1.0-1"
    juju.configure(package_key="")
    assert host.text("/etc/apt/sources.list.d/tidemark-juju.list") == line + "\n"
    assert not host.path("/etc/apt/keyrings/tidemark-juju.asc").exists()
    assert host.package == ("ii", "2.1.0-1")

    # And back to the resource.
    juju.configure(package_source="")
    assert not host.path("/etc/apt/sources.list.d/tidemark-juju.list").exists()
    assert host.package == ("ii", "1.0.0-1")


@pytest.mark.parametrize("upgrade", [False, True])
def test_a_hook_that_is_killed_in_the_middle_of_apt_is_made_up_for(
    host: Host, deployed: Juju, monkeypatch: pytest.MonkeyPatch, upgrade: bool
) -> None:
    def killed(*_: object) -> None:
        raise KeyError("killed")

    source = {"package_source": "deb https://apt.example.com/ubuntu noble main"}
    if upgrade:
        deployed.configure(**source)
        host.candidate = "2.1.0-1"
    with monkeypatch.context() as patch:
        patch.setattr(Host, "_apt", killed)
        with pytest.raises(testing.errors.UncaughtCharmError):
            deployed.emit(deployed.on.upgrade_charm() if upgrade else deployed.on.config_changed(), config=source)
    deployed.emit(deployed.on.update_status(), config=source)
    assert host.package == ("ii", host.candidate)
    host.forget()
    deployed.update_status()
    assert host.called("apt-get") == []


def test_what_an_interrupted_dpkg_left_is_finished_first(host: Host, juju: Juju) -> None:
    host.interrupted = True
    assert isinstance(juju.deploy(), ops.ActiveStatus)
    assert host.package == ("ii", "1.0.0-1")
    assert len(host.called("dpkg", "--force-confold", "--configure", "--pending")) == 1


def test_what_a_file_needs_comes_through_the_proxy_too(host: Host, juju: Juju) -> None:
    juju.deploy(config={"https_proxy": "http://proxy:3128"})
    (install,) = [command for command in host.commands if command.words[0] == "apt-get"]
    assert install.env["https_proxy"] == "http://proxy:3128"


def test_a_package_that_the_operator_holds_is_installed(host: Host, deployed: Juju) -> None:
    host.package = ("hi", "1.0.0-1")
    host.forget()
    assert isinstance(deployed.update_status(), ops.ActiveStatus)
    assert host.called("apt-get") == []
    deployed.emit(deployed.on.remove())
    assert len(host.called("--allow-change-held-packages", "remove", "tidemark")) == 1


def test_an_apt_source_that_does_not_answer_is_tried_again(host: Host, juju: Juju) -> None:
    host.broken["update"] = Result(100, stderr="E: no such host")
    status = juju.deploy(config={"package_source": "deb https://apt.example.com/ubuntu noble main"})
    assert isinstance(status, ops.BlockedStatus)
    assert status.message.startswith("`apt-get update` ended with 100: E: no such host")
    host.broken.clear()
    assert isinstance(juju.update_status(), ops.ActiveStatus)
    assert host.package == ("ii", "2.0.0-1")
