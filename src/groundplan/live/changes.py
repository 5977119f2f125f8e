"""What it means that an object becomes another, in words: what restarts, what scales, which rights change. Pure."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator
from typing import Any

from groundplan.kubernetes import configuration
from groundplan.live import words
from groundplan.shapes import objects, quantities

Tree = objects.Tree

CREATES, REMOVES, RUNS_AGAIN, RESTARTS, SCALES, CHANGES = (
    "creates", "removes", "runs again", "restarts", "scales", "changes"
)  # fmt: skip
KINDS = (REMOVES, RUNS_AGAIN, RESTARTS, SCALES, CHANGES, CREATES)
"""In the order they are shown."""

_CHECKSUM = f"spec.template.metadata.annotations.{configuration.CHECKSUM}"
_BY_HAND = "its pod takes this when somebody deletes it"
_AMOUNTS = frozenset(
    ("limits", "requests", "hard", "default", "defaultRequest", "storage", "sizeLimit", "cpu", "memory")
)


@dataclasses.dataclass(frozen=True)
class Change:
    """What becomes of one object."""

    kind: str
    key: objects.Key
    details: tuple[str, ...] = ()
    origin: str = ""


@dataclasses.dataclass(frozen=True)
class Field:
    """One field that is not the same; None where there is none."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {short(self.before)} → {short(self.after)}"


def of(key: objects.Key, before: Tree, after: Tree, origin: str = "") -> Iterator[Change]:
    """Every change of an object between two of its states, without what only says when it was written."""
    found = list(fields(before, after))
    if key.kind in ("Deployment", "StatefulSet"):
        scaled = [each for each in found if each.path == "spec.replicas"]
        rolled = [each for each in found if each.path.startswith("spec.template.")]
        found = [each for each in found if each not in scaled and each not in rolled]
        if rolled:
            by_hand = objects.is_replaced_by_hand(after)
            details = tuple(dict.fromkeys(_rolled(each) for each in rolled))
            yield Change(CHANGES if by_hand else RESTARTS, key, (*([_BY_HAND] if by_hand else []), *details), origin)
        for each in scaled:
            yield Change(SCALES, key, (f"{each.before} → {each.after} replicas",), origin)
    if found:
        yield Change(CHANGES, key, _details(key.kind, before, after, found), origin)


def _rolled(field: Field) -> str:
    if field.path == _CHECKSUM:
        return "its files change"
    return str(dataclasses.replace(field, path=field.path.removeprefix("spec.template.").removeprefix("spec.")))


def _details(kind: str, before: Tree, after: Tree, found: list[Field]) -> tuple[str, ...]:
    if kind in ("ConfigMap", "Secret"):
        files = [each for each in found if each.path.startswith(("data.", "stringData."))]
        rest = [str(each) for each in found if each not in files]
        return (*(_file(each, shown=kind == "ConfigMap") for each in files), *rest)
    if kind in ("Role", "ClusterRole"):
        return tuple(_rights(before.get("rules") or (), after.get("rules") or ()))
    if kind == "NetworkPolicy" and any(each.path.startswith("spec.") for each in found):
        return ("see the traffic below",)
    return tuple(str(each) for each in found)


def _file(field: Field, *, shown: bool) -> str:
    name = field.path.partition(".")[2]
    if field.before is None or field.after is None:
        return f"{name} {'appears' if field.before is None else 'goes'}"
    if not shown:
        return f"{name} changes"
    lines = list(difflib.ndiff(str(field.before).splitlines(), str(field.after).splitlines()))
    more, less = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    return f"{name} changes: {more} lines more, {less} less"


def _rights(before: Any, after: Any) -> Iterator[str]:
    had, has = set(_grants(before)), set(_grants(after))
    yield from (f"may no longer {each}" for each in sorted(had - has))
    yield from (f"may now {each}" for each in sorted(has - had))


def _grants(rules: Any) -> Iterator[str]:
    for rule in rules:
        what = rule.get("resources") or rule.get("nonResourceURLs") or ()
        only = f" {', '.join(rule['resourceNames'])}" if rule.get("resourceNames") else ""
        yield from (f"{verb} {resource}{only}" for verb in rule.get("verbs") or () for resource in what)


def fields(before: Any, after: Any, path: str = "") -> Iterator[Field]:
    """Every field in which two trees differ. Items of lists are told apart by their names, else by their places."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from fields(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list):
        one, other = _named(before), _named(after)
        for name in dict.fromkeys((*one, *other)):
            yield from fields(one.get(name), other.get(name), f"{path}[{name}]")
    else:
        yield Field(path, before, after)


def drift(wanted: Any, live: Any, path: str = "", *, amount: bool = False) -> Iterator[Field]:
    """Every field that `wanted` says and `live` has not so, from what is to what is wanted.

    What `live` has beyond it are defaults, or of others.
    """
    if isinstance(wanted, dict) and isinstance(live, dict):
        for key, value in wanted.items():
            place = f"{path}.{key}" if path else key
            yield from drift(value, live.get(key), place, amount=amount or key in _AMOUNTS)
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        one, other = _named(wanted), _named(live)
        for name in one:
            yield from drift(one[name], other.get(name), f"{path}[{name}]", amount=amount)
    elif wanted != live and (wanted or live) and not (amount and _is_same_amount(wanted, live)):
        yield Field(path, live, wanted)


def _named(items: list[Any]) -> dict[str, Any]:
    names = [str(item.get("name", "")) if isinstance(item, dict) else "" for item in items]
    if all(names) and len(set(names)) == len(names):
        return dict(zip(names, items, strict=True))
    return {str(number): item for number, item in enumerate(items)}


def _is_same_amount(one: Any, other: Any) -> bool:
    """The API server writes amounts its own way: 0.5 as 500m."""
    try:
        return quantities.parse(str(one)) == quantities.parse(str(other))
    except ValueError:
        return False


def short(value: Any) -> str:
    """A value in at most 60 letters."""
    if value is None:
        return "nothing"
    text = words.plain(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
