"""Programs out of Debian's packages, unpacked where caches are kept: no root, and nothing of the machine is changed."""

from __future__ import annotations

import fcntl
import os
import pathlib
import platform
import shutil
import subprocess


def unpacked(name: str, packages: tuple[str, ...], release: str = "") -> pathlib.Path:
    """The folder with what `packages` hold, kept as `name`; fetched once.

    `release` is Debian's, by its code name, where the machine's own is too old. A machine without Debian's archive
    takes its own packages all the same.
    """
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "groundplan-tests"
    root = cache / "-".join(filter(None, (name, release, platform.machine())))
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not root.exists():
            _unpack(root, packages, release)
    return root


def _unpack(root: pathlib.Path, packages: tuple[str, ...], release: str) -> None:
    part = root.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    for folder in ("packages", "apt/lists/partial", "apt/cache/archives/partial"):
        (part / folder).mkdir(parents=True)
    aside = _aside(part / "apt", release) if release else []
    fetch = ["apt-get", *aside, "download", *packages]
    # Without lists, or with old ones, nothing is found.
    if aside or _run(fetch, part / "packages", check=False):
        _run(["apt-get", *aside, "update"], part)
        _run(fetch, part / "packages")
    found = sorted((part / "packages").glob("*.deb"))
    assert len(found) == len(packages), found
    for package in found:
        _run(["dpkg", "-x", str(package), str(part)], part)
    for folder in ("packages", "apt"):
        shutil.rmtree(part / folder)
    part.rename(root)


def _aside(folder: pathlib.Path, release: str) -> list[str]:
    """Options with which apt knows `release` alone, from the archive that this machine is set up with, and touches
    nothing but `folder`; none where that archive is not Debian's."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)", "Created-By: Packages"]
    if not _archives(asked):
        _run(["apt-get", "update"], folder)
    archives = _archives(asked)
    if not archives:
        return []
    (folder / "sources.list").write_text(f"deb {archives[0]} {release} main\n")
    (folder / "status").touch()
    places = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
    }
    return [word for name, place in places.items() for word in ("-o", f"{name}={place}")]


def _archives(asked: list[str]) -> list[str]:
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return [line.removesuffix(" Debian Debian") for line in done.stdout.splitlines() if line.endswith(" Debian Debian")]


def _run(command: list[str], where: pathlib.Path, *, check: bool = True) -> int:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=300, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.returncode
