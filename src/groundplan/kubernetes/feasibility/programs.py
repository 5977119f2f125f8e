"""Programs: how many there are, how often they run, how they end, what they are told."""

from __future__ import annotations

import re

from groundplan.kubernetes import containers, schedules, settings
from groundplan.kubernetes.feasibility import finding
from groundplan.model import autoscale, environment, findings, platform, service
from groundplan.shapes import values

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def run(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    for program in plan.programs:
        if isinstance(program, service.Job):
            yield from _schedule(program)
        else:
            yield from _replicas(program, env)
            yield from _grace(program)


def _schedule(job: service.Job) -> finding.Found:
    if schedules.cron(job.every) is None:
        yield findings.Finding(
            "GP308",
            f"{job.name} runs every {job.every:g} s",
            job.origin,
            "cron counts minutes and hours from the full hour and the full day, so that the last interval would differ",
            "take a divisor of an hour (5m, 10m, 30m), of a day (1h, 6h, 12h), or 1d",
        )


def _grace(program: service.Program) -> finding.Found:
    least = containers.PRE_STOP + containers.SPARE + 1
    if program.grace < least:
        why = f"{containers.PRE_STOP} s pass before it is told to stop, and it must have time to drain"
        what = f"{program.name} has {program.grace:g} s of grace"
        yield findings.Finding("GP309", what, program.origin, why, f"give grace={least} or more")


def _replicas(program: service.Program, env: environment.Environment) -> finding.Found:
    least, most = settings.replicas(env, program)
    scaled = settings.autoscaled(env, program)
    if scaled:
        yield from _autoscale(program, scaled, env)
    given = env.own(program, "available")
    if given and isinstance(given.value, int) and given.value >= max(least, 1):
        yield findings.Finding(
            "GP307",
            f"{env.name}: {given.value} of {program.name}'s {least} replicas shall stay available",
            given.origin,
            "then none may ever be evicted, and no node with one of them can be drained",
            f"set available={max(least - 1, 0)} or less, or more replicas",
        )
    if least < 0 or most < 0:
        what = f"{env.name}: replicas of {program.name}"
        yield findings.Finding("GP105", what, finding.line(program, "replicas", env), "", "give 0 or more")


def _autoscale(program: service.Program, wanted: autoscale.Autoscale, env: environment.Environment) -> finding.Found:
    where = finding.line(program, "replicas", env)
    subject = f"{env.name}: {program.name} between {wanted.least} and {wanted.most}"
    if not 1 <= wanted.least <= wanted.most:
        yield findings.Finding("GP307", subject, where, "the least is 1 or more, and not above the most", "")
    compute = settings.compute(env, program)
    measured = {"cpu": (wanted.cpu, compute.cpu), "memory": (wanted.memory, compute.memory)}
    if not any(percent for percent, _ in measured.values()):
        yield findings.Finding("GP306", subject, where, "it follows neither CPU nor memory", "give cpu=70 or memory=80")
    for name, (percent, said) in measured.items():
        if percent is not None and said is None:
            why = f"{percent} % of no request: the autoscaler would do nothing"
            remedy = f'give {program.name} resources={name}("…")'
            yield findings.Finding("GP306", f"{subject} by {name}", where, why, remedy)
        if percent is not None and percent < 1:
            yield findings.Finding("GP105", f"{subject} by {name}", where, f"{percent} %", "give 1 or more")


def variables(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    for program in plan.programs:
        extra = env.own(program, "env")
        given = {**program.environment, **(extra.value if extra and isinstance(extra.value, dict) else {})}
        where = extra.origin if extra else program.origin
        for name, value in given.items():
            what = f"{env.name}: {program.name}'s variable {name!r}"
            if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
                why = "a variable's name holds letters, digits, - _ and ., and starts with no digit"
                yield findings.Finding("GP105", what, where, why, 'write env={"SOME_NAME": …}')
            text = value.text if isinstance(value, values.Literal) else value
            if isinstance(text, str) and _CONTROL.search(text):
                why = "its value holds a control character, which kustomize cannot read"
                yield findings.Finding("GP105", what, where, why, "give it by a secret: plan.secret(…), as a file")
