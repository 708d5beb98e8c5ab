"""The status, worst first."""

from datetime import UTC, datetime, timedelta

import ops
import pytest

from status import Facts, of
from workload import Overview

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def overview(
    seconds: float | None = 40, *, enabled: int = 10, failing: tuple[str, ...] = (), **waiting: int
) -> Overview:
    last = None if seconds is None else NOW - timedelta(seconds=seconds)
    return Overview(enabled, failing, last, waiting)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (
            Facts(mistakes=["a; do b", "c"], awaited=["x"], doing="y", overview=overview()),
            ops.BlockedStatus("a; do b (and 1 more)"),
        ),
        (Facts(mistakes=["a\n  b"]), ops.BlockedStatus("a b")),
        (Facts(mistakes=["\x1b[31mred\x1b[0m\x07"]), ops.BlockedStatus("[31mred [0m")),
        (Facts(awaited=["for a", "for b"], doing="y", overview=overview()), ops.WaitingStatus("for a; for b")),
        (Facts(doing="installing", overview=overview()), ops.MaintenanceStatus("installing")),
        (Facts(overview=overview()), ops.ActiveStatus("10 collectors, last run 40 s ago")),
        (Facts(overview=overview(None, enabled=1)), ops.ActiveStatus("1 collector, no run yet")),
        (
            Facts(overview=overview(failing=("a", "b"), influxdb=3)),
            ops.ActiveStatus(
                "10 collectors, last run 40 s ago; a, b failing or late: run the action status; "
                "3 points wait for influxdb"
            ),
        ),
        (Facts(stands_by=True, overview=overview(failing=("a",))), ops.ActiveStatus("stands by")),
        (
            Facts(dry_run=True, overview=overview(None)),
            ops.ActiveStatus("10 collectors, no run yet; dry run: nothing is submitted"),
        ),
        (Facts(), ops.ActiveStatus("")),
    ],
)
def test_the_worst_comes_first(facts: Facts, status: ops.StatusBase) -> None:
    assert of(facts, NOW) == status


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (0.9, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (86400 * 2 - 1, "47 h"),
        (86400 * 3, "3 d"),
    ],
)
def test_times_are_said_as_people_do(seconds: float, said: str) -> None:
    assert of(Facts(overview=overview(seconds)), NOW).message == f"10 collectors, last run {said} ago"


def test_a_long_message_is_cut_and_still_counts_the_others() -> None:
    message = of(Facts(mistakes=["x" * 1000, "y"]), NOW).message
    assert len(message) == 300
    assert message.endswith("x… (and 1 more)")
