"""What an environment must have to work: found before anything is emitted, at the plan's line.

Belongs here: what only a cluster needs. What is wrong wherever it runs is found by `groundplan.model.check`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from groundplan.kubernetes import containers, schedules, settings
from groundplan.model import autoscale, environment, external, findings, names, platform, processes, rights, service
from groundplan.model import origin as origins
from groundplan.shapes import quantities, values, workloads

Found = Iterator[findings.Finding]


def check(plan: platform.Platform, env: environment.Environment) -> tuple[findings.Finding, ...]:
    """Every finding of one environment, in the order of lines."""
    found = list(_words(env))
    if not found:  # values of the wrong kind would only be found again and again
        found = [finding for each in CHECKS for finding in each(plan, env)]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: (finding.where, finding.code, finding.what)))


def _words(env: environment.Environment) -> Found:
    for name, value in env.defaults.items():
        subject = f"environment {env.name}: {name}"
        wanted = settings.KNOWN.get(name)
        if wanted is None:
            yield findings.Finding("GP301", subject, env.origin, "", names.meant(name, settings.KNOWN))
        elif not isinstance(value, wanted) or isinstance(value, bool):
            kinds = wanted if isinstance(wanted, tuple) else (wanted,)
            words = " or ".join(kind.__name__ for kind in kinds)
            why = f"{value!r} is {type(value).__name__}, not {words}"
            yield findings.Finding("GP302", subject, env.origin, why, f"give {name}=<{words}>")


def _needed(plan: platform.Platform, env: environment.Environment) -> Found:
    if plan.entries and not settings.host(env):
        yield _lacks(env, "host", "the world must find the entry somewhere", f'host="{plan.name}.example.com"')
    if "registry" not in env.defaults and _is_built(plan, env):
        why = "nothing says where the image of the platform's own code is"
        yield _lacks(env, "registry", why, 'registry="registry.example.com/team"')
    if env.defaults.get("gateway") and settings.gateway(env) is None:
        why = f"{env.defaults['gateway']!r} is not the namespace and the name of a Gateway"
        yield findings.Finding("GP105", f"environment {env.name}: gateway", env.origin, why, 'gateway="namespace/name"')
    if settings.zones(env) < 1:
        why = "a cluster has one zone or more"
        yield findings.Finding(
            "GP105", f"environment {env.name}: availability_zones", env.origin, why, "give 1 or more"
        )
    kept = settings.store(env)
    if kept is not None and kept.namespace is None:
        why = f"{kept.name} is in no namespace"
        remedy = f"namespace.add({kept.name})"
        yield findings.Finding("GP103", f"environment {env.name}: secrets", env.origin, why, remedy)


def _is_built(plan: platform.Platform, env: environment.Environment) -> bool:
    """Whether anything runs in the image of the platform's own code: a program, or a migration."""
    own = (each.process for each in plan.programs)
    if any(not isinstance(each, processes.Image) and each.image is None for each in own):
        return True
    answers = (each.objects(env, plan.edges_to(each)) for each in plan.resources)
    engines = (answer for answer in answers if isinstance(answer, workloads.Stateful))
    return any(step.run.argv[0] == "python" for answer in engines for step in answer.after)


def _lacks(env: environment.Environment, what: str, why: str, remedy: str) -> findings.Finding:
    return findings.Finding("GP303", f"environment {env.name} says no {what}", env.origin, why, f"add {remedy}")


def _externals(plan: platform.Platform, env: environment.Environment) -> Found:
    needed = {
        edge.right.external.name: edge.right.external for edge in plan.edges if isinstance(edge.right, rights.Reach)
    }
    for outside in needed.values():
        if outside.kind != "external":
            continue
        if env.own(outside, "host") is None:
            remedy = f'{env.name}.set({_variable(outside.name)}, host="…")'
            what = f"{outside.name} has nothing behind it in {env.name}"
            yield findings.Finding("GP304", what, env.origin, "the environment says no host", remedy)
        if env.own(outside, "cidrs") is None and env.own(outside, "wider_ok") is None:
            yield _wide(outside, env)
        yield from _cidrs(outside, env)


def _wide(outside: external.External, env: environment.Environment) -> findings.Finding:
    return findings.Finding(
        "GP305",
        f"{outside.name} has no addresses in {env.name}",
        env.origin,
        "a network policy knows addresses, not host names: without them every public address would be open",
        f'{env.name}.set({_variable(outside.name)}, cidrs=["192.0.2.0/24"]), or wider_ok="a reason"',
    )


