"""tidemark on a machine: everything that the charm does there, without Juju.

| module | what it does |
|---|---|
| `machine` | files below a root, commands by a runner: nothing else touches the machine |
| `package` | installs and removes the Debian package |
| `wanted` | what should be there, all checked |
| `settings`, `staging` | writes and removes the charm's files of settings; tries them first in a copy |
| `credentials` | writes and removes secrets as systemd's credentials |
| `units` | has systemd follow; starts and stops |
| `command` | calls `tidemark` |

Each verb has its opposite, and doing a thing twice changes nothing.
"""

from collections.abc import Mapping

from .command import Overview, Tidemark
from .credentials import Credentials
from .machine import Command, CommandError, Machine, Result, Runner, WorkloadError
from .package import Package
from .secret import Secret
from .settings import Files, installed_collectors, texts
from .staging import RefusedError, try_out
from .units import Units
from .wanted import INFLUXDB_PASSWORD, Influxdb, Wanted

__all__ = [
    "Command",
    "CommandError",
    "Influxdb",
    "Machine",
    "Overview",
    "Package",
    "RefusedError",
    "Result",
    "Runner",
    "Secret",
    "Tidemark",
    "Wanted",
    "Workload",
    "WorkloadError",
]


class Workload:
    """tidemark on a machine."""

    def __init__(self, machine: Machine) -> None:
        self.package = Package(machine)
        self._machine = machine
        self._credentials = Credentials(machine)
        self._files = Files(machine)
        self._units = Units(machine)

    def installed_collectors(self) -> list[str]:
        """List the collectors that are installed."""
        return installed_collectors(self._machine)

    def tidemark(self, proxies: Mapping[str, str]) -> Tidemark:
        """Give the command, in the environment that the units have."""
        return Tidemark(self._machine, proxies)

    def stand_by(self) -> bool:
        """Have no timer start anything, over reboots too; say whether that changed anything."""
        if not self.stands_by():
            self._units.owe()
            self._files.write_standby()
        return self._follow()

    def take_over(self) -> bool:
        """Have the timers start what the settings say; say whether that changed anything."""
        if self.stands_by():
            self._units.owe()
            self._files.remove_standby()
        return self._follow()

    def stands_by(self) -> bool:
        """Say whether the settings have this host stand by."""
        return self._files.has_standby()

    def has_influxdb(self) -> bool:
        """Say whether the InfluxDB of a relation is in force."""
        return INFLUXDB_PASSWORD in self._credentials.names()

    def apply(self, wanted: Wanted) -> bool:
        """Bring settings, credentials and units to what is wanted; say whether that changed anything.

        What is not yet in force is tried first; where it does not pass, nothing is changed.

        Raises:
            RefusedError: where the settings do not pass.
            WorkloadError: where something on the machine does not work.
        """
        files = texts(wanted, self.installed_collectors())
        secrets = wanted.secrets()
        ca = wanted.influxdb.ca if wanted.influxdb is not None else ""
        differ = self._files.differ(files, ca) or self._credentials.differ(secrets)
        if differ or self._units.differ(wanted.log_level, wanted.proxies):
            self._replace(wanted, files, secrets, ca)
        self._units.configure(wanted.log_level, wanted.proxies)
        return self._follow()

    def _replace(self, wanted: Wanted, files: dict[str, str], secrets: dict[str, Secret], ca: str) -> None:
        if ca:
            # Under a name of its own: what is in force does not see it.
            self._files.write_certificate(ca)
        try_out(self._machine, files, secrets, wanted.proxies)
        self._units.owe()
        # Whoever reads the settings in between finds each secret that they name.
        self._credentials.write(secrets)
        self._files.write(files)
        self._credentials.remove_others(secrets)
        self._files.remove_certificates(but=ca)

    def _follow(self) -> bool:
        """Have systemd follow what has changed, also where an earlier try did not get so far."""
        if not (self._units.start() or self._units.is_owed()):
            return False
        self._units.follow()
        return True

    def stop(self) -> None:
        """Stop the timers, for good or until the next `apply`."""
        self._units.stop()

    def remove(self, *, purge: bool) -> None:
        """Take away all that was installed and written, but for the state; with `purge`, that too.

        Raises:
            WorkloadError: where something on the machine does not work.
        """
        self.package.remove(purge=purge)
        self._units.remove()
        self._files.remove()
        self._credentials.remove()
