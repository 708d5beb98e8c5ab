"""Juju, played: a state, and the events that lead from one to the next."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ops
from ops import testing

from charm import TidemarkCharm


@dataclass
class Juju:
    """An application's unit."""

    context: "testing.Context[TidemarkCharm]"
    state: testing.State
    package: Path
    # Every status that the unit had, also in the middle of an event.
    statuses: list[ops.StatusBase] = field(default_factory=list[ops.StatusBase])

    def emit(self, event: Any, **changes: Any) -> ops.StatusBase:
        """Change the state, then let an event happen; give the unit's status."""
        self.state = self.context.run(event, replace(self.state, **changes))
        seen = [*self.context.unit_status_history, self.state.unit_status]
        self.statuses.extend(status for status in seen if isinstance(status, ops.StatusBase))
        self.context.unit_status_history.clear()
        return self.status

    def deploy(self, **changes: Any) -> ops.StatusBase:
        """Install, elect, configure, start."""
        self.emit(self.on.install(), **changes)
        if self.state.leader:
            self.emit(self.on.leader_elected())
        self.emit(self.on.config_changed())
        return self.emit(self.on.start())

    def configure(self, **options: Any) -> ops.StatusBase:
        """Set options; reset those that are None."""
        config = {name: value for name, value in {**self.state.config, **options}.items() if value is not None}
        return self.emit(self.on.config_changed(), config=config)

    def update_status(self) -> ops.StatusBase:
        return self.emit(self.on.update_status())

    def relate(self, relation: testing.RelationBase) -> ops.StatusBase:
        """Add or change a relation, and tell of it."""
        others = {other for other in self.state.relations if other.id != relation.id}
        return self.emit(self.on.relation_changed(relation), relations=frozenset({*others, relation}))

    def break_(self, relation: testing.RelationBase) -> ops.StatusBase:
        """Take a relation away."""
        current = self.state.get_relation(relation.id)
        status = self.emit(self.on.relation_broken(current))
        self.state = replace(self.state, relations=frozenset(r for r in self.state.relations if r.id != relation.id))
        return status

    def act(self, name: str, **params: Any) -> dict[str, Any]:
        """Run an action; give its results."""
        self.context.action_results = None
        self.state = self.context.run(self.on.action(name, params=params), self.state)
        return dict(self.context.action_results or {})

    @property
    def on(self) -> testing.CharmEvents:
        return self.context.on

    @property
    def status(self) -> ops.StatusBase:
        status = self.state.unit_status
        assert isinstance(status, ops.StatusBase)
        return status

    @property
    def log(self) -> str:
        return "\n".join(line.message for line in self.context.juju_log)


def unit_data(state: testing.State, relation: testing.RelationBase) -> dict[str, str]:
    """Give what this unit says in a relation."""
    data: Any = state.get_relation(relation.id).local_unit_data
    return dict(data)


def app_data(state: testing.State, relation: testing.RelationBase) -> dict[str, str]:
    """Give what this application says in a relation."""
    data: Any = state.get_relation(relation.id).local_app_data
    return dict(data)
