"""Prometheus, Alertmanager and their exporters out of Debian's packages, unpacked where caches are kept: no root."""

from __future__ import annotations

import fcntl
import functools
import os
import pathlib
import platform
import shutil
import subprocess

PACKAGES = (
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
)


@functools.cache
def folder() -> pathlib.Path:
    """The folder with the programs: the machine's own where it has all of them, else unpacked once."""
    own = shutil.which("promtool")
    if own and all(shutil.which(name) for name in (*PACKAGES, "amtool")):
        return pathlib.Path(own).parent
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "groundplan-tests"
    root = cache / f"prometheus-{platform.machine()}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (root / "usr" / "bin" / "promtool").exists():
            _unpack(root)
    return root / "usr" / "bin"


def program(name: str) -> str:
    """The path of one of the programs."""
    return str(folder() / name)


def _unpack(root: pathlib.Path) -> None:
    part = root.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "packages").mkdir(parents=True)
    if _run(["apt-get", "download", *PACKAGES], part / "packages", check=False):
        _run(["apt-get", "update"], part)  # a machine whose lists were never fetched, or are old
        _run(["apt-get", "download", *PACKAGES], part / "packages")
    packages = sorted((part / "packages").glob("*.deb"))
    assert len(packages) == len(PACKAGES), packages
    for package in packages:
        _run(["dpkg", "-x", str(package), str(part)], part)
    shutil.rmtree(part / "packages")
    part.rename(root)


def _run(command: list[str], where: pathlib.Path, *, check: bool = True) -> int:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=300, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.returncode
