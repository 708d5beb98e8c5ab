#!/usr/bin/env python3
"""tidemark's charm: from what Juju says to what should be on the machine, at each event anew.

Nothing is remembered between events but what is on the machine: an event that is missed or comes twice changes nothing.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import ops

import granted
import influxdb
import status
from actions import Actions
from cos import CosAgent
from mistakes import Mistakes
from options import Options
from peers import RELATION as PEERS
from peers import Peers
from status import Facts
from workload import Influxdb, Machine, RefusedError, Tidemark, Wanted, Workload, WorkloadError

PACKAGE = "tidemark-package"

_log = logging.getLogger(__name__)


def now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


@contextmanager
def _noting(facts: Facts) -> Iterator[None]:
    """Note what is wrong, and go on."""
    try:
        yield
    except Mistakes as mistakes:
        facts.mistakes.extend(mistakes.sentences)
    except RefusedError as error:
        facts.mistakes.extend(error.mistakes)
    except WorkloadError as error:
        again = f"{error}; the next event tries again"
        if again not in facts.mistakes:
            facts.mistakes.append(again)


class TidemarkCharm(ops.CharmBase):
    """The charm of a unit."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self._workload = Workload(Machine.here())
        self._actions = Actions(self, self._tidemark, self._stands_by)
        self._cos = CosAgent(self)
        on = self.on
        for event in (
            on.install,
            on.start,
            on.upgrade_charm,
            on.config_changed,
            on.update_status,
            on.leader_elected,
            on.secret_changed,
            on[influxdb.RELATION].relation_created,
            on[influxdb.RELATION].relation_joined,
            on[influxdb.RELATION].relation_changed,
            on[influxdb.RELATION].relation_departed,
            on[influxdb.RELATION].relation_broken,
            on[PEERS].relation_created,
            on[PEERS].relation_changed,
            on[PEERS].relation_departed,
        ):
            framework.observe(event, self._on_event)
        framework.observe(on.stop, self._on_stop)
        framework.observe(on.remove, self._on_remove)

    def _on_event(self, event: ops.EventBase) -> None:
        """Bring the machine to what is wanted, and say how it is."""
        facts = Facts()
        options = self._options(facts)
        with _noting(facts):
            if options is not None:
                self._install(options, upgrade=isinstance(event, ops.UpgradeCharmEvent))
        # A version that cannot be replaced is at work as before.
        with _noting(facts):
            if version := self._workload.package.version():
                self.unit.set_workload_version(version)
                self._settle(event, options, facts)
        for mistake in facts.mistakes:
            _log.error("%s", mistake)
        self.unit.status = status.of(facts, now())

    def _on_stop(self, _: ops.StopEvent) -> None:
        """End in good order: nothing starts any more, and what waits is delivered as far as it can be."""
        with self._insisting():
            if tidemark := self._tidemark():
                self._workload.stop()
                tidemark.flush()

    def _on_remove(self, _: ops.RemoveEvent) -> None:
        with self._insisting():
            self._workload.remove(purge=bool(self.config["purge_on_removal"]))

    @contextmanager
    def _insisting(self) -> Iterator[None]:
        """Let the hook fail, for Juju to run it again: no event follows that would, and what is left behind runs on."""
        try:
            yield
        except WorkloadError as error:
            _log.error("%s; mend it, then run `juju resolved %s`", error, self.unit.name)
            raise

    def _install(self, options: Options, *, upgrade: bool) -> None:
        if upgrade or self._workload.package.version() is None:
            self.unit.status = status.of(Facts(doing="installing tidemark"), now())
        package = self._workload.package
        if options.package_source:
            source, key = options.package_source, options.package_key
            changed = package.install_source(source, key, options.proxies, upgrade=upgrade)
        else:
            changed = package.install_file(self._resource(), options.proxies)
        if changed:
            _log.info("installed tidemark %s", package.version())

    def _resource(self) -> Path:
        try:
            file = self.model.resources.fetch(PACKAGE)
        except (NameError, ops.ModelError):
            file = None
        # A store may hold an empty file in the place of one that everybody brings.
        if file is None or not file.is_file() or file.stat().st_size == 0:
            raise Mistakes(
                f"there is no package: run `juju attach-resource {self.app.name} {PACKAGE}=FILE.deb`, "
                "or set package_source"
            )
        return file

    def _settle(self, event: ops.EventBase, options: Options | None, facts: Facts) -> None:
        """Collect or stand by; then have everything as it is wanted, or all as it was."""
        self._take_turns(facts)
        facts.dry_run = options is not None and options.dry_run
        wanted = self._wanted(options, facts) if options is not None else None
        if isinstance(event, ops.RelationBrokenEvent) and event.relation.name == influxdb.RELATION:
            # What waits for it is delivered as long as it is known.
            self._command(options).flush()
        try:
            if wanted is not None and self._workload.apply(wanted):
                _log.info("settings, credentials or units were changed")
        finally:
            self._look(options, facts)

    def _take_turns(self, facts: Facts) -> None:
        peers = Peers(self)
        collects = self.unit.is_leader()
        if collects:
            peers.lead()
        if collects and peers.waits(now()):
            others = " and ".join(peers.collecting())
            facts.awaited.append(f"for {others} to stand by; without an answer this unit collects in a while")
            collects = False
        else:
            peers.wait_no_longer()
        facts.stands_by = not collects
        # What fails in the middle counts as collecting: the others wait.
        if collects:
            peers.say(collects=True)
            self._workload.take_over()
        else:
            self._workload.stand_by()
            peers.say(collects=False)

    def _wanted(self, options: Options, facts: Facts) -> Wanted | None:
        """Give what should be there; None where it is not all known, and what is there stays."""
        mistakes: list[str] = []
        credentials = {}
        database = None
        try:
            if options.credentials:
                credentials = dict(granted.read(self.model, options.credentials, self.app.name))
        except Mistakes as found:
            mistakes.extend(found.sentences)
        try:
            database = self._influxdb(options)
        except Mistakes as found:
            mistakes.extend(found.sentences)
        installed = self._workload.installed_collectors()
        unknown = sorted(set(options.collectors or ()) - set(installed))
        if unknown:
            mistakes.append(f"collectors: there is no {' and no '.join(unknown)}; there are {', '.join(installed)}")
        if mistakes:
            facts.mistakes.extend(mistakes)
            return None
        if database is None and self._relation() is not None:
            facts.awaited.append("for influxdb to say where it is")
            if self._workload.has_influxdb():
                return None
        return Wanted(
            dry_run=options.dry_run,
            collectors=options.collectors,
            influxdb=database,
            settings=options.settings,
            credentials=credentials,
            log_level=options.log_level,
            proxies=options.proxies,
        )

    def _relation(self) -> ops.Relation | None:
        """Give the one with InfluxDB: the older, where a new one comes while the last still ends."""
        relations = sorted(self.model.relations[influxdb.RELATION], key=lambda relation: relation.id)
        return next((relation for relation in relations if relation.active), None)

    def _influxdb(self, options: Options) -> Influxdb | None:
        relation = self._relation()
        if relation is None:
            return None
        return influxdb.read(
            relation, options, lambda id_: granted.read_of(relation.app.name, self.model, id_, influxdb.KEYS)
        )

    def _look(self, options: Options | None, facts: Facts) -> None:
        """See how it is; a unit that stands by delivers what waits from the time when it did not."""
        tidemark = self._command(options)
        try:
            facts.overview = tidemark.overview()
            if facts.stands_by and facts.overview.waiting:
                tidemark.flush()
                facts.overview = tidemark.overview()
        except WorkloadError as error:
            facts.mistakes.append(str(error))

    def _options(self, facts: Facts) -> Options | None:
        try:
            return Options.read(self.config, os.environ)
        except Mistakes as mistakes:
            facts.mistakes.extend(mistakes.sentences)
            return None

    def _tidemark(self) -> Tidemark | None:
        if self._workload.package.version() is None:
            return None
        return self._command(self._options(Facts()))

    def _command(self, options: Options | None) -> Tidemark:
        return self._workload.tidemark(options.proxies if options is not None else {})

    def _stands_by(self) -> bool:
        return self._workload.stands_by()


if __name__ == "__main__":
    ops.main(TidemarkCharm)
