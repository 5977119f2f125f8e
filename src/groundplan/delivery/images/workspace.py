"""What of the author's files an image is made of: distributions with a ``pyproject.toml``, or a plain ``src``.

A platform in a workspace (uv's: the nearest ``pyproject.toml`` above with ``[tool.uv.workspace]``) brings the
members that it depends on; its image is built with the workspace's folder as context.
Source: https://docs.astral.sh/uv/concepts/projects/workspaces/.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

REQUIREMENTS = "requirements.txt"
LOCK = "requirements.lock"
OLDEST = "3.11"
"""What groundplan-runtime needs."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LEAST = re.compile(r">=\s*(3\.[0-9]+)")


@dataclasses.dataclass(frozen=True)
class Distribution:
    """A folder that a wheel can be built from; paths are relative to the context."""

    name: str
    folder: str
    files: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Workspace:
    """What is copied into a build. Without distributions, the plan's ``src`` and its requirements are."""

    context: pathlib.Path
    plan: str
    """The plan's folder below the context, ``platforms/payments``; empty when it is the context."""
    distributions: tuple[Distribution, ...]
    constraints: str
    """A file of pins below the context; empty without one."""
    requirements: str
    python: str


def of(folder: pathlib.Path) -> Workspace | None:
    """The workspace of the plan in `folder`; None where nothing says what its services need."""
    own = _project(folder)
    context = _context(folder) if own else folder
    plan = "" if context == folder else folder.relative_to(context).as_posix()
    if own:
        chosen = tuple(_closure(folder, context))
        lock = LOCK if (context / LOCK).is_file() else ""
        return Workspace(context, plan, chosen, lock, "", _python(own))
    if (folder / REQUIREMENTS).is_file():
        return Workspace(context, plan, (), "", REQUIREMENTS, OLDEST)
    return None


def _context(folder: pathlib.Path) -> pathlib.Path:
    for above in folder.parents:
        if folder in _members(above):
            return above
    return folder


def _members(root: pathlib.Path) -> Sequence[pathlib.Path]:
    patterns = _table(_toml(root), "tool", "uv", "workspace").get("members", [])
    return [each for pattern in patterns for each in sorted(root.glob(str(pattern))) if _project(each)]


def _closure(folder: pathlib.Path, context: pathlib.Path) -> Iterator[Distribution]:
    """The platform's distribution after those of the workspace that it needs."""
    members = {_plain(_project(each)["name"]): each for each in _members(context)}
    members[_plain(_project(folder)["name"])] = folder
    wanted, seen = [_plain(_project(folder)["name"])], list[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.append(name)
        wanted += sorted(need for need in _needs(members[name]) if need in members)
    return (_distribution(members[name], context) for name in reversed(seen))


def _needs(folder: pathlib.Path) -> set[str]:
    said = _project(folder).get("dependencies", [])
    return {_plain(found[0]) for each in said if (found := _NAME.match(str(each).strip()))}


def _distribution(folder: pathlib.Path, context: pathlib.Path) -> Distribution:
    said = _project(folder)
    readme = said.get("readme")
    named = (readme.get("file") if isinstance(readme, dict) else readme, *said.get("license-files", ()))
    files = ("pyproject.toml", *(str(each) for each in named if each and (folder / str(each)).is_file()))
    return Distribution(str(said["name"]), folder.relative_to(context).as_posix(), files)


def _python(project: dict[str, Any]) -> str:
    found = _LEAST.search(str(project.get("requires-python", "")))
    return found[1] if found else OLDEST


def _project(folder: pathlib.Path) -> dict[str, Any]:
    """The ``[project]`` table, if it names one."""
    said = _table(_toml(folder), "project")
    return said if isinstance(said.get("name"), str) else {}


def _toml(folder: pathlib.Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text())
    except (OSError, ValueError):
        return {}


def _table(said: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        inner = said.get(name)
        said = inner if isinstance(inner, dict) else {}
    return said


def _plain(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
