"""`configMapGenerator` and `secretGenerator`: objects out of literals and files.

Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/configmapgenerator/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import contents, files, items, patches, trouble, versions, words

KINDS = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
_SOURCES = ("literals", "files", "envs", "env")
_KNOWN = frozenset({"name", "namespace", "behavior", "options", *_SOURCES})
_OPTIONS = frozenset({"labels", "annotations", "disableNameSuffixHash", "immutable"})
_BEHAVIORS = frozenset({"create", "merge", "replace"})


class Generated(msgspec.Struct, frozen=True):
    """One object, and what becomes of it where there is one of its name: `create`, `merge` or `replace`."""

    item: items.Item
    behavior: str
    spot: documents.Spot


def generated(
    folder: files.Folder, fields: dict[str, Any], spot: documents.Spot, told: trouble.Collected
) -> Iterator[Generated]:
    """Everything that a kustomization's own generators make."""
    common = _options(fields.get("generatorOptions"), spot.below("generatorOptions"))
    for field, kind in KINDS.items():
        for number, said in enumerate(patches.listed(fields.get(field), spot.below(field))):
            with told.one():
                yield _one(folder, kind, said, common, spot.below(field, number))


def _one(folder: files.Folder, kind: str, said: Any, common: _Options, here: documents.Spot) -> Generated:
    known = _KNOWN | {"type"} if kind == "Secret" else _KNOWN
    if not isinstance(said, dict) or not said.keys() <= known:
        raise trouble.Beyond(f"a generator by more than {', '.join(sorted(known))}", here)
    told = {name: said[name] for name in ("name", "namespace", "behavior", "type") if said.get(name) is not None}
    if not all(isinstance(each, str) and each for each in told.values()) or "name" not in told:
        raise trouble.Beyond("a generator without a name, or with something else than words", here)
    behavior = told.get("behavior", "create")
    if behavior not in _BEHAVIORS:
        raise trouble.Beyond(f"the behavior {behavior}", here.below("behavior"))
    options = _options(said.get("options"), here.below("options")).over(common)
    moved: dict[items.Path, documents.Spot] = {(): here, ("metadata", "name"): here.below("name")}
    metadata: dict[str, Any] = {"name": told["name"]}
    if "namespace" in told:
        metadata["namespace"], moved["metadata", "namespace"] = told["namespace"], here.below("namespace")
    tree: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    if kind == "Secret":
        tree |= {"type": told.get("type", "Opaque"), "data": {}}
    _fill(tree, moved, _pairs(folder, said, here))
    options.put(tree, moved)
    item = items.Item(documents.Document(tree, here.source, line=here.line, moved=moved), doubtful=False)
    item.hashed = not options.unhashed
    return Generated(item, behavior, here)


def _fill(tree: dict[str, Any], moved: dict[items.Path, documents.Spot], pairs: Iterator[contents.Pair]) -> None:
    seen: set[str] = set()
    for each in pairs:
        if each.key in seen:
            raise trouble.Wrong(f"{tree['kind']} {tree['metadata']['name']} has the key {each.key} twice", each.spot)
        seen.add(each.key)
        field, value = contents.encoded(each, secret=tree["kind"] == "Secret")
        tree.setdefault(field, {})[each.key] = value
        moved[field, each.key] = each.spot


def _pairs(folder: files.Folder, said: dict[str, Any], here: documents.Spot) -> Iterator[contents.Pair]:
    for path, spot in _words(said.get("envs"), here.below("envs")):
        yield from contents.lines(folder.file(path, spot), spot)
    if said.get("env"):
        ((path, spot),) = _words([said["env"]], here)
        yield from contents.lines(folder.file(path, here.below("env")), spot)
    for text, spot in _words(said.get("literals"), here.below("literals")):
        yield contents.literal(text, spot)
    for text, spot in _words(said.get("files"), here.below("files")):
        key, path = contents.named(text, spot)
        yield contents.whole(key, folder.file(path, spot), spot)


def _words(entries: Any, spot: documents.Spot) -> Iterator[tuple[str, documents.Spot]]:
    for number, each in enumerate(patches.listed(entries, spot)):
        if not isinstance(each, str):
            raise trouble.Beyond("something else than text", spot.below(number))
        yield each, spot.below(number)


