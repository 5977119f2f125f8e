"""Reading: what kubectl would decode, line by line; what cannot be read is never passed over."""

from __future__ import annotations

import json
import pathlib

import pytest

from groundplan import proof
from groundplan.proof.manifests import documents, paths, scalars, sources, yaml_reader

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: []}\n"


def decoded(text: str) -> documents.Read:
    return sources.decode(documents.Source("it.yaml", text.encode()))


def codes(read: documents.Read) -> list[str]:
    return [each.code for each in read.findings]


def test_a_stream_has_one_document_a_part_and_empty_parts_are_none() -> None:
    read = decoded(f"---\n{POD}---\n---\n# only words\n---\n{POD}")
    assert [each.name for each in read.documents] == ["web", "web"]
    assert not read.findings


def test_a_field_is_found_again_at_its_line() -> None:
    read = decoded(f"{POD}---\n{POD}")
    assert str(read.documents[1].place("spec", "containers")) == "it.yaml:9"
    assert str(read.documents[1].place("spec", "nowhere")) == "it.yaml:9"


def test_a_key_said_twice_is_an_error_in_yaml_and_in_json() -> None:
    assert codes(decoded(POD + "kind: Service\n")) == ["GP502"]
    assert codes(decoded('{"apiVersion": "v1", "kind": "Pod", "kind": "Service"}')) == ["GP502"]


def test_one_broken_document_spoils_its_file() -> None:
    read = decoded(f"{POD}---\n{{ broken")
    assert (codes(read), read.documents) == (["GP501"], ())


def test_a_template_is_told_to_be_rendered() -> None:
    (found,) = decoded("kind: {{ .Values.kind }}\n").findings
    assert "helm template" in found.remedy


@pytest.mark.parametrize("text", ["- a list\n", "kind: Pod\n", "apiVersion: v1\n", "image: nginx\n", "word\n"])
def test_what_is_no_object_is_said_to_be_none(text: str) -> None:
    assert codes(decoded(text)) == ["GP503"]


@pytest.mark.parametrize(
    ("written", "meant", "doubtful"),
    [
        ("on", True, True), ("no", False, True), ("y", True, True), ("012", 10, True), ("0o12", 10, True),
        ("1e3", 1000.0, True), ("12:30", "12:30", True), ("1_000", 1000, True), ("0x1F", 31, True),
        ("true", True, False), ("8080", 8080, False), ("-1", -1, False), ("1.10", 1.1, False), ("~", None, False),
        ("2001-01-01", "2001-01-01", False), ("10.0.0.0/8", "10.0.0.0/8", False), ("v1", "v1", False),
        ("09", 9.0, True), ("", None, False), ("100m", "100m", False),
    ],
)  # fmt: skip
def test_unquoted_scalars_are_decoded_as_kubectl_does_and_doubtful_ones_are_reported(
    written: str, meant: object, doubtful: bool
) -> None:
    value, doubt = scalars.decode(written)
    assert (value, type(value), doubt) == (meant, type(meant), doubtful)


def test_quoted_scalars_are_text_and_never_doubtful() -> None:
    read = decoded(POD + "data: {a: 'on', b: \"012\", c: !!str 5}\n")
    assert read.documents[0].data["data"] == {"a": "on", "b": "012", "c": "5"}
    assert not read.findings


def test_anchors_aliases_and_merge_keys_are_resolved() -> None:
    read = decoded(POD + "a: &a {x: 1, z: 2}\nb: {<<: *a, z: 3}\nc: *a\n")
    assert read.documents[0].data["b"] == {"x": 1, "z": 3}
    assert read.documents[0].data["c"] == {"x": 1, "z": 2}


def test_aliases_that_multiply_are_refused() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert codes(decoded(POD + "\n".join(layers) + "\n")) == ["GP501"]


def test_an_alias_to_itself_is_refused() -> None:
    assert codes(decoded(POD + "a: &a [*a]\n")) == ["GP501"]


def test_lists_are_opened_and_their_items_keep_their_lines(tmp_path: pathlib.Path) -> None:
    pods = [{"metadata": {"name": name, "namespace": "shop"}, "spec": {}} for name in ("a", "b")]
    file = tmp_path / "list.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "PodList", "items": pods}, indent=1))
    read = paths.read([file])
    assert [(each.kind, each.name) for each in read.documents] == [("Pod", "a"), ("Pod", "b")]
    assert read.documents[1].place("metadata", "name").line == 14


