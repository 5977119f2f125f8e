"""YAML that reads the same under YAML 1.1 and 1.2: whatever one of them could take for another type is quoted.

Text stands plain only where a short pattern vouches for it, as a literal block where it has lines, and in
double quotes with JSON's escapes everywhere else. Sources: https://yaml.org/type/ (1.1: yes, on, 012, 1e3,
12:30 are no text), https://yaml.org/spec/1.2.2/#103-core-schema.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./@+=-]|:(?=[A-Za-z0-9_./@+=-]))*")
_QUANTITY = re.compile(r"[1-9][0-9]{0,5}(?:m|Ki|Mi|Gi|Ti)")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))
"""In any case; letters that 1.1 or 1.2 take for something else (nan and inf: so that nobody has to look it up)."""

# A block keeps its lines as they are; these do not survive, or not in every reader: other line ends, control
# characters, a byte order mark, surrogates.
_NO_BLOCK = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# Readers differ in what spaces at a line's ends mean to a block.
_RAGGED = re.compile(r"^ |^\n|[ ]\n|[ ]\Z")


def document(tree: Any) -> str:
    """`tree` as one YAML document, with a line end at its end."""
    out: list[str] = []
    if not isinstance(tree, dict | list) or not tree:
        return f"{_flow(tree, '  ')}\n"
    _block(tree, "", out)
    return "".join(out)


def documents(trees: Iterable[Any]) -> str:
    """Several documents in one stream."""
    return "---\n".join(document(tree) for tree in trees)


def _block(tree: Any, indent: str, out: list[str]) -> None:
    if isinstance(tree, dict):
        for key, value in tree.items():
            out.append(f"{indent}{_text(key)}:")
            _value(value, indent, out)
    else:
        for item in tree:
            _item(item, indent, out)


def _value(value: Any, indent: str, out: list[str]) -> None:
    if isinstance(value, dict) and value:
        out.append("\n")
        _block(value, indent + "  ", out)
    elif isinstance(value, list | tuple) and value:
        out.append("\n")
        _block(value, indent, out)
    else:
        out.append(f" {_flow(value, indent + '  ')}\n")


def _item(item: Any, indent: str, out: list[str]) -> None:
    if isinstance(item, dict | list | tuple) and item:
        inner: list[str] = []
        _block(item, indent + "  ", inner)
        # The first line's indentation makes room for the dash.
        out.append(f"{indent}- {''.join(inner)[len(indent) + 2 :]}")
    else:
        out.append(f"{indent}- {_flow(item, indent + '  ')}\n")


def _flow(value: Any, indent: str) -> str:
    if isinstance(value, str):
        return _lines(value, indent) if "\n" in value else _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict | list | tuple) and not value:
        return "{}" if isinstance(value, dict) else "[]"
    raise TypeError(f"{type(value).__name__} has no place in an object: {value!r}")


@functools.lru_cache(maxsize=65536)
def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return text if _QUANTITY.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    # JSON's text is YAML's double-quoted text, as long as it is ASCII: 1.1 forbids some characters to stand
    # as themselves, and beyond the first plane it wants \U where JSON has a pair of surrogates.
    return "".join(_escaped(sign) if ord(sign) > 0x7E else sign for sign in _ascii(text))


def _ascii(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escaped(sign: str) -> str:
    code = ord(sign)
    if 0xA0 <= code <= 0xD7FF and code not in (0x2028, 0x2029):
        return sign
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _lines(text: str, indent: str) -> str:
    if _NO_BLOCK.search(text) or _RAGGED.search(text) or not text.strip("\n"):
        return _quoted(text)
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    kept = {0: "-", 1: ""}.get(ends, "+")
    lines = "\n".join(f"{indent}{line}" if line else "" for line in body.split("\n"))
    return f"|{kept}\n{lines}" + "\n" * max(0, ends - 1)
