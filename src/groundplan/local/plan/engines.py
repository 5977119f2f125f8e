"""Resources and stand-ins as units: an engine's steps before, the engine, its steps after."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.local.plan import programs, site, units
from groundplan.model import external, processes, resource
from groundplan.shapes import processes as shapes
from groundplan.shapes import values
from groundplan_runtime import contract


def lower(engine: resource.Resource, here: site.Site, *, stand_in: bool) -> Iterator[units.Unit]:
    """The units of a resource that runs here; none for one that does not."""
    answer = engine.runs_here(here.plan.edges_to(engine))
    if isinstance(answer, shapes.NotHere):
        return
    before = tuple(step.name for step in answer.before)
    for step in answer.before:
        yield _task(engine, step, step.after, here)
    yield _daemon(engine, answer, before, here, stand_in=stand_in)
    for step in answer.after:
        yield _task(engine, step, step.after or (engine.name,), here)


def _daemon(
    engine: resource.Resource, answer: shapes.Engine, after: tuple[str, ...], here: site.Site, *, stand_in: bool
) -> units.Daemon:
    found = here.programs.get(engine.name)
    startup = _probe(answer.ready, here)
    instance = units.Instance(name=engine.name, command=command(answer.run, here), startup=startup)
    return units.Daemon(
        name=engine.name,
        kind="stand-in" if stand_in else "engine",
        instances=(instance,),
        after=after,
        files=files(engine.name, answer.files, here),
        stop_signal=answer.stop_signal,
        grace=answer.grace,
        urgent_signal=answer.urgent_signal,
        patience=answer.patience,
        addresses=_addresses(engine, here),
        runs=found.title if found else answer.runs,
        fidelity="; ".join(part for part in (found.fidelity if found else "", answer.fidelity) if part),
        origin=str(engine.origin),
    )


def _addresses(engine: resource.Resource, here: site.Site) -> tuple[tuple[str, str], ...]:
    found = []
    for name, port in sorted(engine.ports.items()):
        if name == "metrics":
            continue
        place = f"{site.LOOPBACK}:{here.ports[site.port_name(engine.name, name)]}"
        found.append((name, f"http://{place}" if port.speaks == "http" else place))
    return tuple(found)


def _task(engine: resource.Resource, step: shapes.Step, after: tuple[str, ...], here: site.Site) -> units.Task:
    return units.Task(
        name=step.name,
        title=step.title,
        command=command(step.run, here, here.sources.get(step.package, "")),
        owner=engine.name,
        after=after,
        files=files(engine.name, step.files, here),
        creates=step.creates.resolve(here) if step.creates else None,
        origin=str(engine.origin),
    )


def command(run: shapes.Run, here: site.Site, source: str = "") -> units.Command:
    """A command line, filled in; ``python`` is this machine's."""
    argv = [_word(word, here) for word in run.argv]
    environment = {name: _word(word, here) for name, word in run.environment}
    if argv[0] == "python":
        argv[0] = here.python
        environment |= {"PYTHONPATH": programs.python_path(here), "PYTHONUNBUFFERED": "1"}
    return units.Command(
        argv=tuple(argv),
        environment=tuple(sorted(environment.items())),
        refuses_root=run.refuses_root,
        source=source,
    )


def _word(word: shapes.Word, here: site.Site) -> str:
    return word if isinstance(word, str) else word.resolve(here)


def files(owner: str, given: tuple[shapes.File, ...], here: site.Site) -> tuple[units.File, ...]:
    """The files of `owner`, filled in, in its folder."""
    return tuple(
        units.File(
            path=f"{here.files(owner)}/{file.name}",
            content=file.content.resolve(here),
            mode=file.mode,
            secret=file.content.sensitive,
        )
        for file in given
    )


def _probe(ready: shapes.Ready, here: site.Site) -> units.Probe:
    return units.Probe(check=_check(ready, here), period=ready.period, timeout=5, failures=1200, purpose=ready.purpose)


def _check(ready: shapes.Ready, here: site.Site) -> units.Check:
    if ready.run is not None:
        return units.ExecCheck(command=command(ready.run, here))
    if ready.http is not None:
        return units.HttpCheck(url=ready.http.resolve(here))
    return units.TcpCheck(address=(ready.tcp or values.Literal("")).resolve(here))


def stand_in(outside: external.External, process: processes.Process, here: site.Site) -> units.Daemon:
    """A process that plays an external system: it listens, and keeps what it must in a folder of its own."""
    listen = f"{site.LOOPBACK}:{here.ports[site.port_name(outside.name, 'external')]}"
    metrics = f"{site.LOOPBACK}:{here.ports[site.port_name(outside.name, 'metrics')]}"
    variables = {
        contract.SERVICE_NAME: outside.name,
        contract.SERVICE_NAMESPACE: "",
        contract.SERVICE_VERSION: here.plan.version,
        contract.SERVICE_INSTANCE: outside.name,
        contract.listen_variable("http"): listen,
        contract.listen_variable("metrics"): metrics,
        contract.PORT: listen.rsplit(":", 1)[1],
        "DATA_DIRECTORY": here.folder(outside.name),
    }
    probe = units.Probe(check=units.TcpCheck(address=listen), period=0.1, failures=600, purpose="accepting connections")
    return units.Daemon(
        name=outside.name,
        kind="stand-in",
        instances=(
            units.Instance(
                name=outside.name, command=programs.command(process, variables, here), startup=probe, readiness=None
            ),
        ),
        addresses=((outside.name, f"http://{listen}"),),
        runs=f"a stand-in for {outside.name}",
        origin=str(outside.origin),
    )
