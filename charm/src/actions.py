"""The actions: each is a call of `tidemark`, and what it prints is the result."""

from collections.abc import Callable

import ops

from workload import Result, Tidemark, WorkloadError

# The most of an output that Juju is handed, in bytes: it travels as one word, of which Linux takes 128 KiB.
LONGEST = 60_000


class Actions(ops.Object):
    """The actions of a unit.

    `tidemark` gives the command, None where it is not installed; `stands_by` says whether another unit collects.
    """

    def __init__(
        self, charm: ops.CharmBase, tidemark: Callable[[], Tidemark | None], stands_by: Callable[[], bool]
    ) -> None:
        super().__init__(charm, "actions")
        self._tidemark = tidemark
        self._stands_by = stands_by
        on = charm.on
        for event, handler in (
            (on.run_action, self._on_run),
            (on.status_action, self._on_status),
            (on.check_action, self._on_check),
            (on.outbox_action, self._on_outbox),
            (on.flush_action, self._on_flush),
            (on.retry_action, self._on_retry),
        ):
            self.framework.observe(event, handler)

    def _on_run(self, event: ops.ActionEvent) -> None:
        collector: str = event.params["collector"]
        dry_run: bool = event.params.get("dry-run", False)
        if self._stands_by() and not dry_run:
            # What two units collect counts twice.
            event.fail("this unit stands by: run it on the leader, or with dry-run=true")
            return
        self._answer(event, lambda tidemark: tidemark.run(collector, dry_run=dry_run), "the run failed")

    def _on_status(self, event: ops.ActionEvent) -> None:
        self._answer(event, Tidemark.status, "the settings are wrong")

    def _on_check(self, event: ops.ActionEvent) -> None:
        self._answer(event, Tidemark.check, "not all is as it should be")

    def _on_outbox(self, event: ops.ActionEvent) -> None:
        def both(tidemark: Tidemark) -> Result:
            waiting, rejected = tidemark.waiting(), tidemark.rejected()
            return Result(
                max(waiting.code, rejected.code),
                f"{waiting.stdout}\n{rejected.stdout}",
                f"{waiting.stderr}{rejected.stderr}",
            )

        self._answer(event, both, "the outbox cannot be read")

    def _on_flush(self, event: ops.ActionEvent) -> None:
        self._answer(event, Tidemark.flush, "points are left waiting")

    def _on_retry(self, event: ops.ActionEvent) -> None:
        sink: str = event.params.get("sink", "")
        self._answer(event, lambda tidemark: tidemark.retry(sink), "points are left waiting")

    def _answer(self, event: ops.ActionEvent, call: Callable[[Tidemark], Result], failure: str) -> None:
        tidemark = self._tidemark()
        if tidemark is None:
            event.fail("tidemark is not installed: the unit's status says why")
            return
        try:
            result = call(tidemark)
        except WorkloadError as error:
            event.fail(str(error))
            return
        event.set_results({"code": result.code, "output": _bounded(result.stdout + result.stderr)})
        if result.code != 0:
            event.fail(f"{failure}: the output says why")


def _bounded(text: str) -> str:
    output = text.encode()
    if len(output) <= LONGEST:
        return text
    more = f"\n… and {len(output) - LONGEST} bytes more: run tidemark on the machine"
    return output[:LONGEST].decode(errors="ignore") + more
