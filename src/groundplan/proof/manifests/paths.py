"""Paths: files, directories and `-` for standard input become sources, and sources documents."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from groundplan.proof import findings
from groundplan.proof.manifests import cache, documents
from groundplan.proof.manifests.kustomizations import built, files, remote, trouble

SUFFIXES = (".yaml", ".yml", ".json")
BUILDERS = (("kustomize", "build"), ("kubectl", "kustomize"))
BUILD_SECONDS = 60


def read(paths: Iterable[str | Path], kept: Path | None = None) -> documents.Read:
    """All documents behind `paths`, in the order of the paths and, within a directory, of the names; `kept` is a folder
    that remembers what was decoded before."""
    found: list[documents.Document] = []
    said: list[findings.Finding] = []
    for each in paths:
        for part in _each(str(each), kept):
            found.extend(part.documents)
            said.extend(part.findings)
    if not found and not findings.errors(tuple(said)):
        said.append(_nothing([str(each) for each in paths]))
    return documents.Read(tuple(found), tuple(said))


def _each(path: str, kept: Path | None) -> Iterator[documents.Read]:
    if path == "-":
        yield cache.decode(documents.Source("standard input", sys.stdin.buffer.read()), kept)
        return
    place = Path(path)
    if not place.is_dir():
        yield _file(place, kept)
        return
    yield from _directory(place, kept)


def _directory(place: Path, kept: Path | None) -> Iterator[documents.Read]:
    everything = sorted(each for each in place.rglob("*") if _wanted(each, place))
    parts = [each for each in everything if each.name in files.NAMES]
    if any(each.parent == place for each in parts):
        yield _built(place, kept)
    elif parts:
        yield documents.Read((), tuple(_part(each) for each in parts))
    else:
        for each in everything:
            yield _file(each, kept)


def _built(place: Path, kept: Path | None) -> documents.Read:
    """What kustomize makes of a directory: built here, or by the program where that goes beyond what is built here."""
    try:
        found = built.build(place, kept)
    except trouble.Beyond as error:
        return _by_program(place, error, kept)
    except trouble.Wrong as error:
        what = f"{place} cannot be built"
        said = (findings.Finding("GP507", what, _where(each, place), each.what, "correct it") for each in error.each)
        return documents.Read((), tuple(dict.fromkeys(said)))
    if findings.errors(found.findings):
        return documents.Read((), found.findings)
    return found


def _by_program(place: Path, beyond: trouble.Beyond, kept: Path | None) -> documents.Read:
    program = next((words for words in BUILDERS if shutil.which(words[0])), None)
    if program is None or remote.asked(place):
        return documents.Read((), (_unbuilt(place, beyond),))
    try:
        done = subprocess.run([*program, str(place)], capture_output=True, timeout=BUILD_SECONDS, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        why = (getattr(error, "stderr", None) or str(error).encode()).decode(errors="replace").strip()
        said = findings.Finding("GP507", f"{place} cannot be built", _where(beyond, place), why, "correct it")
        return documents.Read((), (said,))
    return cache.decode(documents.Source(f"{place} (built)", done.stdout), kept)


def _where(error: trouble.Trouble, place: Path) -> findings.Place:
    return error.where if error.where.file else findings.Place(str(place))


def _unbuilt(place: Path, beyond: trouble.Beyond) -> findings.Finding:
    why = f"{beyond.what}: only kustomize itself builds that, and neither kustomize nor kubectl is on the PATH"
    remedy = f"kustomize build {place} | groundplan check -"
    return findings.Finding("GP507", f"{place} is not built here", _where(beyond, place), why, remedy)


def _wanted(path: Path, top: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(top).parts)
    return not hidden and (path.suffix in SUFFIXES or path.name in files.NAMES) and path.is_file()


def _file(path: Path, kept: Path | None) -> documents.Read:
    try:
        text = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        said = findings.Finding("GP505", f"{path} cannot be read", findings.Place(str(path)), why, "correct the path")
        return documents.Read((), (said,))
    return cache.decode(documents.Source(str(path), text), kept)


def _part(path: Path) -> findings.Finding:
    why = "its files are parts: what reaches the cluster is what kustomize makes of them"
    remedy = f"name the kustomization itself: groundplan check {path.parent}"
    return findings.Finding("GP507", f"{path.parent} is a kustomization", findings.Place(str(path)), why, remedy)


def _nothing(paths: list[str]) -> findings.Finding:
    where = " ".join(paths) or "the empty list of paths"
    remedy = f"give files, or directories with {', '.join(SUFFIXES)}"
    return findings.Finding("GP504", f"{where} holds no document", findings.Place(where), remedy=remedy)
