"""The tree of secrets, and who reads what: paths, never a word of what they hold."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan import markdown
from groundplan.documents import world as worlds
from groundplan.model import secrets

_MADE: dict[type[secrets.Generator], str] = {
    secrets.Random: "random bytes",
    secrets.Keys: "symmetric keys",
    secrets.Ed25519: "signing keys",
    secrets.Supplied: "brought by people",
}


def page(world: worlds.World) -> str:
    readers = _readers(world)
    kept = {path: _made(found) for path, found in world.plan.kept.items()}
    paths = sorted({*kept, *readers})
    rows = [row for path in paths for row in _rows(path, readers.get(path, {}), world)]
    return markdown.page(
        "Secrets",
        "Paths only. Where they are kept is each environment's choice: [environments](environments.md). A workload's "
        "policy grants exactly the paths that its files name.",
        "## The tree",
        _tree(paths),
        "## Who reads what",
        markdown.table(("path", "read by", "in"), rows),
        "## What each is",
        markdown.table(("path", "what it is", "because of"), _kinds(world)),
        "## What each workload reads",
        markdown.table(("workload", "paths", "in"), _workloads(world)),
    )


def _made(found: secrets.Secret) -> str:
    return _MADE.get(type(found.generator), type(found.generator).__name__)


def _readers(world: worlds.World) -> dict[str, dict[str, list[str]]]:
    """By path and reader, the clusters where it is so."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in world.lowered:
        for holder in one.holders:
            for path in holder.paths:
                name = f"{holder.namespace}/{holder.name}"
                found.setdefault(path, {}).setdefault(name, []).append(one.environment)
    return found


def _rows(path: str, readers: dict[str, list[str]], world: worlds.World) -> Iterator[tuple[str, ...]]:
    by_place: dict[str, list[str]] = {}
    for name, where in sorted(readers.items()):
        by_place.setdefault(world.where(where), []).append(name)
    for place, names in by_place.items() or [("–", [])]:
        yield markdown.code(path), markdown.codes(names) or "no workload", place


def _kinds(world: worlds.World) -> Iterator[tuple[str, ...]]:
    for path, found in sorted(world.plan.kept.items()):
        yield markdown.code(path), _made(found), world.line(found.origin)


def _workloads(world: worlds.World) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in world.lowered:
        for holder in one.holders:
            found.setdefault((f"{holder.namespace}/{holder.name}", holder.paths), []).append(one.environment)
    for (name, paths), where in sorted(found.items()):
        yield markdown.code(name), markdown.codes(paths), world.where(where)


def _tree(paths: list[str]) -> str:
    """The paths as folders, each name once, indented below its folder."""
    lines: list[str] = []
    above: list[str] = []
    for path in paths:
        parts = [" ".join(part.split()) for part in path.split("/")]
        same = 0
        while same < min(len(above), len(parts) - 1) and above[same] == parts[same]:
            same += 1
        last = len(parts) - 1
        lines += [f"{'    ' * depth}{parts[depth]}{'/' * (depth < last)}" for depth in range(same, last + 1)]
        above = parts[:-1]
    # Indented code has no fence that a name could close.
    return "\n".join(f"    {line}" for line in lines) if lines else "None."
