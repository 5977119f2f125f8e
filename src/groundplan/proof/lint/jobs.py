"""Jobs: a schedule that comes, runs that end, and no two that were not meant to meet.

Source: Kubernetes documentation, "CronJob": schedule syntax, startingDeadlineSeconds, concurrencyPolicy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES: tuple[tuple[str, ...], ...] = (
    (), (), (),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
)  # fmt: skip
_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = re.compile(r"@every ([0-9.]+(h|m|s|ms|us|µs|ns))+")
_DAYS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
LEAST = 10
"""Seconds between two looks of the CronJob controller."""


def schedules(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every schedule means some moment, and the deadline for starting leaves time to."""
    for each in known.of("CronJob"):
        spec, title = fields.inner(each.data, "spec"), facts.title(each, known.default)
        schedule = str(spec.get("schedule", ""))
        if why := wrong_schedule(schedule):
            what = f"{title} has schedule {schedule!r}"
            remedy = 'write minute, hour, day, month and weekday, as in "30 3 * * 1"'
            yield facts.finding("GP594", each, ("spec", "schedule"), what, why, remedy)
        start = spec.get("startingDeadlineSeconds")
        if isinstance(start, int) and start < LEAST:
            what = f"{title} may start for {start} seconds after its time"
            why = f"the controller looks every {LEAST} seconds, so runs are missed"
            remedy = f"write startingDeadlineSeconds: {LEAST * 6}, or leave it out"
            yield facts.finding("GP594", each, ("spec", "startingDeadlineSeconds"), what, why, remedy)
        if "activeDeadlineSeconds" not in _timed(spec):
            later = "no later one starts" if spec.get("concurrencyPolicy") == "Forbid" else "more pile up beside it"
            what = f"nothing ends a run of {title} that hangs"
            why = (
                f"it runs for ever, and {later}" if spec.get("concurrencyPolicy") != "Replace" else "it holds its place"
            )
            path: facts.Path = ("spec", "jobTemplate", "spec")
            yield facts.finding("GP595", each, path, what, why, "add activeDeadlineSeconds to the job's spec")


def _timed(spec: dict[str, Any]) -> set[str]:
    job = fields.inner(spec, "jobTemplate", "spec")
    return {*job, *fields.inner(job, "template", "spec")}


def wrong_schedule(text: str) -> str:
    """Why a schedule is none; empty for one that comes."""
    if text in _MACROS or _EVERY.fullmatch(text):
        return ""
    if "TZ=" in text:
        return "the API server refuses a time zone in it: write spec.timeZone"
    parts = text.split()
    if len(parts) != len(_RANGES):
        return f"it has {len(parts)} fields and wants {len(_RANGES)}"
    found = [_numbers(*each) for each in zip(parts, _RANGES, _NAMES, strict=True)]
    for part, numbers, field in zip(parts, found, ("minute", "hour", "day", "month", "weekday"), strict=True):
        if not numbers:
            return f"{part} is no {field}"
    days, months = found[2], found[3]
    if parts[4] in ("*", "?") and all(day > _DAYS.get(month, 31) for day in days for month in months):
        return "no month has that day"
    return ""


def _numbers(part: str, bounds: tuple[int, int], names: tuple[str, ...]) -> set[int]:
    """The moments of one field; none where it is none."""
    found: set[int] = set()
    first = 1 if len(names) == 12 else 0
    for item in part.lower().split(","):
        match = re.fullmatch(r"(\*|\?|(\w+)(?:-(\w+))?)(?:/([0-9]{1,4}))?", item)
        if match is None:
            return set()
        step = int(match[4] or 1)
        if match[1] in ("*", "?"):
            low, high = bounds
        else:
            ends = [_number(each, names, first) for each in (match[2], match[3] or match[2])]
            low, high = ends[0], bounds[1] if match[4] and not match[3] else ends[1]
        if step == 0 or not bounds[0] <= low <= high <= bounds[1]:
            return set()
        found.update(range(low, high + 1, step))
    return found


def _number(word: str, names: tuple[str, ...], first: int) -> int:
    if word in names:
        return names.index(word) + first
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 4 else -1


def restarts(known: facts.Facts) -> Iterator[findings.Finding]:
    """The pods of jobs end."""
    for pod in known.pods:
        if pod.document.kind in ("Job", "CronJob") and pod.spec.get("restartPolicy") not in ("OnFailure", "Never"):
            what = f"{pod.title} has restartPolicy {pod.spec.get('restartPolicy') or 'Always'}"
            path = (*pod.path, "restartPolicy")
            why = "the API server refuses it: the pods of jobs are to end"
            yield facts.finding("GP564", pod.document, path, what, why, "write OnFailure or Never", pod.namespace)


LINTS = (schedules, restarts)
