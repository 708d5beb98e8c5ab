"""The relation `influxdb`: what the other side says, as an InfluxDB that takes points.

Existing charms write `hostname`, `port`, `user`, `password` and some of them `database` into the data of their units or
of their application; newer ones write the id of a secret there that holds the same (`influx_client_creds_secret_id`).
"""

import contextlib
import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv6Address

import ops

from granted import is_line
from mistakes import Mistakes
from options import Options
from workload import Influxdb, Secret

RELATION = "influxdb"
SECRET_ID = "influx_client_creds_secret_id"  # noqa: S105 - the key of an id

_NAMES = {
    "hostname": ("hostname", "host"),
    "port": ("port",),
    "user": ("user", "username"),
    "password": ("password",),
    "database": ("database",),
}
# What is looked at in the secret of the other side's.
KEYS = frozenset(name for names in _NAMES.values() for name in names)

_HOST = re.compile(r"[A-Za-z0-9._-]+")
_PORT = re.compile(r"[0-9]{1,5}")


def read(relation: ops.Relation, options: Options, secret: Callable[[str], Mapping[str, Secret]]) -> Influxdb | None:
    """Give the InfluxDB; None while the other side has not said all. `secret` reads a secret by its id.

    Raises:
        Mistakes: where it says what cannot be used.
    """
    said = _said(relation)
    if secret_id := said.pop(SECRET_ID, None):
        said = {**said, **secret(secret_id.expose().strip())}
    found = {name: _first(said, names) for name, names in _NAMES.items()}
    hostname, port, user, password = (found[name] for name in ("hostname", "port", "user", "password"))
    if hostname is None or port is None or user is None or password is None:
        return None
    if not is_line(password.expose()):
        raise Mistakes("influxdb: its password is no line of text; see what the other charm says: juju show-unit")
    scheme = "https" if options.influxdb_tls else "http"
    return Influxdb(
        url=f"{scheme}://{_host(hostname.expose().strip())}:{_port(port.expose().strip())}",
        database=found["database"].expose().strip() if found["database"] else options.influxdb_database,
        username=user.expose().strip(),
        password=Secret(password.expose().strip("\r\n")),
        ca=options.influxdb_ca,
    )


def _said(relation: ops.Relation) -> dict[str, Secret]:
    """Gather what the application says, and what it does not say, its first unit that does.

    None of it has a printable form.
    """
    said: dict[str, Secret] = {}
    sides: list[ops.Application | ops.Unit] = [relation.app]
    sides.extend(sorted(relation.units, key=lambda unit: unit.name))
    for side in sides:
        for name, value in relation.data[side].items():
            if value.strip():
                said.setdefault(name, Secret(value))
    return said


def _first(said: Mapping[str, Secret], names: tuple[str, ...]) -> Secret | None:
    return next((said[name] for name in names if name in said), None)


def _host(text: str) -> str:
    """Give a name or an address as a URL has it."""
    if _HOST.fullmatch(text):
        return text
    with contextlib.suppress(AddressValueError):
        address = IPv6Address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
        if address.scope_id is None:
            return f"[{address}]"
    raise Mistakes("influxdb: its hostname is none; see what the other charm says: juju show-unit")


def _port(text: str) -> int:
    if not (_PORT.fullmatch(text) and 0 < int(text) < 65536):
        raise Mistakes("influxdb: its port is no number from 1 to 65535; see what the other charm says: juju show-unit")
    return int(text)
