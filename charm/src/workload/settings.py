"""The charm's own files of settings, beside which everything else in /etc/tidemark is the operator's.

| file | what it holds |
|---|---|
| `conf.d/juju.toml` | what follows from config and relations |
| `conf.d/juju-settings.toml` | the option `settings`, as it is written |
| `conf.d/juju-standby.toml` | there where another unit collects: it holds whatever else is right or wrong |
| `juju-ca-DIGEST.pem` | the certificate that the InfluxDB of the relation is checked by |
"""

import hashlib
from collections.abc import Iterable, Iterator

from . import toml
from .machine import Machine
from .wanted import INFLUXDB_PASSWORD, Influxdb, Wanted

FOLDER = "/etc/tidemark"
MAIN = "tidemark.toml"
OWN = "conf.d/juju.toml"
FRAGMENT = "conf.d/juju-settings.toml"
STANDBY = "conf.d/juju-standby.toml"
STANDBY_TEXT = "# Written by the charm: another unit collects.\n[host]\nstandby = true\n"
CERTIFICATES = "juju-ca-*.pem"
MODE = 0o640
GROUP = "tidemark"
COLLECTORS = "/usr/lib/tidemark/collectors"


def installed_collectors(machine: Machine) -> list[str]:
    """List the collectors that are installed, by their descriptions."""
    return [name.removesuffix(".json") for name in machine.names(COLLECTORS, "*.json")]


def texts(wanted: Wanted, installed: Iterable[str]) -> dict[str, str]:
    """Give the text of each file of settings that there should be, by its name below /etc/tidemark."""
    files = {OWN: "".join(_own(wanted, installed))}
    if wanted.settings.strip():
        files[FRAGMENT] = wanted.settings.rstrip() + "\n"
    return files


def _own(wanted: Wanted, installed: Iterable[str]) -> Iterator[str]:
    yield "# Written by the charm, and again whenever its config or its relations change.\n"
    if wanted.dry_run:
        yield "\n[host]\ndry_run = true\n"
    if wanted.collectors is not None:
        for name in sorted({*installed, *wanted.collectors}):
            yield f"\n[collector.{name}]\nenabled = {'true' if name in wanted.collectors else 'false'}\n"
            if interval := wanted.collectors.get(name):
                yield f"run_interval = {toml.string(interval)}\n"
    if wanted.influxdb is not None:
        yield from _influxdb(wanted.influxdb)


def _influxdb(influxdb: Influxdb) -> Iterator[str]:
    yield '\n[[sink]]\ntype = "influxdb"\n'
    yield f"url = {toml.string(influxdb.url)}\n"
    yield f"database = {toml.string(influxdb.database)}\n"
    yield f"username = {toml.string(influxdb.username)}\n"
    yield f"password = {{ credential = {toml.string(INFLUXDB_PASSWORD)} }}\n"
    if influxdb.ca:
        yield f"ca_file = {toml.string(f'{FOLDER}/{certificate(influxdb.ca)}')}\n"


def certificate(pem: str) -> str:
    """Name the file of a certificate by what is in it: another never takes the place of one that is in use."""
    return f"juju-ca-{hashlib.sha256(pem.encode()).hexdigest()[:16]}.pem"


class Files:
    """The charm's files of settings on a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def differ(self, files: dict[str, str], ca: str) -> bool:
        """Say whether those on the machine are others, the certificate among them."""
        for name in (OWN, FRAGMENT):
            if name not in files:
                if self._machine.read(f"{FOLDER}/{name}") is not None:
                    return True
            elif not self._machine.holds(f"{FOLDER}/{name}", files[name].encode(), MODE, GROUP):
                return True
        if ca and not self._machine.holds(f"{FOLDER}/{certificate(ca)}", ca.encode()):
            return True
        return self._machine.names(FOLDER, CERTIFICATES) != ([certificate(ca)] if ca else [])

    def write(self, files: dict[str, str]) -> bool:
        """Write these, and delete the charm's others; say whether that changed anything."""
        changes = [
            self._machine.write(f"{FOLDER}/{name}", files[name].encode(), MODE, GROUP)
            if name in files
            else self._machine.remove(f"{FOLDER}/{name}")
            for name in (OWN, FRAGMENT)
        ]
        return any(changes)

    def write_standby(self) -> bool:
        """Say in the settings that this host stands by; say whether they did not."""
        return self._machine.write(f"{FOLDER}/{STANDBY}", STANDBY_TEXT.encode(), MODE, GROUP)

    def has_standby(self) -> bool:
        """Say whether the settings say that this host stands by."""
        return self._machine.read(f"{FOLDER}/{STANDBY}") is not None

    def remove_standby(self) -> bool:
        """Say so no longer; say whether the settings did."""
        return self._machine.remove(f"{FOLDER}/{STANDBY}")

    def write_certificate(self, pem: str) -> bool:
        """Write a certificate beside those that are there; say whether it is new."""
        return self._machine.write(f"{FOLDER}/{certificate(pem)}", pem.encode(), 0o644)

    def remove_certificates(self, but: str = "") -> bool:
        """Delete the charm's certificates but this one; say whether there were others."""
        keep = certificate(but) if but else ""
        names = self._machine.names(FOLDER, CERTIFICATES)
        gone = [self._machine.remove(f"{FOLDER}/{name}") for name in names if name != keep]
        return any(gone)

    def remove(self) -> bool:
        """Delete all; say whether there were any."""
        return any([self.write({}), self.remove_standby(), self.remove_certificates()])
