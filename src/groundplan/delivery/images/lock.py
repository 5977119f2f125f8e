"""``images.lock`` beside the plan: the digest that each image's tag stood for when its registry was asked.

A line an image, ``docker.io/library/redis:7-alpine sha256:…``, in the order of names, so that a change of one
is a change of its line. It is an input of ``build``, to be committed.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import threading
from collections.abc import Collection, Iterable, Mapping

from groundplan.delivery.images import references, registry
from groundplan.model import findings, origin

FILE = "images.lock"
HEADER = "# What the tags of the images stood for: written by `groundplan images lock`, read by `groundplan build`.\n"
_AT_ONCE = 8


@dataclasses.dataclass(frozen=True)
class Looked:
    """What became of one image. Without `digest` it stays a tag; `problem` says why nothing new is known."""

    image: str
    digest: str
    before: str
    problem: str = ""


def read(folder: pathlib.Path) -> dict[str, str]:
    """Digests by image; raises findings.PlanError for lines that are no such thing."""
    file = folder / FILE
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise findings.PlanError((_unusable(file, 0, str(error)),)) from error
    found: dict[str, str] = {}
    wrong: list[findings.Finding] = []
    for number, line in enumerate(lines, 1):
        image, _, digest = line.partition(" ")
        if not line or line.startswith("#"):
            continue
        if not references.DIGEST.fullmatch(digest) or found.get(image, digest) != digest:
            wrong.append(_unusable(file, number, f"{line[:80]!r} is no image with its one digest"))
        found[image] = digest
    if wrong:
        raise findings.PlanError(tuple(wrong))
    return found


def _unusable(file: pathlib.Path, line: int, why: str) -> findings.Finding:
    where = origin.Origin(origin.shown(str(file)), line)
    return findings.Finding(
        "GP003", f"{FILE} cannot be used", where, why, "mend it, or write it: groundplan images lock"
    )


def look(images: Collection[str], known: Mapping[str, str], client: registry.Client) -> tuple[Looked, ...]:
    """Asks for the digests of `images`, several at once; what cannot be had keeps what is known."""
    found: dict[str, Looked] = {}
    waiting = iter(sorted(images))  # shared: each image is taken by one thread

    def work() -> None:
        for image in waiting:
            found[image] = _one(image, known.get(image, ""), client)

    # Threads that nobody waits for at the end: an interrupt does not wait for slow registries.
    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(images)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return tuple(found[image] for image in sorted(images))


def _one(image: str, before: str, client: registry.Client) -> Looked:
    try:
        return Looked(image, client.digest(references.parse(image), before), before)
    except (references.Unusable, registry.RegistryError) as error:
        return Looked(image, before, before, str(error))


def write(folder: pathlib.Path, looked: Iterable[Looked]) -> pathlib.Path:
    """Writes what is known, and nothing of images that no longer are; raises OSError."""
    file = folder / FILE
    lines = [f"{each.image} {each.digest}\n" for each in looked if each.digest]
    # Put in place at once: half a file would be a build with half the digests.
    draft = file.with_name(f".{FILE}.{os.getpid()}")
    try:
        draft.write_text(HEADER + "".join(lines))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return file
