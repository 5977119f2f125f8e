"""What is built here is what kustomize builds, or nothing."""

from __future__ import annotations

import collections
import itertools
import pathlib
import random
import re
import subprocess
import tempfile
import types
from typing import Any

import hypothesis
import msgspec
import pytest
import yaml
from hypothesis import strategies as st

from groundplan.proof.manifests.kustomizations import built, field_kinds, labelling, reference_fields, trouble
from tests.delivery import kustomizes, test_kustomize
from tests.kubernetes import worlds
from tests.proof.kustomizations import merging, referring, replacing, strategies

ENVIRONMENTS = ("development", "production", "staging")


def ours(folder: pathlib.Path) -> list[dict[str, Any]]:
    return [each.data for each in built.build(folder, None).documents]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_payments_overlays_are_built_as_kustomize_builds_them(environment: str) -> None:
    folder = worlds.ROOT / "platforms" / "payments" / "deploy" / "overlays" / environment
    assert test_kustomize.by_key(ours(folder)) == test_kustomize.by_key(kustomizes.build(folder))


def outcome(files: dict[str, bytes], place: pathlib.Path) -> str:
    """What became of a kustomization; asserts that what is built here is what every kustomize builds."""
    _write(place, files)
    try:
        mine = ours(place / "top")
    except trouble.Trouble as error:
        return f"{type(error).__name__}: {error.what}"
    for version, command in kustomizes.commands().items():
        done = subprocess.run([*command, place / "top"], capture_output=True, text=True, timeout=60, check=False)
        if "expected sequence or mapping node" in done.stderr:
            return "no object any more"  # it looks for images where a patch left something else
        assert done.returncode == 0, f"{version}: {done.stderr}"
        assert test_kustomize.by_key(mine) == test_kustomize.by_key(kustomizes.loaded(done.stdout)), version
    return "built"


@pytest.mark.parametrize(
    ("module", "seed", "most"),
    [
        (strategies, 0, 8),
        (referring, 0, 10),
        pytest.param(strategies, 1, 500, marks=pytest.mark.slow),
        pytest.param(referring, 1, 500, marks=pytest.mark.slow),
    ],
)
def test_what_is_built_here_is_what_kustomize_builds(module: types.ModuleType, seed: int, most: int) -> None:
    seen: collections.Counter[str] = collections.Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=most,
        phases=(hypothesis.Phase.generate,),
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(module.kustomizations())
    def build_both(files: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as place:
            seen[outcome(files, pathlib.Path(place))] += 1

    build_both()
    assert seen["built"] > most / 4, f"most are beyond what is built here: {seen}"


@pytest.mark.parametrize(
    ("seed", "most"), [(0, 60), *(pytest.param(number, 80, marks=pytest.mark.slow) for number in range(1, 6))]
)
def test_what_is_merged_here_is_what_kustomize_merges(seed: int, most: int, tmp_path: pathlib.Path) -> None:
    # Whoever merges reads all schemas first: many patches in one build are as quick as one.
    merged = [(pair, tree) for pair in _pairs(seed, most) if (tree := _alone(pair, tmp_path)) is not None]
    assert len(merged) > most / 3
    _write(tmp_path / "all", merging.kustomization([pair for pair, _ in merged]))
    for version, command in kustomizes.commands().items():
        done = subprocess.run([*command, tmp_path / "all/top"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{version}: {done.stderr}"
        built = test_kustomize.by_key(kustomizes.loaded(done.stdout))
        assert test_kustomize.by_key([tree for _, tree in merged]) == built, version


@pytest.mark.parametrize("fields", [{}, {"namePrefix": "p-"}])
@pytest.mark.parametrize(
    ("seed", "most"), [(0, 60), *(pytest.param(number, 300, marks=pytest.mark.slow) for number in range(1, 6))]
)
def test_what_is_replaced_here_is_what_kustomize_replaces(
    seed: int, most: int, fields: dict[str, str], tmp_path: pathlib.Path
) -> None:
    chance = random.Random(seed)
    groups = [replacing.group(chance, number) for number in range(most)]
    built = [each for each in groups if _builds(replacing.kustomization([each], **fields), tmp_path / "one")]
    assert len(built) > most / 2
    assert outcome(replacing.kustomization(built, **fields), tmp_path / "all") == "built"


def _builds(files: dict[str, bytes], place: pathlib.Path) -> bool:
    _write(place, files)
    try:
        return bool(ours(place / "top"))
    except trouble.Trouble:
        return False


def _pairs(seed: int, most: int) -> list[merging.Pair]:
    found: list[merging.Pair] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=2,
        phases=(hypothesis.Phase.generate,),
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.data())
    def draw(data: st.DataObject) -> None:
        found[:] = [data.draw(merging.pairs(number)) for number in range(most)]

    draw()
    return found


def _alone(pair: merging.Pair, place: pathlib.Path) -> dict[str, Any] | None:
    _write(place / "one", merging.kustomization([pair]))
    try:
        found = ours(place / "one" / "top")
    except trouble.Trouble:
        return None
    return found[0] if found else None


def _write(place: pathlib.Path, files: dict[str, bytes]) -> None:
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(text)


VERSIONS = pytest.mark.parametrize("version", [kustomizes.VERSION, kustomizes.NEWER])
SELECTORS = (
    "app", "!app", "app=web", "app==web,tier", "app != web", "tier in (x, y)", "tier notin (x,y),app", "tier=",
    "none!=a", " app = web ", "a.b/c-d=e",
)  # fmt: skip


def test_selectors_of_labels_choose_what_they_choose_for_kustomize(tmp_path: pathlib.Path) -> None:
    labels = (
        {},
        {"app": "web"},
        {"app": "api", "tier": "x"},
        {"tier": ""},
        {"a.b/c-d": "e", "app": "web", "tier": "z"},
    )
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}", field: each}}
        for number, (field, each) in enumerate(itertools.product(("labels", "annotations"), labels))
    ]
    chosen = [
        {"target": {f"{field}Selector": text}, "patch": f"- {{op: add, path: /{field}-{number}, value: yes it is}}"}
        for field in ("label", "annotation")
        for number, text in enumerate(SELECTORS)
    ]
    top = {"resources": ["all.yaml"], "patches": chosen}
    files = {"top/all.yaml": yaml.safe_dump_all(pods), "top/kustomization.yaml": yaml.safe_dump(top)}
    assert outcome({path: text.encode() for path, text in files.items()}, tmp_path) == "built"


