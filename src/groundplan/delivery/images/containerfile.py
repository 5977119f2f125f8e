"""The Containerfile of a platform's own image: one for all its programs, which differ by their command alone.

Two stages. The first has pip and the source; the last has the interpreter, what was installed, and no right to
change any of it. Dependencies and own code are layers of their own, so that a release moves the latter only.

Sources: https://docs.docker.com/build/building/best-practices/,
https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md,
https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from groundplan.delivery.images import workspace
from groundplan.kubernetes import containers
from groundplan.model import platform
from groundplan.resources import images

FILE = "Containerfile"
PIP_CONFIG, PIP_CERTIFICATES = "pip", "pip-cert"
"""Secrets of the build: pip's configuration, and the certificates that it trusts."""
CERTIFICATES = f"/run/secrets/{PIP_CERTIFICATES}"

_MOUNTS = f"--mount=type=secret,id={PIP_CONFIG},target=/etc/pip.conf --mount=type=secret,id={PIP_CERTIFICATES}"
_PIP = "python3 -m pip --python /app/bin/python --disable-pip-version-check --no-input"


def files(plan: platform.Platform, digests: Mapping[str, str]) -> dict[str, str]:
    """What goes into ``deploy/``: the file by its name, or nothing where the author has one of his own beside the
    plan, or nothing says what the services need."""
    space = workspace.of(plan.file.parent)
    if space is None or (plan.file.parent / FILE).exists():
        return {}
    named = base(space)
    return {FILE: text(plan, space, f"{named}@{digests[named]}" if named in digests else named)}


def bases(plan: platform.Platform) -> set[str]:
    """What the emitted file is made on, if there is one."""
    space = workspace.of(plan.file.parent)
    return {base(space)} if space and files(plan, {}) else set()


def base(space: workspace.Workspace) -> str:
    """What the image is made on."""
    return images.python(space.python)


def text(plan: platform.Platform, space: workspace.Workspace, base_image: str) -> str:
    """The whole file."""
    return "\n".join([*_head(plan, space, base_image), *_build(space), "", *_final(plan)]) + "\n"


def _head(plan: platform.Platform, space: workspace.Workspace, base_image: str) -> Iterator[str]:
    above = "/".join([".."] * (space.plan.count("/") + 1)) if space.plan else "."
    yield f"# Build it with `groundplan images`, or in {above} of the plan's folder:"
    where = f"{space.plan}/" if space.plan else ""
    yield f"#   docker build -f {where}deploy/{FILE} -t {plan.name}:{plan.version} ."
    yield "# An index of packages of your own: --secret id=pip,src=pip.conf"
    yield f"ARG BASE={base_image}"
    yield ""


def _build(space: workspace.Workspace) -> Iterator[str]:
    yield "FROM ${BASE} AS build"
    yield "WORKDIR /build"
    yield "RUN python3 -m venv --without-pip /app && mkdir /own"
    yield from _packaged(space) if space.distributions else _plain(space)
    yield "# By hash and unchecked: time stamps do not survive every builder, and nothing here ever changes."
    yield "RUN /app/bin/python -m compileall -q --invalidation-mode unchecked-hash /app/lib /own"


def _packaged(space: workspace.Workspace) -> Iterator[str]:
    if space.constraints:
        yield f"COPY {space.constraints} ./"
    for each in space.distributions:
        yield f"COPY {' '.join(_below(each.folder, name) for name in each.files)} {_below(each.folder, '')}"
        yield f"COPY {_below(each.folder, 'src')} {_below(each.folder, 'src')}"
    folders = " ".join(f"./{each.folder}" for each in space.distributions)
    names = " ".join(each.name for each in space.distributions)
    pins = f" --constraint {space.constraints}" if space.constraints else ""
    yield f"RUN {_MOUNTS} \\"
    yield f"    {_PIP} wheel --no-cache-dir --no-deps --wheel-dir /wheels {folders}"
    yield "# Own wheels are named as files, so that no index can put another in their place."
    yield f"RUN {_MOUNTS} \\"
    yield f"    {_PIP} install --no-cache-dir --no-compile{pins} /wheels/*.whl && \\"
    yield f"    {_PIP} check && {_PIP} uninstall --yes {names} && \\"
    yield f"    {_PIP} install --no-index --no-deps --no-compile --target /own /wheels/*.whl && \\"
    yield f"    {_PATH}"


def _plain(space: workspace.Workspace) -> Iterator[str]:
    yield f"COPY {space.requirements} ./"
    yield f"RUN {_MOUNTS} \\"
    yield f"    {_PIP} install --no-cache-dir --no-compile --requirement {space.requirements} && \\"
    yield f"    {_PATH}"
    yield "COPY src /own"


_PATH = "/app/bin/python -c '" + (
    'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "own.pth").write_text("/own\\n")\''
)
"""Own code is found without a variable that a plan could take away."""


def _final(plan: platform.Platform) -> Iterator[str]:
    yield "FROM ${BASE}"
    yield "ARG BASE"
    yield "ARG REVISION"
    yield "ARG CREATED"
    yield f"LABEL org.opencontainers.image.title={_quoted(plan.name)} \\"
    yield f"      org.opencontainers.image.version={_quoted(plan.version)} \\"
    yield '      org.opencontainers.image.revision="${REVISION}" \\'
    yield '      org.opencontainers.image.created="${CREATED}" \\'
    yield '      org.opencontainers.image.base.name="${BASE}"'
    yield 'ENV PATH="/app/bin:${PATH}" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp'
    yield "COPY --from=build /app /app"
    yield "COPY --from=build /own /own"
    yield "WORKDIR /own"
    yield f"USER {containers.USER}:{containers.USER}"
    said = f"{plan.name} {plan.version}"
    yield f"CMD {json.dumps(['python', '-c', f'print({said!r})'])}"


def _quoted(text: str) -> str:
    """A word of an instruction, in which the builder would otherwise fill in ``$NAME``."""
    return json.dumps(text).replace("$", "\\$")


def _below(folder: str, name: str) -> str:
    return f"./{name}" if folder in ("", ".") else f"{folder}/{name}"
