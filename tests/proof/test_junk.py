"""Fields of the wrong kind are refused or passed over with a finding; they never stop the program."""

from __future__ import annotations

import copy
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from groundplan import proof
from groundplan.proof import verdict
from tests.proof import strategies, test_engine_laws

CLEAN = list(yaml.safe_load_all((pathlib.Path(__file__).parent / "lint" / "clean.yaml").read_text()))
JUNK = (None, [], {}, "x", 5, True, [None], [5], {"a": 5}, [[]], 1.5, ["x"], "", {"": ""})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))


def spoiled(documents: list[dict[str, Any]], draw: random.Random) -> list[dict[str, Any]]:
    """With one field of one document replaced."""
    made = copy.deepcopy(documents)
    chosen: Any = draw.choice(made)
    *steps, last = draw.choice([path for path in places(chosen) if path and path[0] not in ("apiVersion", "kind")])
    for step in steps:
        chosen = chosen[step]
    chosen[last] = draw.choice(JUNK)
    return made


def survive(documents: list[dict[str, Any]]) -> None:
    try:
        whole = proof.Cluster.of(documents)
    except proof.Unusable as error:
        assert all(each.what and each.said for each in error.findings)
        return
    assert verdict.check(whole).verdict in ("proved", "refuted", "undecidable")


@pytest.mark.parametrize("seed", range(200))
def test_a_spoiled_application_never_stops_the_program(seed: int) -> None:
    survive(spoiled(CLEAN, random.Random(seed)))


@test_engine_laws.limited
@hypothesis.given(strategies.clusters(), st.randoms(use_true_random=False))
def test_a_spoiled_cluster_never_stops_the_program(documents: list[dict[str, Any]], draw: random.Random) -> None:
    survive(spoiled(documents, draw))
