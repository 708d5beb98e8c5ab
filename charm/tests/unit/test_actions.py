"""The actions: what they call, what they give, and how they fail."""

import pytest
from ops import testing

from host import Host
from juju import Juju
from test_peers import peers
from workload import Result


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("run", {"collector": "host"}, ["run -- host"]),
        ("run", {"collector": "--help", "dry-run": True}, ["run --dry-run -- --help"]),
        ("status", {}, ["status"]),
        ("check", {}, ["check"]),
        ("outbox", {}, ["outbox list", "outbox show"]),
        ("flush", {}, ["outbox flush"]),
        ("retry", {}, ["outbox retry"]),
        ("retry", {"sink": "influxdb"}, ["outbox retry -- influxdb"]),
    ],
)
def test_an_action_is_a_call_and_its_output_the_result(
    host: Host, deployed: Juju, name: str, params: dict[str, object], words: list[str]
) -> None:
    deployed.configure(https_proxy="http://proxy:3128")
    host.forget()
    results = deployed.act(name, **params)
    calls = [command for command in host.commands if command.words[0] == "tidemark"]
    assert [" ".join(command.words[1:]) for command in calls] == words
    assert all(command.env == {"https_proxy": "http://proxy:3128"} for command in calls)
    assert results["code"] == 0
    if name != "flush":
        assert results["output"].split("\n")[0] == f"said by {words[0]}"


@pytest.mark.parametrize(
    ("name", "params", "broken", "code", "said"),
    [
        ("run", {"collector": "nothing"}, "tidemark run", 1, "the run failed: the output says why"),
        ("status", {}, "tidemark status", 78, "the settings are wrong: the output says why"),
        ("check", {}, "tidemark check", 1, "not all is as it should be: the output says why"),
        ("outbox", {}, "outbox show", 1, "the outbox cannot be read: the output says why"),
        ("flush", {}, "outbox flush", 1, "points are left waiting: the output says why"),
        ("retry", {}, "outbox retry", 1, "points are left waiting: the output says why"),
    ],
)
def test_an_action_that_fails_says_so_and_gives_the_output(
    host: Host, deployed: Juju, name: str, params: dict[str, object], broken: str, code: int, said: str
) -> None:
    host.broken[broken] = Result(code, "what was found\n", "what was said\n")
    with pytest.raises(testing.ActionFailed, match=said):
        deployed.act(name, **params)
    results = deployed.context.action_results
    assert results is not None
    assert results["code"] == code
    assert results["output"].endswith("what was found\nwhat was said\n") or name == "outbox"
    assert "what was said" in results["output"]


def test_an_output_without_end_is_cut(host: Host, deployed: Juju) -> None:
    host.broken["tidemark status"] = Result(0, "x" * 100_000)
    output = deployed.act("status")["output"]
    assert len(output) < 60_100
    assert output.endswith("… and 40000 bytes more: run tidemark on the machine")
    # It travels as one word of a command, of which the kernel takes 128 KiB.
    host.broken["tidemark status"] = Result(0, "€" * 60_000)
    output = deployed.act("status")["output"]
    assert len(output.encode()) < 60_100
    assert output.endswith("€\n… and 120000 bytes more: run tidemark on the machine")


def test_without_the_package(host: Host, juju: Juju) -> None:
    with pytest.raises(testing.ActionFailed, match="tidemark is not installed: the unit's status says why"):
        juju.act("status")
    assert not host.called("tidemark", "status")


def test_a_command_that_does_not_even_answer(host: Host, deployed: Juju) -> None:
    host.broken["tidemark status"] = Result(-9)
    with pytest.raises(testing.ActionFailed, match="`tidemark status` ended with -9"):
        deployed.act("status")


def test_a_unit_that_stands_by_runs_nothing(host: Host, juju: Juju) -> None:
    juju.deploy(relations={peers(u1=True)}, leader=False)
    host.forget()
    with pytest.raises(testing.ActionFailed, match="this unit stands by: run it on the leader, or with dry-run=true"):
        juju.act("run", collector="host")
    assert not host.called("tidemark", "run")
    assert juju.act("run", collector="host", **{"dry-run": True})["code"] == 0


def test_config_that_is_wrong_is_in_no_action_s_way(host: Host, deployed: Juju) -> None:
    deployed.configure(log_level="loud")
    assert deployed.act("status")["code"] == 0
