"""Whatever a kustomization holds, it is built or refused in words: never a bug's traceback."""

from __future__ import annotations

import pathlib
import random
from typing import Any

import pytest
import yaml

from groundplan.proof.manifests import paths

FIELDS = (
    "bases", "components", "patches", "patchesStrategicMerge", "patchesJson6902", "namespace", "namePrefix",
    "nameSuffix", "labels", "commonLabels", "commonAnnotations", "images", "replicas", "configMapGenerator",
    "secretGenerator", "generatorOptions", "metadata", "sortOptions", "replacements",
)  # fmt: skip
WORDS = (
    "name", "namespace", "behavior", "literals", "files", "envs", "env", "options", "labels", "annotations", "type",
    "disableNameSuffixHash", "immutable", "pairs", "includeSelectors", "target", "patch", "path", "kind",
    "labelSelector", "newName", "newTag", "digest", "count", "op", "value", "from", "metadata", "spec", "$patch",
    "template", "containers", "subjects", "apiGroup", "source", "targets", "select", "reject", "fieldPath",
    "fieldPaths", "delimiter", "index",
)  # fmt: skip
LEAVES = (
    "a", "", None, 1, -1, 1.5, True, [], {}, "..", ".", "*", "a=b", "=", "[", "- op: add", "x: w", "\0", "é", "merge",
    "app in (", "- {op: add, path: /spec/-, value: 1}", "- {op: remove, path: /metadata}", "/metadata/annotations",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: []", "apiVersion: v1\nkind: Pod\nmetadata: []\n", "Pod",
    "web",
)  # fmt: skip
KINDS = {
    "Pod": "v1", "ConfigMap": "v1", "Deployment": "apps/v1", "Ingress": "networking.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1", "CustomResourceDefinition": "apiextensions.k8s.io/v1",
}  # fmt: skip


def junk(chance: random.Random, depth: int = 0) -> Any:
    odds = chance.random()
    if depth > 4 or odds < 0.45:
        return chance.choice(LEAVES)
    if odds < 0.75:
        return {chance.choice(WORDS): junk(chance, depth + 1) for _ in range(chance.randint(0, 4))}
    return [junk(chance, depth + 1) for _ in range(chance.randint(0, 3))]


def item(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(tuple(KINDS))
    metadata = {"name": "web"} | (
        {"labels": junk(chance, 3), "annotations": junk(chance, 3)} if chance.random() < 0.3 else {}
    )
    fields = chance.sample(("spec", "data", "roleRef", "subjects", "rules", "status"), 2)
    return {"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata, **{each: junk(chance) for each in fields}}


def kustomization(chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {each: junk(chance) for each in chance.sample(FIELDS, chance.choice((0, 0, 1, 2)))}
    found["resources"] = ["some.yaml"]
    if chance.random() < 0.4:
        found["namePrefix"] = "p-"
    if chance.random() < 0.4:
        behavior = chance.choice(("create", "merge"))
        found["configMapGenerator"] = [{"name": "web", "behavior": behavior, "literals": ["A=1"]}]
    if chance.random() < 0.4:
        patch = {"spec": junk(chance, 2), "metadata": junk(chance, 3)}
        found["patches"] = [{"target": {"kind": ".*"}, "patch": yaml.safe_dump(patch)}]
    return found


@pytest.mark.parametrize("seed", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in range(1, 21))])
def test_junk_is_refused_in_words(seed: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    chance = random.Random(seed)
    built = 0
    for _ in range(120):
        (tmp_path / "some.yaml").write_text(yaml.safe_dump(item(chance)))
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization(chance)))
        read = paths.read([tmp_path])
        assert read.documents or read.findings
        built += bool(read.documents)
    assert 10 < built < 110
