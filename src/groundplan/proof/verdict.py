"""The verdict over a set of manifests: what was examined, what is wrong, what is not decidable, what was assumed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from groundplan.proof import applications, cluster, findings
from groundplan.proof.lint import facts, run, schema
from groundplan.proof.model import build, kinds, owners, policies
from groundplan.proof.reach import bits

PROVED, REFUTED, UNDECIDABLE = "proved", "refuted", "undecidable"


class Examined(msgspec.Struct, frozen=True):
    """How much was looked at."""

    documents: int
    workloads: int
    policies: int
    services: int
    edges: int
    """Pairs of workloads of which one may connect to the other."""


class Verdict(msgspec.Struct, frozen=True):
    """Everything `check` says."""

    verdict: str
    examined: Examined
    findings: tuple[findings.Finding, ...]
    suppressed: tuple[run.Suppressed, ...]
    undecidable: tuple[str, ...]
    assumptions: tuple[str, ...]


def check(whole: cluster.Cluster, *, fail_on: str = findings.ERROR) -> Verdict:
    """Every check that needs no plan. Findings as bad as `fail_on`, or worse, refute."""
    result = run.run(whole)
    found = tuple(run.ordered([*whole.said, *result.findings]))
    worst = findings.SEVERITIES.index(fail_on)
    bad = any(findings.SEVERITIES.index(each.severity) <= worst for each in found)
    doubts = whole.doubts()
    verdict = REFUTED if bad or not whole.model.workloads else UNDECIDABLE if doubts else PROVED
    if not whole.model.workloads:
        found = (*found, findings.Finding("GP504", "no workload was examined", remedy="give manifests that make pods"))
    return Verdict(verdict, examined(whole), found, result.suppressed, doubts, tuple(assumptions(whole)))


def examined(whole: cluster.Cluster) -> Examined:
    """How much there is."""
    model = whole.model
    return Examined(
        len(model.everything), len(model.workloads), len(model.policies) + len(model.beside) + len(model.mesh),
        len(model.services), edges(whole),
    )  # fmt: skip


def edges(whole: cluster.Cluster) -> int:
    """Pairs of different workloads of which one may connect to the other on some port."""
    classes, total = whole.universe.classes, 0
    for source, parts in whole.reach().rows():
        if source < len(classes):
            reached = [number for some, _ in parts for number in bits.members(some & whole.universe.pods)]
            size = len(classes[source].members)
            total += size * sum(len(classes[number].members) for number in reached)
            total -= size if source in reached else 0
    return total


def assumptions(whole: cluster.Cluster) -> Iterator[str]:
    """What manifests do not say and was taken for granted."""
    model = whole.model
    for name in sorted(model.namespaces.keys() - model.declared):
        yield f"namespace {name} is not among the documents: taken to have no label but its name"
    held = sorted({each.namespace for each in model.policies} & model.declared)
    if absent := [name for name in held if not whole.neighbours(name)]:
        yield f"policies wait for pods that are not among the documents, in {', '.join(absent)}"
    if not any(each.namespace == "kube-system" for each in model.workloads):
        yield "no DNS server is among the documents: whether names can be looked up was not examined"
    if whole.options.default_namespace:
        yield f"objects without a namespace go to {whole.options.default_namespace}"
    if model.left_out:
        ended = [each for each in model.left_out if owners.ended(each)]
        made = len(model.left_out) - len(ended)
        yield f"left out: {made} objects that controllers among the documents made, {len(ended)} pods that have ended"
    reading = "also" if whole.options.ipblock_matches_pods else "not"
    if any(peer.block for policy in model.policies for rule in _rules(policy) for peer in rule.peers or ()):
        yield f"ipBlocks are taken {reading} to cover the addresses of pods: plugins differ"
    yield from applications.assumptions(model.everything)
    custom = sorted({f"{each.kind}.{each.group}" for each in model.everything if _custom(each.group, each.kind)})
    if custom:
        yield f"not read, and taken to make no pods and filter no traffic: {', '.join(custom)}"
    if unjudged := schema.unjudged(facts.Facts(whole)):
        yield f"fields not judged, since no CustomResourceDefinition is among the documents: {', '.join(unjudged)}"


def _rules(policy: policies.Policy) -> Iterator[policies.Rule]:
    yield from policy.ingress or ()
    yield from policy.egress or ()


def _custom(group: str, kind: str) -> bool:
    built_in = not group or group.endswith(".k8s.io") or "." not in group
    beside = (group, kind) in build.BESIDE or kinds.filters(group, kind)
    return not built_in and not beside
