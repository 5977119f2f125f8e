"""What is built here is what kustomize builds, or nothing."""

from __future__ import annotations

import collections
import pathlib
import subprocess
import tempfile
from typing import Any

import hypothesis
import pytest

from groundplan.proof.manifests.kustomizations import built, trouble
from tests.delivery import kustomizes, test_kustomize
from tests.kubernetes import worlds
from tests.proof.kustomizations import strategies

ENVIRONMENTS = ("development", "production", "staging")


def ours(folder: pathlib.Path) -> list[dict[str, Any]]:
    return [each.data for each in built.Build(folder, None).read().documents]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_payments_overlays_are_built_as_kustomize_builds_them(environment: str) -> None:
    folder = worlds.ROOT / "platforms" / "payments" / "deploy" / "overlays" / environment
    assert test_kustomize.by_key(ours(folder)) == test_kustomize.by_key(kustomizes.build(folder))


def outcome(files: dict[str, str], place: pathlib.Path) -> str:
    """What became of a kustomization; asserts that what is built here is what kustomize builds."""
    for path, text in files.items():
        (place / path).parent.mkdir(exist_ok=True)
        (place / path).write_text(text)
    try:
        mine = ours(place / "top")
    except trouble.Trouble as error:
        return f"{type(error).__name__}: {error.what}"
    command = [kustomizes.binary(), "build", place / "top"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "updating name reference" in done.stderr or "expected sequence or mapping node" in done.stderr:
        return "no object any more"  # it looks for names and images where a patch left something else
    assert done.returncode == 0, done.stderr
    assert test_kustomize.by_key(mine) == test_kustomize.by_key(kustomizes.loaded(done.stdout))
    return "built"


@pytest.mark.parametrize("seed", range(2))
def test_what_is_built_here_is_what_kustomize_builds(seed: int) -> None:
    seen: collections.Counter[str] = collections.Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=25,
        phases=(hypothesis.Phase.generate,),
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.kustomizations())
    def build_both(files: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory() as place:
            seen[outcome(files, pathlib.Path(place))] += 1

    build_both()
    assert seen["built"] > 8, f"most are beyond what is built here: {seen}"
