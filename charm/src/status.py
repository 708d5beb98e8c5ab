"""The unit's status, in one place: the worst first, each with what to do."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import ops

from workload import Overview

# What `juju status` shows of a message without breaking its table; the log has the rest.
LONGEST = 300


@dataclass
class Facts:
    """What is known at the end of an event."""

    # What somebody has to mend, a sentence each.
    mistakes: list[str] = field(default_factory=list[str])
    # What is not there yet, and comes by itself.
    awaited: list[str] = field(default_factory=list[str])
    # What the charm is at, where it takes long.
    doing: str = ""
    # Another unit collects.
    stands_by: bool = False
    # Nothing is submitted, and no run is recorded.
    dry_run: bool = False
    overview: Overview | None = None


def of(facts: Facts, now: datetime) -> ops.StatusBase:
    """Give the status."""
    if facts.mistakes:
        more = f" (and {len(facts.mistakes) - 1} more)" if len(facts.mistakes) > 1 else ""
        return ops.BlockedStatus(_short(facts.mistakes[0], LONGEST - len(more)) + more)
    if facts.awaited:
        return ops.WaitingStatus(_short("; ".join(facts.awaited), LONGEST))
    if facts.doing:
        return ops.MaintenanceStatus(facts.doing)
    return ops.ActiveStatus(_short(_active(facts, now), LONGEST))


def _active(facts: Facts, now: datetime) -> str:
    overview = facts.overview
    if overview is None:
        return ""
    parts = ["stands by"] if facts.stands_by else [_collectors(overview, now)]
    if facts.dry_run:
        parts.append("dry run: nothing is submitted")
    if overview.failing and not facts.stands_by:
        parts.append(f"{', '.join(overview.failing)} failing or late: run the action status")
    parts.extend(f"{points} points wait for {sink}" for sink, points in sorted(overview.waiting.items()))
    return "; ".join(parts)


def _collectors(overview: Overview, now: datetime) -> str:
    count = f"{overview.enabled} collector{'' if overview.enabled == 1 else 's'}"
    if overview.last_run is None:
        return f"{count}, no run yet"
    return f"{count}, last run {_ago(now - overview.last_run)}"


def _ago(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {name} ago"
    return f"{seconds} s ago"


def _short(text: str, longest: int) -> str:
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
