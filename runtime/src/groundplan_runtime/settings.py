"""Settings from environment variables: typed, all mistakes at once, secrets masked.

A field ``database_dsn`` is read from ``DATABASE_DSN``. A value ``file:///secrets/database-dsn`` is
replaced by that file's content (less one trailing newline). Annotate with `Secret` what must never
be printed, with `SecretFile` what rotates while the service runs, with `pathlib.Path` a file that
the service opens by itself.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import types
import typing
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar, Union

import msgspec

from groundplan_runtime import masking

T = TypeVar("T")

FILE: Final = "file://"


class SettingsError(Exception):
    """The environment does not fit; says everything that is wrong with it, never a secret's value."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        self.findings = findings
        super().__init__("\n".join(("this service cannot start with these settings:", *findings)))


class Secret:
    """A value that is never printed: `repr` and `str` are stars, logs star it out, `reveal()` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        masking.remember(value)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('********')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class SecretFile:
    """A secret that somebody rotates: `read()` gives what the file says now (re-read when it changed)."""

    __slots__ = ("_content", "_stamp", "path")

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._content = ""

    def read(self) -> str:
        # A projected volume rotates by swapping a symbolic link, so the inode tells as much as the time.
        status = os.stat(self.path)  # noqa: PTH116  (called per request: pathlib costs 3 times as much)
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp != self._stamp:
            self._content = _trimmed(self.path.read_text())
            self._stamp = stamp
            masking.remember(self._content)
        return self._content

    def __repr__(self) -> str:
        return f"SecretFile({str(self.path)!r})"


class Wrong(Exception):
    """One value that does not fit: what is wrong, and the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def load(settings: type[T], environment: Mapping[str, str] | None = None) -> T:
    """A `settings` (frozen dataclass or msgspec Struct) from the environment; raises `SettingsError`."""
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    findings: list[str] = []
    for name, annotation, optional in _fields(settings):
        variable = name.upper()
        raw = environment.get(variable)
        if raw is None or (raw == "" and annotation is not str):
            if not optional:
                findings.append(_finding(variable, "is not set", f"set {variable} to {_wanted(annotation)}"))
            continue
        try:
            values[name] = convert(raw, annotation)
        except Wrong as wrong:
            findings.append(_finding(variable, wrong.what, wrong.remedy))
    if findings:
        raise SettingsError(tuple(findings))
    return settings(**values)


def reference(environment: Mapping[str, str], variable: str) -> pathlib.Path | None:
    """The file that `variable` refers to; None when it is not set; raises `SettingsError` when it is no reference."""
    raw = environment.get(variable)
    if not raw:
        return None
    try:
        return _existing(raw)
    except Wrong as wrong:
        raise SettingsError((_finding(variable, wrong.what, wrong.remedy),)) from None


def convert(raw: str, annotation: Any) -> Any:
    """`raw` as what `annotation` says; raises `Wrong`."""
    annotation = _required(annotation)
    if annotation is SecretFile:
        file = SecretFile(_existing(raw))
        file.read()
        return file
    if annotation is pathlib.Path:
        return pathlib.Path(raw.removeprefix(FILE))
    content = _content(raw)
    if annotation is Secret:
        return Secret(_text(content, raw))
    if annotation is bytes:
        return content
    return _plain(_text(content, raw), annotation, "" if raw.startswith(FILE) else raw, raw)


def _plain(text: str, annotation: Any, shown: str, raw: str) -> Any:
    where = f" (in {raw.removeprefix(FILE)})" if raw.startswith(FILE) else f", not {shown!r}"
    if annotation is str:
        return text
    if annotation is bool:
        if text.lower() not in _BOOLEANS:
            raise Wrong(f"must be true or false{where}", "write true or false")
        return _BOOLEANS[text.lower()]
    if typing.get_origin(annotation) is tuple:
        item = typing.get_args(annotation)[0]
        return tuple(_plain(part.strip(), item, shown and part, raw) for part in text.split(",") if part.strip())
    if typing.get_origin(annotation) is Literal:
        if text not in typing.get_args(annotation):
            raise Wrong(f"must be {_wanted(annotation)}{where}", "choose one of them")
        return text
    try:
        return annotation(text)
    except (TypeError, ValueError):
        raise Wrong(f"must be {_wanted(annotation)}{where}", f"write {_wanted(annotation)}") from None


_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _content(raw: str) -> bytes:
    if not raw.startswith(FILE):
        return raw.encode()
    path = _existing(raw)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Wrong(f"refers to {path}, which cannot be read: {error.strerror}", _OWNER) from None
    return content[:-1] if content.endswith(b"\n") else content


_OWNER = "let the user of this process read the file"


def _existing(raw: str) -> pathlib.Path:
    if not raw.startswith(FILE):
        raise Wrong("must refer to a file", "write file:///an/absolute/path")
    path = pathlib.Path(raw.removeprefix(FILE))
    if not path.is_absolute():
        raise Wrong(f"refers to {path}, which is not an absolute path", "write file:///an/absolute/path")
    try:
        with path.open("rb"):
            return path
    except FileNotFoundError:
        raise Wrong(f"refers to {path}, which does not exist", "mount or write that file") from None
    except OSError as error:
        raise Wrong(f"refers to {path}, which cannot be read: {error.strerror}", _OWNER) from None


def _text(content: bytes, raw: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        where = raw.removeprefix(FILE) if raw.startswith(FILE) else "the value"
        raise Wrong(f"must be UTF-8 text, and {where} is not", "annotate the field as bytes, or store text") from None


def _trimmed(content: str) -> str:
    return content.removesuffix("\n")


def _required(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (member for member in typing.get_args(annotation) if member is not type(None))
    return annotation


def _wanted(annotation: Any) -> str:
    annotation = _required(annotation)
    if typing.get_origin(annotation) is Literal:
        return " or ".join(map(str, typing.get_args(annotation)))
    if typing.get_origin(annotation) is tuple:
        return "a list separated by commas"
    return _WORDS.get(annotation, f"a {getattr(annotation, '__name__', annotation)}")


_WORDS: Final[Mapping[Any, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    bytes: "a value or a file:// reference",
    Secret: "a file:// reference to the secret",
    SecretFile: "a file:// reference to the secret",
    pathlib.Path: "a path or a file:// reference",
}


def _fields(settings: type[Any]) -> list[tuple[str, Any, bool]]:
    hints = typing.get_type_hints(settings)
    if dataclasses.is_dataclass(settings):
        return [(field.name, hints[field.name], _has_default(field)) for field in dataclasses.fields(settings)]
    return [(field.name, hints[field.name], not field.required) for field in msgspec.structs.fields(settings)]


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _finding(variable: str, what: str, remedy: str) -> str:
    return f"  {variable} {what}\n    fix: {remedy}"
