"""Every mistake, made in every application, is noticed at its place, and nothing that does not follow from it is."""

from __future__ import annotations

import collections
import copy
import dataclasses
import functools
import itertools
import pathlib
from typing import Any

import pytest
import yaml

from groundplan import proof
from groundplan.proof.lint import run
from tests.proof.lint import mutations

HERE = pathlib.Path(__file__).parent
APPS = {
    "clean": HERE / "clean.yaml",
    **{
        name: HERE.parent / "apps" / f"{name}.yaml" for name in ("blog", "bookshop", "operator", "streaming", "webshop")
    },
}
OVERLAYS = sorted((HERE.parents[2] / "platforms" / "payments" / "deploy" / "overlays").iterdir())
LATER = {"GP522": "GP524"}
"""What a namespace that enforces it makes of a code."""


@dataclasses.dataclass
class Application:
    """Documents, each in a file of its own, and what is found in them before anything is wrong."""

    documents: mutations.Documents
    place: pathlib.Path

    def __post_init__(self) -> None:
        for number in range(len(self.documents)):
            self.write(number, self.documents[number])
        self.before = self.found()

    def write(self, number: int, document: dict[str, Any]) -> str:
        text = yaml.safe_dump(document, sort_keys=False)
        (self.place / f"{number}.yaml").write_text(text)
        return text

    def found(self) -> tuple[proof.Finding, ...]:
        whole = proof.Cluster.read(self.place, cache=self.place.parent / f"{self.place.name}.cache")
        return (*whole.said, *run.run(whole).findings)

    def made(self, target: mutations.Target) -> tuple[list[proof.Finding], pathlib.Path, int]:
        """What is found beyond what was, with one mistake made; its file, and the line of its field."""
        number, path, change = target
        document = copy.deepcopy(self.documents[number])
        change(document)
        text = self.write(number, document)
        try:
            known = collections.Counter((each.code, each.subject, each.field) for each in self.before)
            fresh = []
            for each in self.found():
                known[each.code, each.subject, each.field] -= 1
                if known[each.code, each.subject, each.field] < 0:
                    fresh.append(each)
        finally:
            self.write(number, self.documents[number])
        return fresh, self.place / f"{number}.yaml", line(text, path)


def line(text: str, path: mutations.Path) -> int:
    """The line of a field, or of what is around it, as PyYAML has it."""
    node, at = yaml.compose(text), 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key.start_mark.line, value) for key, value in node.value if key.value == step]
        else:
            found = [(each.start_mark.line, each) for each in node.value[step : step + 1]]
        if not found:
            break
        at, node = found[0][0] + 1, found[0][1]
    return at


@functools.cache
def documents(where: pathlib.Path) -> tuple[dict[str, Any], ...]:
    return tuple(each.data for each in proof.Cluster.read(where).model.everything)


def judged(application: Application, most: int) -> tuple[set[str], list[str]]:
    """Makes every mistake wherever it is none yet: those that could be made, and what was not right about them."""
    told = {(each.code, each.where.file) for each in application.before}
    done, wrong = set(), []
    for mutation in mutations.MUTATIONS:
        codes = {mutation.code, LATER.get(mutation.code, mutation.code)}
        targets = (
            each for each in mutation.targets(application.documents)
            if not {(code, str(application.place / f"{each[0]}.yaml")) for code in codes} & told
        )  # fmt: skip
        for target in itertools.islice(targets, most):
            done.add(mutation.name)
            fresh, place, at = application.made(target)
            right = any(each.code in codes and each.where == proof.Place(str(place), at) for each in fresh)
            if not right or {each.code for each in fresh} - codes - mutation.follows:
                wrong.append(f"{mutation.name}, line {at} of {place}, is told as:\n{shown(fresh)}")
    return done, wrong


def shown(some: list[proof.Finding]) -> str:
    return "\n".join(str(each) for each in some)


@pytest.mark.parametrize("name", APPS)
def test_a_mistake_in_an_application_is_noticed_at_its_place_and_nothing_else_is(
    name: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / name).mkdir()
    application = Application(list(documents(APPS[name])), tmp_path / name)
    done, wrong = judged(application, 1)
    assert not wrong, "\n".join(wrong)
    assert len(done) >= 12, done


@pytest.mark.slow
@pytest.mark.parametrize("overlay", OVERLAYS, ids=[each.name for each in OVERLAYS])
def test_a_mistake_in_a_platforms_manifests_is_noticed_at_its_place_and_nothing_else_is(
    overlay: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / overlay.name).mkdir()
    application = Application(list(documents(overlay)), tmp_path / overlay.name)
    done, wrong = judged(application, 1)
    assert not wrong, "\n".join(wrong)
    assert len(done) >= 30, done


def test_every_mistake_can_be_made_somewhere() -> None:
    places = [list(documents(each)) for each in (*APPS.values(), OVERLAYS[0])]
    assert [each.name for each in mutations.MUTATIONS if not any(list(each.targets(some)) for some in places)] == []
