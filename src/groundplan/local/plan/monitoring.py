"""Prometheus, Alertmanager and exporters beside the platform: the same rules as in a cluster, over what runs here."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator

from groundplan.local.plan import demands, site, units
from groundplan.model import platform, resource, service
from groundplan.resources import WebhookCatcher
from groundplan.shapes import objects, processes, signals
from groundplan.telemetry import routing, targets
from groundplan.telemetry.rules import rulebook

INTERVAL = 5
"""Seconds between two scrapes: whoever looks at a laptop does not want to wait."""
PROMETHEUS = processes.Binaries(
    product="Prometheus", programs=("prometheus",), system_package="prometheus prometheus-alertmanager"
)
ALERTMANAGER = processes.Binaries(
    product="Alertmanager",
    programs=("prometheus-alertmanager",),
    system_package="prometheus prometheus-alertmanager",
    compatible=("alertmanager",),
)
NODE_EXPORTER = processes.Binaries(
    product="node_exporter",
    programs=("prometheus-node-exporter",),
    system_package="prometheus-node-exporter",
    compatible=("node_exporter",),
)
_NODE = "node-exporter"
_PORT = "metrics"


def scraper(plan: platform.Platform) -> str:
    """What Prometheus is called here: as in the plan, if it is there."""
    found = (each for each in plan.resources if isinstance(said := each.signals(), signals.Exports) and said.collects)
    return next((each.name for each in found), "prometheus")


def alertmanager(plan: platform.Platform) -> str:
    return f"{scraper(plan)}-alertmanager"


def binaries(plan: platform.Platform) -> Iterator[tuple[str, processes.Binaries, bool]]:
    """What runs, what it needs, and whether one cannot do without it."""
    yield scraper(plan), PROMETHEUS, True
    yield alertmanager(plan), ALERTMANAGER, True
    yield _NODE, NODE_EXPORTER, False
    for target in targets.of(plan):
        if target.exports.exporter:
            yield target.job, target.exports.exporter.binaries, False


def ports(plan: platform.Platform) -> Iterator[str]:
    """Names of the ports that these listen on."""
    yield site.port_name(scraper(plan), "prometheus")
    yield from (site.port_name(name, _PORT) for name, _, _ in binaries(plan) if name != scraper(plan))


def lower(here: site.Site, running: Container[str]) -> Iterator[units.Daemon]:
    """The units that watch those `running`, as far as this machine has the programs."""
    yield _alertmanager(here)
    watched = [target for target in targets.of(here.plan) if target.owner.name in running]
    jobs = [*_jobs(watched, here), *_own(here)]
    for target in watched:
        if target.exports.exporter and target.job in here.programs:
            yield _exporter(target, target.exports.exporter, here)
    if _NODE in here.programs:
        yield _daemon(_NODE, (f"--web.listen-address={_address(_NODE, here)}",), "/", here)
    yield _prometheus(jobs, here)


def _prometheus(jobs: list[objects.Tree], here: site.Site) -> units.Daemon:
    name = scraper(here.plan)
    place = _prometheus_address(here)
    told = {"static_configs": [{"targets": [_address(alertmanager(here.plan), here)]}]}
    settings = {
        "global": {"scrape_interval": f"{INTERVAL}s", "evaluation_interval": f"{INTERVAL}s"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [told]},
        "scrape_configs": jobs,
    }
    written = {"prometheus.yml": settings, "rules.yml": rulebook.tree(rulebook.of(here.plan))}
    arguments = (
        f"--config.file={here.files(name)}/prometheus.yml",
        f"--storage.tsdb.path={here.folder(name)}",
        "--storage.tsdb.retention.time=2d",
        f"--web.listen-address={place}",
    )
    return _daemon(name, arguments, "/-/ready", here, place=place, files=_written(name, written, here))


def _alertmanager(here: site.Site) -> units.Daemon:
    name = alertmanager(here.plan)
    arguments = (
        f"--config.file={here.files(name)}/alertmanager.yml",
        f"--storage.path={here.folder(name)}",
        f"--web.listen-address={_address(name, here)}",
        "--cluster.listen-address=",  # alone: no gossip
    )
    written = {"alertmanager.yml": routing.tree(_receivers(here), wait="1s")}
    return _daemon(name, arguments, "/-/ready", here, files=_written(name, written, here))


def _receivers(here: site.Site) -> dict[str, routing.Receiver]:
    """All of them end in the platform's webhook catcher, where it has one: nobody is woken by a laptop."""
    stand_ins = (each.stand_in for each in here.plan.externals)
    catcher = next((each for each in stand_ins if isinstance(each, WebhookCatcher)), None)
    if catcher is None:
        return {}
    place = f"{site.LOOPBACK}:{here.ports[site.port_name(catcher.name, 'external')]}"
    return {each: {"webhook_configs": [{"url": f"http://{place}/alerts/{each}"}]} for each in routing.SEVERITIES}


