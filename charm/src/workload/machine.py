"""The machine: its files below a root, and its commands by a runner. Nothing else touches it."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# How long a command may take where nobody says otherwise, in seconds.
USUAL_TIMEOUT = 120.0
# What every command finds in its environment: not the charm's own, which is Juju's.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
}


@dataclass(frozen=True)
class Command:
    """A command to run. Its words and its environment hold no secret: every user of a machine sees the words."""

    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout: float = USUAL_TIMEOUT


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    stdout: str = ""
    stderr: str = ""


Runner = Callable[[Command], Result]


class WorkloadError(Exception):
    """Something on the machine did not work; the text says what, and what to do."""


class CommandError(WorkloadError):
    """A command ended with a code that says that it failed, or did not end."""

    def __init__(self, command: Command, result: Result) -> None:
        self.words = command.words
        self.result = result
        said = (result.stderr.strip() or result.stdout.strip()).splitlines()
        # apt's first error is the cause of its others; else the last line says most.
        why = next((line for line in said if line.startswith("E: ")), said[-1] if said else "").strip()
        # The options of a call are for those who read the source.
        words = " ".join(word for word in command.words if not word.startswith("--"))
        super().__init__(f"`{words}` ended with {result.code}{': ' if why else ''}{why}")


def run_on_this_machine(command: Command) -> Result:
    """Run a command to its end.

    One that is missing is code 127, one that cannot be started 126, and one that takes too long is killed and is 124,
    as a shell and `timeout` have it.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - words, no shell
            command.words,
            env={**ENVIRONMENT, **command.env},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=command.timeout,
            check=False,
        )
    except FileNotFoundError:
        return Result(127, stderr=f"{command.words[0]} is not installed")
    except OSError as error:
        return Result(126, stderr=f"{command.words[0]} cannot be started: {error.strerror}")
    except ValueError as error:
        # What a word cannot hold.
        return Result(126, stderr=f"{command.words[0]} cannot be started: {error}")
    except subprocess.TimeoutExpired:
        return Result(124, stderr=f"it did not end within {command.timeout:g} s")
    return Result(ended.returncode, _text(ended.stdout), _text(ended.stderr))


def _text(output: bytes) -> str:
    """Read what a command printed, as a text that can be a word of another: Juju's tools take theirs so."""
    return output.decode(errors="replace").replace("\0", "\ufffd")


@contextlib.contextmanager
def _saying(what: str) -> Iterator[None]:
    """Say what could not be done where the system says why: a full disk, say."""
    try:
        yield
    except OSError as error:
        raise WorkloadError(f"{what}: {error.strerror}") from error


def _sync(folder: Path) -> None:
    """Have a name that was put into a folder outlive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Machine:
    """A machine by its root folder and by what runs commands on it. Paths are the machine's own: `/etc/tidemark`."""

    root: Path
    runner: Runner

    @classmethod
    def here(cls) -> "Machine":
        """Give the machine that this process runs on."""
        return cls(Path("/"), run_on_this_machine)

    def path(self, name: str) -> Path:
        """Give the path of a file of the machine, as this process sees it."""
        return self.root / name.lstrip("/")

    def read(self, name: str) -> bytes | None:
        """Read a file; None where there is none."""
        with _saying(f"{name} cannot be read"):
            try:
                return self.path(name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def names(self, folder: str, pattern: str) -> list[str]:
        """List the names in a folder that fit the pattern, sorted; none where there is no such folder."""
        return sorted(path.name for path in self.path(folder).glob(pattern))

    def folder(self, name: str, mode: int, group: str = "root") -> None:
        """Make a folder with this mode and group, where it is missing, and those above it."""
        path = self.path(name)
        with _saying(f"the folder {name} cannot be made"):
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if not path.is_dir():
                path.mkdir(mode=0o700)
                self._give(path, group)
                path.chmod(mode)

    def holds(self, name: str, content: bytes, mode: int = 0o644, group: str = "root") -> bool:
        """Say whether the file is there as `write` would leave it."""
        path = self.path(name)
        try:
            found = path.lstat()
            if path.is_symlink() or found.st_mode & 0o7777 != mode or path.read_bytes() != content:
                return False
        except OSError:
            return False
        return os.geteuid() != 0 or (found.st_uid, found.st_gid) == (0, self._gid(group))

    def write(self, name: str, content: bytes, mode: int = 0o644, group: str = "root") -> bool:
        """Put a file there, whole or not at all; say whether that changed anything.

        At no time does it have more rights than its mode gives.
        """
        if self.holds(name, content, mode, group):
            return False
        path = self.path(name)
        with _saying(f"{name} cannot be written"):
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._replace(path, content, mode, group)
        return True

    def _replace(self, path: Path, content: bytes, mode: int, group: str) -> None:
        # Made with 0600, and hidden: who reads folders of settings leaves it alone.
        handle, new = tempfile.mkstemp(dir=path.parent, prefix=".juju-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._give(Path(new), group)
            os.chmod(new, mode)
            os.replace(new, path)
            _sync(path.parent)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)
            raise

    def remove(self, name: str) -> bool:
        """Delete a file; say whether there was one."""
        with _saying(f"{name} cannot be deleted"):
            try:
                self.path(name).unlink()
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def remove_empty(self, folder: str) -> None:
        """Delete a folder where nothing is in it."""
        with contextlib.suppress(OSError):
            self.path(folder).rmdir()

    def run(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout: float = USUAL_TIMEOUT,
        accept: Sequence[int] = (0,),
    ) -> Result:
        """Run a command to its end.

        Raises:
            CommandError: where it ends with a code that is not one of `accept`.
        """
        command = Command(tuple(words), dict(env or {}), timeout)
        result = self.runner(command)
        if result.code not in accept:
            raise CommandError(command, result)
        return result

    def _gid(self, group: str) -> int:
        """Give a group's number on the machine; root's where it has none of that name, which lets in nobody more."""
        for line in (self.read("/etc/group") or b"").decode(errors="replace").splitlines():
            fields = line.split(":")
            if fields[0] == group and len(fields) > 2 and fields[2].isdigit():
                return int(fields[2])
        return 0

    def _give(self, path: Path, group: str) -> None:
        if os.geteuid() == 0:
            os.chown(path, 0, self._gid(group))
