"""What systemd is told: the environment and the log level of tidemark's units, and that it follow what has changed.

tidemark makes the units themselves, from its collectors and its settings.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from .machine import Machine

# The environment of all units, beside the package's own file. A proxy's address may hold a password.
ENVIRONMENT = "/etc/default/tidemark-juju"
ENVIRONMENT_MODE = 0o600
# A drop-in of every unit whose name begins with `tidemark-`.
DROP_IN = "/etc/systemd/system/tidemark-.service.d/juju.conf"

# What units say without a word of the charm's.
USUAL_LOG_LEVEL = "info"
# There while something has changed that systemd has not been told. A boot tells it all.
OWED = "/run/tidemark-juju.owed"
RESTART = b"restart\n"

TARGET = "tidemark.target"
# What brings the units in line by itself: the charm says when, where all stops.
WATCHERS = ("tidemark-units.path", "tidemark-units.secrets.path")
# A run that goes on is waited for where it stays; systemd gives a start so long.
SYSTEMCTL_TIMEOUT = 180.0


class Units:
    """tidemark's units on a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def configure(self, log_level: str, proxies: Mapping[str, str]) -> None:
        """Give all units this environment and this log level; nothing of either where there is nothing to say."""
        for name, (text, mode) in _files(log_level, proxies).items():
            self._put(name, text, mode)

    def differ(self, log_level: str, proxies: Mapping[str, str]) -> bool:
        """Say whether they have others than these."""
        files = _files(log_level, proxies).items()
        return any(not self._is(name, text, mode) for name, (text, mode) in files)

    def owe(self, *, restart: bool = False) -> None:
        """Note that systemd has something to follow: what is noted is not forgotten where it fails.

        With `restart`, what stays between runs is started anew then; the others have what is new at their next run.
        """
        if restart or not self.is_owed():
            self._machine.write(OWED, RESTART if restart else b"")

    def is_owed(self) -> bool:
        """Say whether systemd has something to follow."""
        return self._machine.read(OWED) is not None

    def follow(self) -> None:
        """Have systemd follow the collectors and the settings, now, and not in a second."""
        if self._machine.read(OWED) == RESTART:
            self._systemctl("daemon-reload")
            if staying := list(self._staying()):
                self._systemctl("try-restart", *staying)
        self._machine.run(("tidemark", "units", "sync"), timeout=SYSTEMCTL_TIMEOUT)
        self._machine.remove(OWED)

    def start(self) -> bool:
        """Start what starts everything, where it does not run; say whether that was so."""
        states = self._systemctl("is-active", TARGET, *WATCHERS, accept=tuple(range(256))).split()
        if states == ["active"] * 3:
            return False
        self._systemctl("start", TARGET, *WATCHERS)
        return True

    def stop(self) -> None:
        """Stop every timer, and what brings them back. A run that goes on ends by itself."""
        self._systemctl("stop", *WATCHERS, TARGET, "tidemark-*.timer")

    def remove(self) -> bool:
        """Take the environment and the log level away; say whether there were any."""
        removed = any([self._machine.remove(DROP_IN), self._machine.remove(ENVIRONMENT)])
        if removed:
            self._systemctl("daemon-reload")
        self._machine.remove_empty(str(Path(DROP_IN).parent))
        self._machine.remove(OWED)
        return removed

    def _put(self, name: str, text: str, mode: int) -> None:
        if self._is(name, text, mode):
            return
        self.owe(restart=True)
        if text:
            self._machine.write(name, text.encode(), mode)
        else:
            self._machine.remove(name)

    def _is(self, name: str, text: str, mode: int) -> bool:
        if text:
            return self._machine.holds(name, text.encode(), mode)
        return self._machine.read(name) is None

    def _staying(self) -> Iterator[str]:
        """Name the services that a timer does not start again."""
        listed = self._systemctl("list-units", "--output=json", "--state=running", "tidemark-*.service")
        for unit in json.loads(listed or "[]"):
            name: str = unit["unit"]
            if self._systemctl("show", "--property=Type", "--value", name).strip() == "notify":
                yield name

    def _systemctl(self, *words: str, accept: tuple[int, ...] = (0,)) -> str:
        return self._machine.run(("systemctl", *words), timeout=SYSTEMCTL_TIMEOUT, accept=accept).stdout


def _files(log_level: str, proxies: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Give the text and the mode of each file; one without a text is not there."""
    variables = [f'{name}="{value}"\n' for name, value in sorted(proxies.items())]
    options = [f"EnvironmentFile=-{ENVIRONMENT}\n"] if variables else []
    if log_level != USUAL_LOG_LEVEL:
        options.append(f"LogLevelMax={log_level}\n")
    texts = (variables, ["[Service]\n", *options] if options else [])
    environment, drop_in = ("".join(["# Written by the charm.\n", *lines]) if lines else "" for lines in texts)
    return {ENVIRONMENT: (environment, ENVIRONMENT_MODE), DROP_IN: (drop_in, 0o644)}
