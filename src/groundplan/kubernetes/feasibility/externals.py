"""Externals are somewhere, at addresses that a policy can say."""

from __future__ import annotations

import ipaddress

from groundplan.kubernetes import settings
from groundplan.kubernetes.feasibility import finding
from groundplan.model import environment, external, findings, platform, rights
from groundplan.model import origin as origins


def reached(plan: platform.Platform, env: environment.Environment) -> finding.Found:
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


def _cidrs(outside: external.External, env: environment.Environment) -> finding.Found:
    given = env.own(outside, "cidrs")
    if given and isinstance(given.value, list | tuple):
        if not given.value:
            yield _no_cidr(f"{env.name}: cidrs of {outside.name}", "()", given.origin)
        for each in given.value:
            if not is_cidr(each):
                yield _no_cidr(f"{env.name}: cidrs of {outside.name}", repr(each), given.origin)


def ranges(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    for name, listed in (("ranges", settings.cluster_ranges(env)), ("api_server", settings.api_server(env))):
        for each in listed:
            if not is_cidr(each):
                yield _no_cidr(f"environment {env.name}: {name}", repr(each), env.origin)


def _no_cidr(subject: str, given: str, where: origins.Origin) -> findings.Finding:
    why = f"{given} is not a range of addresses whose host bits are zero"
    return findings.Finding("GP105", subject, where, why, 'write ranges such as "192.0.2.0/24"')


def is_cidr(text: object) -> bool:
    """Whether `text` is a range of addresses whose host bits are zero."""
    try:
        return isinstance(text, str) and "/" in text and bool(ipaddress.ip_network(text))
    except ValueError:
        return False


def _variable(name: str) -> str:
    return name.replace("-", "_")
