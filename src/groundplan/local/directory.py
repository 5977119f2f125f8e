"""The data directory: everything that a platform keeps on this machine, and the lock on it.

::

    .groundplan/local/
      lock  control.sock  pids.json      while a supervisor runs
      ports.json  masks.json             remembered between runs
      secrets/ files/ data/ logs/        0700; gone only with `down --wipe`
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from groundplan.local import errors

LONGEST_SOCKET_PATH = 103
"""Bytes: sun_path holds 108 on Linux and 104 on macOS, with the final zero (unix(7), unix(4))."""

LONGEST_BASE = LONGEST_SOCKET_PATH - len("/groundplan/0123456789abcdef.sock")

KEPT = ("data", "secrets", "files", "logs", "ports.json", "pids.json", "masks.json", "restoring", ".gitignore")


@dataclass(frozen=True)
class Directory:
    """Paths below `root` (absolute)."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def socket(self) -> Path:
        """The control socket: below `root`, or in a short directory of this user's where that path is too long."""
        plain = self.root / "control.sock"
        if len(os.fsencode(plain)) <= LONGEST_SOCKET_PATH:
            return plain
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return short_directory() / f"{name}.sock"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def pids(self) -> Path:
        return self.root / "pids.json"

    @property
    def masks(self) -> Path:
        return self.root / "masks.json"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def make_data(self, engine: str) -> Path:
        """Where `engine` keeps its data, made (0700) where it is missing; raises DirectoryUnusable."""
        path = self.data / engine
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise errors.from_os(error, f"make {path}") from error
        return path

    def log(self, instance: str) -> Path:
        """Where `instance` writes what it says."""
        return self.logs / f"{instance}.log"


def default(plan_file: Path, environment: str = "local") -> Directory:
    """The data directory that goes with `plan_file`."""
    return Directory(plan_file.resolve().parent / ".groundplan" / environment)


def make(root: Path) -> Directory:
    """The data directory at `root`, made (0700) where it is missing; raises DirectoryUnusable."""
    made = Directory(root.absolute())
    try:
        for path in (made.root, made.secrets, made.files, made.data, made.logs):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.root.chmod(0o700)
        # Holds secrets: it must never be committed by accident.
        if not (made.root / ".gitignore").exists():
            (made.root / ".gitignore").write_text("*\n")
    except OSError as error:
        raise errors.from_os(error, f"make the data directory {made.root}") from error
    _prove_writable(made.root)
    return made


def _prove_writable(root: Path) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=root, prefix=".write-test-") as probe:
            probe.write(b"\0" * 4096)
            probe.flush()
    except OSError as error:
        raise errors.from_os(error, f"write to the data directory {root}") from error


def short_directory() -> Path:
    """A directory of this user's own with a short path, 0700: for sockets and what checkouts share."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    short = 0 < len(os.fsencode(base)) <= LONGEST_BASE and Path(base).is_dir()
    path = Path(base) / "groundplan" if short else Path(f"/tmp/groundplan-{os.getuid()}")  # noqa: S108
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise errors.from_os(error, f"make {path}") from error
    # /tmp is everybody's: what lies there may have been put there by somebody else.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise errors.DirectoryUnusable(
            f"{path} is not a directory of this user's alone", fix=f"remove it, or set XDG_RUNTIME_DIR: rm -r {path}"
        )
    return path


@contextlib.contextmanager
def locked(directory: Directory) -> Iterator[None]:
    """Holds the directory's lock; raises AlreadyRunning with the holder's pid. The lock file goes at the end."""
    descriptor = _acquire(directory.lock)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Removed while still held, so that nobody can hold a file that is about to go (see `_acquire`).
        directory.lock.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise errors.from_os(error, f"open {path}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise errors.AlreadyRunning(
                f"already running, pid {holder(path) or 'unknown'}",
                why=f"it holds {path}",
                fix="use `groundplan up` to update it or `groundplan down` to stop it",
            ) from None
        if _is(path, descriptor):
            return descriptor
        os.close(descriptor)  # The former holder removed it between our open and our lock.


def _is(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def holder(lock: Path) -> int | None:
    """The pid in the lock file, if it can be read."""
    with contextlib.suppress(OSError, ValueError):
        return int(lock.read_text())
    return None


def is_locked(directory: Directory) -> bool:
    """Does a supervisor hold the directory now?"""
    try:
        descriptor = os.open(directory.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wipe(directory: Directory) -> None:
    """Deletes what Groundplan put there and nothing else (``--data`` may name a directory with other things in it)."""
    try:
        for name in KEPT:
            path = directory.root / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise errors.from_os(error, f"delete {directory.root}") from error


def remove_if_empty(directory: Directory) -> None:
    """Removes the directory itself, and `.groundplan` above it, when nothing is left in them."""
    with contextlib.suppress(OSError):
        directory.root.rmdir()
        if directory.root.parent.name == ".groundplan":
            directory.root.parent.rmdir()
