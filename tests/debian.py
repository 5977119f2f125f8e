"""Programs out of Debian's packages, unpacked where caches are kept: no root, and nothing of the machine is changed."""

from __future__ import annotations

import fcntl
import os
import pathlib
import platform
import shutil
import subprocess


def unpacked(name: str, packages: tuple[str, ...]) -> pathlib.Path:
    """The folder with what `packages` hold, kept as `name`; fetched once."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "groundplan-tests"
    root = cache / f"{name}-{platform.machine()}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not root.exists():
            _unpack(root, packages)
    return root


def _unpack(root: pathlib.Path, packages: tuple[str, ...]) -> None:
    part = root.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "packages").mkdir(parents=True)
    if _run(["apt-get", "download", *packages], part / "packages", check=False):
        _run(["apt-get", "update"], part)  # a machine whose lists were never fetched, or are old
        _run(["apt-get", "download", *packages], part / "packages")
    found = sorted((part / "packages").glob("*.deb"))
    assert len(found) == len(packages), found
    for package in found:
        _run(["dpkg", "-x", str(package), str(part)], part)
    shutil.rmtree(part / "packages")
    part.rename(root)


def _run(command: list[str], where: pathlib.Path, *, check: bool = True) -> int:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=300, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.returncode
