"""The commands of docs/proof.md run as they stand there, and its codes are those that there are."""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from groundplan import cli
from groundplan.cli import output
from groundplan.proof.lint import codes

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "proof.md").read_text()
COMMANDS = re.findall(r"^\$ groundplan (.+)$", PAGE, re.MULTILINE)
PROGRAMS = re.findall(r"^\$ python (-m .+)$", PAGE, re.MULTILINE)


def test_the_commands_of_the_page_run(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(pathlib.Path(__file__).parent / "apps", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        monkeypatch.setattr(sys, "argv", ["groundplan", *shlex.split(command)])
        code = output.guarded(cli.groundplan)
        said = capsys.readouterr()
        assert (
            code in (0, 1) and said.out and said.err.startswith("certificate" if "--certificate" in command else "")
        ), said
        assert "--certificate" in command or not said.err, said
    for command in PROGRAMS:
        subprocess.run([sys.executable, *shlex.split(command)], timeout=60, check=True)
    assert len(COMMANDS) >= 5 and PROGRAMS


def test_every_code_is_in_the_table_of_the_page() -> None:
    rows = " ".join(re.findall(r"^\| (GP[^|]+) \|", PAGE, re.MULTILINE))
    listed = set(re.findall(r"GP\d\d(?=x)", rows))
    spans = {
        f"GP{number}" for low, high in re.findall(r"GP(\d+)–GP(\d+)", rows) for number in range(int(low), int(high) + 1)
    }
    single = set(re.findall(r"GP\d\d\d", rows))
    assert {code for code in codes.CODES if code[:4] not in listed and code not in spans | single} == set()
