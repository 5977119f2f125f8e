"""Each known way to break a closed platform's manifests is noticed and named, against claims of what is meant."""

from __future__ import annotations

import pathlib
import random
from typing import Any

import pytest
import yaml

from groundplan import proof
from groundplan.proof import claims
from groundplan.proof.compare import claimed
from groundplan.proof.show import rows
from tests.proof import mutations

PLATFORM = list(
    yaml.safe_load_all((pathlib.Path(__file__).parent / "closed_platform.yaml").read_text(encoding="utf-8"))
)


def meant() -> list[claims.Claim]:
    """What the platform is meant to be: all that it allows as it is."""
    whole = proof.Cluster.of(PLATFORM)
    listed = rows.rows(whole.model, whole.reach())
    return [claims.Claim(each.source, each.destination, each.connections, "plan.py:1") for each in listed]


def test_the_platform_keeps_its_claims() -> None:
    found = claimed.compare(proof.Cluster.of(PLATFORM), meant())
    assert (found.verdict, found.differences) == ("proved", ())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("broken", mutations.MUTATIONS, ids=lambda broken: broken.name)
def test_every_mutation_is_noticed_and_named(broken: mutations.Named, seed: int) -> None:
    mutated = broken.mutation(PLATFORM, random.Random(seed))
    assert mutated is not None
    seen = noticed(mutated)
    assert seen[0] in broken.notice.split(" or "), seen
    assert all(each for each in seen)


def noticed(mutated: list[dict[str, Any]]) -> tuple[str, str]:
    """How a proof fails, and the sentence that says so."""
    try:
        whole = proof.Cluster.of(mutated)
    except proof.Unusable as error:
        namespace = {each.code for each in error.findings} == {"GP403"}
        return "undecidable" if namespace else "invalid", str(error)
    found = claimed.compare(whole, meant())
    if found.differences:
        first = found.differences[0]
        return "reach", f"{first.kind} {first.source} {first.destination} {first.ports}: {first.why}"
    return ("undecidable" if found.verdict == "undecidable" else "nothing"), " ".join(whole.doubts())
