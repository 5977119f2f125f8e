"""Decoding one source into documents and findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from groundplan.proof import findings
from groundplan.proof.manifests import documents, yaml_reader

_BEGIN = re.compile(r"\S")
TEMPLATED = "it looks like a template: render it first, as in `helm template . | groundplan check -`"


class _Twice(ValueError):
    """A key said twice in JSON."""


def decode(source: documents.Source) -> documents.Read:
    """Every object in a source. One unreadable document makes the whole source unreadable."""
    if source.text.lstrip()[:1] in (b"{", b"["):
        found = _json(source)
        if found is not None:
            return found
    return _yaml(source)


def objects(some: Iterable[Any]) -> documents.Read:
    """Values that are decoded already, as if each were a document of its own."""
    said: list[findings.Finding] = []
    found: list[documents.Document] = []
    for number, each in enumerate(some):
        document = documents.Document(each, None, number)
        if wrong := _no_object(document):
            said.append(wrong)
        elif "items" in each:
            found.extend(_objects(document, said))
        else:
            found.append(document)
    if not found and not said:
        said.append(findings.Finding("GP504", "there is no object", remedy="give at least one"))
    return documents.Read(tuple(found), tuple(said))


def _json(source: documents.Source) -> documents.Read | None:
    try:
        values = list(_each(source.text.decode("utf-8-sig")))
    except _Twice as error:
        said = findings.Finding("GP502", f"key {error} stands twice in one mapping", findings.Place(source.name))
        return documents.Read((), (said,))
    except (ValueError, RecursionError):
        return None
    return _gathered(source, values, [])


def _each(text: str) -> Iterator[tuple[Any, int]]:
    """One value, or several as `jq` prints them and kubectl takes them, with the lines that they begin at."""
    decoder, end, line = json.JSONDecoder(object_pairs_hook=_once), 0, 1
    while found := _BEGIN.search(text, end):
        line += text.count("\n", end, found.start())
        value, end = decoder.raw_decode(text, found.start())
        yield value, line
        line += text.count("\n", found.start(), end)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def plain(source: documents.Source) -> tuple[list[tuple[Any, int]], list[findings.Finding]]:
    """The values of a YAML source with the lines that they begin at, whatever they are; or why there are none."""
    values: list[tuple[Any, int]] = []
    reader = yaml_reader.Values()
    try:
        composer = yaml_reader.Composer(source.text)
        while composer.check_node():
            node = composer.get_node()
            values.append((reader.document(node), node.start_mark.line + 1))
    except yaml.YAMLError as error:
        return [], [_broken(source, error)]
    except (yaml_reader.Trouble, UnicodeDecodeError, RecursionError) as error:
        place = findings.Place(source.name, getattr(error, "line", 0))
        return [], [findings.Finding("GP501", f"{source.name} cannot be read", place, str(error), _remedy(source))]
    return values, [*_twice(source, reader), *_traps(source, reader)]


def _yaml(source: documents.Source) -> documents.Read:
    values, said = plain(source)
    return (
        _gathered(source, values, said)
        if values or not findings.errors(tuple(said))
        else documents.Read((), tuple(said))
    )


def _broken(source: documents.Source, error: yaml.YAMLError) -> findings.Finding:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    why = getattr(error, "problem", None) or str(error).splitlines()[0]
    place = findings.Place(source.name, mark.line + 1 if mark else 0)
    return findings.Finding("GP501", f"{source.name} cannot be read", place, why, _remedy(source))


def _remedy(source: documents.Source) -> str:
    return TEMPLATED if b"{{" in source.text else "correct the YAML"


def _twice(source: documents.Source, values: yaml_reader.Values) -> Iterator[findings.Finding]:
    for key, line in values.twice:
        place = findings.Place(source.name, line)
        why = "readers keep the first or the last, silently; the API server refuses it"
        yield findings.Finding("GP502", f"key {key} stands twice in one mapping", place, why, "keep one of them")


def _traps(source: documents.Source, values: yaml_reader.Values) -> Iterator[findings.Finding]:
    for text, line in values.traps:
        value = values.known[text][0]
        why = f"kubectl reads it as {json.dumps(value)}; other readers of YAML do not"
        remedy = f'write "{text}" for the text, or {json.dumps(value)} for the value'
        yield findings.Finding("GP506", f"{text} is not quoted", findings.Place(source.name, line), why, remedy)


def _gathered(source: documents.Source, values: list[tuple[Any, int]], said: list[findings.Finding]) -> documents.Read:
    found: list[documents.Document] = []
    for index, (value, line) in enumerate(values):
        if value is None:
            continue
        document = documents.Document(value, source, index, line=line)
        if wrong := _no_object(document):
            said.append(wrong)
        else:
            found.extend(_objects(document, said))
    return documents.Read(tuple(found), tuple(said))


def _named(data: Any) -> bool:
    """Nearly always: what else may be said of a document is for words about what is wrong."""
    if type(data) is not dict:
        return False
    kind, version = data.get("kind"), data.get("apiVersion")
    if not (isinstance(kind, str) and isinstance(version, str) and kind and version):
        return False
    metadata = data.get("metadata")
    if type(metadata) is dict:
        name, namespace = metadata.get("name"), metadata.get("namespace")
        if type(name) is str and type(namespace) is str:
            return (name + namespace + kind + version).isprintable()
    return not _hidden(data)


def _hidden(data: dict[str, Any]) -> str:
    """Which word of an object's identity holds what cannot be seen: it would pass for something else in every
    answer, a line of its own even, and no API server takes it."""
    metadata = data.get("metadata")
    metadata = metadata if type(metadata) is dict else {}
    for key, word in (
        ("kind", data.get("kind")),
        ("apiVersion", data.get("apiVersion")),
        ("metadata.name", metadata.get("name")),
        ("metadata.namespace", metadata.get("namespace")),
    ):
        if type(word) is str and not word.isprintable():
            return f"{key} {word!a}"
    return ""


def _no_object(document: documents.Document) -> findings.Finding | None:
    data: Any = document.data
    if _named(data):
        return None
    name = document.source.name if document.source else ""
    place = findings.Place(name, document.line)
    remedy = "give only files of Kubernetes objects, or name them one by one"
    if not isinstance(data, dict):
        return findings.Finding("GP503", f"a document of {name} is no object", place, "it is no mapping", remedy)
    lacking = [key for key in ("apiVersion", "kind") if not (isinstance(data.get(key), str) and data[key])]
    if lacking:
        why = f"it has no {' and no '.join(lacking)}"
        return findings.Finding("GP503", f"a document of {name} is no object", place, why, remedy)
    why = f"its {_hidden(data)} holds a control character"
    return findings.Finding("GP503", f"a document of {name} is no object", place, why, "write a name that can be read")


def _objects(document: documents.Document, said: list[findings.Finding]) -> Iterator[documents.Document]:
    items = document.data.get("items")
    if document.kind == "List" and not isinstance(items, list | None):
        place = document.place("items")
        said.append(findings.Finding("GP503", "a List holds no list", place, "its items are none", "write a list"))
        return
    if not document.kind.endswith("List") or not ("items" in document.data and isinstance(items, list | None)):
        yield document
        return
    for number, item in enumerate(items or ()):
        whole = _typed(item, document)
        inner = documents.Document(whole, document.source, document.index, (*document.items, number), document.line)
        wrong = _no_object(inner)
        if wrong:
            said.append(wrong)
        else:
            yield from _objects(inner, said)


def _typed(item: Any, around: documents.Document) -> Any:
    # The items of a typed list (PodList) leave out what the list's own kind says.
    if isinstance(item, dict) and "kind" not in item and around.kind != "List":
        return {"apiVersion": around.data["apiVersion"], "kind": around.kind.removesuffix("List"), **item}
    return item
