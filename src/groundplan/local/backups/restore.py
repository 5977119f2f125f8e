"""Restoring: a backup verified whole, then new folders in place of the old ones, which stay aside until it has ended.

Databases are put back into a new cluster by a supervisor that runs the engines alone: no service sees half of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from groundplan.backup import commands as around
from groundplan.local import client, directory, errors, host, inside, protocol
from groundplan.local.backups import former, parts, runs, save, sets
from groundplan.local.plan import lower, site, units
from groundplan.model import platform, processes
from groundplan.shapes import processes as shapes

LIMIT = 120.0
"""Seconds for an engine to get ready."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the platform's own said."""

    check: str
    ok: bool
    said: str


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    stamp: str
    parts: tuple[str, ...]
    seconds: float
    verified: tuple[Verified, ...]
    started: bool
    """Whether the platform runs again, since it ran before."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be restored, from where."""

    folder: Path
    only: tuple[str, ...] = ()
    at: str = ""
    """A stamp: the newest backup not after it."""
    replace: bool = False
    """Whether data that is there may go."""


def restore(plan: platform.Platform, place: directory.Directory, asked: Asked, say: save.Say) -> Restored:
    """Restores a backup, and starts the platform again if it ran. Raises LocalError, changing nothing."""
    begun = time.monotonic()
    found = sets.chosen(asked.folder, plan.name, asked.at)
    wanted = _wanted(plan, found, asked.only)
    with former.alone(place):
        _refuse_to_replace(wanted, place, asked)
        _mind_the_keys(plan, place, found, wanted, say)
        fetched = _fetched(plan, place, found, wanted, say)
        ran = client.is_running(place)
        if ran:
            _stop(place)
            say("stopped the platform")
        try:
            with former.aside(place, [part.folder for part in wanted]):
                verified = _put_back(plan, place, wanted, fetched, say)
        except BaseException:
            say(f"nothing was restored: what was here before is back{', and stopped' if ran else ''}")
            raise
        if ran:
            _start(place, lower.lower(save.site_of(plan, place)))
            say("started the platform")
        else:
            _stop(place)
    return Restored(
        stamp=found.set.stamp,
        parts=tuple(part.name for part in wanted),
        seconds=time.monotonic() - begun,
        verified=verified,
        started=ran,
    )


def _wanted(plan: platform.Platform, found: sets.Found, only: Sequence[str]) -> list[parts.Part]:
    wanted = save.chosen(plan, only)
    missing = [part.name for part in wanted if part.name not in found.set.parts]
    if only and missing:
        raise errors.LocalError(
            f"{', '.join(missing)} is not in {found.path}", why=f"it holds {', '.join(found.set.parts)}"
        )
    return [part for part in wanted if part.name in found.set.parts]


def _refuse_to_replace(wanted: Sequence[parts.Part], place: directory.Directory, asked: Asked) -> None:
    held = [part.name for part in wanted if part.kind == "resource" and _holds(place.root / part.folder)]
    if held and not asked.replace:
        raise errors.LocalError(
            f"{', '.join(held)} holds data already",
            why=f"nothing in {place.root} was changed",
            fix="back it up, or say --replace: then it goes when the restore has ended well",
        )


def _mind_the_keys(
    plan: platform.Platform, place: directory.Directory, found: sets.Found, wanted: Sequence[parts.Part], say: save.Say
) -> None:
    """Engines and secrets belong together: passwords, and keys of what was encrypted. Raises LocalError."""
    names = {part.name for part in wanted}
    others = [part.name for part in parts.of(plan) if part.resource and part.name not in names]
    kept = [name for name in others if _holds(place.data / name)]
    if parts.SECRETS in names and kept:
        raise errors.LocalError(
            f"{', '.join(kept)} would stay, with passwords that are in no secret any more",
            fix=f"restore them too: {' '.join(f'--only {name}' for name in sorted({*names, *kept}))}",
        )
    if parts.SECRETS not in names and parts.SECRETS in found.set.parts:
        say(f"the secrets here stay; what was encrypted with others is read with --only {parts.SECRETS}")


def _holds(path: Path) -> bool:
    return path.is_dir() and any(path.iterdir())


