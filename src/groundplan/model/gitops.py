"""Where the committed output lives, so that whoever syncs clusters from Git can be told."""

from __future__ import annotations

import dataclasses
import pathlib
import re

from groundplan.model import findings, names
from groundplan.model import origin as origins

_URL = re.compile(r"(https?|ssh|git)://[^\s/]+/\S+|[^\s@/]+@[^\s:/]+:\S+")


@dataclasses.dataclass(frozen=True)
class Gitops:
    """A Git repository that Argo CD reads."""

    repository: str
    folder: str
    """Of the plan's ``deploy/``, from the root of the repository."""
    namespace: str
    """Where Argo CD runs."""
    origin: origins.Origin


def checked(repository: str, folder: str, namespace: str) -> Gitops | None:
    """The repository, unless nobody could read from it."""
    if not isinstance(repository, str) or not _URL.fullmatch(repository):
        why = f"{repository!r} is no address of a Git repository"
        findings.report("GP105", "plan.gitops", why=why, remedy='plan.gitops("https://git.example.com/team/shop.git")')
        return None
    if names.trouble(namespace):
        why = f"{namespace!r}: {names.trouble(namespace)}"
        findings.report("GP101", "plan.gitops: namespace", why=why, remedy='namespace="argocd"')
        return None
    path = pathlib.PurePosixPath(folder if isinstance(folder, str) else "")
    if path.is_absolute() or ".." in path.parts or not path.parts:
        why = f"{folder!r} is no folder inside the repository"
        findings.report("GP105", "plan.gitops: folder", why=why, remedy='folder="platforms/shop/deploy"')
        return None
    return Gitops(repository, str(path), namespace, origins.here())
