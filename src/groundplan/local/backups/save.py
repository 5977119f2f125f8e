"""Saving a running platform: each part dumped and kept, all of them or none."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from groundplan.backup import commands as around
from groundplan.local import client, directory, errors, ports, prepare
from groundplan.local.backups import former, parts, runs, sets
from groundplan.local.plan import site
from groundplan.model import platform

Say = Callable[[str], None]


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    path: str
    stamp: str
    parts: tuple[str, ...]
    bytes: int
    seconds: float
    removed: tuple[str, ...]


def save(
    plan: platform.Platform,
    place: directory.Directory,
    folder: Path,
    only: Sequence[str],
    keep: int | None,
    say: Say,
) -> Saved:
    """Makes a backup in `folder`: of everything, or of the resources named. Raises LocalError, leaving nothing."""
    begun = time.monotonic()
    wanted = chosen(plan, only)
    if not client.is_running(place):
        raise client.not_running(place)
    if former.is_unfinished(place):
        raise errors.AlreadyRunning(f"a restore into {place.root} has not ended", fix="wait, or: groundplan up")
    here = site_of(plan, place)
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    names = tuple(part.name for part in wanted)
    with sets.begun(folder, stamp) as made:
        try:
            for part in wanted:
                say(_one(part, plan, made, here))
            size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
            path = sets.finish(made, sets.Set(platform=plan.name, version=plan.version, stamp=stamp, parts=names))
            removed = sets.prune(folder, plan.name, keep) if keep is not None else ()
        except OSError as error:
            raise errors.from_os(error, f"make a backup in {folder}") from error
    return Saved(
        path=str(path),
        stamp=stamp,
        parts=names,
        bytes=size,
        seconds=time.monotonic() - begun,
        removed=tuple(each.name for each in removed),
    )


def site_of(plan: platform.Platform, place: directory.Directory) -> site.Site:
    """This machine, as the platform in `place` finds it."""
    return prepare.survey(plan, prepare.local_environment(plan), place, ports.Book(place.ports))


def chosen(plan: platform.Platform, only: Sequence[str]) -> list[parts.Part]:
    """The parts called `only`, or all; raises UnknownName."""
    known = {part.name: part for part in parts.of(plan)}
    if missing := [name for name in only if name not in known]:
        reasons = dict(parts.left_out(plan))
        told = [f"{name} has no backup: {reasons[name]}" for name in missing if name in reasons]
        if told:
            raise errors.UnknownName("; ".join(told))
        raise errors.unknown(missing, known)
    return [part for name, part in known.items() if not only or name in only]


def _one(part: parts.Part, plan: platform.Platform, made: Path, here: site.Site) -> str:
    begun = time.monotonic()
    work = made / ".work"
    procedures = part.procedures(plan, str(here.root), str(work))
    runs.run(f"saving {part.name}", procedures.save.run, part.name, procedures.save.files, here)
    kept = around.keep(part.name, str(work), around.folder(str(made)), number=1, engine=procedures.reader)
    said = runs.run(f"keeping {part.name}", kept, part.name, (), here)
    return f"{said.strip().removeprefix('kept ')} ({time.monotonic() - begun:.1f} s)"
