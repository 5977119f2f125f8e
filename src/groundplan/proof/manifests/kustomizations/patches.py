"""`patches`, `patchesStrategicMerge` and `patchesJson6902`: what they are and whom they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from groundplan.proof import fields, findings
from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import (
    files,
    items,
    json_patch,
    merge,
    scopes,
    selectors,
    trouble,
    versions,
)

_TARGET = {"group", "version", "kind", "name", "namespace"}
_SELECTORS = {"labelSelector": "labels", "annotationSelector": "annotations"}


class Patch(msgspec.Struct, frozen=True):
    """One patch: a list of operations or a part of an object, and the fields its targets must have."""

    body: Any
    spot: documents.Spot
    target: dict[str, str] | None
    said: documents.Spot
    """Where the kustomization has it."""
    names: bool = True
    """Whether its targets go on to be known by the names that they had."""


def strategic(folder: files.Folder, entries: Any, spot: documents.Spot, told: trouble.Collected) -> Iterator[Patch]:
    """Of `patchesStrategicMerge`: files, or patches as they stand."""
    for number, each in enumerate(listed(entries, spot)):
        here = spot.below(number)
        if not isinstance(each, str):
            raise trouble.Beyond("a patch that is neither a path nor text", here)
        with told.one():
            for body, where in _bodies(folder, {"patch" if "\n" in each else "path": each}, here):
                if not isinstance(body, dict):
                    raise trouble.Beyond("a patch that is no mapping", where)
                _no_nulls(body, where)
                yield Patch(body, where, None, here)


def _no_nulls(body: dict[str, Any], where: documents.Spot) -> None:
    # 4.5 makes an empty word of it, 5.8 the word null, and neither removes anything; only a patch that says by itself
    # whom it is for, among `patches`, has it removed.
    metadata = fields.inner(body, "metadata")
    for field in ("labels", "annotations"):
        if None in fields.inner(metadata, field).values():
            what = f"a null among {field}, which removes only in patches, without a target"
            raise trouble.Beyond(what, where.below("metadata", field))


def general(
    folder: files.Folder, entries: Any, spot: documents.Spot, told: trouble.Collected, *, json: bool
) -> Iterator[Patch]:
    """Of `patches`, or of `patchesJson6902`."""
    for number, each in enumerate(listed(entries, spot)):
        with told.one():
            yield _general(folder, each, spot.below(number), json=json)


def _general(folder: files.Folder, said: Any, here: documents.Spot, *, json: bool) -> Patch:
    if not isinstance(said, dict) or not {"target"} >= said.keys() - {"path", "patch"}:
        raise trouble.Beyond("an entry with more than path, patch and target", here)
    target = _target(said.get("target"), here.below("target"))
    bodies = list(_bodies(folder, said, here))
    wanted = (list,) if json else (list, dict) if target else (dict,)
    if len(bodies) != 1 or not isinstance(bodies[0][0], wanted) or (json and not target):
        raise trouble.Beyond("not one patch of the kind that is wanted here", here)
    if target and isinstance(bodies[0][0], dict):
        _no_nulls(*bodies[0])
    return Patch(*bodies[0], target, here, not json)


def listed(entries: Any, spot: documents.Spot) -> list[Any]:
    """A field that is a list, or nothing."""
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise trouble.Beyond("something else than a list", spot)
    return entries


def _bodies(folder: files.Folder, said: dict[str, Any], here: documents.Spot) -> Iterator[tuple[Any, documents.Spot]]:
    path, text = said.get("path"), said.get("patch")
    if isinstance(path, str) and text is None:
        source = folder.file(path, here)
        for value, line in folder.values(source, here):
            yield value, documents.Spot(source, line)
    elif isinstance(text, str) and path is None:
        at = here.below("patch")
        for value, _ in folder.values(documents.Source(at.source.name, text.encode()), at):
            yield value, at
    else:
        raise trouble.Beyond("not either path or patch", here)


def _target(said: Any, spot: documents.Spot) -> dict[str, str] | None:
    if said is None:
        return None
    if not isinstance(said, dict) or not said or not all(isinstance(each, str) for each in said.values()):
        raise trouble.Beyond("a target that is no mapping of words", spot)
    for key, words in said.items():
        if key in _SELECTORS:
            selectors.parsed(words, spot.below(key))
        elif key not in _TARGET or not re.fullmatch(r"(?:[\w./\-]|\\[.\-]|\.\*|\|)*", words):
            raise trouble.Beyond(f"a target by {key}, {words}", spot.below(key))
    return said


def apply(some: list[items.Item], patch: Patch, reading: versions.Reading) -> findings.Finding | None:
    """Patches its targets among the objects; says so where it has none."""
    chosen = [each for each in some if _is_target(each, patch)] if patch.target else [_named(some, patch)]
    for each in chosen:
        if each.doubtful:
            raise trouble.Beyond(
                f"a patch of {each.title}, whose file readers of YAML understand differently", patch.said
            )
        if isinstance(patch.body, list):
            if patch.names:
                each.remember()
            json_patch.apply(each, patch.body, patch.spot)
        elif merge.deletes(patch.body):
            some.remove(each)
        else:
            merge.apply(each, patch.body, patch.spot, reading)
    return None if chosen else _nobody(patch)


def _is_target(item: items.Item, patch: Patch) -> bool:
    wanted = patch.target or {}
    return all(_is(item, key, words, patch.said) for key, words in wanted.items() if words)


def _is(item: items.Item, key: str, words: str, spot: documents.Spot) -> bool:
    if key in _SELECTORS:
        return selectors.matches(selectors.parsed(words, spot), item.metadata.get(_SELECTORS[key]))
    return any(re.fullmatch(f"(?:{words})", each) for each in _said(item, key))


def _said(item: items.Item, key: str) -> tuple[str, ...]:
    match key:
        case "name":
            return item.first[1], item.name
        case "namespace":
            return item.first[0], item.namespace
        case _:
            return (str(getattr(item, key)),)


def _named(some: Iterable[items.Item], patch: Patch) -> items.Item:
    body = patch.body
    metadata = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    version, kind, name = body.get("apiVersion"), body.get("kind"), metadata.get("name")
    if not all(isinstance(each, str) for each in (version, kind, name)):
        raise trouble.Beyond("a patch that does not say whom it is for", patch.spot)
    space = metadata.get("namespace") or "default"
    wanted = ("" if scopes.everywhere(str(version), str(kind)) else space, name)
    alike = [each for each in some if (each.document.data["apiVersion"], each.kind) == (version, kind)]
    found = [each for each in alike if wanted in each.names]
    if len(found) != 1:
        raise trouble.Beyond(f"{len(found)} objects are the {kind} {name} that it patches", patch.said)
    return found[0]


def _nobody(patch: Patch) -> findings.Finding:
    what = "a patch changes nothing"
    why = f"no object is {', '.join(f'{key} {words}' for key, words in (patch.target or {}).items())}"
    return findings.Finding("GP508", what, patch.said.place(), why, "correct its target, or remove it")
