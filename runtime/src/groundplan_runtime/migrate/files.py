"""The files ``0001_name.up.sql`` and ``0001_name.down.sql`` of a Python package."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import pathlib
import re
from typing import NamedTuple

from groundplan_runtime.migrate.problems import MigrationError

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.(up|down)\.sql")


class Migration(NamedTuple):
    """One step and the way back."""

    number: int
    name: str
    up: str
    down: str

    @property
    def title(self) -> str:
        return f"{self.number:04d}_{self.name}"

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.up.encode()).hexdigest()


def find(package: str) -> pathlib.Path:
    """The directory of `package`; raises `MigrationError`."""
    try:
        spec = importlib.util.find_spec(package)
    except ImportError:
        spec = None
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise MigrationError((f"there is no package {package}: name the package that holds the SQL files",))
    return pathlib.Path(places[0])


def read(directory: pathlib.Path) -> tuple[Migration, ...]:
    """The migrations in `directory`, in order; raises `MigrationError` with everything that is wrong with them."""
    files = sorted(path for path in directory.iterdir() if path.suffix == ".sql")
    findings = [f"{path}: the name is not like 0001_name.up.sql" for path in files if not _NAME.fullmatch(path.name)]
    ups, downs = _sided(files, "up"), _sided(files, "down")
    findings += _duplicates(ups) + _duplicates(downs) + _gaps(ups, directory) + _halves(ups, downs, directory)
    if not ups and not findings:
        findings.append(f"{directory} holds no migration: add 0001_name.up.sql and 0001_name.down.sql")
    if findings:
        raise MigrationError(tuple(findings))
    ways_back = {number: path for number, _, path in downs}
    return tuple(Migration(number, name, path.read_text(), ways_back[number].read_text()) for number, name, path in ups)


_Sided = list[tuple[int, str, pathlib.Path]]


def _sided(files: list[pathlib.Path], side: str) -> _Sided:
    found = ((_NAME.fullmatch(path.name), path) for path in files)
    return [(int(match[1]), match[2], path) for match, path in found if match and match[3] == side]


def _duplicates(sided: _Sided) -> list[str]:
    pairs = itertools.pairwise(sided)
    return [f"{two[2]}: {two[0]:04d} is taken by {one[2].name}: renumber one" for one, two in pairs if one[0] == two[0]]


def _gaps(ups: _Sided, directory: pathlib.Path) -> list[str]:
    numbers = {number for number, _, _ in ups}
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)
    return [f"{directory}: {number:04d} is missing: number the files without gaps from 0001" for number in missing]


def _halves(ups: _Sided, downs: _Sided, directory: pathlib.Path) -> list[str]:
    titles_up = {(number, name) for number, name, _ in ups}
    titles_down = {(number, name) for number, name, _ in downs}
    lone = [(title, "down") for title in titles_up - titles_down] + [(title, "up") for title in titles_down - titles_up]
    return [f"{directory}: {number:04d}_{name}.{side}.sql is missing: add it" for (number, name), side in sorted(lone)]
