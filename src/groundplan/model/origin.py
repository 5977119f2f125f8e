"""Where in the author's files a declaration stands."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sys

_OURS = str(pathlib.Path(__file__).resolve().parent.parent)


@dataclasses.dataclass(frozen=True, order=True)
class Origin:
    """A file and a line (0: all of it); the file is relative to where we stand when that is shorter."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Origin("", 0)


def here() -> Origin:
    """The nearest caller outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return Origin(shown(frame.f_code.co_filename), frame.f_lineno)


def _is_ours(file: str) -> bool:
    return file.startswith((_OURS, "<string>", "<frozen")) or file == "<string>"


def shown(file: str) -> str:
    """`file` as people read it."""
    try:
        return str(pathlib.Path(os.path.realpath(file)).relative_to(pathlib.Path.cwd()))  # a loop of links is shown too
    except ValueError:
        return file
