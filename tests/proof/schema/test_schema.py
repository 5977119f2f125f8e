"""The packed table says what the published schemas say, of every kind; custom resources are judged by their own."""

from __future__ import annotations

import copy
import functools
import gzip
import importlib.resources
import json
import pathlib
import random
from typing import Any

import jsonschema_rs
import pytest
import yaml

from groundplan import proof
from groundplan.proof import verdict
from groundplan.proof.schema import judge, served, tables
from tests.proof import test_junk
from tools import schemas

HERE = pathlib.Path(__file__).parent
JUNK = (None, [], {}, "x", 5, True, [None], [5], {"a": 5}, [[]], 1.5, ["x"], "", {"": ""}, -1, "10%", [{"name": []}])
SPECIMENS = [
    *(
        each
        for each in yaml.safe_load_all((HERE.parent / "lint" / "clean.yaml").read_text())
        if served.built_in(each["apiVersion"].rpartition("/")[0])
    ),
    *yaml.safe_load_all((HERE / "kinds.yaml").read_text()),
]


def test_the_packed_table_is_what_its_tool_makes_of_the_published_schemas() -> None:
    assert gzip.decompress(schemas.TARGET.read_bytes()) == schemas.table()


@functools.cache
def published(version: str) -> dict[str, Any]:
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    text = folder.joinpath("_definitions.json").read_text().replace("/api/_definitions.json#", "#")
    found: dict[str, Any] = json.loads(text)["$defs"]
    return found


@functools.cache
def validator(version: str, api: str, kind: str) -> jsonschema_rs.Draft202012Validator:
    group, _, number = api.rpartition("/")
    wanted = {"group": group, "version": number, "kind": kind}
    (name,) = [
        name
        for name, each in published(version).items()
        if wanted in each.get("x-kubernetes-group-version-kind", ()) and not name.endswith("List")
    ]
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": published(version)})


def ours(version: str, tree: dict[str, Any]) -> list[judge.Wrong]:
    shape = tables.version(version).shape(tree["apiVersion"], tree["kind"])
    assert shape is not None
    return list(judge.judge(tree, shape))


def mutated(tree: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """With one field replaced by junk, renamed, or removed."""
    made = copy.deepcopy(tree)
    *steps, last = draw.choice(
        [path for path in test_junk.places(made) if path and path[0] not in ("apiVersion", "kind")]
    )
    place: Any = made
    for step in steps:
        place = place[step]
    how = draw.choice(("junk", "rename", "drop")) if isinstance(place, dict) else "junk"
    if how == "junk":
        place[last] = draw.choice(JUNK)
    elif how == "rename":
        place[f"{last}x"] = place.pop(last)
    else:
        del place[last]
    return made


def without_nulls(value: Any) -> Any:
    """Null is as good as absent to the API server, and not to a schema."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def optional(tree: dict[str, Any]) -> bool:
    """Does it lack a field that schemas require and the API server does without?"""
    spec = tree.get("spec")
    held = spec if isinstance(spec, dict) else {}
    return (
        (tree["kind"] == "StatefulSet" and held.get("serviceName") is None)
        or (tree["kind"] == "NetworkPolicy" and held.get("podSelector") is None)
        or (tree["kind"] == "RoleBinding" and "apiGroup" not in (tree.get("roleRef") or {}))
    )


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_what_the_published_schema_refuses_is_refused_and_nothing_else(version: str, seed: int) -> None:
    draw = random.Random(seed)
    for tree in SPECIMENS:
        assert ours(version, tree) == [], tree
        made = mutated(tree, draw)
        refused = not validator(version, made["apiVersion"], made["kind"]).is_valid(without_nulls(made))
        said = ours(version, made)
        if refused:
            assert said or optional(made), made
        else:
            # Beyond the schemas: texts that are no quantity, and values that the schemas name in prose alone.
            beyond = {each.code for each in said}
            assert beyond <= {judge.VALUE} or all("quantity" in each.what for each in said), (said, made)


CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: teas.shop.example.com}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {kind: Tea, plural: teas}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [leaf]
            properties:
              leaf: {type: string, enum: [green, black]}
              minutes: {type: integer}
              port: {x-kubernetes-int-or-string: true}
              pots: {type: array, items: {type: object, properties: {size: {type: number}}}}
              notes: {type: object, additionalProperties: {type: string}}
              anything: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
TEA = """
apiVersion: shop.example.com/v1
kind: Tea
metadata: {name: morning, namespace: shop}
spec: {leaf: green, minutes: 3, port: http, pots: [{size: 1.5}], notes: {a: b}, anything: {at: [all]}}
"""


@pytest.mark.parametrize(
    ("change", "code", "what"),
    [
        ({"leaf": "white"}, "GP564", "spec.leaf may not be 'white'"),
        ({"leaf": None}, "GP563", "spec lacks leaf"),
        ({"minutes": "3"}, "GP562", "spec.minutes wants a whole number and has text ('3')"),
        ({"minuts": 3}, "GP561", "spec has no field minuts"),
        ({"pots": [{"size": "big"}]}, "GP562", "spec.pots[0].size wants a number and has text ('big')"),
        ({"notes": {"a": 1}}, "GP562", "spec.notes.a wants text and has a whole number (1)"),
        ({}, "", ""),
    ],
    ids=["enum", "required", "type", "unknown", "in a list", "in a map", "none"],
)
def test_custom_resources_are_judged_by_the_definition_beside_them(
    change: dict[str, Any], code: str, what: str
) -> None:
    tea = yaml.safe_load(TEA)
    tea["spec"].update(change)
    said = verdict.check(proof.Cluster.of([yaml.safe_load(CRD), tea]))
    found = [(each.code, each.what) for each in said.findings if each.code.startswith("GP56")]
    assert found == ([(code, f"Tea shop/morning: {what}")] if code else [])
    assert not any("not judged" in each for each in said.assumptions)


def test_custom_resources_without_a_definition_are_named_as_not_judged() -> None:
    said = verdict.check(proof.Cluster.of([yaml.safe_load(TEA)]))
    assert any("fields not judged" in each and "Tea.shop.example.com" in each for each in said.assumptions)


@pytest.mark.parametrize(
    ("version", "api", "kind", "code", "why", "remedy"),
    [
        ("", "extensions/v1beta1", "Ingress", "GP565", "removed in 1.22", "write apiVersion: networking.k8s.io/v1"),
        ("", "policy/v1beta1", "PodSecurityPolicy", "GP565", "removed in 1.25", "label the namespace"),
        ("1.32", "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "GP565", "removed in 1.32", "/v1"),
        ("1.31", "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "GP566", "is stable", "/v1"),
        ("1.28", "flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "GP565", "it came with 1.29", "/v1beta3"),
        ("", "apps/v1", "Deploiment", "GP565", "no such kind", "did you mean Deployment?"),
        ("", "v1", "Endpoints", "GP566", "it will go", "EndpointSlice"),
    ],
)
def test_what_a_version_does_not_serve_is_named_with_its_replacement(
    version: str, api: str, kind: str, code: str, why: str, remedy: str
) -> None:
    tree = {"apiVersion": api, "kind": kind, "metadata": {"name": "it", "namespace": "shop"}}
    options = proof.Options(kubernetes=version)
    (found,) = [
        each for each in verdict.check(proof.Cluster.of([tree], options=options)).findings
        if each.code in ("GP565", "GP566")
    ]  # fmt: skip
    assert (found.code, why in found.why, remedy in found.remedy) == (code, True, True), str(found)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Kubernetes 9\.9 is not among 1\.25 to 1\.37"):
        proof.Options(kubernetes="9.9").checked()
