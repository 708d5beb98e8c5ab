"""Secrets as systemd's credentials: files that root alone reads, which systemd hands to the units that name them."""

from collections.abc import Mapping

from .machine import Machine
from .secret import Secret
from .wanted import PREFIX

FOLDER = "/etc/credstore"
MODE = 0o600
FOLDER_MODE = 0o700


class Credentials:
    """The credentials on a machine whose names begin as the charm's do."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def names(self) -> list[str]:
        """List those that are there."""
        return self._machine.names(FOLDER, f"{PREFIX}*")

    def differ(self, secrets: Mapping[str, Secret]) -> bool:
        """Say whether they are others than these, or open to others than root."""
        return self.names() != sorted(secrets) or any(
            not self._machine.holds(f"{FOLDER}/{name}", content(secret), MODE) for name, secret in secrets.items()
        )

    def write(self, secrets: Mapping[str, Secret]) -> bool:
        """Write these; say whether that changed anything. Others stay until `remove_others`."""
        if not secrets:
            return False
        self._machine.folder(FOLDER, FOLDER_MODE)
        changes = [self._machine.write(f"{FOLDER}/{name}", content(secret), MODE) for name, secret in secrets.items()]
        return any(changes)

    def remove_others(self, than: Mapping[str, Secret]) -> bool:
        """Delete those that are not among these; say whether there were any."""
        gone = [self._machine.remove(f"{FOLDER}/{name}") for name in self.names() if name not in than]
        return any(gone)

    def remove(self) -> bool:
        """Delete all; say whether there were any."""
        return self.remove_others({})


def content(secret: Secret) -> bytes:
    """Give the bytes of the file."""
    return secret.expose().encode()
