"""Config becomes settings, which are tried before they are used."""

from dataclasses import replace

import ops
import pytest
from ops import testing

from host import Host, finding
from juju import Juju
from workload import Result

MAIN = "/etc/tidemark/conf.d/juju.toml"
FRAGMENT = "/etc/tidemark/conf.d/juju-settings.toml"


def test_config_becomes_settings(host: Host, deployed: Juju) -> None:
    status = deployed.configure(
        dry_run=True,
        collectors="host sponsoring=10m",
        settings='[host]\ntags = { site = "north" }\n',
    )
    assert isinstance(status, ops.ActiveStatus)
    assert host.settings() == {
        "host": {"dry_run": True},
        "collector": {
            "autopkgtest": {"enabled": False},
            "host": {"enabled": True},
            "sponsoring": {"enabled": True, "run_interval": "10m"},
        },
    }
    assert host.text(FRAGMENT) == '[host]\ntags = { site = "north" }\n'
    assert [mode for name, (mode, _) in host.files().items() if name in (MAIN, FRAGMENT)] == [0o640, 0o640]
    # Tried as they are now in force, beside what the package brought, and the copy is gone.
    tried = host.staged[-1]
    assert tried["conf.d/juju.toml"][1] == host.path(MAIN).read_bytes()
    assert tried["conf.d/juju-settings.toml"][1] == host.path(FRAGMENT).read_bytes()
    assert tried["tidemark.toml"][1] == b"# Everything is a comment.\n"
    assert not host.path("/run/tidemark-juju").exists()

    deployed.configure(dry_run=False, collectors="", settings=" \n")
    assert host.settings() == {}
    assert not host.path(FRAGMENT).exists()


def test_settings_that_do_not_pass_leave_the_running_ones_in_force(host: Host, deployed: Juju) -> None:
    deployed.configure(settings="[store]\nkeep = '30d'")
    files = host.files()
    host.forget()
    status = deployed.configure(settings="[store\n", dry_run=True)
    # As the operator knows the file.
    assert status == ops.BlockedStatus("settings:1:1: this is no TOML; mend it")
    assert host.files() == files
    assert host.called("tidemark", "units", "sync") == []
    # It stays said, and is tried anew, until it is mended.
    assert deployed.update_status() == ops.BlockedStatus("settings:1:1: this is no TOML; mend it")
    assert isinstance(deployed.configure(settings="[store]\nkeep = '20d'"), ops.ActiveStatus)
    assert host.settings() == {"host": {"dry_run": True}}
    assert host.text(FRAGMENT) == "[store]\nkeep = '20d'\n"


def test_several_mistakes_are_counted_and_a_sink_that_is_away_is_none(host: Host, deployed: Juju) -> None:
    host.findings = [
        finding("sink", "connection", "127.0.0.1:1 refuses connections", "is the server running?", name="influxdb"),
        finding("state", "disk", "full", None),
        {"part": "settings", "checks": [{"check": "notice", "verdict": "warning", "found": "x", "advice": None}]},
        finding("collectors", "sponsoring", "it needs the program rsync", "install it"),
        finding("collectors", "host", "`key`: the secret file /x cannot be read: only root may read it", None),
    ]
    assert isinstance(deployed.configure(dry_run=True), ops.ActiveStatus)
    assert host.settings() == {"host": {"dry_run": True}}
    host.findings += [
        finding(
            "settings", "mistake", "/run/tidemark-juju/conf.d/juju.toml:3:1: `kep` is no key", "write `keep` instead"
        ),
        finding("settings", "mistake", "/run/tidemark-juju/tidemark.toml:4:1: `x` is no key", None),
        finding("collectors", "host", "`key`: the secret file /run/tidemark-juju/credentials/x does not exist", None),
    ]
    status = deployed.configure(dry_run=False)
    assert isinstance(status, ops.BlockedStatus)
    assert status.message == "the charm's settings:3:1: `kep` is no key; write `keep` instead (and 2 more)"
    for said in (
        "/etc/tidemark/tidemark.toml:4:1: `x` is no key",
        "host: `key`: the secret file /etc/credstore/x does",
    ):
        assert said in deployed.log
    assert host.settings() == {"host": {"dry_run": True}}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"dry_run": True}, "certificate 1 in ca_file /x is damaged"),
        ({"https_proxy": "socks9://h"}, "$https_proxy names a kind of proxy that is not supported"),
        ({"log_level": "error"}, "certificate 1 in ca_file /x is damaged"),
    ],
)
def test_what_no_sink_could_be_made_of_is_a_mistake(
    host: Host, deployed: Juju, options: dict[str, str | bool], found: str
) -> None:
    files = host.files()
    host.findings = [finding("sink", "client", found, "mend it", name="influxdb")]
    assert deployed.configure(**options) == ops.BlockedStatus(f"sink influxdb: {found}; mend it")
    assert host.files() == files


@pytest.mark.parametrize("stdout", ["", "{}", '{"parts": [{}]}', "[]"])
def test_a_check_that_prints_no_report_passes_nothing(host: Host, deployed: Juju, stdout: str) -> None:
    host.broken["tidemark --config"] = Result(0, stdout)
    status = deployed.configure(dry_run=True)
    assert isinstance(status, ops.BlockedStatus)
    assert status.message.startswith("`tidemark check --json` printed no report: is the package whole?")
    assert host.settings() == {}
    assert not host.path("/run/tidemark-juju").exists()


