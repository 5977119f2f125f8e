"""What the pages say is so: the reference equals the code, and every command on a page exists."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import click
import pytest

from groundplan import cli

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("platforms/*/README.md")),
]


def module(path: pathlib.Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_the_reference_is_what_the_code_says():
    assert (ROOT / "docs" / "reference.md").read_text() == module(ROOT / "tools" / "reference.py").page()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_on_a_page_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)", page.read_text())) <= targets | {"clear"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_verb_and_flag_on_a_page_exists(page):
    for verb, rest in re.findall(r"^\s*(?:\$ )?groundplan ([a-z]+)([^\n#&|]*)", page.read_text(), re.M):
        assert verb in cli.groundplan.commands, verb
        known = flags(cli.groundplan.commands[verb], rest.split()[:1])
        for flag in re.findall(r"(?<= )--[a-z-]+", rest.split(" -- ")[0]):
            assert flag in known, f"{verb} {flag}"


def flags(verb: click.Command, words: list[str]) -> set[str]:
    """The options of a verb, or of the one below it that the next word names."""
    below = verb.commands if isinstance(verb, click.Group) else {}
    named = [below[word] for word in words if word in below] or [verb, *below.values()]
    return {"--help"}.union(*(option.opts for each in named for option in each.params))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / link).exists(), link
