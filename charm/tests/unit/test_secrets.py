"""Secrets of the user's: granted, rotated, revoked; and in no place where they do not belong."""

from dataclasses import replace
from typing import Any

import ops
import pytest
from ops import testing

from host import Host, finding
from juju import Juju
from test_influxdb import SAID, related
from workload import Secret

TOKEN = "s3cr3t-t0ken-of-the-user"
SETTINGS = """
[[sink]]
type = "influxdb2"
url = "https://influxdb2.example.com"
org = "o"
bucket = "b"
token = { credential = "tidemark.influxdb2-token" }
"""
CREDENTIAL = "/etc/credstore/tidemark.influxdb2-token"


def granted(content: str = TOKEN) -> testing.Secret:
    return testing.Secret({"influxdb2-token": content}, id="secret:cq1n7h3tqdqc7d3b6vfg")


def test_a_secret_becomes_a_credential(host: Host, deployed: Juju) -> None:
    secret = granted(TOKEN + "\n")
    status = deployed.emit(
        deployed.on.config_changed(), secrets={secret}, config={"credentials": secret.id, "settings": SETTINGS}
    )
    assert isinstance(status, ops.ActiveStatus)
    assert host.path(CREDENTIAL).read_bytes() == TOKEN.encode()
    assert host.path(CREDENTIAL).stat().st_mode & 0o777 == 0o600

    rotated = replace(secret, latest_content={"influxdb2-token": "another", "more": "m"})
    deployed.emit(deployed.on.secret_changed(rotated), secrets={rotated})
    assert host.text(CREDENTIAL) == "another"
    assert host.text("/etc/credstore/tidemark.more") == "m"

    # A key that is gone and still named: all stays as it was.
    gone = testing.Secret({"more": "m"}, id=secret.id)
    status = deployed.emit(deployed.on.config_changed(), secrets={gone})
    assert status == ops.BlockedStatus(
        "sink influxdb: the secret file /etc/credstore/tidemark.influxdb2-token does not exist; "
        "create it, or name another"
    )
    assert host.text(CREDENTIAL) == "another"
    # No longer named: it goes.
    assert isinstance(deployed.configure(settings=""), ops.ActiveStatus)
    assert not host.path(CREDENTIAL).exists()
    assert isinstance(deployed.configure(credentials=None), ops.ActiveStatus)
    assert host.path("/etc/credstore").exists()
    assert list(host.path("/etc/credstore").iterdir()) == []


def test_a_file_that_others_were_let_read_is_closed_again(host: Host, deployed: Juju) -> None:
    secret = granted()
    deployed.emit(deployed.on.config_changed(), secrets={secret}, config={"credentials": secret.id})
    settings = "/etc/tidemark/conf.d/juju.toml"
    for name, mode in ((CREDENTIAL, 0o600), (settings, 0o640)):
        host.path(name).chmod(0o644)
        assert isinstance(deployed.update_status(), ops.ActiveStatus)
        assert host.path(name).stat().st_mode & 0o777 == mode, name


def test_one_that_is_not_granted_or_revoked_is_said_and_changes_nothing(host: Host, deployed: Juju) -> None:
    said = f"the secret {granted().id} is not granted to tidemark, or gone; run `juju grant-secret NAME tidemark`"
    assert deployed.configure(credentials=granted().id, settings=SETTINGS) == ops.BlockedStatus(said)
    assert not host.path("/etc/tidemark/conf.d/juju-settings.toml").exists()
    status = deployed.emit(deployed.on.config_changed(), secrets={granted()})
    assert isinstance(status, ops.ActiveStatus)
    files = host.files()
    assert deployed.emit(deployed.on.update_status(), secrets=frozenset()) == ops.BlockedStatus(said)
    assert host.files() == files


@pytest.mark.parametrize("text", ["two\nlines", "\n", "x" * 70_000, "nul\x00", "bell\x07"])
def test_one_that_is_no_line_of_text(host: Host, deployed: Juju, text: str) -> None:
    secret = granted(text)
    status = deployed.emit(deployed.on.config_changed(), secrets={secret}, config={"credentials": secret.id})
    assert status == ops.BlockedStatus(
        f"the secret {secret.id}: influxdb2-token is no line of text; write the secret alone, on one line"
    )
    assert not host.path("/etc/credstore").exists()


def test_a_secret_has_no_printable_form() -> None:
    secret = Secret(TOKEN)
    assert secret == Secret(TOKEN)
    assert secret != Secret("other")
    assert secret != TOKEN
    assert {secret: 1}[Secret(TOKEN)] == 1
    for text in (str(secret), repr(secret), f"{secret}", repr({"a": [secret]}), str(ValueError(secret))):
        assert TOKEN not in text
    with pytest.raises(TypeError, match="a secret is not stored"):
        secret.__reduce__()


PASSWORD_IN_MODEL = "pr0xy-pa55"


def test_no_secret_is_where_it_does_not_belong(
    host: Host, juju: Juju, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through good days and bad ones: files, modes, log, statuses, results, words of commands, their environment."""
    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", f"http://user:{PASSWORD_IN_MODEL}@proxy:3128")
    secret, relation = granted(), related(**SAID)
    results: list[dict[str, Any]] = []

    def act() -> None:
        results.extend(juju.act(name) for name in ("status", "check", "outbox", "flush", "retry"))
        results.append(juju.act("run", collector="host"))

    juju.deploy(secrets={secret}, config={"credentials": secret.id, "settings": SETTINGS})
    juju.relate(relation)
    act()
    host.findings = [finding("settings", "mistake", "/x:1:1: wrong", "mend it")]
    juju.configure(settings=SETTINGS + "x = 1")
    act()
    host.findings = []
    juju.configure(settings=SETTINGS)
    rotated = replace(secret, latest_content={"influxdb2-token": TOKEN + "-2"})
    juju.emit(juju.on.secret_changed(rotated), secrets={rotated})
    juju.emit(juju.on.config_changed(), secrets=frozenset())
    juju.relate(replace(relation, remote_units_data={0: {**SAID, "port": "none"}}))
    juju.relate(replace(relation, remote_units_data={0: {**SAID, "hostname": f"{SAID['password']}/"}}))
    juju.break_(relation)
    juju.emit(juju.on.config_changed(), secrets={rotated})

    secrets = (TOKEN, SAID["password"], PASSWORD_IN_MODEL)
    closed = {"/etc/credstore/tidemark.influxdb2-token", "/etc/default/tidemark-juju"}
    for name, (mode, content) in host.files().items():
        if any(one.encode() in content for one in secrets):
            assert (name in closed, mode) == (True, 0o600), name
    for tried in host.staged:
        for name, (mode, content) in tried.items():
            if any(one.encode() in content for one in secrets):
                assert name.startswith("credentials/"), name
                assert mode == 0o600
    log = "\n".join(f"{line.level} {line.message}" for line in juju.context.juju_log)
    public = {
        "log": log,
        "statuses": "\n".join(status.message for status in juju.statuses),
        "results": repr(results),
        "words": "\n".join(" ".join(command.words) for command in host.commands),
        "output": "".join(capfd.readouterr()),
        "local data": repr([relation.local_unit_data for relation in juju.state.relations]),
    }
    for where, text in public.items():
        for one in secrets:
            assert one not in text, where
    # The search finds what it looks for.
    assert host.text("/etc/credstore/tidemark.influxdb2-token") == TOKEN + "-2"
    assert PASSWORD_IN_MODEL in host.text("/etc/default/tidemark-juju")
    assert all(len(text) > 50 for where, text in public.items() if where in ("log", "statuses", "results", "words"))
