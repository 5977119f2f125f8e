"""Names of other objects in fields: what was renamed is named anew wherever kustomize looks for it.

It does so once, at the end of a whole build. Which object a name means is a chain of questions that leave fewer and
fewer of them; several that remain, with different names, are an error of kustomize's too. A field that is rewritten
keeps the line on which the name was written.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator

from groundplan.proof.manifests.kustomizations import items, reference_fields, trouble, versions

Renamed = dict[tuple[str, str], list[items.Item]]
"""Objects by kind and by each name that they had."""


def update(some: list[items.Item], reading: versions.Reading) -> None:
    """Rewrites every name of an object that was renamed or came into another namespace."""
    renamed: Renamed = collections.defaultdict(list)
    for each in some:
        for name in dict.fromkeys(name for _, name in each.former):
            renamed[each.kind, name].append(each)
    for each in some:
        holder = _Holder(each, some, renamed, reading)
        for field in reference_fields.of(each.group, each.version, each.kind):
            holder.update(field)


class _Holder:
    """An object that may name others."""

    def __init__(self, item: items.Item, some: list[items.Item], renamed: Renamed, reading: versions.Reading) -> None:
        self.item, self.some, self.renamed, self.reading = item, some, renamed, reading
        self.spaces = frozenset(_subjects(item)) if item.kind == "RoleBinding" else frozenset[str]()
        """Further namespaces that it names objects in."""

    def update(self, field: reference_fields.Field) -> None:
        """Rewrites the names at one field."""
        for path in _leaves(self.item, (), field.path):
            value = self.item.get(path)
            inner = [(*path, number) for number in range(len(value))] if isinstance(value, list) else [path]
            for each in inner:
                if isinstance(self.item.get(each), dict):
                    self._mapping(field, each)
                else:
                    self._word(field, each)

    def _word(self, field: reference_fields.Field, path: items.Path) -> None:
        value, spot = self.item.get(path), self.item.spot(path)
        if isinstance(value, dict | list) or (value is not None and not isinstance(value, str)):
            raise trouble.Beyond(f"{self.item.title} names an object by something else than a word", spot)
        found = self._meant(field, [each for each in self._called(field, value) if self._reaches(each)])
        if found is None or found.name == value:
            return
        what = f"the name of a {field.target.kind} in a {self.item.kind}"
        if not field.newer or (spot and self.reading.newer(what, spot)):
            self.item.put(path, found.name, spot)

    def _mapping(self, field: reference_fields.Field, path: items.Path) -> None:
        name, space = (self.item.get((*path, word)) for word in ("name", "namespace"))
        if not isinstance(name, str) or not (space is items.MISSING or isinstance(space, str)):
            spot = self.item.spot(path)
            raise trouble.Beyond(f"{self.item.title} names an object by something else than words", spot)
        there = [each for each in self._called(field, name) if self._reaches(each)]
        if space is not items.MISSING:
            there = self._within(str(space), there)
        found = self._meant(field, there, whole=True)
        if found is None:
            return
        if found.name != name:
            self.item.put((*path, "name"), found.name, self.item.spot((*path, "name")))
        own = found.metadata.get("namespace")
        if own and own != space:
            self.item.put((*path, "namespace"), own, self.item.spot((*path, "namespace")))

    def _called(self, field: reference_fields.Field, name: str | None) -> list[items.Item]:
        found = self.renamed.get((field.target.kind, name), []) if name else []
        return [each for each in found if field.target.covers(each.group, each.version, each.kind)]

    def _reaches(self, other: items.Item) -> bool:
        if self.item.everywhere or other.everywhere or other.namespace == self.item.namespace:
            return True
        return str(other.metadata.get("namespace", "")) in self.spaces

    def _within(self, space: str, there: list[items.Item]) -> list[items.Item]:
        # A namespace is the one from which objects came, or where none did, the one in which they are.
        came = any(each.first[0] == space for each in self.some if not each.everywhere and self._reaches(each))
        return [each for each in there if not each.everywhere and space == (each.first[0] if came else each.namespace)]

    def _meant(
        self, field: reference_fields.Field, there: list[items.Item], *, whole: bool = False
    ) -> items.Item | None:
        found = [each for each in there if self._is_role(field, each) and self._beside(each)]
        for loose in (True, False):
            if len(found) <= 1:
                break
            found = [each for each in found if _alike(each, self.item, loose=loose)]
        if len({(each.name, each.metadata.get("namespace") if whole else "") for each in found}) > 1:
            titles = ", ".join(each.title for each in found)
            raise trouble.Wrong(f"{self.item.title} may mean any of {titles}", self.item.spot(field.path[:1]))
        for each in found[:1]:
            each.named = True
        return found[0] if found else None

    def _is_role(self, field: reference_fields.Field, other: items.Item) -> bool:
        if field.path[-2:] != ("roleRef", "name"):
            return True
        group, kind = (self.item.get(("roleRef", word)) for word in ("apiGroup", "kind"))
        if not isinstance(group, str) or not isinstance(kind, str):
            raise trouble.Beyond(f"{self.item.title} does not say which role", self.item.spot(("roleRef",)))
        return reference_fields.Kind(group, "", kind).covers(other.group, other.version, other.kind)

    def _beside(self, other: items.Item) -> bool:
        if self.item.everywhere or other.everywhere or other.kind == "ServiceAccount":
            return True
        return other.namespace == self.item.namespace


def _subjects(item: items.Item) -> Iterator[str]:
    subjects = item.data.get("subjects")
    for number, each in enumerate(subjects if isinstance(subjects, list) else ()):
        if not isinstance(each, dict):
            raise trouble.Beyond(f"a subject of {item.title} that is no mapping", item.spot(("subjects", number)))
        if each.get("kind") == "ServiceAccount" and isinstance(each.get("namespace"), str):
            yield each["namespace"]


def _leaves(item: items.Item, path: items.Path, rest: tuple[str, ...]) -> Iterator[items.Path]:
    there = item.get(path)
    if there is items.MISSING or there is None:
        return
    if isinstance(there, list) and rest:
        for number in range(len(there)):
            yield from _leaves(item, (*path, number), rest)
    elif not rest:
        yield path
    elif isinstance(there, dict):
        yield from _leaves(item, (*path, rest[0]), rest[1:])
    else:
        where = ".".join(map(str, path))
        raise trouble.Wrong(f"{item.title} has at {where} neither a mapping nor a list", item.spot(path))


def _alike(one: items.Item, other: items.Item, *, loose: bool) -> bool:
    """Whether the same kustomizations renamed both, as far as the shorter of the ways goes."""
    pairs = ((one.prefixes, other.prefixes), (one.suffixes, other.suffixes))
    return all((loose and not (mine and theirs)) or _ends(mine, theirs) for mine, theirs in pairs)


def _ends(mine: list[str], theirs: list[str]) -> bool:
    length = min(len(mine), len(theirs))
    if not length:
        return len(mine) == len(theirs)
    return mine[-length:] == theirs[-length:]
