"""A kustomization from its fields to its objects, in the order in which kustomize goes through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundplan.proof import findings
from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import (
    files,
    generators,
    hashes,
    items,
    labelling,
    names,
    patches,
    references,
    replacements,
    transformations,
    trouble,
    versions,
)

_KNOWN = frozenset({
    "apiVersion", "kind", "metadata", "resources", "bases", "components", "patches", "patchesStrategicMerge",
    "patchesJson6902", "namespace", "namePrefix", "nameSuffix", "labels", "commonLabels", "commonAnnotations",
    "images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "sortOptions",
    "replacements",
})  # fmt: skip
_PATCHES = ("patchesStrategicMerge", "patches", "patchesJson6902")
_KINDS = {
    "Kustomization": "kustomize.config.k8s.io/v1beta1", "Component": "kustomize.config.k8s.io/v1alpha1",
}  # fmt: skip


def build(place: Path, kept: Path | None) -> documents.Read:
    """Every object of the kustomization in a folder, each with the places of its fields; raises `trouble.Trouble`."""
    newer = Build(place, kept, newer=True)
    found = newer.read()
    if newer.reading.noted:
        what, spot = newer.reading.noted[0]
        if _trees(Build(place, kept, newer=False)) != [each.data for each in found.documents]:
            raise trouble.Wrong(f"{what}: versions of kustomize build that differently", spot)
    return found


def _trees(build: Build) -> list[dict[str, Any]] | None:
    try:
        return [each.data for each in build.read().documents]
    except trouble.Trouble:
        return None


class Build:
    """One build: the objects so far, and what was found on the way."""

    def __init__(self, place: Path, kept: Path | None, *, newer: bool) -> None:
        self.top = files.Folder(place, kept)
        self.reading = versions.Reading(newer=newer)
        self.items: list[items.Item] = []
        self.said: list[findings.Finding] = []

    def read(self) -> documents.Read:
        """Every object; raises `trouble.Trouble`."""
        self._kustomization(self.top, self.items, "Kustomization")
        hashes.add(self.items)
        references.update(self.items, self.reading)
        for each in self.items:
            each.finish()
        return documents.Read(tuple(each.done() for each in self.items), tuple(dict.fromkeys(self.said)))

    def _kustomization(self, folder: files.Folder, some: list[items.Item], kind: str) -> None:
        fields, spot = folder.own()
        _check(fields, spot, kind)
        told = trouble.Collected()
        own: list[items.Item] = []
        everything = own if kind == "Kustomization" else some
        for name in ("resources", "bases"):
            for number, said in enumerate(patches.listed(fields.get(name), spot.below(name))):
                with told.one():
                    self._resource(folder, said, everything, spot.below(name, number))
        with told.one():
            _distinct(everything)
        self._additions(folder, fields, everything, spot, told)
        patching = _Patching(folder, fields, spot, told)
        told.tell()
        self._transform(fields, everything, spot, patching)
        if everything is own:
            some += own
        _distinct(some)

    def _additions(
        self, folder: files.Folder, fields: dict[str, Any], some: list[items.Item], spot: documents.Spot,
        told: trouble.Collected,
    ) -> None:  # fmt: skip
        made = list(generators.generated(folder, fields, spot, told))
        components = patches.listed(fields.get("components"), spot.below("components"))
        # 4.5 and 5.0 turn to the components first.
        late = made and components and not self.reading.newer("generators beside components", spot.below("components"))
        self._absorb(some, [] if late else made, told)
        for number, said in enumerate(components):
            here = spot.below("components", number)
            with told.one():
                self._kustomization(folder.folder(_text(said, here), here), some, "Component")
        self._absorb(some, made if late else [], told)

    def _absorb(self, some: list[items.Item], made: list[generators.Generated], told: trouble.Collected) -> None:
        for each in made:
            with told.one():
                generators.absorb(some, each, self.reading)

    def _resource(self, folder: files.Folder, said: Any, some: list[items.Item], spot: documents.Spot) -> None:
        name = _text(said, spot)
        if folder.is_folder(name, spot):
            self._kustomization(folder.folder(name, spot), some, "Kustomization")
            return
        read = folder.read(name, spot)
        self.said += read.findings
        for each in read.documents:
            if not each.metadata.get("name"):
                raise trouble.Wrong(f"a {each.kind} without a name", each.spot("metadata"))
        doubtful = files.doubtful(read)
        some += (items.Item(each, doubtful=doubtful) for each in read.documents)

    def _transform(
        self, fields: dict[str, Any], some: list[items.Item], spot: documents.Spot, patching: _Patching
    ) -> None:
        self._patch(some, patching.first)
        if "namespace" in fields:
            transformations.namespace(some, fields["namespace"], spot.below("namespace"))
        names.prefix(some, fields.get("namePrefix"), spot.below("namePrefix"))
        names.suffix(some, fields.get("nameSuffix"), spot.below("nameSuffix"))
        labelling.apply(some, fields, spot)
        self._patch(some, patching.later)
        transformations.images(some, fields.get("images"), spot.below("images"), self.reading)
        transformations.replicas(some, fields.get("replicas"), spot.below("replicas"))
        for each in patching.replacing:
            replacements.apply(some, each, self.reading)

    def _patch(self, some: list[items.Item], patching: list[patches.Patch]) -> None:
        told = trouble.Collected()
        for each in patching:
            with told.one():
                said = patches.apply(some, each, self.reading)
                self.said += [said] if said else []
        told.tell()


class _Patching:
    """All patches of a kustomization, before it renames and labels and behind that, and its replacements."""

    def __init__(
        self, folder: files.Folder, fields: dict[str, Any], spot: documents.Spot, told: trouble.Collected
    ) -> None:
        fit = {name: (fields.get(name), spot.below(name), told) for name in _PATCHES}
        strategic, general, older = (fit[name] for name in _PATCHES)
        self.first = [*patches.strategic(folder, *strategic), *patches.general(folder, *general, json=False)]
        self.later = list(patches.general(folder, *older, json=True))
        replacing = spot.below("replacements")
        self.replacing = list(replacements.read(folder, fields.get("replacements"), replacing, told))


def _check(fields: dict[str, Any], spot: documents.Spot, kind: str) -> None:
    for name, value in fields.items():
        if name not in _KNOWN and value not in (None, [], {}, ""):
            raise trouble.Beyond(f"the field {name}", spot.below(name))
    said = str(fields.get("kind", "Kustomization"))
    if said != kind or fields.get("apiVersion", _KINDS[said]) != _KINDS[said]:
        raise trouble.Beyond(f"a {said} of {fields.get('apiVersion')} where a {kind} is wanted", spot.below("kind"))
    if not fields.keys() - {"apiVersion", "kind", "metadata"}:
        raise trouble.Wrong("an empty kustomization", spot)


def _text(said: Any, spot: documents.Spot) -> str:
    if not isinstance(said, str):
        raise trouble.Beyond("something else than a path", spot)
    return said


def _distinct(some: list[items.Item]) -> None:
    seen: dict[tuple[str, ...], items.Item] = {}
    for each in some:
        if each.name and seen.setdefault(each.key, each) is not each:
            raise trouble.Wrong(f"{each.title} comes about twice", each.spot(("metadata", "name")))
