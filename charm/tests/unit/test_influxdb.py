"""The relation with InfluxDB: joined, changed, broken, in any order."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import ops
import pytest
from ops import testing

from host import Host
from juju import Juju

PASSWORD = "Tr0ub4dor-and-3"
SAID = {"hostname": "10.1.2.3", "port": "8086", "user": "collector", "password": PASSWORD, "database": "metrics-1"}
CREDENTIAL = "/etc/credstore/tidemark.influxdb.password"
SINK = {
    "type": "influxdb",
    "url": "https://10.1.2.3:8086",
    "database": "metrics-1",
    "username": "collector",
    "password": {"credential": "tidemark.influxdb.password"},
}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"


def related(**said: str) -> testing.Relation:
    return testing.Relation("influxdb", remote_app_name="influxdb", remote_units_data={0: said})


def test_what_the_other_side_says_becomes_a_sink(host: Host, deployed: Juju) -> None:
    status = deployed.relate(related(**SAID))
    assert isinstance(status, ops.ActiveStatus)
    assert host.settings() == {"sink": [SINK]}
    assert host.text(CREDENTIAL) == PASSWORD
    assert host.path(CREDENTIAL).stat().st_mode & 0o777 == 0o600
    assert host.path("/etc/credstore").stat().st_mode & 0o777 == 0o700
    assert host.staged[-1]["credentials/tidemark.influxdb.password"] == (0o600, PASSWORD.encode())


@pytest.mark.parametrize("of_app", [False, True])
def test_it_may_say_it_as_an_application_or_as_a_unit(host: Host, deployed: Juju, of_app: bool) -> None:
    relation = testing.Relation("influxdb", remote_app_data=SAID if of_app else {}, remote_units_data={4: SAID})
    deployed.relate(relation)
    assert host.settings()["sink"] == [SINK]


def test_it_may_say_the_id_of_a_secret(host: Host, deployed: Juju) -> None:
    content = {
        "host": "10.1.2.3",
        "port": "8086",
        "username": "collector",
        "password": PASSWORD,
        "database": "metrics-1",
    }
    secret = testing.Secret(content)
    relation = testing.Relation("influxdb", remote_app_data={"influx_client_creds_secret_id": secret.id})
    deployed.emit(deployed.on.relation_changed(relation), relations={relation}, secrets={secret})
    assert host.settings()["sink"] == [SINK]
    assert host.text(CREDENTIAL) == PASSWORD

    # Rotated.
    newer = replace(secret, latest_content={**content, "password": "another-1"})
    deployed.emit(deployed.on.secret_changed(newer), secrets={newer})
    assert host.text(CREDENTIAL) == "another-1"

    # Revoked: what was there stays in force, and it is said.
    status = deployed.emit(deployed.on.config_changed(), secrets=frozenset())
    assert isinstance(status, ops.BlockedStatus)
    assert status.message == (
        f"the secret {secret.id} is not granted by remote, or gone; see why there, or integrate it anew"
    )
    assert host.text(CREDENTIAL) == "another-1"


def test_of_its_secret_only_what_is_used_is_looked_at(host: Host, deployed: Juju) -> None:
    content = {**SAID, "tls-ca": CERTIFICATE}
    secret = testing.Secret(content)
    relation = testing.Relation("influxdb", remote_app_data={"influx_client_creds_secret_id": secret.id})
    status = deployed.emit(deployed.on.relation_changed(relation), relations={relation}, secrets={secret})
    assert isinstance(status, ops.ActiveStatus)
    assert host.settings()["sink"] == [SINK]
    two = testing.Secret({**SAID, "password": "two\nlines"}, id=secret.id)
    status = deployed.emit(deployed.on.config_changed(), secrets={two})
    assert status == ops.BlockedStatus(
        f"the secret {secret.id}: password is no line of text; write the secret alone, on one line"
    )


def test_a_password_is_taken_as_it_is(host: Host, deployed: Juju) -> None:
    deployed.relate(related(**{**SAID, "hostname": " 10.1.2.3 ", "password": " of blanks "}))
    assert host.settings()["sink"] == [SINK]
    assert host.text(CREDENTIAL) == " of blanks "


@pytest.mark.parametrize("event", ["relation_created", "relation_joined", "relation_departed"])
def test_each_event_of_the_relation_is_seen(host: Host, deployed: Juju, event: str) -> None:
    relation = testing.Relation("influxdb")
    assert deployed.emit(getattr(deployed.on, event)(relation), relations={relation}) == ops.WaitingStatus(
        "for influxdb to say where it is"
    )


def test_a_unit_that_departs_is_replaced_by_one_that_stays(host: Host, deployed: Juju) -> None:
    both = testing.Relation("influxdb", remote_units_data={0: SAID, 1: {**SAID, "hostname": "10.9.9.9"}})
    deployed.relate(both)
    one = replace(both, remote_units_data={1: both.remote_units_data[1]})
    deployed.emit(deployed.on.relation_departed(one, remote_unit=0, departing_unit=0), relations={one})
    assert host.settings()["sink"][0]["url"] == "https://10.9.9.9:8086"


def test_a_relation_that_goes_and_one_that_comes(host: Host, deployed: Juju) -> None:
    """Juju lets a new one in while the old one still ends."""
    old, new = related(**SAID), related(**{**SAID, "hostname": "10.9.9.9"})
    deployed.relate(old)
    deployed.emit(deployed.on.relation_changed(new), relations={old, new})
    assert host.settings()["sink"] == [SINK]
    deployed.emit(deployed.on.relation_broken(old), relations={old, new})
    assert host.settings()["sink"][0]["url"] == "https://10.9.9.9:8086"


def test_without_tls_with_another_database_and_an_address_of_ipv6(host: Host, deployed: Juju) -> None:
    said = {key: value for key, value in SAID.items() if key != "database"} | {"hostname": "fd00::1"}
    deployed.state = replace(deployed.state, config={"influxdb_tls": False, "influxdb_database": "own"})
    deployed.relate(related(**said))
    sink = host.settings()["sink"][0]
    assert (sink["url"], sink["database"]) == ("http://[fd00::1]:8086", "own")


def test_its_certificate_is_a_file_that_the_sink_names(host: Host, deployed: Juju) -> None:
    deployed.state = replace(deployed.state, config={"influxdb_ca": CERTIFICATE})
    deployed.relate(related(**SAID))
    first = host.settings()["sink"][0]["ca_file"]
    assert host.text(first) == CERTIFICATE
    deployed.configure(influxdb_ca=CERTIFICATE.replace("abc", "def"))
    second = host.settings()["sink"][0]["ca_file"]
    assert "def" in host.text(second)
    # One that was deleted or damaged by hand comes back.
    host.path(second).unlink()
    assert isinstance(deployed.update_status(), ops.ActiveStatus)
    host.path(second).write_text("damaged")
    assert isinstance(deployed.update_status(), ops.ActiveStatus)
    assert "def" in host.text(second)
    assert not host.path(first).exists()
    deployed.configure(influxdb_ca="")
    assert "ca_file" not in host.settings()["sink"][0]
    assert not host.path(second).exists()


@pytest.mark.parametrize("missing", ["hostname", "port", "user", "password"])
def test_what_is_not_all_said_is_waited_for(host: Host, deployed: Juju, missing: str) -> None:
    part = {key: value for key, value in SAID.items() if key != missing} | {"other": " "}
    relation = related(**part)
    status = deployed.relate(relation)
    assert status == ops.WaitingStatus("for influxdb to say where it is")
    assert host.settings() == {}
    # What else is configured counts meanwhile.
    assert isinstance(deployed.configure(dry_run=True), ops.WaitingStatus)
    assert host.settings() == {"host": {"dry_run": True}}
    whole = replace(relation, remote_units_data={0: SAID})
    assert isinstance(deployed.relate(whole), ops.ActiveStatus)
    assert "sink" in host.settings()
    # Once it is known, nothing that is missing for a while takes it away.
    assert isinstance(deployed.relate(relation), ops.WaitingStatus)
    assert "sink" in host.settings()
    assert host.text(CREDENTIAL) == PASSWORD


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hostname": "a/b?c"}, "influxdb: its hostname is none"),
        ({"hostname": "user:pw@host"}, "influxdb: its hostname is none"),
        ({"hostname": "10.1.2.3:8087"}, "influxdb: its hostname is none"),
        ({"hostname": "[fd00::1"}, "influxdb: its hostname is none"),
        ({"hostname": "fe80::1%eth0"}, "influxdb: its hostname is none"),
        ({"hostname": "ümläut"}, "influxdb: its hostname is none"),
        ({"port": "9" * 5000}, "influxdb: its port is no number from 1 to 65535"),
        ({"password": "Tr0ub4dor\nand"}, "influxdb: its password is no line of text"),
        ({"password": "Tr0ub4dor\x00"}, "influxdb: its password is no line of text"),
        ({"port": "0"}, "influxdb: its port is no number from 1 to 65535"),
        ({"port": "\uff18\uff10\uff18\uff16"}, "influxdb: its port is no number from 1 to 65535"),
        ({"port": "99999"}, "influxdb: its port is no number from 1 to 65535"),
    ],
)
def test_what_cannot_be_used_is_said_and_not_quoted(
    host: Host, deployed: Juju, wrong: dict[str, str], said: str
) -> None:
    status = deployed.relate(related(**{**SAID, **wrong}))
    assert isinstance(status, ops.BlockedStatus)
    assert status.message.startswith(said)
    assert next(iter(wrong.values())) not in status.message.replace("from 1 to", "")[len(said) :]
    assert host.settings() == {}


@pytest.mark.parametrize("text", ['q"uote', "back\\slash", "tab\tand\nline", "ümläut-€-😀", "del\x7f", "]]\n[[sink]]"])
def test_whatever_it_says_stays_within_its_quotes(host: Host, deployed: Juju, text: str) -> None:
    deployed.relate(related(**{**SAID, "user": text, "database": text}))
    sink = host.settings()["sink"]
    assert sink == [{**SINK, "username": text, "database": text}]


def test_broken_it_goes_with_its_password_once_what_waits_is_tried(host: Host, deployed: Juju) -> None:
    relation = related(**SAID)
    deployed.relate(relation)
    host.forget()
    status = deployed.break_(relation)
    assert isinstance(status, ops.ActiveStatus)
    assert host.settings() == {}
    assert not host.path(CREDENTIAL).exists()
    words = [command.words for command in host.commands]
    flush = words.index(("tidemark", "outbox", "flush"))
    assert flush < next(at for at, one in enumerate(words) if "check" in one)


def test_broken_while_the_config_is_wrong_it_goes_when_that_is_mended(host: Host, deployed: Juju) -> None:
    relation = related(**SAID)
    deployed.relate(relation)
    deployed.configure(log_level="loud")
    assert isinstance(deployed.break_(relation), ops.BlockedStatus)
    assert host.path(CREDENTIAL).exists()
    assert isinstance(deployed.configure(log_level="info"), ops.ActiveStatus)
    assert not host.path(CREDENTIAL).exists()


def test_in_any_order_the_end_is_the_same(host: Host, juju: Juju) -> None:
    relation = related(**SAID)
    ends: list[dict[str, Any]] = []
    for order in permutations(("config", "joined", "changed", "leader")):
        host.root.rename(host.root.with_name(f"root-{len(ends)}"))
        host.package, host.active = ("", ""), set()
        host.__post_init__()
        juju.state = testing.State(resources=juju.state.resources)
        juju.emit(juju.on.install())
        for event in order:
            match event:
                case "config":
                    juju.configure(collectors="host")
                case "joined":
                    juju.relate(replace(relation, remote_units_data={0: {}}))
                case "changed":
                    juju.relate(relation)
                case _:
                    juju.emit(juju.on.leader_elected(), leader=True)
        # The last word is that of the relation as it is.
        juju.relate(relation)
        assert juju.status == ops.ActiveStatus("1 collector, last run 40 s ago")
        ends.append({name: seen for name, seen in host.files().items() if not name.startswith("/usr")})
    assert len(ends) == 24
    assert all(end == ends[0] for end in ends)
