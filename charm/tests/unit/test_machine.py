"""Files and commands, on a real disk and with real programs."""

import os
import stat
from pathlib import Path

import pytest

from workload import Command, CommandError, Machine, Result, WorkloadError
from workload.machine import run_on_this_machine
from workload.package import Package


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, run_on_this_machine)


def test_this_machine_has_its_own_root() -> None:
    here = Machine.here()
    assert here.path("/etc/passwd") == Path("/etc/passwd")
    assert here.run(("true",)) == Result(0)


def test_a_file_is_written_once_and_whole(machine: Machine) -> None:
    assert machine.read("/a/b") is None
    assert machine.write("/a/b", b"one", 0o640)
    path = machine.path("/a/b")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"one", 0o640)
    before = path.stat().st_ino
    assert not machine.write("/a/b", b"one", 0o640)
    assert path.stat().st_ino == before
    assert machine.write("/a/b", b"one", 0o600)
    assert machine.write("/a/b", b"two", 0o600)
    assert machine.read("/a/b") == b"two"
    assert os.listdir(path.parent) == ["b"]
    assert machine.remove("/a/b")
    assert not machine.remove("/a/b")
    assert not machine.remove("/a/b/c")


def test_a_link_is_replaced_and_not_followed(machine: Machine) -> None:
    machine.write("/target", b"theirs")
    machine.path("/link").symlink_to(machine.path("/target"))
    assert machine.write("/link", b"theirs")
    assert not machine.path("/link").is_symlink()
    assert machine.write("/link", b"ours")
    assert machine.read("/target") == b"theirs"


def test_what_cannot_be_put_in_its_place_leaves_nothing(machine: Machine) -> None:
    machine.path("/taken").mkdir()
    for act, said in (
        (lambda: machine.write("/taken", b"text"), "/taken cannot be written: Is a directory"),
        (lambda: machine.read("/taken"), "/taken cannot be read: Is a directory"),
        (lambda: machine.remove("/taken"), "/taken cannot be deleted: Is a directory"),
    ):
        with pytest.raises(WorkloadError, match=said):
            act()
    machine.path("/file").touch()
    with pytest.raises(WorkloadError, match="the folder /file/more/x cannot be made: Not a directory"):
        machine.folder("/file/more/x", 0o700)
    machine.remove("/file")
    assert os.listdir(machine.root) == ["taken"]


def test_a_group_is_the_machine_s_own(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda _path, uid, gid: given.append((uid, gid)))
    machine.path("/etc").mkdir()
    machine.path("/etc/group").write_text("tidemark:x:991:\nodd:x:y:\n")
    for group in ("tidemark", "odd", "none"):
        machine.write(f"/{group}", b"", group=group)
    machine.folder("/folder", 0o750, "tidemark")
    assert given == [(0, 991), (0, 0), (0, 0), (0, 991)]


def test_a_folder_that_is_there_is_left_as_it_is(machine: Machine) -> None:
    machine.folder("/a/b", 0o700)
    machine.path("/a/b").chmod(0o755)
    machine.folder("/a/b", 0o700)
    assert stat.S_IMODE(machine.path("/a/b").stat().st_mode) == 0o755
    assert machine.names("/a", "*") == ["b"]
    assert machine.names("/none", "*") == []


def test_a_command_s_outputs_and_environment(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUJU_CONTEXT_ID", "of-the-charm")
    script = 'echo "$MORE${JUJU_CONTEXT_ID:-}"; printf "\\377" >&2; cat'
    assert machine.run(("sh", "-c", script), env={"MORE": "m"}) == Result(0, "m\n", "\ufffd")


def test_a_command_that_fails_is_an_error_that_says_so(machine: Machine) -> None:
    with pytest.raises(CommandError) as caught:
        machine.run(("sh", "-c", "echo first; echo ' last ' >&2; exit 3", "--option"))
    assert str(caught.value).endswith("ended with 3: last")
    assert "--option" not in str(caught.value)
    assert caught.value.result.stdout == "first\n"
    # apt says why, then what follows from it.
    with pytest.raises(CommandError, match=r"ended with 100: E: no such host$"):
        machine.run(
            ("sh", "-c", "echo 'W: old\nE: no such host\nE: Some index files failed to download.' >&2; exit 100")
        )
    assert machine.run(("sh", "-c", "exit 3"), accept=(0, 3)) == Result(3)
    with pytest.raises(CommandError, match=r"`false` ended with 1$"):
        machine.run(("false",))


def test_a_command_that_is_missing_or_takes_too_long() -> None:
    assert run_on_this_machine(Command(("tidemark-of-nowhere",))) == Result(
        127, "", "tidemark-of-nowhere is not installed"
    )
    assert run_on_this_machine(Command(("/etc/passwd",))) == Result(
        126, "", "/etc/passwd cannot be started: Permission denied"
    )
    assert run_on_this_machine(Command(("sleep", "60"), timeout=0.05)) == Result(
        124, "", "it did not end within 0.05 s"
    )
    assert run_on_this_machine(Command(("true", "nul\0"))) == Result(
        126, "", "true cannot be started: embedded null byte"
    )


def test_what_a_command_prints_can_be_handed_on_as_a_word() -> None:
    assert run_on_this_machine(Command(("printf", "a\\0b"))) == Result(0, "a\ufffdb")


def test_a_package_that_cannot_be_read(machine: Machine) -> None:
    with pytest.raises(WorkloadError, match=r"the package /nowhere/x\.deb cannot be read: No such file or directory"):
        Package(machine).install_file(Path("/nowhere/x.deb"))
