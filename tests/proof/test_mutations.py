"""Every known way to break a closed platform shows in what the naive evaluator says of it."""

from __future__ import annotations

import copy
import functools
import itertools
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.proof import mutations, naive, strategies

PLATFORM = list(
    yaml.safe_load_all((pathlib.Path(__file__).parent / "closed_platform.yaml").read_text(encoding="utf-8"))
)
SEEDS = range(6)


def questions(*written: list[dict[str, Any]]) -> list[naive.Question]:
    """Every pair of the platform's ends, on every port that is written anywhere, and its neighbours."""
    pods: list[naive.PodName | str] = [*naive.pods(PLATFORM)]
    outside: list[naive.PodName | str] = [*strategies.addresses(written)]
    pairs = [*itertools.product(pods, pods + outside), *itertools.product(outside, pods)]
    ports = strategies.ports(written)
    asked = [(*pair, protocol, port) for protocol in ("TCP", "UDP", "SCTP") for port in ports for pair in pairs]
    return random.Random(0).sample(asked, len(asked))  # what differs is met early


@functools.cache
def before() -> dict[naive.Question, str]:
    """What is said of the platform as it is."""
    asked = questions(PLATFORM)
    return dict(zip(asked, naive.verdicts(PLATFORM, asked), strict=True))


def notices(mutated: list[dict[str, Any]]) -> str:
    """invalid, undecidable (as a whole), reach, or nothing."""
    try:
        present = set(naive.pods(mutated)) >= set(naive.pods(PLATFORM))
    except (naive.Invalid, naive.Undecidable) as refusal:
        return type(refusal).__name__.lower()
    if not present:
        return "reach"  # pods of the old names are gone
    return "reach" if any(verdict != known for verdict, known in differing(mutated)) else "nothing"


def differing(mutated: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Verdicts after and before; the ports that only the mutation writes come last."""
    asked = interleaved()
    yield from zip(naive.verdicts(mutated, asked), map(before().__getitem__, asked), strict=True)
    fresh = [question for question in questions(PLATFORM, mutated) if question not in before()]
    yield from zip(naive.verdicts(mutated, fresh), naive.verdicts(PLATFORM, fresh), strict=True)


@functools.cache
def interleaved() -> list[naive.Question]:
    """What is allowed, which is less, among what is denied: a difference in either is met soon."""
    allowed = [question for question, verdict in before().items() if verdict == "allowed"]
    denied = [question for question, verdict in before().items() if verdict != "allowed"]
    pairs = itertools.zip_longest(allowed, denied)
    return [question for pair in pairs for question in pair if question is not None]


def test_the_platform_is_closed_and_decided() -> None:
    answers = list(before().values())
    assert set(answers) == {"allowed", "denied"}
    assert answers.count("allowed") < answers.count("denied")


@pytest.mark.parametrize("broken", mutations.MUTATIONS, ids=lambda broken: broken.name)
def test_every_mutation_of_the_platform_shows(broken: mutations.Named) -> None:
    untouched = copy.deepcopy(PLATFORM)
    results = [broken.mutation(PLATFORM, random.Random(seed)) for seed in SEEDS]
    distinct = [one for number, one in enumerate(results) if one not in results[:number]]
    assert untouched == PLATFORM
    assert None not in distinct
    for mutated in distinct:
        assert mutated is not None
        assert notices(mutated) in broken.notice.split(" or ")


def test_a_mutation_of_nothing_is_none_or_an_addition() -> None:
    changed = {broken.name for broken in mutations.MUTATIONS if broken.mutation([], random.Random(0)) is not None}
    assert changed == {"add an admin policy that accepts everything", "add a policy kind that is not understood"}


def test_mutations_have_names_of_their_own() -> None:
    assert len({broken.name for broken in mutations.MUTATIONS}) == len(mutations.MUTATIONS)
