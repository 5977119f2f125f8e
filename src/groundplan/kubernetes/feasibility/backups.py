"""Backups: whoever wants one has a place for it, and a way back."""

from __future__ import annotations

import urllib.parse

from groundplan.backup import items
from groundplan.kubernetes import settings
from groundplan.kubernetes.feasibility import amounts, externals, finding
from groundplan.model import environment, findings, platform
from groundplan.shapes import backups, workloads


def check(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    wanted, place = tuple(items.of(plan)), settings.backups(env)
    for item in wanted:
        yield from _schedule(item)
    if place is None:
        if wanted:
            names = ", ".join(item.resource.name for item in wanted)
            remedy = 'backups=Volume("20Gi"), ObjectStore(…), or NoBackup("a reason")'
            what = f"environment {env.name} says no backups"
            yield findings.Finding(
                "GP303", what, env.origin, f"{names} shall be backed up, and nothing says where", remedy
            )
        return
    yield from _place(place, env)
    if not isinstance(place, backups.NoBackup):
        for item in wanted:
            yield from _ways(item, plan, env)


def _schedule(item: items.Item) -> finding.Found:
    name, origin = item.resource.name, item.resource.origin
    if item.cron is None:
        what = f"the backup of {name} at {item.schedule.at!r}"
        yield findings.Finding("GP105", what, origin, "it is no time of a day", 'write daily(keep=14, at="03:00")')
    if isinstance(item.schedule.keep, bool) or item.schedule.keep < 1:
        what = f"the backup of {name} keeps {item.schedule.keep!r}"
        yield findings.Finding("GP105", what, origin, "the last good one always stays", "keep 1 or more")


def _place(place: backups.Place, env: environment.Environment) -> finding.Found:
    subject = f"environment {env.name}: backups"
    if isinstance(place, backups.NoBackup):
        if not place.reason.strip():
            yield findings.Finding("GP105", subject, env.origin, "", 'say why: NoBackup("data of tests")')
    elif isinstance(place, backups.Volume):
        if not amounts.is_quantity(place.storage):
            why = f"{place.storage!r} is no size"
            yield findings.Finding("GP105", subject, env.origin, why, 'write Volume("20Gi")')
    else:
        yield from _store(place, subject, env)


def _store(store: backups.ObjectStore, subject: str, env: environment.Environment) -> finding.Found:
    if not _is_endpoint(store.endpoint):
        why = f"{store.endpoint!r} is not https://host[:port]: an account must not travel in the clear"
        yield findings.Finding(
            "GP105", f"{subject}: endpoint", env.origin, why, 'write endpoint="https://s3.example.com"'
        )
    if not store.bucket:
        yield findings.Finding("GP105", f"{subject}: bucket", env.origin, "", 'write bucket="…"')
    if not store.cidrs and not store.wider_ok:
        why = "a network policy knows addresses, not host names: without them every public address would be open"
        yield findings.Finding("GP305", subject, env.origin, why, 'add cidrs=["192.0.2.0/24"], or wider_ok="a reason"')
    for each in store.cidrs:
        if not externals.is_cidr(each):
            why = f"{each!r} is not a range of addresses whose host bits are zero"
            remedy = 'write ranges such as "192.0.2.0/24"'
            yield findings.Finding("GP105", f"{subject}: cidrs", env.origin, why, remedy)


def _is_endpoint(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and parts.path in ("", "/") and parts.port != 0
    except ValueError:
        return False


def _ways(item: items.Item, plan: platform.Platform, env: environment.Environment) -> finding.Found:
    name, origin = item.resource.name, item.resource.origin
    if not item.has_procedures(plan):
        what = f"{name} wants a backup and does not say how"
        yield findings.Finding(
            "GP330", what, origin, "its class has no `procedures`", "define them, or backup=NoBackup(…)"
        )
        return
    answer = item.resource.objects(env, plan.edges_to(item.resource))
    if not isinstance(answer, workloads.Stateful):
        return
    said = settings.storage(env, item.resource, answer.storage)
    procedures = item.procedures(plan, "")
    if said == settings.EPHEMERAL and "volume" in (procedures.save.on, procedures.restore.on):
        what = f"{env.name}: {name} is backed up and keeps its data nowhere"
        why = "its dumps are put back into its volume, and ephemeral data has none"
        yield findings.Finding("GP331", what, env.origin, why, 'give it storage="…", or backups=NoBackup("a reason")')
