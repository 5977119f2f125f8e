"""What an environment says, and what it must say."""

from __future__ import annotations

from groundplan.backup import items
from groundplan.kubernetes import settings
from groundplan.kubernetes.feasibility import finding
from groundplan.model import environment, findings, names, platform, processes
from groundplan.shapes import backups, workloads


def words(env: environment.Environment) -> finding.Found:
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


def needed(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    if plan.entries and not settings.host(env):
        yield _lacks(env, "host", "the world must find the entry somewhere", f'host="{plan.name}.example.com"')
    if "registry" not in env.defaults and is_built(plan, env):
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
    if kept is not None and kept.server and kept.server[0].namespace is None:
        why = f"{kept.name} is in no namespace"
        remedy = f"namespace.add({kept.name})"
        yield findings.Finding("GP103", f"environment {env.name}: secrets", env.origin, why, remedy)


def is_built(plan: platform.Platform, env: environment.Environment) -> bool:
    """Whether anything runs in the image of the platform's own code: a program, or a migration."""
    own = (each.process for each in plan.programs)
    if any(not isinstance(each, processes.Image) and each.image is None for each in own):
        return True
    if isinstance(settings.backups(env), backups.Volume | backups.ObjectStore) and any(items.of(plan)):
        return True
    answers = (each.objects(env, plan.edges_to(each)) for each in plan.resources)
    engines = (answer for answer in answers if isinstance(answer, workloads.Stateful))
    return any(step.run.argv[0] == "python" for answer in engines for step in answer.after)


def _lacks(env: environment.Environment, what: str, why: str, remedy: str) -> findings.Finding:
    return findings.Finding("GP303", f"environment {env.name} says no {what}", env.origin, why, f"add {remedy}")