def test_labels_of_templates_are_those_of_the_versions_that_know_them(tmp_path: pathlib.Path) -> None:
    kinds = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "CronJob": "batch/v1", "Job": "some.example/v1"}
    some = [
        {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": {"volumeClaimTemplates": [{}]}}
        for kind, version in kinds.items()
    ]
    top = {"resources": ["all.yaml"], "labels": [{"pairs": {"a": "b"}, "includeTemplates": True}]}
    files = {"all.yaml": yaml.safe_dump_all(some), "kustomization.yaml": yaml.safe_dump(top)}
    _write(tmp_path, {path: text.encode() for path, text in files.items()})
    command = kustomizes.commands()[kustomizes.NEWER]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, timeout=60, check=True)
    assert test_kustomize.by_key(ours(tmp_path)) == test_kustomize.by_key(kustomizes.loaded(done.stdout))


@VERSIONS
def test_the_fields_in_which_names_are_looked_for_are_those_that_kustomize_carries(version: str) -> None:
    theirs = {
        (*_kind(target), *_kind(holder), holder["path"].replace(r"\/", "|"))
        for target in _carried(version, "nameReference")
        for holder in target["fieldSpecs"]
    }
    found = {
        (*msgspec.structs.astuple(each.target), *msgspec.structs.astuple(each.holder), _path(each.path))
        for each in reference_fields.FIELDS
        if not (each.newer and version == kustomizes.VERSION)
    }
    assert found == theirs


@VERSIONS
def test_the_fields_that_are_labelled_and_annotated_are_those_that_kustomize_carries(version: str) -> None:
    everything = field_kinds.Kind("", "", "")
    made = (*labelling.LABELLED, *labelling.SELECTING)
    labelled = {(kind, (*path, "labels") if path[-1] == "metadata" else path, True) for kind, path in made}
    labelled |= {(kind, path, False) for kind, path in labelling.SOMETIMES}
    annotated = {(kind, (*path, "annotations"), True) for kind, path in labelling.ANNOTATED}
    for field, found in (("commonLabels", labelled), ("commonAnnotations", annotated)):
        whole = {*found, (everything, ("metadata", field.removeprefix("common").lower()), True)}
        theirs = {
            (
                field_kinds.Kind(*_kind(each)),
                tuple(each["path"].replace("[]", "").split("/")),
                each.get("create", False),
            )
            for each in _carried(version, field)
        }
        assert whole == theirs


def _carried(version: str, field: str) -> list[dict[str, Any]]:
    """A list that is part of the program, as the text that it is there."""
    program = pathlib.Path(kustomizes.commands()[version][0]).read_bytes()
    start = rf"\n{field}:\n(?:\n?- kind:|- path: \w+/)[^\n]*\n"
    found = re.search(f"{start}(?:[ -]*\\w+:[^\\n]*\\n|\\n)+(?:[ -]*\\w+: \\w+)?".encode(), program)
    assert found
    return yaml.safe_load(found[0])[field]


def _kind(said: dict[str, str]) -> tuple[str, ...]:
    return tuple(said.get(word, "") for word in ("group", "version", "kind"))


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.replace("[]", "").split("/"))


def _path(steps: tuple[str, ...]) -> str:
    return "/".join(step.replace("/", "|") for step in steps)


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_a_null_among_labels_removes_only_where_a_patch_says_whom_it_is_for(tmp_path: pathlib.Path, field: str) -> None:
    """Elsewhere kustomize 4.5 makes an empty word of it, and 5.8 the word null."""
    there = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", field: {"a": "b", "c": "d"}}}
    patch = {**there, "metadata": {"name": "web", field: {"a": None}}}
    for name, said, wanted in (
        ("alone", {"patches": [{"path": "patch.yaml"}]}, "built"),
        ("at a target", {"patches": [{"path": "patch.yaml", "target": {"kind": "ConfigMap"}}]}, "Beyond: a null among"),
        ("legacy", {"patchesStrategicMerge": ["patch.yaml"]}, "Beyond: a null among"),
    ):
        written = {"kustomization": {"resources": ["all.yaml"], **said}, "all": there, "patch": patch}
        files = {f"top/{each}.yaml": yaml.safe_dump(body).encode() for each, body in written.items()}
        assert outcome(files, tmp_path / name).startswith(wanted)
