"""``application/x-www-form-urlencoded`` with nested keys, as Stripe's clients send it.

::

    amount=1000&metadata[order]=6735&expand[]=customer&items[0][price]=x
    → {"amount": "1000", "metadata": {"order": "6735"}, "expand": ["customer"], "items": {"0": {"price": "x"}}}

Lists by index stay maps of index strings until a parameter that wants a list reads them (`params`), because
``metadata[0]=x`` is a map. Card numbers and CVCs are wrapped the moment they are unquoted: as plain text they exist
in the body's bytes alone.
"""

from __future__ import annotations

import itertools
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from payments.api.wire import errors
from payments.common import cards

MAX_PAIRS = 1000
MAX_DEPTH = 8
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
Tree = dict[str, Any]


def parse(raw: bytes) -> Tree:
    """The tree of `raw`; raises `errors.Error` for what is no form."""
    tree: Tree = {}
    pairs = [pair for pair in raw.split(b"&") if pair]
    if len(pairs) > MAX_PAIRS:
        errors.refuse(f"Too many parameters: {len(pairs)}, of at most {MAX_PAIRS}.")
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        key = _text(name)
        _put(tree, key, _path(key), _text(value))
    return tree


def _text(quoted: bytes) -> str:
    try:
        text = unquote_to_bytes(quoted.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise errors.invalid("Invalid form: names and values must be UTF-8.") from None
    if "\0" in text:  # PostgreSQL's text cannot hold it
        errors.refuse("Invalid form: names and values must not hold a NUL character.")
    return text


def _path(key: str) -> list[str]:
    if "[" not in key and "]" not in key and key:
        return [key]
    found = _KEY.fullmatch(key)
    if found is None:
        shown = key if len(key) < 60 else key[:60] + "…"
        raise errors.invalid(f"Invalid form: the name {_harmless(shown)} is not like name[part][part].")
    path = [found[1], *_PART.findall(found[2])]
    if len(path) > MAX_DEPTH:
        errors.refuse(f"Invalid form: {found[1]} is nested deeper than {MAX_DEPTH}.")
    return path


def _harmless(name: str) -> str:
    """A name in words; one with many digits may be a number that slipped."""
    return "(hidden)" if sum(map(str.isdigit, name)) >= 12 else repr(name)


def _put(tree: Tree, key: str, path: list[str], value: str) -> None:
    node: Any = tree
    for part, following in itertools.pairwise(path):
        node = _step(node, key, part, following)
    _set(node, key, path, value)


def _step(node: Any, key: str, part: str, following: str) -> Any:
    fresh: Any = [] if following == "" else {}
    if isinstance(node, list):  # a[][b]=1&a[][b]=2: a name that is there already begins the next map, as in Rack
        if not node or type(node[-1]) is not type(fresh) or following in node[-1]:
            node.append(fresh)
        return node[-1]
    found = node.setdefault(part, fresh)
    if type(found) is not type(fresh):
        _conflict(key)
    return found


def _set(node: Any, key: str, path: list[str], value: str) -> None:
    leaf = path[-1]
    wrapped = _wrapped(path, value)
    if isinstance(node, list):
        node.append(wrapped)
        return
    if isinstance(node.get(leaf), (dict, list)):
        _conflict(key)
    node[leaf] = wrapped


def _wrapped(path: list[str], value: str) -> Any:
    if path[-1] == "number":
        return cards.Number(value)
    return cards.Cvc(value) if path[-1] == "cvc" else value


def _conflict(key: str) -> None:
    errors.refuse(f"Invalid form: {_harmless(key)} is given both as a value and as a map or list.")
