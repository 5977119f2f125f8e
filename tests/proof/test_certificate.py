"""A certificate holds for the manifests it was made from, and for nothing else."""

from __future__ import annotations

import copy
import json
import pathlib
import random
import subprocess
import sys
from typing import Any

import hypothesis
import pytest
import yaml

from groundplan import proof
from groundplan.proof import certificate, recheck
from tests.proof import mutations, strategies, test_engine_laws

PLATFORM = list(
    yaml.safe_load_all((pathlib.Path(__file__).parent / "closed_platform.yaml").read_text(encoding="utf-8"))
)


def made(documents: list[dict[str, Any]]) -> Any:
    """As it is written and read again."""
    return json.loads(json.dumps(certificate.certificate(proof.Cluster.of(documents))))


def test_the_checker_is_short_and_imports_nothing_of_ours() -> None:
    text = pathlib.Path(recheck.__file__).read_text()
    assert len(text.splitlines()) <= 200
    assert "import groundplan" not in text and "from groundplan" not in text


@test_engine_laws.limited
@hypothesis.given(strategies.clusters(families=("none",)))
def test_what_is_certified_is_checked_again(documents: list[dict[str, Any]]) -> None:
    try:
        found = made(documents)
    except certificate.NoCertificate:
        return
    assert recheck.check(found, documents) > 0


def test_a_certificate_with_a_rectangle_less_or_more_does_not_hold() -> None:
    found = made(PLATFORM)
    less, more = copy.deepcopy(found), copy.deepcopy(found)
    del less["rectangles"][0]
    more["rectangles"][0]["ports"] = [["TCP", 1, 65535]]
    for broken in (less, more):
        with pytest.raises(recheck.Refuted):
            recheck.check(broken, PLATFORM)


def test_a_certificate_whose_atoms_hide_the_end_of_a_block_does_not_hold() -> None:
    found = made(PLATFORM)
    found["cuts"] = [each for each in found["cuts"] if each in ("0.0.0.0", "::")]
    with pytest.raises(recheck.Refuted, match="told apart"):
        recheck.check(found, PLATFORM)


@pytest.mark.parametrize("broken", mutations.MUTATIONS, ids=lambda broken: broken.name)
def test_a_certificate_does_not_hold_for_manifests_that_reach_otherwise(broken: mutations.Named) -> None:
    if broken.notice != "reach" or any(word in broken.name for word in ("admin", "Cilium")):
        return  # refused before any question of reach, or of a kind that is never certified
    mutated = broken.mutation(PLATFORM, random.Random(1))
    assert mutated is not None
    with pytest.raises(recheck.Refuted):
        recheck.check(made(PLATFORM), mutated)


def test_kinds_beside_are_never_certified() -> None:
    (admin,) = [each for each in mutations.MUTATIONS if "admin" in each.name]
    mutated = admin.mutation(PLATFORM, random.Random(0))
    assert mutated is not None
    with pytest.raises(certificate.NoCertificate):
        made(mutated)


def test_the_checker_is_a_program_of_its_own(tmp_path: pathlib.Path) -> None:
    (tmp_path / "it.json").write_text(json.dumps(made(PLATFORM)))
    (tmp_path / "it.yaml").write_text(yaml.safe_dump_all(PLATFORM))
    command = [sys.executable, recheck.__file__, "it.json", "it.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "the certificate holds"), done.stderr


@pytest.mark.parametrize("manifests", ["other.yaml", "missing.yaml", "."])
def test_what_does_not_hold_or_cannot_be_read_is_said_in_a_line(tmp_path: pathlib.Path, manifests: str) -> None:
    (tmp_path / "it.json").write_text(json.dumps(made(PLATFORM)))
    (tmp_path / "other.yaml").write_text(yaml.safe_dump_all(PLATFORM[:-1]))
    command = [sys.executable, recheck.__file__, "it.json", manifests]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.split(":")[0]) == (1, "the certificate does not hold"), done.stderr
    assert len(done.stderr.splitlines()) == 1
