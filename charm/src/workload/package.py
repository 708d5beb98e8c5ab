"""tidemark's Debian package: from a file, or from a source of apt's; and away again."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from .machine import CommandError, Machine, WorkloadError

NAME = "tidemark"
# What was installed last, and to its end, by its digest: the same version of a file may be another build.
INSTALLED = "/var/lib/tidemark-juju/package"
SOURCE = "/etc/apt/sources.list.d/tidemark-juju.list"
KEY = "/etc/apt/keyrings/tidemark-juju.asc"

# Another apt may be at work for so long, and a download may take so long, in seconds.
LOCK_TIMEOUT = 300
APT_TIMEOUT = 1200.0

APT = (
    "apt-get",
    "--yes",
    "--quiet",
    "--no-install-recommends",
    # What an operator has changed in /etc stays.
    "--option=Dpkg::Options::=--force-confold",
    f"--option=DPkg::Lock::Timeout={LOCK_TIMEOUT}",
)
# Of itself, apt passes over a source that does not answer, and takes what it knew of it for the newest.
UPDATE = (
    "--error-on=any",
    f"--option=Dir::Etc::sourcelist={SOURCE}",
    "--option=Dir::Etc::sourceparts=-",
    "--option=APT::Get::List-Cleanup=0",
)
# Nobody is asked, and no service is started anew: one of them runs this.
APT_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}


class Package:
    """The package on a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def version(self) -> str | None:
        """Give the version that is installed; None where it is not, or not whole."""
        status, version = self._status()
        # Whatever is wished of it (`ii`, or `hi` where the operator holds it): installed, without an error after it.
        return version if status[1:] == "i" else None

    def install_file(self, file: Path, env: Mapping[str, str] = MappingProxyType({})) -> bool:
        """Install what is in the file, whatever was installed before; say whether that was another.

        Raises:
            WorkloadError: where the file is no package, or cannot be installed.
        """
        try:
            mark = _digest(file.read_bytes())
        except OSError as error:
            raise WorkloadError(f"the package {file} cannot be read: {error.strerror}") from error
        if self._is_installed(mark):
            return False
        self.remove_source()
        # By its path, for apt to bring in what it needs.
        self._install("--reinstall", "--allow-downgrades", str(file.absolute()), env=env)
        self._machine.write(INSTALLED, mark)
        return True

    def install_source(self, source: str, key: str, env: Mapping[str, str], *, upgrade: bool = False) -> bool:
        """Install the newest from that source; say whether anything was done.

        One that is installed from there already is left as it is, but for an upgrade.

        Raises:
            WorkloadError: where apt cannot.
        """
        self.add_source(source, key)
        mark = _digest(f"{source}\n{key}".encode())
        if not upgrade and self._is_installed(mark):
            return False
        # Where this does not come to its end, the next event begins anew.
        self._machine.remove(INSTALLED)
        # This source alone: another that does not answer is not the charm's matter, but this one is.
        self._apt("update", *UPDATE, env=env)
        self._install(NAME, env=env)
        self._machine.write(INSTALLED, mark)
        return True

    def add_source(self, source: str, key: str) -> bool:
        """Have apt know the source; say whether it did not."""
        line = source
        if key:
            line = f"deb [signed-by={KEY}] {source.removeprefix('deb ')}"
            changed = self._machine.write(KEY, key.strip().encode() + b"\n")
        else:
            changed = self._machine.remove(KEY)
        return self._machine.write(SOURCE, line.encode() + b"\n") or changed

    def remove_source(self) -> bool:
        """Have apt forget the source; say whether it knew it."""
        return any([self._machine.remove(SOURCE), self._machine.remove(KEY)])

    def remove(self, *, purge: bool) -> bool:
        """Take the package away; with `purge` its settings and its state too. Say whether there was anything of it.

        Raises:
            WorkloadError: where apt cannot.
        """
        status, _ = self._status()
        # What was removed before has left its settings: `rc`.
        is_there = status not in ("", "un") and (purge or status != "rc")
        if is_there:
            self._apt("--allow-change-held-packages", "purge" if purge else "remove", NAME)
        self._machine.remove(INSTALLED)
        self._machine.remove_empty(str(Path(INSTALLED).parent))
        return self.remove_source() or is_there

    def _status(self) -> tuple[str, str]:
        words = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Version}", NAME)
        status, _, version = self._machine.run(words, accept=(0, 1)).stdout.strip().partition(" ")
        return status, version.strip()

    def _is_installed(self, mark: bytes) -> bool:
        return self._machine.read(INSTALLED) == mark and self.version() is not None

    def _install(self, *words: str, env: Mapping[str, str]) -> None:
        try:
            self._apt("install", *words, env=env)
        except CommandError as error:
            if "dpkg was interrupted" not in error.result.stderr:
                raise
            # A hook that was killed, or a loss of power: apt leaves it to a person.
            finish = ("dpkg", "--force-confold", "--configure", "--pending")
            self._machine.run(finish, env=APT_ENVIRONMENT, timeout=APT_TIMEOUT)
            self._apt("install", *words, env=env)

    def _apt(self, *words: str, env: Mapping[str, str] = MappingProxyType({})) -> None:
        self._machine.run((*APT, *words), env={**APT_ENVIRONMENT, **env}, timeout=APT_TIMEOUT)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
