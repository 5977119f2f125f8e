"""Prometheus, Alertmanager and their exporters: the machine's own, or out of Debian's packages."""

from __future__ import annotations

import functools
import pathlib
import shutil

from tests import debian

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
    return debian.unpacked("prometheus", PACKAGES) / "usr" / "bin"


def program(name: str) -> str:
    """The path of one of the programs."""
    return str(folder() / name)
