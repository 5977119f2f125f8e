"""The engine says of every specimen what the specimen says is right."""

from __future__ import annotations

from typing import Any

import pytest

from groundplan import proof
from groundplan.proof import addresses, connections, ends
from tests.proof import specimens


def verdict(
    documents: list[Any], source: specimens.PodName | str, destination: specimens.PodName | str, protocol: str,
    port: int, options: dict[str, Any],
) -> str:  # fmt: skip
    """What the engine says, in the words of specimens."""
    try:
        cluster = proof.Cluster.of(documents, options=proof.Options(**options))
    except proof.Unusable as error:
        # An object without a namespace is refused by the reader: whether it may be there is not decidable.
        return "undecidable" if {each.code for each in error.findings} == {"GP403"} else "invalid"
    ports = connections.of(protocol, port, port)
    return cluster.between(end(cluster, source), end(cluster, destination), ports).verdict


def end(cluster: proof.Cluster, name: specimens.PodName | str) -> ends.End:
    """An end as the engine has it."""
    if isinstance(name, str):
        return ends.End(addresses=addresses.parse(name))
    namespace, workload, kind, number = name
    for each in cluster.model.workloads:
        if (each.namespace, each.name, each.kind) == (namespace, workload, kind):
            return ends.End(each, number)
    raise LookupError(name)


@pytest.mark.parametrize("specimen", specimens.load(), ids=lambda each: each.name)
def test_the_engine_agrees_with_the_specimen(specimen: specimens.Specimen) -> None:
    said = {
        (row.source, row.destination, row.protocol, row.port, row.because): verdict(
            list(specimen.documents), row.source, row.destination, row.protocol, row.port, specimen.options
        )
        for row in specimen.expectations
    }
    right = {
        (row.source, row.destination, row.protocol, row.port, row.because): row.verdict for row in specimen.expectations
    }
    assert said == right, specimen.claim
