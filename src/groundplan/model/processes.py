"""What a service runs: a Python module, any command, or an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from groundplan.model import findings


@dataclasses.dataclass(frozen=True)
class Python:
    """``python -m module``."""

    module: str
    image: str | None = None


@dataclasses.dataclass(frozen=True)
class Command:
    """Any command line, started in the plan's directory; `image` is what holds it in a cluster."""

    argv: tuple[str, ...]
    image: str | None = None


@dataclasses.dataclass(frozen=True)
class Image:
    """A container image and nothing to run here without one."""

    reference: str
    argv: tuple[str, ...] = ()


Process = Python | Command | Image


def words(process: Process) -> tuple[str, ...]:
    """The command line: for an image, its arguments."""
    return ("python", "-m", process.module) if isinstance(process, Python) else process.argv


def python(module: str, *, image: str | None = None) -> Python:
    """A Python module, run as ``python -m module``; its package is found beside the plan or installed."""
    if not isinstance(module, str) or not all(part.isidentifier() for part in module.split(".")):
        findings.report(
            "GP105", f"python({module!r}) is not a module's name", remedy="write it as import does: package.module"
        )
        module = "invalid"
    return Python(module, image)


def command(argv: Sequence[str], *, image: str | None = None) -> Command:
    """Any program with its arguments, as a list of words: nothing is split or expanded by a shell."""
    if isinstance(argv, str) or not argv:
        findings.report(
            "GP105", f"command({argv!r}) is not a list of words", remedy=f"write command({str(argv).split()!r})"
        )
        argv = ("false",)
    return Command(tuple(argv), image)


def image(reference: str, argv: Sequence[str] = ()) -> Image:
    """A container image, by reference."""
    return Image(reference, tuple(argv))
