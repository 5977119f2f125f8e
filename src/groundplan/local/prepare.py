"""From a platform to a plan for this machine: looks up ports, secrets and programs, and lowers with them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator

from groundplan.local import directory as directories
from groundplan.local import errors, issuer, ports, programs, sources, vault
from groundplan.local.plan import demands, lower, monitoring, site, units
from groundplan.model import environment, findings, names, platform, service
from groundplan.model import origin as origins
from groundplan.telemetry import check


def prepare(
    plan: platform.Platform,
    directory: directories.Directory,
    only: tuple[str, ...] = (),
    book: ports.Book | None = None,
    replicas: int | None = None,
    *,
    monitored: bool = False,
) -> units.LocalPlan:
    """Everything that runs here, or only the components named and what they need.

    `replicas` of every service and worker, where given, instead of what the plan and its environment say.
    Where it is `monitored`, Prometheus, Alertmanager and the exporters that this machine has run beside it.

    Raises findings.PlanError for a name that is not in the plan or an external with nothing behind it
    here, and errors.LocalError for what this machine lacks.
    """
    env = local_environment(plan)
    if replicas is not None:
        env = env.overriding(replicas=replicas)
    found = (*_unknown(plan, only), *_unreachable(plan, env))
    if found:
        raise findings.PlanError(found)
    book = book or ports.Book(directory.ports)
    here = survey(plan, env, directory, book)
    if monitored:
        here = _watched(here, book)
    return lower.lower(here, only, monitored=monitored)


def local_environment(plan: platform.Platform) -> environment.Environment:
    """The plan's own, or one without settings."""
    declared = next((each for each in plan.environments if each.local), None)
    return declared or environment.Environment("local", local=True, defaults={})


def survey(
    plan: platform.Platform, env: environment.Environment, directory: directories.Directory, book: ports.Book
) -> site.Site:
    """This machine, with everything the plan demands of it."""
    signer = issuer.of(plan.name, directory.secrets)
    namespaces = {component.name: component.namespace or "" for component in plan.components}
    folder = plan.file.parent
    return site.Site(
        plan=plan,
        environment=env,
        root=directory.root,
        plan_folder=folder,
        python=sys.executable,
        ports={name: book.take(name, wish) for name, wish in demands.ports(plan, env)},
        secrets=vault.contents(directory.secrets, {path: each.generator for path, each in plan.kept.items()}),
        tokens=issuer.tokens(signer, demands.tokens(plan), namespaces),
        issuer=signer.name,
        jwks=signer.jwks,
        programs={name: programs.find(wanted, directory.data / name) for name, wanted in demands.binaries(plan)},
        sources=sources.fingerprints(demands.modules(plan), (folder / "src", folder)),
    )


def _watched(here: site.Site, book: ports.Book) -> site.Site:
    """With the ports and programs of whoever watches; raises errors.LocalError where Prometheus is not installed, and
    findings.PlanError for a query that it could not answer."""
    wrong = (*_taken(here.plan), *check.check(here.plan))
    if wrong:
        raise findings.PlanError(wrong)
    found = {
        name: program
        for name, wanted, _ in monitoring.binaries(here.plan)
        if (program := next(programs.found(wanted), None)) is not None
    }
    missing = [wanted for name, wanted, needed in monitoring.binaries(here.plan) if needed and name not in found]
    if missing:
        raise errors.LocalError(
            f"{' and '.join(each.product for each in missing)}: not on this machine",
            why="`--with monitoring` runs the real ones",
            fix=f"sudo apt-get install {missing[0].system_package}",
        )
    numbers = {name: book.take(name, None) for name in monitoring.ports(here.plan)}
    return dataclasses.replace(here, programs={**here.programs, **found}, ports={**here.ports, **numbers})


def _taken(plan: platform.Platform) -> Iterator[findings.Finding]:
    """Components that are called as somebody who watches is."""
    own = {name for name, _, _ in monitoring.binaries(plan)} - {monitoring.scraper(plan)}
    for each in plan.components:
        if each.name in own:
            why = "what watches the platform is called so"
            yield findings.Finding("GP102", f"component {each.name}", each.origin, why, "give it another name")


def _unknown(plan: platform.Platform, only: tuple[str, ...]) -> tuple[findings.Finding, ...]:
    known = [component.name for component in plan.components]
    return tuple(
        findings.Finding(
            "GP103", f"{name} is not in {plan.name}", plan.origin, "it was asked for by name", names.meant(name, known)
        )
        for name in only
        if name not in known
    )


def _unreachable(plan: platform.Platform, env: environment.Environment) -> tuple[findings.Finding, ...]:
    return tuple(
        findings.Finding(
            "GP304",
            f"{outside.name} has nothing behind it here",
            origins.Origin(outside.origin.file, outside.origin.line),
            "it has no stand_in and no host in the local environment",
            f'write local.set({outside.name.replace("-", "_")}, host="…"), or give it stand_in=…',
        )
        for outside in plan.externals
        if outside.kind == "external" and outside.stand_in is None and env.setting(outside, "host") is None
        # A resource that reaches out itself may run as something that does not, here.
        if any(isinstance(edge.source, service.Program) for edge in plan.edges_to(outside))
    )
