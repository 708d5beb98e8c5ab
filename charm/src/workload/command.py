"""`tidemark`, the operator's command, as the charm calls it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .machine import Machine, Result, WorkloadError

STATUS_TIMEOUT = 60.0
# A run may take its deadline, ten minutes as a rule, and deliver for a little.
RUN_TIMEOUT = 660.0
OUTBOX_TIMEOUT = 300.0
ANY_CODE = tuple(range(256))


@dataclass(frozen=True)
class Overview:
    """How the collectors and the sinks are, in a few numbers."""

    # The collectors that timers start.
    enabled: int
    # Those of them whose last run failed, or is too long ago.
    failing: tuple[str, ...]
    last_run: datetime | None
    # The sinks that points wait for, each with how many.
    waiting: Mapping[str, int]


class Tidemark:
    """The command on a machine, in the environment that the units have."""

    def __init__(self, machine: Machine, env: Mapping[str, str]) -> None:
        self._machine = machine
        self._env = env

    def run(self, collector: str, *, dry_run: bool) -> Result:
        """Run a collector once."""
        options = ("--dry-run",) if dry_run else ()
        return self._call("run", *options, "--", collector, timeout=RUN_TIMEOUT)

    def status(self) -> Result:
        """Say how all is, for a person."""
        return self._call("status", timeout=STATUS_TIMEOUT)

    def check(self) -> Result:
        """Say whether all that a run needs is as it should be."""
        return self._call("check", timeout=STATUS_TIMEOUT * 3)

    def waiting(self) -> Result:
        """List what waits."""
        return self._call("outbox", "list", timeout=STATUS_TIMEOUT)

    def rejected(self) -> Result:
        """Say what was rejected and why."""
        return self._call("outbox", "show", timeout=STATUS_TIMEOUT)

    def flush(self) -> Result:
        """Try all that waits, now; 1 where something is left."""
        return self._call("outbox", "flush", timeout=OUTBOX_TIMEOUT)

    def retry(self, sink: str) -> Result:
        """End the backoff of a sink, or of all, and try."""
        names = ("--", sink) if sink else ()
        return self._call("outbox", "retry", *names, timeout=OUTBOX_TIMEOUT)

    def overview(self) -> Overview:
        """Give the numbers of `tidemark status --json`.

        Raises:
            WorkloadError: where it prints none.
        """
        shown = self._machine.run(("tidemark", "status", "--json"), env=self._env, timeout=STATUS_TIMEOUT)
        try:
            return _overview(json.loads(shown.stdout))
        except (ValueError, KeyError, TypeError) as error:
            raise WorkloadError("`tidemark status --json` printed no status: is the package whole?") from error

    def _call(self, *words: str, timeout: float) -> Result:
        return self._machine.run(("tidemark", *words), env=self._env, timeout=timeout, accept=ANY_CODE)


def _overview(status: dict[str, Any]) -> Overview:
    enabled = [collector for collector in status["collectors"] if collector["enabled"]]
    bad = [collector["name"] for collector in enabled if collector["state"] in ("failing", "late")]
    runs = [collector["last_run"]["started"] for collector in status["collectors"] if collector["last_run"]]
    waiting = {sink["name"]: int(sink["waiting"]) for sink in status["sinks"] if sink["waiting"]}
    return Overview(len(enabled), tuple(bad), max(map(_time, runs), default=None), waiting)


def _time(text: str) -> datetime:
    """Read RFC 3339; nanoseconds are more than a datetime holds."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    time = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return time.replace(microsecond=int(rest[:6].ljust(6, "0")) if rest else 0)