class _Options(msgspec.Struct, frozen=True):
    """What generated objects carry beside their content, each word with its place."""

    labels: dict[str, tuple[str, documents.Spot]]
    annotations: dict[str, tuple[str, documents.Spot]]
    unhashed: bool = False
    immutable: documents.Spot | None = None

    def over(self, common: _Options) -> _Options:
        """With what `generatorOptions` say for all, where it does not say otherwise."""
        return _Options(
            common.labels | self.labels,
            common.annotations | self.annotations,
            self.unhashed or common.unhashed,
            self.immutable or common.immutable,
        )

    def put(self, tree: dict[str, Any], moved: dict[items.Path, documents.Spot]) -> None:
        """Into an object and the places of its fields."""
        for field, pairs in (("labels", self.labels), ("annotations", self.annotations)):
            for key, (value, spot) in pairs.items():
                tree["metadata"].setdefault(field, {})[key] = value
                moved["metadata", field, key] = spot
        if self.immutable:
            tree["immutable"], moved[("immutable",)] = True, self.immutable


def _options(said: Any, spot: documents.Spot) -> _Options:
    if said is None:
        return _Options({}, {})
    if not isinstance(said, dict) or not said.keys() <= _OPTIONS:
        raise trouble.Beyond(f"options of generators beyond {', '.join(sorted(_OPTIONS))}", spot)
    flags = [said.get(name) for name in ("disableNameSuffixHash", "immutable")]
    if not all(each is None or isinstance(each, bool) for each in flags):
        raise trouble.Beyond("an option that is neither true nor false", spot)
    labels, annotations = (
        {key: (value, spot.below(field, key)) for key, value in words.pairs(said.get(field), spot.below(field))}
        for field in ("labels", "annotations")
    )
    return _Options(labels, annotations, bool(flags[0]), spot.below("immutable") if flags[1] else None)


def absorb(some: list[items.Item], new: Generated, reading: versions.Reading) -> None:
    """Adds what was generated to the objects, or puts it in the place of the one that it replaces or merges with."""
    own = new.item
    there = [each for each in some if each.document.data["apiVersion"] == "v1" and each.kind == own.kind]
    found = [each for each in there if (own.namespace, own.name) in each.names]
    if new.behavior == "create" or len(found) != 1:
        if new.behavior != "create" or found:
            raise trouble.Wrong(f"{len(found)} objects are the {own.title} that is to be {new.behavior}d", new.spot)
        some.append(own)
        return
    old = found[0]
    if old.doubtful:
        what = f"a {new.behavior} of {old.title}, whose file readers of YAML understand differently"
        raise trouble.Beyond(what, new.spot)
    for field in ("labels", "annotations"):
        _inherit(old, own, ("metadata", field), new.spot)
    if new.behavior == "merge":
        for field in ("data", "binaryData"):
            _inherit(old, own, (field,), new.spot)
            if own.data.get(field) == {}:
                own.remove((field,))
    _become(old, own)
    some[some.index(old)] = own
    # An object that came without a hash gets none by a merge.
    ends = f"a {new.behavior} that ends the hash of {old.title}"
    own.hashed = old.hashed and (own.hashed or not reading.newer(ends, new.spot))


def _become(old: items.Item, own: items.Item) -> None:
    # It is a new object, but for what it is called: its type and whether it is immutable are its own.
    for name in ("namespace", "name"):
        value = old.metadata.get(name)
        if value is None:
            own.metadata.pop(name, None)
        else:
            own.put(("metadata", name), value, old.spot(("metadata", name)))
    own.former, own.prefixes, own.suffixes = list(old.former), list(old.prefixes), list(old.suffixes)


def _inherit(old: items.Item, own: items.Item, path: items.Path, spot: documents.Spot) -> None:
    there = old.get(path)
    if there is items.MISSING or there is None:
        return
    if not isinstance(there, dict) or not all(isinstance(each, str) for each in there.values()):
        raise trouble.Beyond(f"{old.title} has more than words in {'.'.join(map(str, path))}", spot)
    for key, value in there.items():
        words.key(key, spot)
        if own.get(path) is items.MISSING:
            own.put(path, {}, old.spot(path))
        if own.get((*path, key)) is items.MISSING:
            own.put((*path, key), value, old.spot((*path, key)))
