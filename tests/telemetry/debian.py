"""Prometheus, Alertmanager and their exporters out of Debian's packages, in the versions that `images` pins."""

from __future__ import annotations

import functools
import os
import pathlib

from tests import debian

PACKAGES = (
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
    "promtool",
)
RELEASE = "trixie"
"""With redis_exporter 1.69.0 and postgres_exporter 0.17.1."""
_SHARE = "/usr/share/prometheus/alertmanager"


@functools.cache
def folder() -> pathlib.Path:
    """The folder with the programs, unpacked once."""
    root = debian.unpacked("prometheus", PACKAGES, RELEASE)
    _place_templates(root)
    return root / "usr" / "bin"


def program(name: str) -> str:
    """The path of one of the programs."""
    return str(folder() / name)


def _place_templates(root: pathlib.Path) -> None:
    """Debian's Alertmanager reads its templates at one fixed place. A plain user writes nothing there, so the unpacked
    program is told another, of the same length: a folder of ours with a short name."""
    place = pathlib.Path("/tmp") / f"groundplan-prometheus-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    assert place.stat().st_uid == os.getuid(), f"{place} belongs to somebody else"
    assert len(str(place)) <= len(_SHARE), f"{place} is too long"
    for template in (root / _SHARE.strip("/")).glob("*.tmpl"):
        (place / template.name).write_bytes(template.read_bytes())
    program = root / "usr" / "bin" / "prometheus-alertmanager"
    content = program.read_bytes()
    if _SHARE.encode() in content:
        part = program.with_suffix(f".{os.getpid()}")  # tests run in several processes
        part.write_bytes(content.replace(_SHARE.encode(), str(place).ljust(len(_SHARE), "/").encode()))
        part.chmod(0o755)
        part.rename(program)