def test_what_the_operator_wrote_on_the_host_is_tried_with_it_and_stays(host: Host, deployed: Juju) -> None:
    host.write("/etc/tidemark/conf.d/site.toml", "[outbox]\nmax_bytes = '2GiB'\n")
    host.write("/etc/credstore/own", "of the operator")
    deployed.configure(dry_run=True)
    assert host.staged[-1]["conf.d/site.toml"][1] == b"[outbox]\nmax_bytes = '2GiB'\n"
    assert host.staged[-1]["credentials/own"] == (0o600, b"of the operator")
    assert host.text("/etc/tidemark/conf.d/site.toml") == "[outbox]\nmax_bytes = '2GiB'\n"
    # Without the main file, which need not be there, an empty one is tried.
    host.path("/etc/tidemark/tidemark.toml").unlink()
    assert isinstance(deployed.configure(log_level="notice", dry_run=False), ops.ActiveStatus)
    assert host.staged[-1]["tidemark.toml"][1] == b""
    deployed.configure(dry_run=True)
    host.write("/etc/tidemark/conf.d/site.toml", "[outbox")
    assert deployed.configure(dry_run=False) == ops.BlockedStatus(
        "/etc/tidemark/conf.d/site.toml:1:1: this is no TOML; mend it"
    )


def test_what_vanishes_while_it_is_copied_is_no_error(host: Host, deployed: Juju) -> None:
    host.path("/etc/tidemark/conf.d/gone.toml").symlink_to("/nowhere")
    host.path("/etc/credstore").mkdir(exist_ok=True)
    host.path("/etc/credstore/folder").mkdir()
    assert isinstance(deployed.configure(dry_run=True), ops.ActiveStatus)
    assert host.staged[-1]["conf.d/gone.toml"][1] == b""


def test_a_collector_that_is_not_installed(host: Host, deployed: Juju) -> None:
    status = deployed.configure(collectors="host britney cnf")
    assert status == ops.BlockedStatus(
        "collectors: there is no britney and no cnf; there are autopkgtest, host, sponsoring"
    )
    assert host.settings() == {}


def test_config_that_is_wrong_changes_nothing_and_is_said_at_once(host: Host, deployed: Juju) -> None:
    files = host.files()
    status = deployed.configure(log_level="loud", collectors="Host")
    assert isinstance(status, ops.BlockedStatus)
    assert status.message == (
        "collectors: 'Host' is neither NAME nor NAME=INTERVAL; write `host sponsoring=10m` (and 1 more)"
    )
    assert host.files() == files


def test_a_first_deployment_with_wrong_config_installs_nothing(host: Host, juju: Juju) -> None:
    assert isinstance(juju.deploy(config={"log_level": "loud"}), ops.BlockedStatus)
    assert host.called("apt-get") == []


def test_log_level_and_proxies_reach_the_units(host: Host, deployed: Juju, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, drop_in = "/etc/default/tidemark-juju", "/etc/systemd/system/tidemark-.service.d/juju.conf"
    assert not host.path(environment).exists()
    assert not host.path(drop_in).exists()
    monkeypatch.setenv("JUJU_CHARM_HTTP_PROXY", "http://of-model:3128")
    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", "http://of-model:3128")
    monkeypatch.setenv("JUJU_CHARM_NO_PROXY", "127.0.0.1,localhost")
    host.running = {"tidemark-host.service": "oneshot", "tidemark-load.service": "notify"}
    host.forget()
    deployed.configure(log_level="warning", https_proxy="http://own:8080")
    assert host.text(environment) == (
        "# Written by the charm.\n"
        'http_proxy="http://of-model:3128"\nhttps_proxy="http://own:8080"\nno_proxy="127.0.0.1,localhost"\n'
    )
    assert host.path(environment).stat().st_mode & 0o777 == 0o600
    assert host.text(drop_in) == (
        "# Written by the charm.\n[Service]\nEnvironmentFile=-/etc/default/tidemark-juju\nLogLevelMax=warning\n"
    )
    # What stays has them from now on; a run that goes on is let end.
    assert host.called("systemctl", "try-restart") == [("systemctl", "try-restart", "tidemark-load.service")]
    # The charm's own calls go the same way.
    status = [command for command in host.commands if command.words == ("tidemark", "status", "--json")]
    assert status[-1].env["https_proxy"] == "http://own:8080"

    host.broken["systemctl daemon-reload"] = Result(1, stderr="no bus")
    assert isinstance(deployed.configure(log_level="error"), ops.BlockedStatus)
    host.broken.clear()
    host.forget()
    assert isinstance(deployed.update_status(), ops.ActiveStatus)
    assert host.called("systemctl", "daemon-reload")
    assert "LogLevelMax=error" in host.text(drop_in)

    # Nothing to say: nothing there.
    for name in ("HTTP", "HTTPS", "NO"):
        monkeypatch.delenv(f"JUJU_CHARM_{name}_PROXY")
    host.forget()
    deployed.configure(log_level="info", https_proxy="")
    assert not host.path(environment).exists()
    assert not host.path(drop_in).exists()
    assert host.called("systemctl", "daemon-reload")


def test_a_certificate_without_a_relation_is_not_written(host: Host, deployed: Juju) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"
    assert isinstance(deployed.configure(influxdb_ca=pem), ops.ActiveStatus)
    assert host.settings() == {}
    assert [name for name in host.files() if "juju-ca" in name] == []


def test_state_of_an_older_version_is_taken_as_it_is(host: Host, deployed: Juju) -> None:
    old = testing.StoredState(owner_path="TidemarkCharm", name="_stored", content={"installed": True, "password": 1})
    deployed.state = replace(deployed.state, stored_states=frozenset({old}))
    assert isinstance(deployed.emit(deployed.on.upgrade_charm()), ops.ActiveStatus)
    assert host.settings() == {}
