"""What a platform needs of this machine before it can be lowered: ports, secrets, tokens, programs. All pure."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.local.plan import site
from groundplan.model import autoscale, environment, platform, processes, resource, rights, service
from groundplan.shapes import processes as process_shapes


def replicas(program: service.Program, env: environment.Environment) -> int:
    """How many run here. A program that is not Python's runtime may be unable to share its port: one."""
    if isinstance(program, service.Job):
        return 1
    wanted = env.setting(program, "replicas", program.replicas)
    count = wanted.least if isinstance(wanted, autoscale.Autoscale) else int(str(wanted))
    return count if isinstance(program.process, processes.Python) else min(count, 1)


def instances(program: service.Program, env: environment.Environment) -> list[str]:
    """Names of the replicas: the author's own name when there is one."""
    count = replicas(program, env)
    return [program.name] if count == 1 else [f"{program.name}-{number}" for number in range(count)]


def ports(plan: platform.Platform, env: environment.Environment) -> Iterator[tuple[str, int | None]]:
    """Names of ports and the number wished for: the entry's own, and where people read stand-ins."""
    entries = {(endpoint.owner.name, endpoint.name) for entry in plan.entries for _, endpoint in entry.routes}
    for program in plan.programs:
        for name, port in sorted(program.ports.items()):
            if name != "metrics":
                wish = port.number if (program.name, name) in entries else None
                yield site.port_name(program.name, name), wish
        for instance in instances(program, env):
            yield from _own_ports(program, instance)
    for engine in engines(plan):
        for name in sorted(engine.ports):
            yield site.port_name(engine.name, name), None
    for outside in plan.externals:
        if outside.stand_in is not None and not isinstance(outside.stand_in, resource.Resource):
            yield site.port_name(outside.name, "external"), None
            yield site.port_name(outside.name, "metrics"), None


def _own_ports(program: service.Program, instance: str) -> Iterator[tuple[str, None]]:
    if "metrics" in program.ports:
        yield site.port_name(instance, "metrics"), None
    for name, port in sorted(program.ports.items()):
        if port.speaks == "grpc":
            yield site.port_name(instance, f"{name}-probe"), None


def engines(plan: platform.Platform) -> list[resource.Resource]:
    """Resources of the plan and those that stand in for externals."""
    stand_ins = [each.stand_in for each in plan.externals if isinstance(each.stand_in, resource.Resource)]
    return sorted([*plan.resources, *stand_ins], key=lambda each: each.name)


def tokens(plan: platform.Platform) -> list[tuple[str, str]]:
    """Pairs of caller and callee."""
    pairs = {(edge.source.name, edge.right.target.name) for edge in plan.edges if isinstance(edge.right, rights.Call)}
    return sorted(pairs)


def binaries(plan: platform.Platform) -> list[tuple[str, process_shapes.Binaries]]:
    """Engines by the name of their resource, and the programs they need."""
    found = []
    for engine in engines(plan):
        here = engine.runs_here(plan.edges_to(engine))
        if isinstance(here, process_shapes.Engine) and here.binaries:
            found.append((engine.name, here.binaries))
    return found


def modules(plan: platform.Platform) -> list[str]:
    """Python modules that run here, and packages of migrations."""
    found = {each.process.module for each in plan.programs if isinstance(each.process, processes.Python)}
    found |= {each.stand_in.module for each in plan.externals if isinstance(each.stand_in, processes.Python)}
    for engine in engines(plan):
        here = engine.runs_here(plan.edges_to(engine))
        if isinstance(here, process_shapes.Engine):
            found |= {step.package for step in (*here.before, *here.after) if step.package}
    return sorted(found)
