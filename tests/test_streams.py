"""What others wrote is shown on a terminal, never obeyed."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import subprocess
import sys

import hypothesis
import pytest
from hypothesis import strategies

from groundplan import streams

PROGRAM = pathlib.Path(sys.executable).parent / "groundplan"
HOSTILE = r"""
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: "i\e[2J\e]0;owned\a\e[8m\u202Egnp.1"}]}
"""


def on_a_terminal(*words: str, cwd: pathlib.Path) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen([str(PROGRAM), *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=cwd):
        os.close(theirs)
        return b"".join(iter(lambda: _read(ours), b"")).decode()


def _read(end: int) -> bytes:
    try:
        return os.read(end, 1 << 16)
    except OSError:  # Linux says EIO when the other end is closed
        return b""


def test_words_in_manifests_move_no_cursor(tmp_path):
    (tmp_path / "pod.yaml").write_text(HOSTILE)
    shown = on_a_terminal("check", "pod.yaml", cwd=tmp_path)
    assert r"\u001b[2J" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


@hypothesis.given(strategies.text())
def test_whatever_is_shown_holds_nothing_to_obey_but_colours(text):
    left = streams._OBEYED.sub(lambda found: "" if found[1] else found[0], streams.spelt(text))
    assert not [sign for sign in left if sign not in "\n\t" and (ord(sign) < 32 or 127 <= ord(sign) < 160)]


@hypothesis.given(strategies.text())
def test_json_stays_the_same_json(text):
    assert json.loads(streams.spelt(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("code", ["8", "30", "40", "1;30", "38;5;0", "0;8"])
def test_a_colour_that_hides_is_spelt_out(code):
    assert "\x1b" not in streams.spelt(f"\x1b[{code}m")


@pytest.mark.parametrize("painted", ["\x1b[31mred\x1b[0m", "\r\x1b[K\x1b[2mwaiting\x1b[0m", "\x1b[1;32mready"])
def test_what_we_paint_stays(painted):
    assert streams.spelt(painted) == painted


def test_a_name_that_is_no_text_is_shown(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("kind: [")
    told = subprocess.run([PROGRAM, "check", "."], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert told.returncode == 2
    assert rb"\udcff.yaml" in told.stdout + told.stderr


@pytest.mark.parametrize("words", [["doctor"], ["doctor", "--json"], ["--help"]])
def test_a_full_disk_behind_standard_output_is_told_in_a_line(words):
    with pathlib.Path("/dev/full").open("wb") as full:
        told = subprocess.run(
            [PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (told.returncode, told.stderr) == (1, "Error: No space left on device\n")


def test_what_cannot_be_written_is_told_with_its_place(tmp_path):
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n")
    (tmp_path / "answer").mkdir()
    told = subprocess.run(
        [PROGRAM, "check", "pod.yaml", "--certificate", "answer"], cwd=tmp_path, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in told.stderr
    assert "answer" in told.stderr
