"""Writes docs/reference.md from the code: verbs, the words of plan files, variables, findings.

``python tools/reference.py`` writes it; ``--check`` exits 1 when what is written differs.
"""

from __future__ import annotations

import enum
import inspect
import pathlib
import sys
import types
from collections.abc import Iterator

import click

import groundplan
from groundplan import cli, resources, secrets
from groundplan.model import findings
from groundplan_runtime import contract

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "reference.md"
DOORS: tuple[types.ModuleType, ...] = (groundplan, resources, secrets)


def page() -> str:
    parts = [
        "# Reference\n\nGenerated from the code by `make docs`; a test compares the two.",
        "## Verbs",
        *(_verb(verb) for verb in cli.VERBS),
        "## The words of plan files",
        *(part for door in DOORS for part in _door(door)),
        "## What a service finds around it\n\n" + inspect.cleandoc(contract.__doc__ or "").replace("``", "`"),
        "## Findings\n",
    ]
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in findings.CODES.items())
    return "\n\n".join(parts) + f"\n| code | what it says |\n|---|---|\n{rows}\n"


def _verb(verb: click.Command, above: str = "groundplan") -> str:
    # A command keeps the first help option it makes: the same as when it is run under the program.
    names = cli.groundplan.context_settings["help_option_names"]
    context = click.Context(
        verb,
        info_name=f"{above} {verb.name}",
        max_content_width=100,
        terminal_width=100,
        help_option_names=names,
    )
    said = f"### {above} {verb.name}\n\n```text\n{verb.get_help(context)}\n```"
    below = verb.commands.values() if isinstance(verb, click.Group) else ()
    return "\n\n".join([said, *(_verb(each, f"{above} {verb.name}") for each in below)])


def _door(door: types.ModuleType) -> Iterator[str]:
    yield f"### `{door.__name__}`\n\n{inspect.getdoc(door)}"
    for name in door.__all__:
        thing = getattr(door, name)
        yield f"#### {_title(name, thing)}\n\n{_said(thing)}"
        if inspect.isclass(thing):
            yield from _methods(thing)


def _title(name: str, thing: object) -> str:
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, BaseException | enum.Enum)):
        return f"`{name}`"
    return f"`{name}{inspect.signature(thing)}`"


def _methods(kind: type) -> Iterator[str]:
    rows = []
    for name, thing in vars(kind).items():
        if name.startswith("_") or not inspect.getdoc(thing):
            continue
        if inspect.isfunction(thing) and thing.__doc__:
            rows.append(f"- `{name}{_without_self(thing)}`: {_first(thing)}")
        elif isinstance(thing, property) and thing.__doc__:
            rows.append(f"- `{name}`: {_first(thing)}")
    if rows:
        yield "\n".join(rows)


def _without_self(function: types.FunctionType) -> str:
    signature = inspect.signature(function)
    rest = [each for each in signature.parameters.values() if each.name != "self"]
    return str(signature.replace(parameters=rest))


def _first(thing: object) -> str:
    return " ".join(_said(thing).split("\n\n")[0].split())


def _said(thing: object) -> str:
    return (inspect.getdoc(thing) or "").replace("``", "`")


def main() -> int:
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    print("docs/reference.md differs from the code: run `make docs`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
