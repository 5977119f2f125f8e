"""`replacements`: a field of one object into fields of others.

Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/replacements/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import field_kinds, files, items, patches, trouble, versions

_KIND = ("group", "version", "kind")
_WHO = (*_KIND, "name", "namespace")
_WORD = re.compile(r"[\w.\-]*", re.ASCII)
_STEP = re.compile(r"\[([\w\-]+)=([\w./:\-]+)\](?:\.|$)|([\w/\-]+)(?:\.|$)", re.ASCII)
_NAME = ("metadata", "name")
Step = str | tuple[str, str]


class Replacement(msgspec.Struct, frozen=True):
    """One entry, and where its words are."""

    said: dict[str, Any]
    spot: documents.Spot


def read(folder: files.Folder, entries: Any, spot: documents.Spot, told: trouble.Collected) -> Iterator[Replacement]:
    """All entries, those in files of their own among them."""
    for number, each in enumerate(patches.listed(entries, spot)):
        with told.one():
            yield from _read(folder, each, spot.below(number))


def _read(folder: files.Folder, said: Any, here: documents.Spot) -> Iterator[Replacement]:
    if not isinstance(said, dict) or said.keys() not in ({"path"}, {"source", "targets"}):
        raise trouble.Beyond("a replacement by something else than a path, or source and targets", here)
    if "path" not in said:
        yield Replacement(said, here)
        return
    if not isinstance(said["path"], str):
        raise trouble.Beyond("something else than a path", here)
    source = folder.file(said["path"], here)
    for value, line in folder.values(source, here):
        there = documents.Spot(source, line)
        several = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for number, each in several:
            at = there if number is None else there.below(number)
            if not isinstance(each, dict) or each.keys() != {"source", "targets"}:
                raise trouble.Beyond("a replacement by something else than source and targets", at)
            yield Replacement(each, at)


def apply(some: list[items.Item], replacement: Replacement, reading: versions.Reading) -> None:
    """Copies what the source says into every target."""
    spot = replacement.spot.below("source")
    source = _mapping(replacement.said["source"], {*_WHO, "fieldPath", "options"}, spot)
    found = _chosen(some, source, spot)
    if len(found) != 1:
        raise trouble.Wrong(f"{len(found)} objects are the source of a replacement", spot)
    value = _value(found[0], source, spot)
    for number, said in enumerate(patches.listed(replacement.said["targets"], replacement.spot.below("targets"))):
        here = replacement.spot.below("targets", number)
        target = _mapping(said, {"select", "reject", "fieldPaths", "options"}, here)
        if "select" not in target:
            raise trouble.Beyond("a target that selects nothing", here)
        rejects = [
            _mapping(each, set(_WHO), here.below("reject", order))
            for order, each in enumerate(patches.listed(target.get("reject"), here.below("reject")))
        ]
        for item in _chosen(some, _mapping(target["select"], set(_WHO), here), here):
            if not _rejected(item, target["select"], rejects, here, reading):
                own = _place(item, source.get("fieldPath") or "metadata.name", spot) if item is found[0] else None
                _into(item, target, value, own, here)


def _rejected(
    item: items.Item, select: dict[str, Any], rejects: list[dict[str, Any]], here: documents.Spot,
    reading: versions.Reading,
) -> bool:  # fmt: skip
    against = {called for each in rejects if _chosen([item], each, here) for called in _called(item, each)}
    # Older versions go on by the names that a rejection does not have.
    left = set(_called(item, select)) - against
    return bool(against) and not (left and not reading.newer(f"a rejection of {item.title}", here.below("reject")))


def _mapping(said: Any, known: set[str], spot: documents.Spot) -> dict[str, Any]:
    if not isinstance(said, dict) or not said or not said.keys() <= known:
        raise trouble.Beyond(f"a part of a replacement by more than {', '.join(sorted(known))}", spot)
    for key in (*_WHO, "fieldPath"):
        if not isinstance(said.get(key, ""), str):
            raise trouble.Beyond("a replacement by something else than words", spot.below(key))
        if key in _WHO and not _WORD.fullmatch(said.get(key, "")):
            raise trouble.Beyond(f"a replacement by {key} {said[key]}", spot.below(key))
    return said


def _chosen(some: list[items.Item], who: dict[str, Any], spot: documents.Spot) -> list[items.Item]:
    kind = field_kinds.Kind(*(who.get(word, "") for word in _KIND))
    name, space = who.get("name", ""), who.get("namespace", "")
    # Versions differ about whether names are regular expressions.
    loose = [each for each in some if name and "." in name and any(re.fullmatch(name, own) for _, own in each.names)]
    if any(name not in (own for _, own in each.names) for each in loose):
        raise trouble.Beyond(f"a replacement by name {name}", spot.below("name"))
    found = [each for each in some if kind.covers(each.group, each.version, each.kind)]
    if space and any(each.everywhere for each in found):
        raise trouble.Beyond("a replacement by namespace, for objects without one", spot.below("namespace"))
    return [each for each in found if _called(each, who)]


def _called(item: items.Item, who: dict[str, Any]) -> list[tuple[str, str]]:
    """The names of an object that a selector fits."""
    name, space = who.get("name", ""), who.get("namespace", "")
    return [(own, called) for own, called in item.names if name in ("", called) and space in ("", own)]


def _value(item: items.Item, source: dict[str, Any], spot: documents.Spot) -> str:
    path = source.get("fieldPath") or "metadata.name"
    value = _at(item, path, spot)
    options = _options(source.get("options"), {"delimiter", "index"}, spot)
    if options.get("delimiter"):
        parts = value.split(options["delimiter"])
        if not 0 <= options.get("index", 0) < len(parts):
            raise trouble.Wrong(f"the {path} of {item.title} has no part {options['index']}", spot)
        return str(parts[options.get("index", 0)])
    return value


def _options(said: Any, known: set[str], spot: documents.Spot) -> dict[str, Any]:
    options = {} if said is None else said
    if not isinstance(options, dict) or not options.keys() <= known:
        raise trouble.Beyond(f"options of a replacement beyond {', '.join(sorted(known))}", spot.below("options"))
    index = options.get("index", 0)
    if not isinstance(options.get("delimiter", ""), str) or not isinstance(index, int) or isinstance(index, bool):
        raise trouble.Beyond("options of a replacement of other types", spot.below("options"))
    return options


def _into(item: items.Item, target: dict[str, Any], value: str, own: items.Path | None, here: documents.Spot) -> None:
    options = _options(target.get("options"), {"delimiter", "index"}, here)
    for path in patches.listed(target.get("fieldPaths"), here.below("fieldPaths")) or ["metadata.name"]:
        if not isinstance(path, str):
            raise trouble.Beyond("a field of a replacement that is no text", here)
        old = _at(item, path, here)
        place = _place(item, path, here)
        if place in (_NAME, ("metadata", "namespace"), ("apiVersion",), ("kind",)):
            raise trouble.Beyond(f"a replacement of {path}, which changes what an object is called", here)
        new = _joined(old, value, options)
        if place == own and new != old:
            raise trouble.Beyond("a replacement that changes its own source", here)
        item.put(place, new, here)


def _joined(old: str, value: str, options: dict[str, Any]) -> str:
    if not options.get("delimiter"):
        return value
    parts, index = old.split(options["delimiter"]), options.get("index", 0)
    if index < 0:
        parts.insert(0, value)
    elif index >= len(parts):
        parts.append(value)
    else:
        parts[index] = value
    return str(options["delimiter"]).join(parts)


def _at(item: items.Item, path: str, spot: documents.Spot) -> str:
    found = item.get(_place(item, path, spot))
    if not isinstance(found, str):
        raise trouble.Beyond(f"a replacement with {path} of {item.title}, which is no text", spot)
    return found


def _place(item: items.Item, text: str, spot: documents.Spot) -> items.Path:
    path: items.Path = ()
    for step in _steps(text, spot):
        around = item.get(path)
        if isinstance(step, tuple) and isinstance(around, list):
            key, value = step
            fits = [n for n, each in enumerate(around) if isinstance(each, dict) and each.get(key) == value]
            path = (*path, fits[0]) if len(fits) == 1 else (*path, len(around))
        elif isinstance(around, list) and isinstance(step, str) and step.isdecimal():
            path = (*path, int(step))
        else:
            path = (*path, str(step))
        if item.get(path) is items.MISSING:
            raise trouble.Beyond(f"a replacement with {text}, which {item.title} does not have once", spot)
    return path


def _steps(text: str, spot: documents.Spot) -> list[Step]:
    found: list[Step] = []
    at = 0
    while match := _STEP.match(text, at):
        key, value, word = match.groups()
        found.append(word or (key, value))
        at = match.end()
        if at == len(text) and not text.endswith("."):
            return found
    raise trouble.Beyond(f"the field {text}", spot)
