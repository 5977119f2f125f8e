"""What `check --sarif` prints is SARIF 2.1.0, as the schema of OASIS has it, and within what GitHub takes."""

from __future__ import annotations

import functools
import json
import pathlib
import subprocess
import urllib.parse
import venv
from typing import Any

import pytest

from groundplan import proof
from groundplan.proof import verdict
from groundplan.proof.lint import run
from groundplan.proof.show import sarif
from tests import npms

APPS = pathlib.Path(__file__).parent / "apps"
MODELS = "pydantic-sarif==0.1.1"
"""Models that were generated from the schema: what it does not have, they refuse."""
JUDGE = (
    "import sys, pydantic_sarif.model as m;"
    "m.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate_json(sys.stdin.read())"
)


@functools.cache
def _python() -> pathlib.Path:
    home = npms.cache() / "sarif"
    with npms.alone():
        if not (home / "done").exists():
            venv.create(home, with_pip=True, clear=True)
            subprocess.run([home / "bin" / "pip", "install", "--quiet", MODELS], check=True, timeout=300)
            (home / "done").touch()
    return home / "bin" / "python"


def wrong(report: dict[str, Any]) -> str:
    """What the schema has against a report."""
    done = subprocess.run(
        [_python(), "-c", JUDGE], input=json.dumps(report), capture_output=True, text=True, timeout=60, check=False
    )
    return done.stderr


def report(*where: pathlib.Path) -> dict[str, Any]:
    found = verdict.check(proof.Cluster.read(*where))
    return sarif.report(found.findings, found.suppressed)


def test_what_is_found_in_applications_is_valid_by_the_schema() -> None:
    made = report(APPS / "webshop.yaml", APPS.parent / "lint" / "clean.yaml")
    assert wrong(made) == ""
    made["runs"][0]["results"][0]["level"] = "fatal"
    assert "fatal" in wrong(made)


def test_a_path_is_a_relative_reference_whatever_its_name(tmp_path: pathlib.Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a b#ü?%.yaml"
    (tmp_path / name).write_text((APPS / "bookshop.yaml").read_text())
    made = report(pathlib.Path(name))
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in made["runs"][0]["results"]}
    assert {urllib.parse.unquote(each) for each in uris} == {name} and all(each.isascii() for each in uris)
    assert wrong(made) == ""


def test_what_is_accepted_is_told_with_its_reason_and_counts_for_nothing() -> None:
    results = report(APPS.parent / "lint" / "clean.yaml")["runs"][0]["results"]
    (accepted,) = (each for each in results if "suppressions" in each)
    assert accepted["suppressions"] == [
        {"kind": "inSource", "justification": "it forwards to whatever resolver its node has"}
    ]


def test_a_finding_has_the_same_fingerprint_when_its_line_moves(tmp_path: pathlib.Path) -> None:
    (tmp_path / "it.yaml").write_text("# one line more\n" + (APPS / "bookshop.yaml").read_text())
    before, after = report(APPS / "bookshop.yaml"), report(tmp_path / "it.yaml")
    marks = [[each["partialFingerprints"] for each in one["runs"][0]["results"]] for one in (before, after)]
    assert marks[0] == marks[1] and len({str(each) for each in marks[0]}) == len(marks[0])


@pytest.mark.parametrize("suppressed", [0, 3])
def test_no_more_results_than_github_takes_and_a_word_about_the_rest(suppressed: int) -> None:
    finding = proof.Finding("GP543", "an image", proof.Place("a.yaml", 1), subject="Pod a")
    accepted = [run.Suppressed(finding, "why")] * suppressed
    made = sarif.report([finding] * sarif.MOST, accepted)
    assert len(made["runs"][0]["results"]) == sarif.MOST
    assert ("invocations" in made["runs"][0]) == bool(suppressed)
    made["runs"][0]["results"] = made["runs"][0]["results"][:5]
    assert wrong(made) == ""
