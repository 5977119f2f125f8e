"""A platform's pipeline for GitHub Actions: tested, proven, built, scanned, described, signed, proposed.

Belongs here: the template, and what a plan fills in. It is printed, not kept in step: teams change their pipelines,
and what changes with the plan stands behind the verbs that it calls.

Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax,
https://docs.github.com/en/actions/reference/security/secure-use, https://docs.sigstore.dev/cosign/signing/overview/.
"""

from __future__ import annotations

import importlib.resources
import pathlib

from groundplan.delivery import deploy, tree
from groundplan.delivery.images import workspace
from groundplan.model import platform

_DEVELOPMENT = "requirements-dev.txt"
"""What people need beside the services: `groundplan new` writes it."""

_DOCUMENTS = "docs"
"""Where `groundplan docs` writes, beside the plan."""


def text(plan: platform.Platform) -> str:
    """The whole workflow, for a repository whose root is the platform's workspace."""
    folder = plan.file.parent
    space = workspace.of(folder)
    below = space.plan if space and space.plan else "."
    terraform = (folder / "terraform").is_dir()
    filled = {
        "TERRAFORM": _template("terraform.yml.txt") if terraform else "",
        "DOCS": _template("docs.yml.txt") if tree.is_kept(folder / _DOCUMENTS, tree.DOCS) else "",
        "NEEDS": "[plan, terraform]" if terraform else "plan",
        "INSTALL": "\n          ".join(_install(space.context if space else folder)),
        "TEST": "make test" if _has_make(space.context if space else folder) else "python -m pytest",
        "PLAN": _named(below),
        "DEPLOY": deploy.FOLDER if below == "." else f"{below}/{deploy.FOLDER}",
        "FOLDER": below,
        "PYTHON": space.python if space else workspace.OLDEST,
        "NAME": plan.name,
    }
    made = _template("platform.yml.txt")
    for name, value in filled.items():
        made = made.replace(f"@{name}@", value)
    return made


def _named(below: str) -> str:
    """The plan as verbs are told of it, after a space."""
    if below == ".":
        return ""
    above, _, name = below.rpartition("/")
    return f" {name}" if above == "platforms" else f" {below}"


def _install(root: pathlib.Path) -> list[str]:
    if _has_make(root):
        return ["make setup", 'echo "$PWD/.venv/bin" >> "$GITHUB_PATH"']
    names = (_DEVELOPMENT, workspace.LOCK)
    named = next((name for name in names if (root / name).is_file()), workspace.REQUIREMENTS)
    return [f"python -m pip install --requirement {named}"]


def _has_make(root: pathlib.Path) -> bool:
    """Whether the repository says by itself how it is set up and tested."""
    try:
        lines = (root / "Makefile").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return all(any(line.startswith(f"{target}:") for line in lines) for target in ("setup", "test"))


def _template(name: str) -> str:
    return importlib.resources.files(__name__).joinpath(name).read_text()
