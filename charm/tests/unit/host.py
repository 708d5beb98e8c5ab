"""A machine that is a folder: what the charm writes lands there, and its commands are played and remembered."""

import json
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workload import Command, Machine, Result

# The time of every test.
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLLECTORS = ("autopkgtest", "host", "sponsoring")
SHIPPED = {
    "/etc/tidemark/tidemark.toml": "# Everything is a comment.\n",
    **{f"/usr/lib/tidemark/collectors/{name}.json": "{}" for name in COLLECTORS},
}
_CREDENTIAL = re.compile(r'credential\s*=\s*"([^"]+)"')


@dataclass
class Host:
    """The machine, and what it answers."""

    root: Path
    commands: list[Command] = field(default_factory=list[Command])
    # dpkg's word for the package, and its version.
    package: tuple[str, str] = ("", "")
    # What apt would install from its sources.
    candidate: str = "2.0.0-1"
    # Something was killed while dpkg was at work.
    interrupted: bool = False
    active: set[str] = field(default_factory=set[str])
    # Services that run now, each with its type.
    running: dict[str, str] = field(default_factory=dict[str, str])
    # How a command ends that begins with these words, in the place of what it would do.
    broken: dict[str, Result] = field(default_factory=dict[str, Result])
    # More findings of `tidemark check`.
    findings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    # What each `tidemark check` was shown: name to mode and content.
    staged: list[dict[str, tuple[int, bytes]]] = field(default_factory=list[dict[str, tuple[int, bytes]]])
    waiting: int = 0
    collectors: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        """Have a user and a group of tidemark's, with numbers that a test may give files to."""
        gid = os.getegid() if os.geteuid() else 4711
        self.write("/etc/group", f"root:x:0:\nbroken\ntidemark:x:{gid}:\n")
        started = (NOW - timedelta(seconds=40)).isoformat().replace("+00:00", ".000000123Z")
        self.collectors = [
            {"name": name, "enabled": name == "host", "state": "ok", "last_run": None} for name in COLLECTORS
        ]
        self.collectors[1]["last_run"] = {"started": started}

    def machine(self) -> Machine:
        """Give the machine as the charm sees it."""
        return Machine(self.root, self)

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def write(self, name: str, text: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def text(self, name: str) -> str:
        return self.path(name).read_text()

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Give every file with its mode and its content."""
        paths = (path for path in self.root.rglob("*") if path.is_file())
        return {f"/{path.relative_to(self.root)}": _seen(path) for path in paths}

    def settings(self) -> dict[str, Any]:
        """Give what the charm's main file of settings says."""
        return tomllib.loads(self.text("/etc/tidemark/conf.d/juju.toml"))

    def called(self, *words: str) -> list[tuple[str, ...]]:
        """List the commands in which these words are, in this order."""
        return [c.words for c in self.commands if _holds(list(c.words), list(words))]

    def forget(self) -> None:
        self.commands.clear()
        self.staged.clear()

    def __call__(self, command: Command) -> Result:
        """Play a command."""
        self.commands.append(command)
        line = " ".join(command.words)
        for words, result in self.broken.items():
            if line.startswith(words) or f" {words}" in line:
                return result
        play: dict[str, Callable[[Command], Result]] = {
            "apt-get": self._apt,
            "dpkg-query": lambda _: Result(0 if self.package[0] else 1, " ".join(self.package)),
            "dpkg": self._dpkg,
            "systemctl": self._systemctl,
            "tidemark": self._tidemark,
        }
        return play[command.words[0]](command)

    def _apt(self, command: Command) -> Result:
        if self.interrupted:
            why = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. \n"
            return Result(100, stderr=why)
        words = [word for word in command.words[1:] if not word.startswith("--")]
        match words:
            case ["install", "tidemark"]:
                self._install(self.candidate)
            case ["install", file]:
                content = Path(file).read_text()
                if not content.startswith("tidemark "):
                    return Result(100, stderr=f"reading\nE: {file} is not a package")
                self._install(content.split()[1])
            case ["remove", "tidemark"]:
                self._remove()
                self.package = ("rc", self.package[1])
            case ["purge", "tidemark"]:
                self._remove()
                for path in sorted(self.path("/etc/tidemark").rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()
                self.package = ("", "")
            case ["update"]:
                pass
            case _:
                raise AssertionError(f"apt-get {words}")
        return Result(0)

    def _dpkg(self, command: Command) -> Result:
        assert command.words[-2:] == ("--configure", "--pending")
        self.interrupted = False
        return Result(0)

    def _install(self, version: str) -> None:
        self.package = ("ii", version)
        for name, text in SHIPPED.items():
            self.write(name, text)
        self.active.update(("tidemark.target", "tidemark-units.path", "tidemark-units.secrets.path"))

    def _remove(self) -> None:
        self.active.clear()
        for name in SHIPPED:
            if name.startswith("/usr"):
                self.path(name).unlink(missing_ok=True)

    def _systemctl(self, command: Command) -> Result:
        _, verb, *units = command.words
        match verb:
            case "is-active":
                lines = ["active" if unit in self.active else "inactive" for unit in units]
                return Result(0 if "inactive" not in lines else 3, "\n".join(lines) + "\n")
            case "start":
                self.active.update(units)
            case "stop":
                self.active.difference_update(units)
            case "list-units":
                return Result(0, json.dumps([{"unit": unit} for unit in self.running]) if self.running else "")
            case "show":
                return Result(0, self.running[units[-1]] + "\n")
            case "daemon-reload" | "try-restart":
                pass
            case _:
                raise AssertionError(f"systemctl {verb}")
        return Result(0)

    def _tidemark(self, command: Command) -> Result:
        match command.words[1:]:
            case ("--config", config, "check", "--json"):
                return self._check(self.path(config).parent, self.path(command.env["CREDENTIALS_DIRECTORY"]))
            case ("status", "--json"):
                sinks = [{"name": "influxdb", "waiting": self.waiting}]
                return Result(0, json.dumps({"host": "h", "collectors": self.collectors, "sinks": sinks}))
            case ("outbox", "flush"):
                left, self.waiting = self.waiting, 0
                return Result(0, f"{left} points delivered\n")
            case ("units", "sync"):
                return Result(0, "nothing to do\n")
            case words:
                return Result(0, f"said by {' '.join(words)}\n")

    def _check(self, stage: Path, credentials: Path) -> Result:
        """Find in a staged copy what the real command finds there: mistakes of TOML, secrets that are not there."""
        paths = [path for path in stage.rglob("*") if path.is_file()]
        self.staged.append({str(path.relative_to(stage)): _seen(path) for path in paths})
        findings = list(self.findings)
        for path in sorted(path for path in paths if path.suffix == ".toml"):
            text = path.read_text()
            # As the machine sees it.
            name = f"/{path.relative_to(self.root)}"
            try:
                tomllib.loads(text)
            except tomllib.TOMLDecodeError:
                findings.append(_finding("settings", "mistake", f"{name}:1:1: this is no TOML", "mend it"))
            for credential in _CREDENTIAL.findall(text):
                if not (credentials / credential).is_file():
                    found = f"the secret file /{(credentials / credential).relative_to(self.root)} does not exist"
                    findings.append(_finding("sink", "secret", found, "create it, or name another", name="influxdb"))
        failed = [one["part"] for one in findings if one["checks"][0]["verdict"] == "failed"]
        wrong = "settings" in failed
        return Result(78 if wrong else 1 if findings else 0, json.dumps({"parts": findings}))


def _finding(part: str, check: str, found: str, advice: str | None, **more: str) -> dict[str, Any]:
    checks = [{"check": check, "verdict": "failed", "found": found, "advice": advice}]
    return {"part": part, "checks": checks, **more}


def _seen(path: Path) -> tuple[int, bytes]:
    return path.stat().st_mode & 0o7777, path.read_bytes()


def _holds(words: list[str], wanted: list[str]) -> bool:
    return any(words[at : at + len(wanted)] == wanted for at in range(len(words)))


finding = _finding
