"""What is built here is what kustomize builds, or nothing."""

from __future__ import annotations

import collections
import pathlib
import re
import subprocess
import tempfile
import types
from typing import Any

import hypothesis
import msgspec
import pytest
import yaml
from hypothesis import strategies as st

from groundplan.proof.manifests.kustomizations import built, reference_fields, trouble
from tests.delivery import kustomizes, test_kustomize
from tests.kubernetes import worlds
from tests.proof.kustomizations import merging, referring, strategies

ENVIRONMENTS = ("development", "production", "staging")


def ours(folder: pathlib.Path) -> list[dict[str, Any]]:
    return [each.data for each in built.build(folder, None).documents]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_payments_overlays_are_built_as_kustomize_builds_them(environment: str) -> None:
    folder = worlds.ROOT / "platforms" / "payments" / "deploy" / "overlays" / environment
    assert test_kustomize.by_key(ours(folder)) == test_kustomize.by_key(kustomizes.build(folder))


def outcome(files: dict[str, bytes], place: pathlib.Path) -> str:
    """What became of a kustomization; asserts that what is built here is what every kustomize builds."""
    _write(place, files)
    try:
        mine = ours(place / "top")
    except trouble.Trouble as error:
        return f"{type(error).__name__}: {error.what}"
    for version, command in kustomizes.commands().items():
        done = subprocess.run([*command, place / "top"], capture_output=True, text=True, timeout=60, check=False)
        if "expected sequence or mapping node" in done.stderr:
            return "no object any more"  # it looks for images where a patch left something else
        assert done.returncode == 0, f"{version}: {done.stderr}"
        assert test_kustomize.by_key(mine) == test_kustomize.by_key(kustomizes.loaded(done.stdout)), version
    return "built"


@pytest.mark.parametrize(
    ("module", "seed", "most"),
    [
        (strategies, 0, 8),
        (referring, 0, 10),
        pytest.param(strategies, 1, 500, marks=pytest.mark.slow),
        pytest.param(referring, 1, 500, marks=pytest.mark.slow),
    ],
)
def test_what_is_built_here_is_what_kustomize_builds(module: types.ModuleType, seed: int, most: int) -> None:
    seen: collections.Counter[str] = collections.Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=most,
        phases=(hypothesis.Phase.generate,),
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(module.kustomizations())
    def build_both(files: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as place:
            seen[outcome(files, pathlib.Path(place))] += 1

    build_both()
    assert seen["built"] > most / 4, f"most are beyond what is built here: {seen}"


@pytest.mark.parametrize(
    ("seed", "most"), [(0, 60), *(pytest.param(number, 200, marks=pytest.mark.slow) for number in range(1, 6))]
)
def test_what_is_merged_here_is_what_kustomize_merges(seed: int, most: int, tmp_path: pathlib.Path) -> None:
    # Whoever merges reads all schemas first: many patches in one build are as quick as one.
    merged = [(pair, tree) for pair in _pairs(seed, most) if (tree := _alone(pair, tmp_path)) is not None]
    assert len(merged) > most / 3
    _write(tmp_path / "all", merging.kustomization([pair for pair, _ in merged]))
    for version, command in kustomizes.commands().items():
        done = subprocess.run([*command, tmp_path / "all/top"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{version}: {done.stderr}"
        built = test_kustomize.by_key(kustomizes.loaded(done.stdout))
        assert test_kustomize.by_key([tree for _, tree in merged]) == built, version


def _pairs(seed: int, most: int) -> list[merging.Pair]:
    found: list[merging.Pair] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=2,
        phases=(hypothesis.Phase.generate,),
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.data())
    def draw(data: st.DataObject) -> None:
        found[:] = [data.draw(merging.pairs(number)) for number in range(most)]

    draw()
    return found


def _alone(pair: merging.Pair, place: pathlib.Path) -> dict[str, Any] | None:
    _write(place / "one", merging.kustomization([pair]))
    try:
        found = ours(place / "one" / "top")
    except trouble.Trouble:
        return None
    return found[0] if found else None


def _write(place: pathlib.Path, files: dict[str, bytes]) -> None:
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(text)


@pytest.mark.parametrize("version", [kustomizes.VERSION, kustomizes.NEWER])
def test_the_fields_in_which_names_are_looked_for_are_those_that_kustomize_carries(version: str) -> None:
    carried = yaml.safe_load(_carried(kustomizes.commands()[version][0]))
    theirs = {
        (*_kind(target), *_kind(holder), holder["path"].replace(r"\/", "|"))
        for target in carried["nameReference"]
        for holder in target["fieldSpecs"]
    }
    ours = {
        (*msgspec.structs.astuple(each.target), *msgspec.structs.astuple(each.holder), _path(each.path))
        for each in reference_fields.FIELDS
        if not (each.newer and version == kustomizes.VERSION)
    }
    assert ours == theirs


def _carried(program: str) -> str:
    text = pathlib.Path(program).read_bytes()
    start = text.index(b"\nnameReference:\n")
    found = re.match(rb"\n(?:[a-z -][^\n]*\n|\n)+", text[start:])
    assert found
    return found[0].decode()


def _kind(said: dict[str, str]) -> tuple[str, ...]:
    return tuple(said.get(word, "") for word in ("group", "version", "kind"))


def _path(steps: tuple[str, ...]) -> str:
    return "/".join(step.replace("/", "|") for step in steps)
