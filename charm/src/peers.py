"""The units among themselves: one collects, the others stand by, and a change of leader hands over.

Each unit says in the peer relation whether it collects, and a new leader says that it leads, for the old one to hear.
It waits until no other collects, so that nothing is collected twice, but no longer than `PATIENCE`: one that has died
says nothing more.
"""

from datetime import datetime, timedelta

import ops

RELATION = "tidemark-peers"
_COLLECTS = "collects"
_LEADER = "leader"
_WAITS_SINCE = "waits_since"

# One that lives has heard by then. An update-status comes every five minutes as a rule.
PATIENCE = timedelta(minutes=4)


class Peers:
    """What the other units say, and what this one does."""

    def __init__(self, charm: ops.CharmBase) -> None:
        self._app = charm.app
        self._unit = charm.unit
        self._relation = charm.model.get_relation(RELATION)

    def collecting(self) -> list[str]:
        """Name the other units that collect, as far as they say."""
        if self._relation is None:
            return []
        data = self._relation.data
        return sorted(unit.name for unit in self._relation.units if data[unit].get(_COLLECTS) == "true")

    def collects(self) -> bool:
        """Say whether this unit has said that it collects."""
        return self._relation is not None and self._relation.data[self._unit].get(_COLLECTS) == "true"

    def lead(self) -> None:
        """Say that this unit leads: nothing else tells the one that led before."""
        if self._relation is not None:
            self._relation.data[self._app][_LEADER] = self._unit.name

    def waits(self, now: datetime) -> bool:
        """Say whether this unit, which leads, waits for the others, from the first time that this is asked."""
        if self.collects() or not self.collecting() or self._relation is None:
            return False
        data = self._relation.data[self._unit]
        since = datetime.fromisoformat(data.get(_WAITS_SINCE) or now.isoformat())
        # A clock that was set back: from now.
        since = min(since, now)
        data[_WAITS_SINCE] = since.isoformat()
        return now - since < PATIENCE

    def wait_no_longer(self) -> None:
        """Forget since when this unit waits."""
        if self._relation is not None:
            self._relation.data[self._unit].pop(_WAITS_SINCE, None)

    def say(self, *, collects: bool) -> None:
        """Say whether this unit collects."""
        if self._relation is not None:
            self._relation.data[self._unit][_COLLECTS] = "true" if collects else "false"
