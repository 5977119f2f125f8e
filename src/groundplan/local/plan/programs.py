"""Services, workers and jobs as units."""

from __future__ import annotations

from groundplan.local.plan import demands, site, surroundings, units
from groundplan.model import component, processes, resource, rights, service
from groundplan.model.check import cycles
from groundplan.shapes import probes
from groundplan_runtime import contract

GRACE = 12.0
"""Seconds from SIGTERM to SIGKILL here: a little longer than a service may take to drain."""


def lower(program: service.Program, here: site.Site) -> units.Unit | None:
    """The unit that keeps `program` running here; None for one with no replicas."""
    around = surroundings.of(program, here)
    if isinstance(program, service.Job):
        return _schedule(program, around, here)
    names = demands.instances(program, here.environment)
    if not names:
        return None
    return units.Daemon(
        name=program.name,
        kind="worker" if isinstance(program, service.Worker) else "service",
        instances=tuple(_instance(program, name, around, here) for name in names),
        after=after(program),
        files=around.files,
        grace=GRACE,
        addresses=_addresses(program, here),
        runs=_runs(program.process),
        fidelity=_fidelity(program, here),
        origin=str(program.origin),
        needs=needs(program),
    )


def _schedule(job: service.Job, around: surroundings.Surroundings, here: site.Site) -> units.Schedule:
    return units.Schedule(
        name=job.name,
        command=command(job.process, {**around.variables, contract.SERVICE_INSTANCE: job.name}, here),
        every=job.every,
        after=after(job),
        files=around.files,
        timeout=job.timeout,
        origin=str(job.origin),
        needs=needs(job),
    )


def _instance(
    program: service.Program, name: str, around: surroundings.Surroundings, here: site.Site
) -> units.Instance:
    variables = {**around.variables, contract.SERVICE_INSTANCE: name}
    for port, shape in program.ports.items():
        own = name if port == "metrics" else program.name
        number = here.ports[site.port_name(own, port)]
        variables[contract.listen_variable(port)] = f"{site.LOOPBACK}:{number}"
        if port == "http":
            variables[contract.PORT] = str(number)
        if shape.speaks == "grpc":
            probed = here.ports[site.port_name(name, f"{port}-probe")]
            variables[contract.probe_listen_variable(port)] = f"{site.LOOPBACK}:{probed}"
    startup, readiness, liveness = _probes(program, name, here)
    return units.Instance(
        name=name,
        command=command(program.process, variables, here),
        startup=startup,
        readiness=readiness,
        liveness=liveness,
    )


def command(process: processes.Process, variables: dict[str, str], here: site.Site) -> units.Command:
    """`process` as a command line in the plan's folder, where its modules are found."""
    environment = tuple(sorted({**variables, "PYTHONPATH": python_path(here), "PYTHONUNBUFFERED": "1"}.items()))
    if isinstance(process, processes.Python):
        argv: tuple[str, ...] = (here.python, "-m", process.module)
        source = here.sources.get(process.module, "")
    else:
        argv, source = process.argv, ""
    return units.Command(argv=argv, environment=environment, directory=str(here.plan_folder), source=source)


def python_path(here: site.Site) -> str:
    """The plan's own modules: beside it, or in src/."""
    return f"{here.plan_folder / 'src'}:{here.plan_folder}"


def _probes(
    program: service.Program, instance: str, here: site.Site
) -> tuple[units.Probe | None, units.Probe | None, units.Probe | None]:
    shape = program.probes or here.plan.probes
    port = shape.port or next((each for each in ("metrics", "grpc", "http") if each in program.ports), None)
    if port is None:
        return None, None, None
    ready, live = (
        _check(program, instance, port, shape.readyz, here),
        _check(program, instance, port, shape.livez, here),
    )
    return (
        units.Probe(check=ready, period=0.1, timeout=shape.timeout, failures=_patience(shape), purpose="its readiness"),
        units.Probe(check=ready, period=shape.readiness, timeout=shape.timeout, failures=shape.failures),
        units.Probe(check=live, period=shape.liveness, timeout=shape.timeout, failures=shape.failures),
    )


def _patience(shape: probes.Probes) -> int:
    """The same time as in the cluster, asked ten times a second."""
    return int(shape.startup * shape.startup_failures * 10)


def _check(program: service.Program, instance: str, port: str, path: str, here: site.Site) -> units.Check:
    speaks = program.ports[port].speaks
    if speaks == "grpc":
        number = here.ports[site.port_name(instance, f"{port}-probe")]
        return units.GrpcCheck(address=f"{site.LOOPBACK}:{number}")
    number = here.ports[site.port_name(instance if port == "metrics" else program.name, port)]
    if speaks == "http":
        return units.HttpCheck(url=f"http://{site.LOOPBACK}:{number}{path}")
    return units.TcpCheck(address=f"{site.LOOPBACK}:{number}")


def after(holder: component.Component) -> tuple[str, ...]:
    """What gates its start: the step that prepares what it needs, or the component itself."""
    gates = set()
    for edge in holder.edges:
        target = edge.right.target
        if cycles.gates(edge) and isinstance(target, component.Component):
            gates.add(edge.right.gates or target.name)
    return tuple(sorted(gates))


def needs(holder: component.Component) -> tuple[str, ...]:
    """The daemons it talks to, by name; for an external, what stands in for it."""
    found = set()
    for edge in holder.edges:
        target = edge.right.target
        if isinstance(target, component.Component):
            found.add(target.name)
        elif isinstance(edge.right, rights.Reach) and edge.right.external.stand_in is not None:
            stand_in = edge.right.external.stand_in
            found.add(stand_in.name if isinstance(stand_in, resource.Resource) else edge.right.external.name)
    return tuple(sorted(found))


def _addresses(program: service.Program, here: site.Site) -> tuple[tuple[str, str], ...]:
    found = []
    for port, shape in sorted(program.ports.items()):
        if port != "metrics":
            place = f"{site.LOOPBACK}:{here.ports[site.port_name(program.name, port)]}"
            found.append((port, f"http://{place}" if shape.speaks == "http" else place))
    return tuple(found)


def _runs(process: processes.Process) -> str:
    if isinstance(process, processes.Python):
        return f"python -m {process.module}"
    return " ".join(process.argv)


def _fidelity(program: service.Program, here: site.Site) -> str:
    wanted = here.environment.setting(program, "replicas", program.replicas)
    running = demands.replicas(program, here.environment)
    if isinstance(wanted, int) and running < wanted:
        return f"{running} of {wanted} replicas here: the program may not share its port"
    return ""
