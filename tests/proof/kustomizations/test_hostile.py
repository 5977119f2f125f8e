"""What nobody builds, or should, is said in words, with file and line, and nothing is fetched or run."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from groundplan.proof.manifests import paths
from tests.delivery import kustomizes

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: []}\n"


@pytest.fixture
def tree(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder in a folder with a file beside it, and a program that would show that it was run."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "kustomize"
    program.write_text(f"#!/bin/sh\n/bin/touch {tmp_path}/was-run\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "app").mkdir()
    (tmp_path / "secret.yaml").write_text(POD)
    (tmp_path / "app" / "pod.yaml").write_text(POD)
    return tmp_path


def said(tree: pathlib.Path, text: str) -> tuple[str, str, int]:
    """Code, reason and line."""
    (tree / "app" / "kustomization.yaml").write_text(text)
    read = paths.read([tree / "app"])
    assert read.documents == ()
    assert not (tree / "was-run").exists()
    (found,) = read.findings
    return found.code, found.why, found.where.line


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("resources: [../secret.yaml]\n", "not below"),
        ("resources: [/etc/passwd]\n", "no path from here"),
        ("resources: [../../../../../../../../../../../../etc/passwd]\n", "not below"),
        ("resources: [https://example.com/all.yaml]\n", "not fetched"),
        ("resources: [github.com/example/app//deploy?ref=main]\n", "not fetched"),
        ("resources: [git@github.com:example/app.git]\n", "not fetched"),
        ("resources: [absent.yaml]\n", "not here"),
        ("resources: ['']\n", "no path"),
        ("resources: [\"a\\0b\"]\n", "no path"),
        ("resources: [.]\n", "leads back"),
        ("resources: [..]\n", "leads back"),
        ("resources: [pod.yaml, pod.yaml]\n", "twice"),
        ("patches: [{path: ../secret.yaml}]\n", "not below"),
        ("patchesStrategicMerge: [absent.yaml]\n", "no file"),
        ("- resources\n", "one mapping"),
        ("", "one mapping"),
        ("resources: [pod.yaml]\nresources: []\n", "twice"),
        ("resources: [pod.yaml\n", "cannot be read"),
        ("a: &a [*a]\n", "alias"),
        ("configMapGenerator: [{name: a, files: [absent.txt]}]\n", "no file"),
        ("configMapGenerator: [{name: a, files: [../secret.yaml]}]\n", "not below"),
        ("configMapGenerator: [{name: a, files: ['k=/etc/passwd']}]\n", "no path from here"),
        ("configMapGenerator: [{name: a, files: ['https://example.com/a']}]\n", "no path from here"),
        ("configMapGenerator: [{name: a, files: [a=b=c]}]\n", "neither path"),
        ("configMapGenerator: [{name: a, literals: [word]}]\n", "not key=value"),
        ("configMapGenerator: [{name: a, literals: [a=1, a=2]}]\n", "key a twice"),
        ("configMapGenerator: [{name: a}, {name: a}]\n", "1 objects are the ConfigMap default/a"),
        ("secretGenerator: [{name: a, behavior: merge}]\n", "0 objects are the Secret default/a"),
        ("secretGenerator: [{name: a, envs: [.]}]\n", "not below"),
        ("helmCharts: [{name: a, repo: 'https://example.com'}]\n", "helmCharts"),
        ("crds: ['https://example.com/crd.yaml']\nresources: [pod.yaml]\n", "crds"),
    ],
)  # fmt: skip
def test_it_is_refused_with_a_reason(tree: pathlib.Path, text: str, why: str) -> None:
    code, words, line = said(tree, text)
    assert code == "GP507" and why in words
    assert line >= 1 or "mapping" in words


def test_a_link_out_of_the_folder_is_no_way_out(tree: pathlib.Path) -> None:
    (tree / "app" / "inside.yaml").symlink_to(tree / "secret.yaml")
    assert "not below" in said(tree, "resources: [inside.yaml]\n")[1]


def test_a_link_out_of_the_folder_is_no_way_out_for_generators(tree: pathlib.Path) -> None:
    (tree / "app" / "inside.env").symlink_to(tree / "secret.yaml")
    for field in ("files", "envs"):
        assert "not below" in said(tree, f"secretGenerator: [{{name: a, {field}: [inside.env]}}]\n")[1]


def test_a_generators_file_that_is_too_large_is_not_read(tree: pathlib.Path) -> None:
    with (tree / "app" / "huge.bin").open("wb") as file:
        file.truncate(2**40)
    assert "larger than" in said(tree, "configMapGenerator: [{name: a, files: [huge.bin]}]\n")[1]


def test_a_line_that_no_reader_takes_is_shown_where_it_stands(tree: pathlib.Path) -> None:
    (tree / "app" / "some.env").write_bytes(b"A=1\n\nB=\xff\n")
    assert said(tree, "configMapGenerator: [{name: a, envs: [some.env]}]\n")[1:] == ("a line that is no UTF-8", 3)


def test_mistakes_that_do_not_depend_on_each_other_are_told_together(tree: pathlib.Path) -> None:
    (tree / "base").mkdir()
    (tree / "base" / "kustomization.yaml").write_text("resources: [gone.yaml]\npatches:\n- path: lost.yaml\n")
    (tree / "app" / "kustomization.yaml").write_text(
        "resources: [pod.yaml, absent.yaml, ../base]\nconfigMapGenerator:\n- {name: a, files: [missing.txt]}\n"
        "- {name: b, literals: [word]}\ncomponents: [../nowhere]\npatches:\n- {path: none.yaml}\n"
    )
    found = paths.read([tree / "app"]).findings
    reasons = ("absent.yaml", "gone.yaml", "lost.yaml", "missing.txt", "'word'", "nowhere", "none.yaml")
    assert [word in each.why for word, each in zip(reasons, found, strict=True)] == [True] * 7
    assert [each.where.line for each in found] == [1, 1, 3, 3, 4, 5, 7]


def test_bases_that_multiply_end(tree: pathlib.Path) -> None:
    for number in range(20):
        (tree / f"base-{number}").mkdir()
        entry = f"../base-{number + 1}"
        text = f"resources: [{entry}, {entry}]\n" if number < 19 else "commonLabels: {a: b}\n"
        (tree / f"base-{number}" / "kustomization.yaml").write_text(text)
    assert "more than 1000" in said(tree, "resources: [../base-0]\n")[1]


def test_two_that_lead_to_each_other_end(tree: pathlib.Path) -> None:
    (tree / "other").mkdir()
    (tree / "other" / "kustomization.yaml").write_text("resources: [../app]\n")
    assert "leads back" in said(tree, "resources: [../other]\n")[1]


def test_aliases_that_multiply_are_refused(tree: pathlib.Path) -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "aliases make more" in said(tree, "\n".join(layers) + "\n")[1]


def test_a_file_that_is_too_large_is_not_read(tree: pathlib.Path) -> None:
    with (tree / "app" / "huge.yaml").open("wb") as file:
        file.truncate(2**40)
    assert "larger than" in said(tree, "resources: [huge.yaml]\n")[1]


def test_what_is_beyond_goes_to_the_program_or_is_named(tree: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "resources: [pod.yaml]\nvalidators: [a.yaml]\n"
    (tree / "app" / "kustomization.yaml").write_text(text)
    paths.read([tree / "app"])
    assert (tree / "was-run").exists()
    (tree / "was-run").unlink()
    monkeypatch.setenv("PATH", "")
    code, why, line = said(tree, text)
    assert (code, line) == ("GP507", 2) and "the field validators" in why


def test_a_patch_for_nobody_is_told_where_it_stands(tree: pathlib.Path) -> None:
    text = "resources: [pod.yaml]\npatches:\n- target: {kind: Pod, name: wep}\n  patch: '[{op: remove, path: /spec}]'\n"
    (tree / "app" / "kustomization.yaml").write_text(text)
    read = paths.read([tree / "app"])
    assert [(each.code, each.where.line) for each in read.findings] == [("GP508", 3)]
    assert [each.name for each in read.documents] == ["web"]


def test_every_field_keeps_the_line_that_it_comes_from(tree: pathlib.Path) -> None:
    app = tree / "app"
    (app / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: a\n  - name: b\n"
    )
    (app / "patch.yaml").write_text(
        "- op: add\n  path: /spec/containers/0\n  value:\n    name: first\n    image: x:1\n"
        "- op: replace\n  path: /spec/containers/2/name\n  value: c\n"
    )
    (app / "kustomization.yaml").write_text(
        "resources:\n- pod.yaml\nnamespace: shop\npatches:\n- path: patch.yaml\n  target: {kind: Pod}\n"
        "commonLabels:\n  app: web\n"
    )
    (document,) = paths.read([app]).documents
    assert [each["name"] for each in document.data["spec"]["containers"]] == ["first", "a", "c"]
    where = {
        ("metadata", "name"): "pod.yaml:3", ("metadata", "namespace"): "kustomization.yaml:3",
        ("metadata", "labels", "app"): "kustomization.yaml:8", ("spec", "containers", 0, "image"): "patch.yaml:5",
        ("spec", "containers", 1): "pod.yaml:6", ("spec", "containers", 2): "pod.yaml:7",
        ("spec", "containers", 2, "name"): "patch.yaml:8",
    }  # fmt: skip
    for path, place in where.items():
        assert str(document.place(*path)) == str(app / place)


def test_what_was_generated_or_renamed_keeps_the_line_that_it_comes_from(tree: pathlib.Path) -> None:
    app = tree / "app"
    (app / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  volumes:\n  - name: v\n    configMap:\n"
        "      name: conf\n"
    )
    (app / "some.env").write_text("# {not: [yaml\nA=1\n\n\tB=2\n")
    (app / "kustomization.yaml").write_text(
        "resources:\n- pod.yaml\nnamePrefix: a-\ngeneratorOptions:\n  immutable: true\nconfigMapGenerator:\n"
        "- envs: [some.env]\n  name: conf\n  files:\n  - k=pod.yaml\n  literals:\n  - L=1\n  options:\n"
        "    labels:\n      l: m\n"
    )
    pod, conf = paths.read([app]).documents
    name = pod.data["spec"]["volumes"][0]["configMap"]["name"]
    assert (pod.name, conf.name[:7], name) == ("a-web", "a-conf-", conf.name)
    where = {
        ("metadata", "name"): "kustomization.yaml:3", ("data", "A"): "some.env:2", ("data", "B"): "some.env:4",
        ("data", "k"): "pod.yaml:1", ("data", "L"): "kustomization.yaml:12", ("immutable",): "kustomization.yaml:5",
        ("metadata", "labels", "l"): "kustomization.yaml:15", ("kind",): "kustomization.yaml:7",
    }  # fmt: skip
    for path, place in where.items():
        assert str(conf.place(*path)) == str(app / place)
    assert str(pod.place("metadata", "name")) == str(app / "kustomization.yaml:3")
    assert str(pod.place("spec", "volumes", 0, "configMap", "name")) == str(app / "pod.yaml:9")


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ("configMapGenerator: [{name: a, literals: [A=1]}]\ncomponents: [../part]\n", "generators beside components"),
        (
            "resources: [../base]\ngeneratorOptions: {disableNameSuffixHash: true}\n"
            "secretGenerator: [{name: a, behavior: merge}]\n",
            "a merge that ends the hash of Secret default/p-a",
        ),
        ("resources: [../mounted]\nimages: [{name: x, newTag: b}]\n", "the image of a volume of Pod default/p"),
        ("resources: [../policy]\nnamePrefix: a-\n", "the name of a ValidatingAdmissionPolicy"),
    ],
)
def test_what_versions_build_differently_is_told_and_not_built(tree: pathlib.Path, fields: str, what: str) -> None:
    head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
    policy = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy"
    files = {
        "part/kustomization.yaml": f"{head}commonAnnotations: {{a: b}}\n",
        "base/kustomization.yaml": "namePrefix: p-\nsecretGenerator: [{name: a, literals: [A=1]}]\n",
        "mounted/kustomization.yaml": "resources: [all.yaml]\n",
        "mounted/all.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
        "  volumes: [{name: v, image: {reference: 'x:a'}}]\n",
        "policy/kustomization.yaml": "resources: [all.yaml]\n",
        "policy/all.yaml": f"{policy}\nmetadata: {{name: p}}\n---\n{policy}Binding\nmetadata: {{name: b}}\n"
        "spec: {policyName: p}\n",
    }
    for path, text in files.items():
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text(text)
    assert said(tree, fields)[1].startswith(what)
    built = [
        subprocess.run([*command, tree / "app"], capture_output=True, text=True, check=True, timeout=60).stdout
        for command in kustomizes.commands().values()
    ]
    one, other = ({str(each) for each in kustomizes.loaded(text)} for text in built)
    assert one != other
