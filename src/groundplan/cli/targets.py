"""Which platform, and which of its services, the words on the command line mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundplan.local import directory

data = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The data directory, instead of .groundplan/local beside the plan.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
names = click.argument("names", nargs=-1, metavar="[NAME] [SERVICE]...")


@dataclass(frozen=True)
class Target:
    """A plan file (None where only ``--data`` was given), the services asked for, the data directory."""

    plan_file: Path | None
    services: tuple[str, ...]
    place: directory.Directory


def resolve(words: tuple[str, ...], data: Path | None) -> Target:
    """NAME is a directory under ``platforms/`` or a path; without one it is ./plan.py, or the only platform
    that runs. The other words are services."""
    from groundplan.local import directory

    here = Path()
    plan_file, services = _split(words, here)
    if plan_file is None and data is None:
        plan_file = _only_running(here)
    if data is not None:
        return Target(plan_file, services, directory.Directory(data.absolute()))
    if plan_file is None:
        plan_file = _found(words[0] if words else None, here)
    return Target(plan_file, services, directory.default(plan_file))


def _split(words: tuple[str, ...], here: Path) -> tuple[Path | None, tuple[str, ...]]:
    if words and (named := _named(words[0], here)):
        return named, words[1:]
    plain = here / "plan.py"
    return (plain if plain.is_file() else None), words


def _named(word: str, here: Path) -> Path | None:
    places = (here / "platforms" / word / "plan.py", here / word / "plan.py", here / word)
    return next((place for place in places if place.suffix == ".py" and place.is_file()), None)


def platform_of(words: tuple[str, ...]) -> Path | None:
    """The plan file that the one word means, or ./plan.py where there is no word; None for anything else."""
    if len(words) == 1:
        return _named(words[0], Path())
    plain = Path("plan.py")
    return plain if not words and plain.is_file() else None


def _only_running(here: Path) -> Path | None:
    from groundplan.local import directory

    plans = sorted(here.glob("platforms/*/plan.py"))
    running = [plan for plan in plans if directory.is_locked(directory.default(plan))]
    return running[0] if len(running) == 1 else None


def _found(name: str | None, here: Path) -> Path:
    from groundplan.model import load

    return load.find(name, here)


C = TypeVar("C", bound=click.Command)


def example(text: str) -> Callable[[C], C]:
    """Puts an example under a verb's help."""

    def put(command: C) -> C:
        command.epilog = f"\b\nExample:\n  {text}"
        return command

    return put