def _cidrs(outside: external.External, env: environment.Environment) -> Found:
    given = env.own(outside, "cidrs")
    if given and isinstance(given.value, list | tuple):
        if not given.value:
            yield _no_cidr(f"{env.name}: cidrs of {outside.name}", "()", given.origin)
        for each in given.value:
            if not _is_cidr(each):
                yield _no_cidr(f"{env.name}: cidrs of {outside.name}", repr(each), given.origin)


def _ranges(plan: platform.Platform, env: environment.Environment) -> Found:
    for name, listed in (("ranges", settings.cluster_ranges(env)), ("api_server", settings.api_server(env))):
        for each in listed:
            if not _is_cidr(each):
                yield _no_cidr(f"environment {env.name}: {name}", repr(each), env.origin)


def _no_cidr(subject: str, given: str, where: origins.Origin) -> findings.Finding:
    why = f"{given} is not a range of addresses whose host bits are zero"
    return findings.Finding("GP105", subject, where, why, 'write ranges such as "192.0.2.0/24"')


def _is_cidr(text: object) -> bool:
    try:
        return isinstance(text, str) and "/" in text and bool(ipaddress.ip_network(text))
    except ValueError:
        return False


def _programs(plan: platform.Platform, env: environment.Environment) -> Found:
    for program in plan.programs:
        if isinstance(program, service.Job):
            yield from _schedule(program)
        else:
            yield from _replicas(program, env)
            yield from _grace(program)


def _schedule(job: service.Job) -> Found:
    if schedules.cron(job.every) is None:
        yield findings.Finding(
            "GP308",
            f"{job.name} runs every {job.every:g} s",
            job.origin,
            "cron counts minutes and hours from the full hour and the full day, so that the last interval would differ",
            "take a divisor of an hour (5m, 10m, 30m), of a day (1h, 6h, 12h), or 1d",
        )


def _grace(program: service.Program) -> Found:
    least = containers.PRE_STOP + containers.SPARE + 1
    if program.grace < least:
        why = f"{containers.PRE_STOP} s pass before it is told to stop, and it must have time to drain"
        what = f"{program.name} has {program.grace:g} s of grace"
        yield findings.Finding("GP309", what, program.origin, why, f"give grace={least} or more")


def _replicas(program: service.Program, env: environment.Environment) -> Found:
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
        yield findings.Finding("GP105", what, _line(program, "replicas", env), "", "give 0 or more")


def _autoscale(program: service.Program, wanted: autoscale.Autoscale, env: environment.Environment) -> Found:
    where = _line(program, "replicas", env)
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


def _line(thing: environment.Settable, name: str, env: environment.Environment) -> origins.Origin:
    """Where what holds for `thing` in `env` was said."""
    found = env.own(thing, name)
    if found:
        return found.origin
    return env.origin if name in env.defaults else getattr(thing, "origin", env.origin)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def _variables(plan: platform.Platform, env: environment.Environment) -> Found:
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


def _amounts(plan: platform.Platform, env: environment.Environment) -> Found:
    for each in plan.resources:
        if "storage" not in each.settings():
            continue
        said = settings.storage(env, each, str(vars(each).get("storage", settings.EPHEMERAL)))
        if said != settings.EPHEMERAL and not _is_quantity(said):
            what = f"{env.name}: storage of {each.name}"
            why = f"{said!r} is neither a size nor {settings.EPHEMERAL!r}"
            yield findings.Finding("GP105", what, _line(each, "storage", env), why, 'write storage="5Gi"')
    for entry in plan.entries:
        if not _is_quantity(entry.body):
            yield findings.Finding("GP105", f"the entry's body={entry.body!r}", entry.origin, "", 'write body="10Mi"')
        if entry.controller.namespace is None:
            what = f"{entry.controller.name} is in no namespace"
            yield findings.Finding("GP103", what, entry.origin, "the entry leads through it", "namespace.add(…)")


def _is_quantity(text: str) -> bool:
    try:
        return quantities.parse(text) > 0
    except ValueError:
        return False


def _variable(name: str) -> str:
    return name.replace("-", "_")


CHECKS: tuple[Callable[[platform.Platform, environment.Environment], Found], ...] = (
    _needed,
    _externals,
    _ranges,
    _programs,
    _variables,
    _amounts,
)
