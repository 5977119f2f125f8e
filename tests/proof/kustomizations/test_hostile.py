"""What nobody builds, or should, is said in words, with file and line, and nothing is fetched or run."""

from __future__ import annotations

import pathlib

import pytest

from groundplan.proof.manifests import paths

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
    text = "resources: [pod.yaml]\nnamePrefix: a-\n"
    (tree / "app" / "kustomization.yaml").write_text(text)
    paths.read([tree / "app"])
    assert (tree / "was-run").exists()
    (tree / "was-run").unlink()
    monkeypatch.setenv("PATH", "")
    code, why, line = said(tree, text)
    assert (code, line) == ("GP507", 2) and "the field namePrefix" in why


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