def test_a_directory_is_read_in_order_and_hidden_ones_are_not(tmp_path: pathlib.Path) -> None:
    for name in ("b.yaml", "a.yml", "deep/c.json", ".hidden/d.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}))
    assert [each.name for each in paths.read([tmp_path]).documents] == ["a.yml", "b.yaml", "deep/c.json"]


def test_reading_nothing_is_a_failure(tmp_path: pathlib.Path) -> None:
    assert codes(paths.read([tmp_path])) == ["GP504"]
    assert codes(paths.read([])) == ["GP504"]
    assert codes(paths.read([tmp_path / "absent.yaml"])) == ["GP505"]


def test_a_kustomization_is_built_and_never_taken_for_its_parts(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    kustomization = tmp_path / "app" / "kustomization.yaml"
    kustomization.write_text("resources: [pod.yaml]\n")
    (tmp_path / "app" / "pod.yaml").write_text(POD)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert [each.name for each in paths.read([tmp_path / "app"]).documents] == ["web"]
    assert codes(paths.read([tmp_path])) == ["GP507"]  # of a tree of them nobody said which
    kustomization.write_text("resources: [pod.yaml]\nvalidators: [a.yaml]\n")
    assert codes(paths.read([tmp_path / "app"])) == ["GP507"]  # nothing here builds that
    program = tmp_path / "bin" / "kustomize"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n/bin/cat {tmp_path}/app/pod.yaml\n")
    program.chmod(0o755)
    assert [each.name for each in paths.read([tmp_path / "app"]).documents] == ["web"]
    program.write_text("#!/bin/sh\necho no such resource >&2\nexit 1\n")
    (found,) = paths.read([tmp_path / "app"]).findings
    assert (found.code, found.why) == ("GP507", "no such resource")


def test_an_unusable_input_raises_with_every_finding(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.yaml").write_text("{ broken")
    (tmp_path / "b.yaml").write_text("- list\n")
    with pytest.raises(proof.Unusable) as caught:
        proof.Cluster.read(tmp_path)
    assert [each.code for each in caught.value.findings] == ["GP501", "GP503"]


def test_the_reader_agrees_with_the_stock_one_where_all_readers_agree() -> None:
    import yaml

    text = "a: [1, 2.5, true, null, text]\nb: {c: 'x', d: [{e: f}]}\n"
    composer = yaml_reader.Composer(text)
    assert composer.check_node()
    assert yaml_reader.Values().document(composer.get_node()) == yaml.safe_load(text)


def test_what_was_decoded_before_is_the_same_with_its_lines(tmp_path: pathlib.Path) -> None:
    file, kept = tmp_path / "all.yaml", tmp_path / "kept"
    file.write_text("---\n".join(POD.replace("web", f"web-{number}") for number in range(400)))
    first, second = paths.read([file], kept), paths.read([file], kept)
    assert len(list(kept.glob("*.json"))) == 1
    assert [each.data for each in first.documents] == [each.data for each in second.documents]
    assert first.documents[7].place("spec") == second.documents[7].place("spec")
    for each in kept.glob("*.json"):
        each.write_text("[broken")
    assert len(paths.read([file], kept).documents) == 400


def test_what_has_findings_is_decoded_again_each_time(tmp_path: pathlib.Path) -> None:
    file, kept = tmp_path / "all.yaml", tmp_path / "kept"
    file.write_text(POD + "data: {a: on}\n" + "# long\n" * 4000)
    assert codes(paths.read([file], kept)) == codes(paths.read([file], kept)) == ["GP506"]


@pytest.mark.parametrize("sign", [r"\n", r"\e[2J", r"\u202e", r"\u2028", r"\0"])
@pytest.mark.parametrize("where", ["kind: {}", "metadata: {{name: {}}}", "metadata: {{name: a, namespace: {}}}"])
def test_a_name_with_what_cannot_be_seen_is_no_objects(where, sign):
    text = "apiVersion: v1\n" + ("" if "kind" in where else "kind: Pod\n") + where.format(f'"Pod{sign}proved"') + "\n"
    assert codes(decoded(text)) == ["GP503"]
    assert all(str(each).isprintable() for found in decoded(text).findings for each in str(found).splitlines())


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000, "a: " + "{b: " * 50_000, '{"a":' * 50_000, "- " * 50_000])
def test_what_is_nested_without_end_is_told_and_does_not_take_the_process_along(text):
    (found,) = decoded(text).findings
    assert found.code == "GP501"
    assert "deep" in found.said or "nested" in found.said, found


def test_what_is_nested_as_deep_as_definitions_are_is_read():
    text = "apiVersion: v1\nkind: Deep\nspec: " + "{a: " * 150 + "1" + "}" * 150
    assert decoded(text).findings == ()
