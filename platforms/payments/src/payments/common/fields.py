"""JSON bodies field by field: everything that is wrong is told at once, each with its field.

::

    values = fields.read(content, {"email": fields.email}, optional={"name": fields.text(1, 80)})
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from groundplan_runtime import http

Check = Callable[[Any], Any]
"""Gives the value as we keep it, or raises `Unfit`."""

# A pragmatic subset of RFC 5321: one @, no spaces or control characters, a dotted or plain domain, 254 in all.
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class Unfit(Exception):
    """A value does not fit: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read(content: bytes, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> dict[str, Any]:
    """The values in the JSON object `content`; raises a 400 `http.Problem` with every field that does not fit."""
    document = http.decode(content or b"{}", dict[str, Any])
    checks = {**required, **(optional or {})}
    errors = [_error(name, "unknown", "there is no such field") for name in document if name not in checks]
    errors += [_error(name, "missing", "must be given") for name in required if document.get(name) is None]
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name in checks and value is not None:
            try:
                values[name] = checks[name](value)
            except Unfit as unfit:
                errors.append(_error(name, unfit.code, str(unfit)))
    if errors:
        raise invalid(errors)
    return values


def invalid(errors: list[dict[str, str]]) -> http.Problem:
    """400 with `errors`."""
    words = "; ".join(f"{error['field']} {error['message']}" for error in errors)
    return http.Problem(400, "Bad Request", words, code="invalid_fields", errors=errors)


def _error(field: str, code: str, message: str) -> dict[str, str]:
    return {"field": field, "code": code, "message": message}


def text(least: int, most: int) -> Check:
    """A text of `least` to `most` characters, without control characters, spaces around it taken off."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Unfit("not_text", "must be a text")
        written = value.strip()
        if not least <= len(written) <= most:
            raise Unfit("length", f"must have {least} to {most} characters, not {len(written)}")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in written):
            raise Unfit("characters", "must not contain control characters")
        return written

    return check


def matching(pattern: str, words: str) -> Check:
    """A text that matches `pattern` wholly; `words` say what that is."""
    expression = re.compile(pattern)

    def check(value: Any) -> str:
        if isinstance(value, str) and expression.fullmatch(value):
            return value
        raise Unfit("format", f"must be {words}")

    return check


def one_of(*choices: Any) -> Check:
    """One of `choices`."""

    def check(value: Any) -> Any:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            raise Unfit("choice", f"must be one of {', '.join(map(str, choices))}")
        return value

    return check


def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Unfit("not_boolean", "must be true or false")
    return value


def integer(least: int, most: int) -> Check:
    """A whole number from `least` to `most`."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Unfit("range", f"must be a whole number from {least} to {most}")
        return value

    return check


def email(value: Any) -> str:
    """An address as its owner writes it."""
    if isinstance(value, str) and len(value) <= 254 and _EMAIL.fullmatch(value.strip()):
        return value.strip()
    raise Unfit("format", "must be a mail address such as ada@example.com")


def email_key(address: str) -> str:
    """What two spellings of one address have in common: case and Unicode form do not matter."""
    return unicodedata.normalize("NFKC", address).casefold()


def list_of(item: Check, most: int) -> Check:
    """A list of up to `most` items."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            raise Unfit("list", f"must be a list of at most {most}")
        return [item(one) for one in value]

    return check