def _fetched(
    plan: platform.Platform, place: directory.Directory, found: sets.Found, wanted: Sequence[parts.Part], say: save.Say
) -> Path:
    """The backup, copied, every file verified: before anything is stopped or moved."""
    here = save.site_of(plan, directory.make(place.root))
    base = former.folder(place) / "fetched"
    for part in wanted:
        work = base / part.name
        reader = parts.reader(part, part.procedures(plan, "", str(work)), here)
        fetch = around.fetch(part.name, str(work), around.folder(str(found.path)), reader=reader)
        runs.run(f"reading {part.name} in {found.path}", fetch, part.name, (), here)
    say(f"read {found.path}: every file is as it was written")
    return base


def _put_back(
    plan: platform.Platform, place: directory.Directory, wanted: Sequence[parts.Part], fetched: Path, say: save.Say
) -> tuple[Verified, ...]:
    # The secrets first: the engines' new passwords come from them.
    for part in sorted(wanted, key=lambda part: part.kind != "secrets"):
        if part.kind != "resource":
            (place.root / part.folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            _run(part, plan, fetched, save.site_of(plan, directory.make(place.root)), say)
    here = save.site_of(plan, directory.make(place.root))
    served = []
    for part in wanted:
        if part.resource is None:
            continue
        if part.procedures(plan, "", "").restore.on == "port":
            served.append(part)
        else:
            place.make_data(part.name)
            _run(part, plan, fetched, here, say)
    return _served(plan, place, served, fetched, here, say) if served else ()


def _run(part: parts.Part, plan: platform.Platform, fetched: Path, here: site.Site, say: save.Say) -> None:
    begun = time.monotonic()
    wanted = part.procedures(plan, str(here.root), str(fetched / part.name)).restore
    runs.run(f"restoring {part.name}", wanted.run, part.name, wanted.files, here)
    say(f"restored {part.name} ({time.monotonic() - begun:.1f} s)")


def _served(
    plan: platform.Platform,
    place: directory.Directory,
    served: Sequence[parts.Part],
    fetched: Path,
    here: site.Site,
    say: save.Say,
) -> tuple[Verified, ...]:
    everything = lower.lower(here)
    names = {name for part in served for name in _engine(part, plan)}
    alone = msgspec.structs.replace(everything, units=tuple(each for each in everything.units if each.name in names))
    try:
        _start(place, alone)
        for part in served:
            _run(part, plan, fetched, here, say)
        here_too = {unit.name for unit in everything.units}  # an image alone runs in clusters only
        asked = [check for check in plan.verifications if check.service.name in here_too]
        return tuple(_verified(check, everything, say) for check in asked)
    except BaseException:
        _stop(place)
        raise


def _engine(part: parts.Part, plan: platform.Platform) -> list[str]:
    """The units that it takes to have the engine up, with its roles and without migrations."""
    assert part.resource is not None
    answer = part.resource.runs_here(plan.edges_to(part.resource))
    assert isinstance(answer, shapes.Engine)
    steps = (*answer.before, *(step for step in answer.after if not step.package))
    return [part.name, *(step.name for step in steps)]


def _stop(place: directory.Directory) -> None:
    if client.is_running(place):
        _told(place, protocol.Down())
        client.wait_gone(place)


def _start(place: directory.Directory, plan: units.LocalPlan) -> None:
    """Starts `plan`, or hands it to the supervisor that runs: engines that are up stay up."""
    if client.is_running(place):
        result = _told(place, protocol.Up(plan=plan))
    else:
        launch = host.Launch(directory=str(place.root), plan=plan, detached=True, json=False, limit=LIMIT, said=())
        client.detach(launch)
        result = _told(place, protocol.Settle())
    if not result.ok:
        raise errors.NotStarted(f"{', '.join(result.failed)} did not start", why=f"see {place.logs}")


def _told(place: directory.Directory, request: protocol.Request) -> protocol.Result:
    return client.result(client.ask(place, request))


def _verified(check: platform.Verification, everything: units.LocalPlan, say: save.Say) -> Verified:
    """What the platform itself says of its data, asked where the service runs."""
    argv = processes.words(check.process)
    done = inside.run(everything, check.service.name, argv, capture=True)
    said = (done.stdout + done.stderr).strip()
    say(f"{'holds' if done.returncode == 0 else 'does not hold'}: {' '.join(argv)}")
    return Verified(check=" ".join(argv), ok=done.returncode == 0, said=said)
