"""The Containerfile that ``build`` writes: what goes in, who runs it, and what never stays in it."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

from groundplan.delivery import deploy
from groundplan.delivery.images import containerfile, pip, workspace
from groundplan.kubernetes import containers
from tests.kubernetes import worlds

PLAN = """\
from groundplan import *
from groundplan.resources import *
plan = Platform("shop")
space = plan.namespace("services")
vault = space.add(Vault("vault"))
space.add(Service("web", python("shop.web"), http=8000, replicas=2))
plan.environment("live", host="shop.example.com", registry="registry.example.com", secrets=vault)
"""


def stages(text: str) -> list[list[str]]:
    """The instructions of each stage, without comments, with lines joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.M))
    _, *found = re.split(r"^FROM .*\n", joined, flags=re.M)
    return [[line for line in each.splitlines() if line] for each in found]


def payments() -> list[list[str]]:
    return stages(deploy.of(worlds.payments()).files[containerfile.FILE])


def test_the_last_stage_runs_as_nobody_with_a_name_and_installs_nothing():
    last = payments()[-1]
    assert last[-2] == f"USER {containers.USER}:{containers.USER}"
    assert not [line for line in last if line.startswith(("RUN", "ADD"))]
    assert [line for line in last if line.startswith("COPY")] == [
        "COPY --from=build /app /app",
        "COPY --from=build /own /own",
    ]


def test_own_distributions_go_in_after_what_they_need_and_without_tests_or_deploy():
    copied = [line.split()[-1] for line in payments()[0] if line.startswith("COPY")]
    assert copied == ["./", "runtime/", "runtime/src", "platforms/payments/", "platforms/payments/src"]


def test_everything_that_is_copied_is_there():
    root = worlds.ROOT
    for line in payments()[0]:
        if line.startswith("COPY"):
            assert all((root / source).exists() for source in line.split()[1:-1]), line


def test_what_pip_may_know_is_a_secret_of_each_step_that_may_reach_an_index():
    steps = [line for line in payments()[0] if " wheel --" in line or " install --" in line]
    assert len(steps) == 2
    for step in steps:
        assert "--mount=type=secret,id=pip,target=/etc/pip.conf" in step
        assert "--mount=type=secret,id=pip-cert" in step
    assert "http" not in "".join(steps)


def test_the_lock_of_the_workspace_pins_what_is_installed():
    assert any("--constraint requirements.lock /wheels/*.whl" in line for line in payments()[0])


def build(folder: pathlib.Path) -> str:
    done = subprocess.run([sys.executable, "-m", "groundplan", "build"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    file = folder / "deploy" / "Containerfile"
    return file.read_text() if file.exists() else ""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "plan.py").write_text(PLAN)
    return tmp_path


def test_a_platform_with_plain_requirements_gets_one_too(shop):
    (shop / "requirements.txt").write_text("groundplan-runtime[all]\n")
    found = stages(build(shop))[0]
    assert "COPY requirements.txt ./" in found
    assert "COPY src /own" in found


def test_there_is_none_where_nothing_says_what_to_install_and_none_beside_the_authors_own(shop):
    assert build(shop) == ""
    (shop / "requirements.txt").write_text("")
    assert build(shop)
    (shop / "Containerfile").write_text("FROM scratch\n")
    assert build(shop) == ""


@pytest.mark.parametrize("version", ["", "1 0", "1/0", "-1", "1@2", "v" * 129, 'a"$b'])
def test_a_version_that_can_be_no_tag_is_a_finding(shop, version):
    (shop / "plan.py").write_text(PLAN.replace('Platform("shop")', f'Platform("shop", version={version!r})'))
    command = [sys.executable, "-m", "groundplan", "build"]
    done = subprocess.run(command, cwd=shop, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "can be no tag of its image" in done.stderr
    assert "plan.py:3" in done.stderr


@pytest.mark.parametrize("text", ["", "[project", "project = 3", "[project]\nname = 3", "[tool.uv]\nworkspace = 1"])
def test_a_pyproject_that_says_nothing_is_as_good_as_none(shop, text):
    (shop / "pyproject.toml").write_text(text)
    assert workspace.of(shop) is None


def test_a_platform_alone_is_its_own_context(shop):
    (shop / "pyproject.toml").write_text('[project]\nname = "Shop_Own"\nrequires-python = ">=3.12"\n')
    found = workspace.of(shop)
    assert found == workspace.Workspace(
        shop, "", (workspace.Distribution("Shop_Own", ".", ("pyproject.toml",)),), "", "", "3.12"
    )


def test_members_that_nobody_needs_stay_out_and_names_are_compared_as_indexes_do(tmp_path):
    for name, needs in {
        "Lib_A": '["requests"]',
        "lib.b": "[]",
        "shop": "[\"lib-a[x]>=1; python_version>'3'\"]",
    }.items():
        folder = tmp_path / "parts" / name
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\ndependencies = {needs}\n')
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["parts/*"]\n')
    found = workspace.of(tmp_path / "parts" / "shop")
    assert found
    assert [each.folder for each in found.distributions] == ["parts/Lib_A", "parts/shop"]
    assert (found.context, found.plan) == (tmp_path, "parts/shop")


def test_pips_configuration_is_taken_over_as_far_as_a_build_can_use_it(tmp_path):
    certificates = tmp_path / "own.pem"
    certificates.write_text("")
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nindex-url = https://one.example/simple\ncert = {certificates}\nquiet = 3\n")
    given = {
        "PIP_CONFIG_FILE": str(config),
        "PIP_EXTRA_INDEX_URL": "https://me:secret@two.example/simple file:///opt/simple",
        "PIP_FIND_LINKS": "/opt/wheels",
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
    }
    said = pip.settings(given)
    assert said.certificates == certificates
    assert set(said.left) >= {"file:///opt/simple", "/opt/wheels"}
    lines = said.text().splitlines()
    assert "index-url = https://one.example/simple" in lines
    assert "extra-index-url = https://me:secret@two.example/simple" in lines
    assert "cert = /run/secrets/pip-cert" in lines
    assert not [line for line in lines if "quiet" in line or "/opt" in line]
