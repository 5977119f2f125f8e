"""Unquoted scalars, decoded the way kubectl does (sigs.k8s.io/yaml, which is go-yaml's second version).

YAML 1.1, YAML 1.2 and go-yaml disagree about some of them. Those are decoded as kubectl would, and reported.
Source: go-yaml v2, resolve.go; yaml.org/type/bool.html; YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_PLAIN_WORDS = ("", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE")
_NUMERIC = frozenset("0123456789+-.")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_PLAIN_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+")
WIDEST = 64
"""No number that means anything is written with more characters; longer ones stay text."""


def decode(text: str) -> tuple[Scalar, bool]:
    """The value, and whether readers differ about it."""
    if text in _WORDS:
        return _WORDS[text], text not in _PLAIN_WORDS
    if text[0] not in _NUMERIC or len(text) > WIDEST:
        return text, False
    if _SEXAGESIMAL.fullmatch(text):
        return text, True
    return _number(text)


def _number(text: str) -> tuple[Scalar, bool]:
    plain = text.replace("_", "")
    if _DECIMAL.fullmatch(plain):
        return int(plain), plain != text
    if based := _BASED.fullmatch(plain):
        sign, hexadecimal, binary, octal = based.groups()
        value = int(hexadecimal, 16) if hexadecimal else int(binary, 2) if binary else int(octal, 8)
        return (-value if sign == "-" else value), True
    if _FLOAT.fullmatch(plain):
        return float(plain), plain != text or not _PLAIN_FLOAT.fullmatch(plain)
    return text, False
