"""A rule that is said to decide nothing can go, and no answer changes; a rule said twice is told."""

from __future__ import annotations

import copy
import pathlib
import re
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from groundplan import proof
from groundplan.proof.lint import facts, network, shadows
from tests.proof import naive, strategies, test_engine_laws

few = hypothesis.settings(test_engine_laws.limited, max_examples=6)
VAIN = ("GP425", "GP433")
PODS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: c}]}
"""
WEB = "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}"
ALL = "{namespaces: {}}"
OPS = "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: ops}}}}"


def tier(name: str, priority: int, *rules: str, kind: str = "Admin") -> str:
    listed = "".join(f"\n  - {each}" for each in rules)
    return f"""
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: {name}}}
spec:
  tier: {kind}
  priority: {priority}
  subject: {{namespaces: {{}}}}
  ingress:{listed}
"""


def cilium(name: str, **sections: str) -> str:
    listed = "".join(f"\n  {section}:\n  - {rule}" for section, rule in sections.items())
    return f"""
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: db}}}}{listed}
"""


def rule(action: str, peer: str, port: int = 0) -> str:
    ports = f", protocols: [{{tcp: {{destinationPort: {{number: {port}}}}}}}]" if port else ""
    return f"{{action: {action}, from: [{peer}]{ports}}}"


def allow(app: str, port: int = 0) -> str:
    ports = f', toPorts: [{{ports: [{{port: "{port}", protocol: TCP}}]}}]' if port else ""
    return f"{{fromEndpoints: [{{matchLabels: {{app: {app}}}}}]{ports}}}"


ALLOWED = {"ingress": allow("web")}


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        ([tier("a", 1, rule("Deny", ALL), rule("Accept", WEB, 80))], ["GP433 ingress[1] ingress[0]"]),
        ([tier("a", 1, rule("Deny", WEB, 80), rule("Deny", ALL), rule("Deny", WEB))], ["GP425 ingress[2] ingress[1]"]),
        ([tier("a", 2, rule("Accept", WEB, 80)), tier("b", 1, rule("Deny", WEB))], ["GP433 ingress[0] ingress[0]"]),
        ([tier("a", 1, rule("Deny", WEB, 80), rule("Accept", WEB))], []),
        ([tier("a", 1, rule("Accept", WEB, 80)), tier("b", 1, rule("Deny", WEB))], ["GP434 ingress[0] ingress[0]"]),
        ([tier("a", 1, rule("Accept", WEB)), tier("b", 1, rule("Accept", WEB))], []),
        (
            [tier("a", 0, rule("Deny", WEB)), tier("b", 1, rule("Accept", ALL)), tier("c", 1, rule("Deny", WEB))],
            ["GP425 ingress[0] ingress[0]"],
        ),
        ([tier("a", 1, rule("Pass", WEB)), tier("b", 2, rule("Deny", ALL))], []),
        ([tier("a", 1, rule("Pass", WEB, 80)), tier("b", 2, rule("Deny", ALL, 81))], ["GP425 ingress[0]"]),
        ([tier("a", 1, rule("Pass", WEB)), tier("b", 1, rule("Deny", ALL), kind="Baseline")], ["GP425 ingress[0]"]),
        ([tier("a", 1, rule("Deny", OPS))], ["GP423 ingress[0]"]),
        (
            [cilium("a", ingress=allow("web", 80)), cilium("b", ingressDeny=allow("web"))],
            ["GP433 ingress[0] ingressDeny[0]"],
        ),
        ([cilium("a", ingress=allow("web")), cilium("b", ingressDeny=allow("web", 80))], []),
        ([cilium("a", ingress=allow("web", 80)), cilium("b", ingress=allow("web"))], ["GP425 ingress[0] ingress[0]"]),
        ([cilium("a", ingress=allow("web")), cilium("b", ingress=allow("web"))], ["GP425 ingress[0] ingress[0]"]),
        (
            [cilium("a", **ALLOWED, ingressDeny=allow("web", 80)), cilium("b", ingressDeny=allow("web", 80))],
            ["GP425 ingressDeny[0] ingressDeny[0]"],
        ),
        ([cilium("a", ingress=allow("ops"))], ["GP423 ingress[0]"]),
        ([cilium("a", ingress="{fromEntities: [host], toPorts: [{ports: [{port: '80'}]}]}"),
          cilium("b", ingress="{fromEntities: [host]}")], ["GP425 ingress[0] ingress[0]"]),
    ],
)  # fmt: skip
def test_a_rule_in_vain_is_told_with_what_shadows_it(
    policies: list[str], told: list[str], tmp_path: pathlib.Path
) -> None:
    (tmp_path / "pods.yaml").write_text(PODS)
    for number, each in enumerate(policies):
        (tmp_path / f"{number}.yaml").write_text(each)
    known = facts.Facts(proof.Cluster.read(tmp_path))
    found = [each for lint in shadows.LINTS for each in lint(known)]
    others = r"(?<=spec\.)\w+\[\d\](?= of)"
    shown = [" ".join([each.code, each.field.removeprefix("spec."), *re.findall(others, each.said)]) for each in found]
    assert shown == told
    for each in found:
        assert each.where.line and each.remedy
        # What shadows it is named with its file and line, too.
        assert each.code == "GP423" or "Pass" in str(policies) or re.search(r"\d\.yaml:\d+", each.said)


def without(documents: list[dict[str, Any]], findings: list[proof.Finding]) -> list[dict[str, Any]]:
    """The documents with every rule gone that was said to be in vain."""
    after = copy.deepcopy(documents)
    gone: dict[int, list[tuple[Any, int]]] = {}
    for each in findings:
        (policy,) = (one for one in after if facts_title(one) == each.subject)
        place: Any = policy
        *steps, last = re.findall(r"[A-Za-z]+|\d+", each.field)
        for step in steps:
            place = place[int(step) if step.isdigit() else step]
        gone.setdefault(id(place), []).append((place, int(last)))
    for some in gone.values():
        for place, number in sorted(some, key=lambda one: -one[1]):
            place[number] = {} if "endpointSelector" in str(documents) else None
        if None in some[0][0]:
            some[0][0][:] = [one for one in some[0][0] if one is not None]
    return after


def facts_title(document: dict[str, Any]) -> str:
    where = document["metadata"].get("namespace")
    return (
        f"{document['kind']} {where}/{document['metadata']['name']}"
        if where
        else (f"{document['kind']} {document['metadata']['name']}")
    )


@few
@hypothesis.given(strategies.clusters_and_questions(families=("tiers", "older tiers", "cilium")))
def test_without_the_rules_in_vain_every_answer_is_the_same(drawing: test_engine_laws.Drawn) -> None:
    documents, questions = drawing
    known = facts.Facts(proof.Cluster.of(documents))
    found = [each for each in shadows.shadows(known) if each.code in VAIN]
    before, after = naive.verdicts(documents, questions), naive.verdicts(without(documents, found), questions)
    for one, other, question in zip(before, after, questions, strict=True):
        assert one in (other, "undecidable"), (question, [str(each) for each in found])


@few
@hypothesis.given(strategies.clusters(families=("none",)), st.data())
def test_without_the_needless_rules_of_network_policies_every_answer_is_the_same(
    documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    known = facts.Facts(proof.Cluster.of(documents))
    found = list(network.redundancy(known))
    questions = data.draw(st.lists(strategies.questions(documents), min_size=10, max_size=10))
    before, after = naive.verdicts(documents, questions), naive.verdicts(without(documents, found), questions)
    assert list(before) == list(after), [str(each) for each in found]


@few
@hypothesis.given(strategies.clusters(families=("tiers", "older tiers", "cilium")), st.data())
def test_a_rule_said_twice_is_told(documents: list[dict[str, Any]], data: st.DataObject) -> None:
    places = [
        (each["spec"], section)
        for each in documents
        if each["kind"].endswith("NetworkPolicy") and each["kind"] != "NetworkPolicy"
        for section in ("ingress", "egress", "ingressDeny", "egressDeny")
        if any(each["spec"].get(section) or ())
    ]
    hypothesis.assume(places)
    spec, section = data.draw(st.sampled_from(places))
    rules = spec[section]
    first = data.draw(st.sampled_from([each for each in rules if each]))
    rules.append(copy.deepcopy(first))
    known = facts.Facts(proof.Cluster.of(documents))
    found = list(shadows.shadows(known))
    judged = shadows._Judge(known, section.removesuffix("Deny").title())
    copied = [one for one in judged.rules if one.policy.document.data["spec"] == spec and one.extent]
    matching = [one for one in copied if one.path[1:] == (section, len(rules) - 1)]
    requests = any(each.conditional for one in matching for each in one.said)
    if matching and not requests:
        assert any(f"spec.{section}[{len(rules) - 1}] of" in each.what for each in found), [str(each) for each in found]
