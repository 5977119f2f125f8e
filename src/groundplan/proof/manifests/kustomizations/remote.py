"""Whether building a kustomization would fetch something: kustomize does that unasked, and a check must not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from groundplan.proof.manifests.kustomizations import files, trouble

_ELSEWHERE = re.compile(r"[a-z+]+://|git@|git::|gh:|[\w.-]+\.[a-z]+/[\w.-]+/[\w.-]+")
_WORDS = frozenset({"labels", "commonLabels", "commonAnnotations", "images", "patch", "metadata", "literals"})
"""Fields whose text is no path."""


def asked(place: Path) -> bool:
    """Whether anything that a kustomization or those it leads to name may lie elsewhere."""
    try:
        return _asked(files.Folder(place, None))
    except trouble.Trouble:
        return True  # what cannot be followed to its end is not handed on either


def _asked(folder: files.Folder) -> bool:
    fields, spot = folder.own()
    if any(_ELSEWHERE.match(words) for words in _paths(fields)):
        return True
    entries = [each for name in ("resources", "bases", "components") for each in fields.get(name) or ()]
    return any(_asked(folder.folder(str(each), spot)) for each in entries if folder.is_folder(str(each), spot))


def _paths(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [each for key, value in tree.items() if key not in _WORDS for each in _paths(value)]
    if isinstance(tree, list):
        return [each for value in tree for each in _paths(value)]
    return [tree] if isinstance(tree, str) else []
