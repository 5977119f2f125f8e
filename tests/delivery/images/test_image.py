"""The payments image for real: built by buildah, pushed to a registry, looked up, and run as a cluster would run it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from groundplan.delivery.images import references, registry
from tests.delivery.images import engines
from tests.kubernetes import worlds

pytestmark = pytest.mark.slow

VARIABLES = {"PATH": "/app/bin:/usr/bin:/bin", "HOME": "/tmp", "DATA_DIRECTORY": "/tmp"}
BASE = "localhost/base:1"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with engines.registry(tmp_path_factory.mktemp("registry")) as served:
        yield served


@pytest.fixture(scope="module")
def shop(tmp_path_factory, host):
    assert os.geteuid() == 0, "buildah and runc run as root here: sudo make test-all"
    made = engines.Shop(tmp_path_factory.mktemp("shop"), host)
    shutil.copyfile(engines.base(), made.folder / "base.tar")
    (made.folder / "Base").write_text("FROM scratch\nADD base.tar /\n")
    made.run("buildah", "build", "--tag", BASE, "--file", "Base", ".", cwd=made.folder)
    yield made
    made.run("buildah", "rmi", "--all", "--force")


def images(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "groundplan", "images", "build", "payments", "--base", BASE, *arguments]


@pytest.fixture(scope="module")
def image(shop, host):
    name = f"{host}/payments:1.0.0"
    shop.run(*images("--with", "buildah", "--tag", name, "--push"), cwd=worlds.ROOT)
    return name


def test_it_runs_as_nobody_on_a_read_only_root_and_answers_its_probes(shop, image):
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        listens, metrics = (f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other))
    script = "id -u; touch /own/x /app/x; exec python -m payments.acquirer"
    variables = {**VARIABLES, "HTTP_LISTEN": listens, "METRICS_LISTEN": metrics}
    with shop.mounted(image) as rootfs, engines.container(shop, rootfs, ["sh", "-c", script], variables) as log:
        assert answered(f"http://{metrics}/livez", log) == 200
        said = log.read_text()
        assert "10001" in said.splitlines()
        assert said.count("Read-only file system") == 2
        assert not list(rootfs.rglob("pip.conf"))


def answered(url: str, log: pathlib.Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as response:
            return response.status
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def test_every_program_of_the_plan_is_in_it_compiled(shop, image):
    modules = {each.process.module for each in worlds.payments().programs}
    script = "import importlib.util as u, sys; print([m for m in sys.argv[1:] if not u.find_spec(m)])"
    argv = ["python", "-c", script, *modules]
    with shop.mounted(image) as rootfs, engines.container(shop, rootfs, argv, VARIABLES) as log:
        deadline = time.monotonic() + 60
        while not log.read_text() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert log.read_text() == "[]\n"
        compiled = list((rootfs / "own" / "payments" / "gateway").rglob("*.pyc"))
        # Bit 0 of the flags: by hash; bit 1, unset: unchecked (PEP 552).
        assert {each.read_bytes()[4] for each in compiled} == {1}


def test_it_says_what_it_is_and_whose_user_runs_it(shop, image):
    said = json.loads(shop.run("buildah", "inspect", image))["OCIv1"]
    labels = said["config"]["Labels"]
    assert said["config"]["User"] == "10001:10001"
    assert labels["org.opencontainers.image.title"] == "payments"
    assert labels["org.opencontainers.image.version"] == worlds.payments().version
    assert labels["org.opencontainers.image.base.name"] == BASE
    assert len(labels["org.opencontainers.image.revision"].removesuffix("-dirty")) == 40
    assert len(said["rootfs"]["diff_ids"]) == 3, "base, dependencies, own code"


def test_the_registry_gives_the_digest_of_what_was_pushed(shop, image, host):
    found = registry.Client({}).digest(references.parse(image))
    request = urllib.request.Request(
        f"http://{host}/v2/payments/manifests/{found}", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}
    )
    with urllib.request.urlopen(request) as response:
        assert found == f"sha256:{hashlib.sha256(response.read()).hexdigest()}"
    with pytest.raises(registry.Missing):
        registry.Client({}).digest(references.parse(f"{host}/payments:none"))
    shop.run("buildah", "pull", f"{host}/payments@{found}")


def test_an_interrupted_build_leaves_no_container(shop):
    before = shop.run("buildah", "containers", "--json")
    command = images("--with", "buildah", "--tag", "localhost/half:1", "--base", BASE)
    pipe = subprocess.PIPE
    started = subprocess.Popen(command, cwd=worlds.ROOT, env=shop.environment, stderr=pipe, stdout=pipe, text=True)
    for line in started.stderr:
        if "STEP 3/" in line:
            break
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    assert started.returncode == 130
    assert shop.run("buildah", "containers", "--json") == before
    assert "localhost/half" not in shop.run("buildah", "images")
