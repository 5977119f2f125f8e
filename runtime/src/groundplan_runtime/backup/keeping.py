"""Keeping a backup, finding it again, and letting old ones go."""

from __future__ import annotations

import datetime
import pathlib
import shutil

from groundplan_runtime.backup import manifests, places
from groundplan_runtime.backup.problems import BackupError

ENGINE = "engine"
"""A file that a dump may leave beside its own: what wrote it, "PostgreSQL 15.8"."""
BEGAN = "began"
"""An empty file that is written before everything else: its time is when the backup began."""
ABANDONED = datetime.timedelta(days=2)
"""The age from which files without a manifest are rests of a run that died, and not of one that goes on."""


def begun(work: pathlib.Path) -> pathlib.Path:
    """`work`, made anew: what a run before left in it must not get into this one."""
    if work.is_dir():
        shutil.rmtree(work)
    work.mkdir(mode=0o700, parents=True)
    (work / BEGAN).touch()
    return work


def keep(place: places.Place, resource: str, work: pathlib.Path, *, number: int, engine: str) -> manifests.Manifest:
    """Keeps the files of `work` as the newest backup of `resource`, and of all of them the last `number`.

    The manifest comes last. Raises BackupError, keeping nothing, when there is no dump or an empty one.
    """
    paths = sorted(path for path in work.iterdir() if path.is_file() and path.name not in (ENGINE, BEGAN))
    empty = [path.name for path in paths if path.stat().st_size == 0]
    if empty or not paths:
        what = f"{', '.join(empty)} of {resource} is empty" if empty else f"there is no dump of {resource} in {work}"
        raise BackupError(what, "a backup that holds nothing would push out one that does", "see what the dump said")
    said = work / ENGINE
    began = (work / BEGAN).stat().st_mtime
    made = manifests.Manifest(
        resource=resource,
        stamp=manifests.stamp(datetime.datetime.fromtimestamp(began, datetime.UTC)),
        ended=manifests.stamp(datetime.datetime.now(datetime.UTC)),
        engine=said.read_text().strip() if said.exists() else engine,
        files=tuple(map(manifests.of_file, paths)),
    )
    _put(place, made, work)
    prune(place, resource, number)
    return made


def _put(place: places.Place, made: manifests.Manifest, work: pathlib.Path) -> None:
    folder = f"{made.resource}/{made.stamp}"
    if f"{folder}/{manifests.NAME}" in place.sizes(f"{folder}/"):
        raise BackupError(f"{folder} is there already", "a backup of the same second", "start it again")
    try:
        for file in made.files:
            place.put(f"{folder}/{file.name}", work / file.name)
        manifest = work / manifests.NAME
        manifest.write_bytes(manifests.encoded(made))
        place.put(f"{folder}/{manifests.NAME}", manifest)
    except BaseException:
        for file in made.files:
            place.remove(f"{folder}/{file.name}")
        raise


def complete(place: places.Place, resource: str) -> tuple[manifests.Manifest, ...]:
    """The complete backups of `resource`, the newest first: a manifest, and all files of the right size."""
    sizes = place.sizes(f"{resource}/")
    found = []
    for name in sizes:
        stamp, _, file = name.removeprefix(f"{resource}/").partition("/")
        if file != manifests.NAME or not manifests.is_stamp(stamp):
            continue
        try:
            manifest = manifests.decoded(place.read(name), name)
        except BackupError:
            continue
        if all(sizes.get(f"{resource}/{stamp}/{each.name}") == each.size for each in manifest.files):
            found.append(manifest)
    return tuple(sorted(found, key=lambda manifest: manifest.stamp, reverse=True))


def prune(place: places.Place, resource: str, number: int) -> tuple[str, ...]:
    """Removes all complete backups but the last `number` (at least one), and what dead runs left; their stamps."""
    kept = complete(place, resource)
    going = [manifest.stamp for manifest in kept[max(1, number) :]]
    known = {manifest.stamp for manifest in kept}
    for stamp in going:
        # The manifest first: half a backup must not look whole.
        place.remove(f"{resource}/{stamp}/{manifests.NAME}")
    oldest = manifests.stamp(datetime.datetime.now(datetime.UTC) - ABANDONED)
    for name in place.sizes(f"{resource}/"):
        stamp = name.removeprefix(f"{resource}/").partition("/")[0]
        is_rest = manifests.is_stamp(stamp) and stamp not in known and stamp < oldest and bool(kept)
        if stamp in going or is_rest:
            place.remove(name)
    return tuple(going)


def fetch(place: places.Place, resource: str, into: pathlib.Path, *, at: str = "", reader: str = "") -> str:
    """Writes the newest backup of `resource` (not after `at`, where given) to the folder `into`; returns its stamp.

    Raises BackupError where there is none, where a file is not as it was written, and where `reader`
    ("PostgreSQL 15") cannot read what wrote it.
    """
    manifest = chosen(place, resource, at)
    where = f"{resource}/{manifest.stamp}"
    trouble = manifests.unreadable_by(manifest.engine, reader)
    if trouble:
        raise BackupError(f"{where}: {trouble}", "", f"restore it with {manifest.engine}, or newer")
    begun(into)
    for file in manifest.files:
        place.get(f"{where}/{file.name}", into / file.name)
    manifests.verify(manifest, into, where)
    return manifest.stamp


def chosen(place: places.Place, resource: str, at: str = "") -> manifests.Manifest:
    """The newest backup that has a manifest, not after `at` (a stamp) where given.

    A damaged one is not passed over in silence: raises BackupError, as where there is none.
    """
    names = (name.split("/") for name in place.sizes(f"{resource}/"))
    stamps = sorted(parts[1] for parts in names if len(parts) == 3 and parts[2] == manifests.NAME)
    wanted = [stamp for stamp in stamps if manifests.is_stamp(stamp) and (not at or stamp <= at)]
    if wanted:
        name = f"{resource}/{wanted[-1]}/{manifests.NAME}"
        return manifests.decoded(place.read(name), name)
    if stamps:
        raise BackupError(f"no backup of {resource} is as old as {at}", f"the oldest is of {stamps[0]}")
    raise BackupError(f"there is no backup of {resource}", "no folder with a manifest is there")
