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

from groundplan.local import directory, errors, programs
from groundplan.local.plan import monitoring
from groundplan.resources import postgres, redis

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
        _engine(postgres.Postgres("postgres", version=15)),
        _engine(redis.Redis("redis", version=7)),
        *_monitoring(),
        _wheel("aiosmtpd", "aiosmtpd", "catching mail"),
        _wheel("grpc", "grpcio", "asking gRPC services for their health"),
        *_linux(),
        _room(root),
        _sockets(),
    )


def _python() -> Fact:
    version = ".".join(map(str, sys.version_info[:3]))
    return Fact(name="Python", ok=sys.version_info >= (3, 11), found=version, fix="install Python 3.11 or newer")


def _engine(resource: postgres.Postgres | redis.Redis) -> Fact:
    binaries = resource.runs_here(()).binaries
    assert binaries is not None  # Both run programs of their own.
    there = [f"{each.product} {each.version} from {each.source}" for each in programs.found(binaries)]
    fix = programs.install_line(binaries)
    return Fact(name=binaries.product, ok=bool(there), found="; ".join(there) or "missing", fix=fix)


def _monitoring() -> tuple[Fact, ...]:
    return tuple(
        Fact(
            name=wanted.product,
            ok=bool(there := [f"{each.version} from {each.source}" for each in programs.found(wanted)]),
            found="; ".join(there) or "missing",
            needed_for="up --with monitoring",
            fix=f"sudo apt-get install {wanted.system_package}",
            optional=True,
        )
        for wanted in (monitoring.PROMETHEUS, monitoring.ALERTMANAGER)
    )


def _wheel(module: str, package: str, purpose: str) -> Fact:
    there = importlib.util.find_spec(module) is not None
    found = importlib.metadata.version(package) if there else "missing"
    fix = f"pip install {package}"
    return Fact(name=package, ok=there, found=found, needed_for=purpose, fix=fix, optional=True)


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
