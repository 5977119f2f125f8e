"""What generators read: literals, files, files of lines; and how the content stands in the object."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import msgspec

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import trouble, words

_LINE = 64 * 1024
"""Bytes of one line from which on kustomize stops reading, without a word."""
_COLUMNS = 70
_UNSTABLE = re.compile("[\x7f-\x9f\ufffe\uffff]|^\t.*\n", re.ASCII | re.DOTALL)
"""What kustomize's own way through YAML changes or stumbles over."""
_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Go takes for space, which is less than what Python does."""


class Pair(msgspec.Struct, frozen=True):
    """One entry and where it comes from."""

    key: str
    value: bytes
    spot: documents.Spot


def literal(text: str, spot: documents.Spot) -> Pair:
    """``key=value``, whose value may stand between two quotes."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise trouble.Wrong(f"the literal {text!r} is not key=value", spot)
    if value in ("'", '"'):
        raise trouble.Beyond("a literal of one quote", spot)
    if value[:1] in ("'", '"') and value[:1] == value[-1:]:
        value = value[1:-1]
    return Pair(words.key(key, spot), value.encode(), spot)


def named(text: str, spot: documents.Spot) -> tuple[str, str]:
    """Key and path of ``key=path``, or of a path, whose last part is the key."""
    key, equals, path = text.partition("=")
    if not equals:
        return words.key(text.rpartition("/")[2], spot), text
    if not key or not path or "=" in path:
        raise trouble.Wrong(f"{text!r} is neither path nor key=path", spot)
    return words.key(key, spot), path


def whole(key: str, source: documents.Source, spot: documents.Spot) -> Pair:
    """A file as it is."""
    return Pair(words.key(key, spot), source.text, documents.Spot(source, 1, plain=True))


def lines(source: documents.Source, spot: documents.Spot) -> Iterator[Pair]:
    """A file of ``key=value``, of empty lines and of comments."""
    for number, line in enumerate(source.text.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        here = documents.Spot(source, number, plain=True)
        if len(line) + 1 >= _LINE:
            raise trouble.Beyond("a line of 64 KiB and more", here)
        try:
            text = line.removesuffix(b"\r").decode().lstrip(_SPACE)
        except UnicodeDecodeError:
            raise trouble.Wrong("a line that is no UTF-8", here) from None
        if text and not text.startswith("#"):
            key, _, value = text.partition("=")
            yield Pair(words.key(key, here), value.encode(), here)


def encoded(pair: Pair, *, secret: bool) -> tuple[str, str]:
    """The field that an entry stands in, and its text there."""
    if secret:
        return "data", _base64(pair.value)
    try:
        text = pair.value.decode()
    except UnicodeDecodeError:
        return "binaryData", _base64(pair.value)
    if _UNSTABLE.search(text):
        raise trouble.Beyond(f"the content of {pair.key}, with characters that YAML does not keep", pair.spot)
    return "data", text


def _base64(value: bytes) -> str:
    text = base64.b64encode(value).decode()
    if len(text) < _COLUMNS:
        return text
    return "".join(f"{text[at : at + _COLUMNS]}\n" for at in range(0, len(text), _COLUMNS))