def _exporter(target: targets.Target, exporter: signals.Exporter, here: site.Site) -> units.Daemon:
    engine = target.owner
    answer = engine.runs_here(here.plan.edges_to(engine)) if isinstance(engine, resource.Resource) else None
    steps = answer.after if isinstance(answer, processes.Engine) else ()
    arguments = [word if isinstance(word, str) else word.resolve(here) for word in exporter.argv]
    environment = {name: word if isinstance(word, str) else word.resolve(here) for name, word in exporter.environment}
    files = tuple(
        units.File(
            path=f"{here.files(target.job)}/{file.name}",
            content=file.content.resolve(here),
            mode=file.mode,
            secret=file.content.sensitive,
        )
        for file in exporter.files
    )
    # Its user comes about in a step of the engine's (a migration is none of its business).
    after = (engine.name, *(step.name for step in steps if not step.package))
    return _daemon(
        target.job,
        (f"{exporter.listen}{_address(target.job, here)}", *arguments),
        "/",
        here,
        files=files,
        environment=tuple(sorted(environment.items())),
        after=after,
    )


def _daemon(
    name: str,
    arguments: tuple[str, ...],
    ready: str,
    here: site.Site,
    *,
    place: str = "",
    files: tuple[units.File, ...] = (),
    environment: tuple[tuple[str, str], ...] = (),
    after: tuple[str, ...] = (),
) -> units.Daemon:
    found = here.programs[name]
    place = place or _address(name, here)
    program = found.programs[found.binaries.programs[0]]
    command = units.Command(argv=(program, *arguments), environment=environment)
    probe = units.Probe(
        check=units.HttpCheck(url=f"http://{place}{ready}"), period=0.1, timeout=5, failures=600, purpose="being ready"
    )
    return units.Daemon(
        name=name,
        kind="monitor",
        instances=(units.Instance(name=name, command=command, startup=probe),),
        after=after,
        files=files,
        addresses=(("http", f"http://{place}"),),
        runs=found.title,
    )


def _written(name: str, trees: dict[str, objects.Tree], here: site.Site) -> tuple[units.File, ...]:
    """Files for programs that read YAML, which JSON is."""
    return tuple(
        units.File(path=f"{here.files(name)}/{file}", content=json.dumps(tree, indent=1) + "\n")
        for file, tree in trees.items()
    )


def _address(name: str, here: site.Site) -> str:
    return f"{site.LOOPBACK}:{here.ports[site.port_name(name, _PORT)]}"


def _prometheus_address(here: site.Site) -> str:
    return f"{site.LOOPBACK}:{here.ports[site.port_name(scraper(here.plan), 'prometheus')]}"


def _jobs(watched: list[targets.Target], here: site.Site) -> Iterator[objects.Tree]:
    """What is scraped: each replica of each program, each exporter that runs, the machine."""
    for target in watched:
        if isinstance(target.owner, service.Program):
            names = demands.instances(target.owner, here.environment)
            found = [f"{site.LOOPBACK}:{here.ports[site.port_name(name, target.exports.port)]}" for name in names]
            yield _job(target.job, target.namespace, target.exports.path, found)
        elif target.exports.exporter and target.job in here.programs:
            yield _job(target.job, target.namespace, target.exports.path, [_address(target.job, here)])
    if _NODE in here.programs:
        yield _job(_NODE, "", "/metrics", [_address(_NODE, here)])


def _own(here: site.Site) -> Iterator[objects.Tree]:
    """Those who watch, watched."""
    yield _job(scraper(here.plan), "", "/metrics", [_prometheus_address(here)])
    yield _job(alertmanager(here.plan), "", "/metrics", [_address(alertmanager(here.plan), here)])


def _job(name: str, namespace: str, path: str, found: list[str]) -> objects.Tree:
    labels = {"labels": {"namespace": namespace}} if namespace else {}
    return {"job_name": name, "metrics_path": path, "static_configs": [{"targets": found, **labels}]}
