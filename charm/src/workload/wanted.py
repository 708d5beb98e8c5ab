"""What should be on a machine: made of config, relations and secrets, all checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .secret import Secret


@dataclass(frozen=True)
class Influxdb:
    """An InfluxDB 1 that takes the points."""

    url: str
    database: str
    username: str
    password: Secret
    # PEM; empty where the machine's own authorities do.
    ca: str = ""


@dataclass(frozen=True)
class Wanted:
    """Everything that the charm writes."""

    dry_run: bool = False
    # The collectors that run, each with its interval where it has another; None for those that are on by default.
    collectors: Mapping[str, str | None] | None = None
    influxdb: Influxdb | None = None
    # TOML as the operator wrote it.
    settings: str = ""
    # By the key in the secret of the user's.
    credentials: Mapping[str, Secret] = field(default_factory=dict[str, Secret])
    log_level: str = "info"
    # `http_proxy`, `https_proxy`, `no_proxy`, as far as they are set.
    proxies: Mapping[str, str] = field(default_factory=dict[str, str])

    def secrets(self) -> dict[str, Secret]:
        """Give every secret by the name of its credential."""
        secrets = {f"{PREFIX}{key}": secret for key, secret in self.credentials.items()}
        if self.influxdb is not None:
            secrets[INFLUXDB_PASSWORD] = self.influxdb.password
        return secrets


# What the names of the charm's credentials begin with.
PREFIX = "tidemark."
# No key of a secret has a point.
INFLUXDB_PASSWORD = f"{PREFIX}influxdb.password"
