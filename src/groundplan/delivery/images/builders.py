"""Building the platform's own image with whichever of docker, podman and buildah is there.

::

    BuilderError
    ├── NoBuilder     none of them is there, or none that answers
    ├── NoSource      nothing says what the image is made of
    └── NotBuilt      the program failed
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from groundplan.delivery.images import containerfile, pip, workspace
from groundplan.kubernetes import containers
from groundplan.kubernetes.feasibility import environments
from groundplan.model import origin, platform

PROGRAMS = ("docker", "podman", "buildah")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_ANSWER_SECONDS = 15
_CLEANUP_SECONDS = 20

Command = tuple[str, ...]


class BuilderError(Exception):
    """No image, because."""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        said = [line for line in (why, fix and f"fix: {fix}") if line]
        super().__init__("\n".join([what, *(f"      {line}" for line in said)]))


class NoBuilder(BuilderError): ...


class NoSource(BuilderError): ...


class NotBuilt(BuilderError): ...


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is built, and under which names."""

    file: pathlib.Path
    context: pathlib.Path
    names: tuple[str, ...]
    arguments: Mapping[str, str]
    """Of the Containerfile."""
    secrets: Mapping[str, pathlib.Path]


def names(plan: platform.Platform) -> tuple[str, ...]:
    """What the environments call the image of the platform's own code; empty if nothing runs in it."""
    wanted = [env for env in plan.environments if environments.is_built(plan, env)]
    found = [containers.built(plan, env) for env in wanted if not env.local and env.defaults.get("registry")]
    return tuple(dict.fromkeys(found)) or ((f"localhost/{plan.name}:{plan.version}",) if wanted else ())


def source(plan: platform.Platform, deploy: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The Containerfile and the context: the author's own beside the plan, or the one in `deploy`. Raises NoSource."""
    folder = plan.file.parent
    space = workspace.of(folder)
    if (folder / containerfile.FILE).is_file():
        return folder / containerfile.FILE, space.context if space else folder
    if space is None:
        raise NoSource(
            f"nothing says what the image of {plan.name} is made of",
            why=f"beside it is no pyproject.toml, no {workspace.REQUIREMENTS} and no {containerfile.FILE}",
            fix=f"list what the services import in {origin.shown(str(folder / workspace.REQUIREMENTS))}",
        )
    if not (deploy / containerfile.FILE).is_file():
        raise NoSource(
            f"{origin.shown(str(deploy / containerfile.FILE))} is not there", fix="groundplan build, which writes it"
        )
    return deploy / containerfile.FILE, space.context


def chosen(wanted: str | None) -> str:
    """The program to build with; raises NoBuilder."""
    there = [name for name in ((wanted,) if wanted else PROGRAMS) if shutil.which(name)]
    for name in there:
        if _answers(name):
            return name
    if there:
        why = f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there, but no daemon answers"
        raise NoBuilder("nothing here can build an image", why=why, fix="start Docker, or install podman or buildah")
    why = f"looked for {wanted or ', '.join(PROGRAMS)}"
    raise NoBuilder(
        "nothing here can build an image", why=why, fix="sudo apt-get install buildah, or any of the others"
    )


def likely() -> str:
    """The program that would be tried first, whether it answers or not."""
    return next((name for name in PROGRAMS if shutil.which(name)), PROGRAMS[0])


def _answers(program: str) -> bool:
    """Docker's client is of no use without its daemon; the others need none."""
    command = [program, "version", *(("--format", "{{.Server.Version}}") if program == "docker" else ())]
    try:
        return subprocess.run(command, capture_output=True, timeout=_ANSWER_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def commands(program: str, recipe: Recipe, *, push: bool) -> tuple[Command, ...]:
    """What is run, in this order."""
    build = [program, "build", "--file", str(recipe.file)]
    if program == "buildah":
        build.append("--layers")  # as the others do: own code is a layer of its own
    build += [word for name in recipe.names for word in ("--tag", name)]
    build += [word for name, value in recipe.arguments.items() for word in ("--build-arg", f"{name}={value}")]
    build += [word for name, file in recipe.secrets.items() for word in ("--secret", f"id={name},src={file}")]
    pushes = [(program, "push", name) for name in recipe.names] if push else []
    return (*([(*build, str(recipe.context))]), *pushes)


def arguments(context: pathlib.Path, base: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    """The Containerfile's arguments: another base, which commit this is, and the proxies of the environment."""
    found = {"BASE": base} if base else {}
    revision, _, created = _git(context, "log", "-1", "--format=%H %cI").partition(" ")
    dirty = "-dirty" if _git(context, "status", "--porcelain") else ""
    found |= {"REVISION": revision and revision + dirty, "CREATED": created}
    return found | {name: environment[name] for name in _PROXIES if name in environment}


def _git(folder: pathlib.Path, *words: str) -> str:
    """What git says; nothing where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def named_secrets(said: pip.Settings, config: pathlib.Path) -> dict[str, pathlib.Path]:
    """The build's secrets, as far as there is anything to say; `config` holds pip's configuration."""
    found = {containerfile.PIP_CONFIG: config} if said.values or said.certificates else {}
    return found | ({containerfile.PIP_CERTIFICATES: said.certificates} if said.certificates else {})


def built(program: str, recipe: Recipe, said: pip.Settings, *, push: bool) -> tuple[Command, ...]:
    """Builds it, and pushes it if wanted; returns the commands. Raises NotBuilt.

    What pip may know lies in a folder of this user alone while the build runs, and is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="groundplan-") as folder:
        config = pathlib.Path(folder) / "pip.conf"
        config.write_text(said.text())
        given = commands(program, dataclasses.replace(recipe, secrets=named_secrets(said, config)), push=push)
        for command in given:
            _run(command)
    return given


def _run(command: Command) -> None:
    """Runs it, its output on standard error; an interrupt is passed on, and it is given the time to take away what
    it had half made."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}  # older dockers know secrets only then
    before = _containers(command[0])
    # A process group of its own: what it starts hears of the interrupt too, and once.
    child = subprocess.Popen(command, stdout=sys.stderr.fileno(), env=environment, process_group=0)
    try:
        code = child.wait()
    except BaseException:
        _end(child)
        _remove(command[0], _containers(command[0]) - before)
        raise
    if code:
        raise NotBuilt(f"{command[0]} {command[1]} ended with {code}", why="what it said stands above")


def _containers(program: str) -> set[str]:
    """What buildah works in. Interrupted between two steps, it leaves that behind; Docker's daemon does not."""
    if program != "buildah":
        return set()
    try:
        done = subprocess.run(
            [program, "containers", "--quiet", "--notruncate"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return set()
    return set(done.stdout.split())


def _remove(program: str, left: set[str]) -> None:
    """Nothing tells whose they are: a build that somebody began meanwhile in the same store fails, and can be begun
    again."""
    if left:
        subprocess.run([program, "rm", *sorted(left)], capture_output=True, timeout=_CLEANUP_SECONDS, check=False)


def _end(child: subprocess.Popen[bytes]) -> None:
    for told, patience in ((signal.SIGINT, _CLEANUP_SECONDS), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, told)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)
            return
