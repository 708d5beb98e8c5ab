"""Settings tried in a staged copy before they are used: the host's own files, and the charm's as they would be.

The copy is in memory (/run) for as long as `tidemark check` takes. The check becomes tidemark's user on its way, who
reads the settings and sees which credentials there are; what is in these, root alone reads.
"""

import json
import re
import shutil
from collections.abc import Mapping
from typing import Any

from .credentials import FOLDER as CREDSTORE
from .credentials import MODE as CREDENTIAL_MODE
from .credentials import content
from .machine import Machine, WorkloadError
from .secret import Secret
from .settings import FOLDER, FRAGMENT, GROUP, MAIN, MODE, OWN
from .wanted import PREFIX

STAGE = "/run/tidemark-juju"
# A sink that does not answer takes half a minute; several are tried at once.
CHECK_TIMEOUT = 180.0
# `tidemark check` ends with 1 where a sink cannot be reached, and with 78 where the settings are wrong.
CHECK_CODES = (0, 1, 78)

# What is wrong with a sink's settings themselves: a secret, or what no client can be made of (a certificate, a proxy).
SINK_CHECKS = ("secret", "client")
# A finding on a collector one of whose secrets is not there, or is none. One that the check's user may not read is no
# mistake: systemd hands it over.
_SECRET = re.compile(r"`[^`]+`: the (secret|credential) (?!.*cannot be read)")


class RefusedError(WorkloadError):
    """The settings do not pass. The text is what `tidemark check` says is wrong, and what to write instead."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(mistakes))


def try_out(
    machine: Machine,
    files: Mapping[str, str],
    secrets: Mapping[str, Secret],
    env: Mapping[str, str],
) -> None:
    """Try the charm's files of settings, with these secrets, in the place of those on the machine.

    Raises:
        RefusedError: where the settings are wrong, or name a secret that is not there.
        WorkloadError: where it cannot be tried.
    """
    shutil.rmtree(machine.path(STAGE), ignore_errors=True)
    try:
        _stage(machine, files, secrets)
        words = ("tidemark", "--config", f"{STAGE}/{MAIN}", "check", "--json")
        environment = {**env, "CREDENTIALS_DIRECTORY": f"{STAGE}/credentials"}
        checked = machine.run(words, env=environment, timeout=CHECK_TIMEOUT, accept=CHECK_CODES)
        try:
            report: dict[str, Any] = json.loads(checked.stdout)
            mistakes = _mistakes(report)
        except (ValueError, KeyError, TypeError) as error:
            raise WorkloadError("`tidemark check --json` printed no report: is the package whole?") from error
    finally:
        shutil.rmtree(machine.path(STAGE), ignore_errors=True)
    if mistakes:
        raise RefusedError(mistakes)


def _stage(machine: Machine, files: Mapping[str, str], secrets: Mapping[str, Secret]) -> None:
    machine.folder(STAGE, 0o750, GROUP)
    for folder in ("conf.d", "credentials"):
        machine.folder(f"{STAGE}/{folder}", 0o750, GROUP)
    # Named, it has to be there; on the host it need not.
    machine.write(f"{STAGE}/{MAIN}", machine.read(f"{FOLDER}/{MAIN}") or b"", MODE, GROUP)
    for name in machine.names(f"{FOLDER}/conf.d", "*.toml"):
        file = f"conf.d/{name}"
        if file not in (OWN, FRAGMENT):
            machine.write(f"{STAGE}/{file}", machine.read(f"{FOLDER}/{file}") or b"", MODE, GROUP)
    for name, text in files.items():
        machine.write(f"{STAGE}/{name}", text.encode(), MODE, GROUP)
    for name in machine.names(CREDSTORE, "*"):
        # The charm's own are those that are wanted, and no other.
        if not name.startswith(PREFIX) and machine.path(f"{CREDSTORE}/{name}").is_file():
            machine.write(f"{STAGE}/credentials/{name}", machine.read(f"{CREDSTORE}/{name}") or b"", CREDENTIAL_MODE)
    for name, secret in secrets.items():
        machine.write(f"{STAGE}/credentials/{name}", content(secret), CREDENTIAL_MODE)


def _mistakes(report: dict[str, Any]) -> list[str]:
    """List what no run could do without; a sink that cannot be reached is none: points wait for it."""
    mistakes: list[str] = []
    for part in report["parts"]:
        for check in part["checks"]:
            if check["verdict"] != "failed":
                continue
            found: str = check["found"]
            kind: str = part["part"]
            if (
                kind == "settings"
                or (kind == "sink" and check["check"] in SINK_CHECKS)
                or (kind == "collectors" and _SECRET.match(found))
            ):
                where = {"sink": f"sink {part.get('name')}: ", "collectors": f"{check['check']}: "}
                advice = check.get("advice")
                mistakes.append(
                    _as_written(where.get(kind, "") + found) + (f"; {_as_written(advice)}" if advice else "")
                )
    return mistakes


def _as_written(text: str) -> str:
    """Name files as the operator knows them."""
    for staged, known in (
        (f"{STAGE}/{FRAGMENT}", "settings"),
        (f"{STAGE}/{OWN}", "the charm's settings"),
        (f"{STAGE}/credentials", CREDSTORE),
        (STAGE, FOLDER),
    ):
        text = text.replace(staged, known)
    return text
