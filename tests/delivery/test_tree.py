"""The folder of emitted files: what is ours is kept exact, what is not is never touched."""

from __future__ import annotations

import os

import pytest

from groundplan.delivery import tree


def test_writing_makes_the_folder_hold_exactly_the_files(tmp_path):
    first = tree.write(tmp_path, {"base/a.yaml": "a: 1\n", "base/b.yaml": "b: 1\n"})
    assert first == tree.Changes(("base/a.yaml", "base/b.yaml"), (), ())
    second = tree.write(tmp_path, {"base/a.yaml": "a: 2\n", "overlays/one/c.yaml": "c: 1\n"})
    assert second == tree.Changes(("overlays/one/c.yaml",), ("base/a.yaml",), ("base/b.yaml",))
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"base/a.yaml": f"{tree.HEADER}a: 2\n", "overlays/one/c.yaml": f"{tree.HEADER}c: 1\n"}


def test_writing_the_same_again_changes_nothing(tmp_path):
    tree.write(tmp_path, {"a.yaml": "a: 1\n"})
    before = (tmp_path / "a.yaml").stat().st_mtime_ns
    assert not tree.write(tmp_path, {"a.yaml": "a: 1\n"})
    assert (tmp_path / "a.yaml").stat().st_mtime_ns == before


def test_comparing_writes_nothing(tmp_path):
    assert tree.compare(tmp_path / "deploy", {"a.yaml": "a: 1\n"}).added == ("a.yaml",)
    assert not (tmp_path / "deploy").exists()


def test_a_folder_that_became_empty_goes_with_its_last_file(tmp_path):
    tree.write(tmp_path, {"overlays/one/a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
    tree.write(tmp_path, {"b.yaml": "b: 1\n"})
    assert [path.name for path in tmp_path.iterdir()] == ["b.yaml"]


def test_what_somebody_else_wrote_stays(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "mine.yaml").write_text("mine: true\n")
    (tmp_path / "notes.txt").write_text("notes")
    tree.write(tmp_path, {"base/a.yaml": "a: 1\n"})
    tree.write(tmp_path, {})
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"mine.yaml", "notes.txt"}


def test_a_file_of_somebody_elses_in_the_way_is_an_error_and_nothing_is_written(tmp_path):
    (tmp_path / "b.yaml").write_text("mine: true\n")
    with pytest.raises(tree.Foreign, match=r"b\.yaml"):
        tree.write(tmp_path, {"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
    assert (tmp_path / "b.yaml").read_text() == "mine: true\n"
    assert not (tmp_path / "a.yaml").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "deploy").write_text("a file where the folder should be")
    with pytest.raises(tree.TreeError, match="cannot write"):
        tree.write(tmp_path / "deploy", {"a.yaml": "a: 1\n"})


@pytest.mark.parametrize("kept", [0, 1, len(tree.HEADER) - 1, len(tree.HEADER), len(tree.HEADER) + 2])
def test_a_file_that_was_cut_short_is_written_again(tmp_path, kept):
    whole = f"{tree.HEADER}a: 1\n"
    (tmp_path / "a.yaml").write_text(whole[:kept])
    tree.write(tmp_path, {"a.yaml": "a: 1\n"})
    assert (tmp_path / "a.yaml").read_text() == whole


def test_an_empty_file_that_the_plan_does_not_name_is_nobodys_to_delete(tmp_path):
    (tmp_path / "mine.yaml").touch()
    tree.write(tmp_path, {"a.yaml": "a: 1\n"})
    assert (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize("aim", ["there", "nowhere"])
def test_a_link_is_never_followed_out_of_the_folder(tmp_path, aim):
    (tmp_path / "there").write_text(f"{tree.HEADER}kept\n")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "a.yaml").symlink_to(tmp_path / aim)
    with pytest.raises(tree.Foreign, match=r"a\.yaml"):
        tree.write(tmp_path / "deploy", {"a.yaml": "a: 1\n"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deploy", "there"]
    assert (tmp_path / "there").read_text() == f"{tree.HEADER}kept\n"


@pytest.mark.parametrize("what", ["bytes", "pipe", "folder"])
def test_what_is_no_text_file_of_ours_is_in_the_way(tmp_path, what):
    place = tmp_path / "a.yaml"
    {"bytes": lambda: place.write_bytes(b"\xff\xfe"), "pipe": lambda: os.mkfifo(place), "folder": place.mkdir}[what]()
    with pytest.raises(tree.Foreign, match=r"a\.yaml"):
        tree.compare(tmp_path, {"a.yaml": "a: 1\n"})
