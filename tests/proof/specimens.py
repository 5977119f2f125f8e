"""Specimens: one file a corner case, its documents and what must be said of them.

The last document of each file of `cases/` is the expectation, which is no Kubernetes object::

    kind: Expect
    claim: One sentence that holds, and that someone could doubt.
    options: {ipBlockMatchesPods: true, podRanges: [10.0.0.0/8]}      # what the caller says; may be left out
    expect:
    - {from: shop/web, to: "shop/db[StatefulSet]#1", port: TCP 5432, is: allowed, because: …}

An end is an address, or `namespace/workload`, with `[Kind]` where it is no Pod, and `#replica` where it is not the
first. A port is `TCP 80`, several are `TCP 80,443-445,UDP 53`; of a range both ends are asked. `is` says allowed,
denied, undecidable or invalid.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import yaml

CASES = pathlib.Path(__file__).parent / "cases"
VERDICTS = ("allowed", "denied", "undecidable", "invalid")
END = re.compile(r"(?P<namespace>[^/\[\]#]+)/(?P<workload>[^/\[\]#]+)(\[(?P<kind>\w+)\])?(#(?P<number>\d+))?")

PodName = tuple[str, str, str, int]
"""Namespace, workload's name, its kind, and the replica's number from 0."""


@dataclasses.dataclass(frozen=True)
class Expectation:
    """One connection, and what is right to say of it."""

    source: PodName | str
    destination: PodName | str
    protocol: str
    port: int
    verdict: str
    because: str


@dataclasses.dataclass(frozen=True)
class Specimen:
    """One file."""

    name: str
    claim: str
    documents: tuple[Any, ...] = dataclasses.field(repr=False)
    expectations: tuple[Expectation, ...] = dataclasses.field(repr=False)
    ipblock_matches_pods: bool = False
    default_namespace: str | None = None
    pod_ranges: tuple[str, ...] = ()
    node_ranges: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """As keyword arguments of `naive.allowed`."""
        return {
            "ipblock_matches_pods": self.ipblock_matches_pods,
            "default_namespace": self.default_namespace,
            "pod_ranges": self.pod_ranges,
            "node_ranges": self.node_ranges,
        }


def load() -> list[Specimen]:
    """Every specimen, by name."""
    return [read(path) for path in sorted(CASES.glob("*.yaml"))]


def read(path: pathlib.Path) -> Specimen:
    *documents, expect = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    if expect["kind"] != "Expect" or not expect["expect"]:
        raise ValueError(f"{path}: the last document must be an Expect that expects something")
    options = expect.get("options") or {}
    return Specimen(
        name=path.stem,
        claim=expect["claim"],
        documents=tuple(documents),
        expectations=tuple(one for row in expect["expect"] for one in expectations(row, path)),
        ipblock_matches_pods=options.pop("ipBlockMatchesPods", False),
        default_namespace=options.pop("defaultNamespace", None),
        pod_ranges=tuple(options.pop("podRanges", ())),
        node_ranges=tuple(options.pop("nodeRanges", ())),
    )


def expectations(row: dict[str, str], path: pathlib.Path) -> Iterator[Expectation]:
    if row["is"] not in VERDICTS or not row["because"]:
        raise ValueError(f"{path}: {row} needs a verdict of {VERDICTS} and a reason")
    for protocol, port in ports(row["port"]):
        yield Expectation(end(row["from"]), end(row["to"]), protocol, port, row["is"], row["because"])


def end(text: str) -> PodName | str:
    """A pod's name, or the address as it stands."""
    found = END.fullmatch(text)
    if not found:
        return text
    return (found["namespace"], found["workload"], found["kind"] or "Pod", int(found["number"] or 0))


def ports(text: str) -> Iterator[tuple[str, int]]:
    """``TCP 80,443-445,UDP 53`` → (TCP, 80), (TCP, 443), (TCP, 445), (UDP, 53)."""
    protocol = ""
    for part in text.split(","):
        *head, numbers = part.split()
        protocol = head[0] if head else protocol
        yield from ((protocol, int(number)) for number in dict.fromkeys(numbers.split("-")))
