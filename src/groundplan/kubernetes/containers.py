"""The main container of a pod: its image, command, variables, ports and probes."""

from __future__ import annotations

from groundplan.kubernetes import clusters, settings
from groundplan.model import environment, platform, processes, resource, service, surroundings
from groundplan.shapes import objects, ports, probes, quantities, values, workloads
from groundplan.shapes import processes as process_shapes
from groundplan_runtime import contract

USER = 10001
"""The user of the platform's own image, and of any image that a plan names."""
PRE_STOP = 5
"""Seconds in which everybody learns that a pod is going, before it is told to stop."""
SPARE = 2
"""Seconds of the grace that are left when a drain takes as long as it may."""
DRAIN = 10
OWN_NAME = {"apiVersion": "v1", "fieldPath": "metadata.name"}
"""What a pod is called, from the object that describes it."""


def of_program(program: service.Program, around: surroundings.Surroundings, cluster: clusters.Cluster) -> objects.Tree:
    """The container of a program."""
    made: objects.Tree = {
        "name": program.name,
        "image": image(program.process, cluster),
        **_command(program.process),
        "env": _variables(program, around, cluster),
    }
    if program.ports:
        made["ports"] = _ports(program.ports)
    return made | {
        "resources": resources(settings.compute(cluster.environment, program)),
        **_lifecycle(program),
        **_probes(program, cluster),
        "volumeMounts": [],
    }


def image(process: processes.Process, cluster: clusters.Cluster) -> str:
    """What it runs in: the image that the plan names, or the one built of the platform's own code."""
    if isinstance(process, processes.Image):
        return process.reference
    return process.image or built(cluster.plan, cluster.environment)


def built(plan: platform.Platform, env: environment.Environment) -> str:
    """The image of the platform's own code: one for all its programs."""
    return f"{env.defaults.get('registry', '')}/{plan.name}:{plan.version}"


def _command(process: processes.Process) -> objects.Tree:
    if isinstance(process, processes.Python):
        return {"command": ["python", "-m", process.module]}
    words = [escaped(word) for word in process.argv]
    if isinstance(process, processes.Command):
        return {"command": words}
    return {"args": words} if words else {}


def escaped(text: str) -> str:
    """`text` where the kubelet would otherwise fill in ``$(NAME)``.

    Source: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return text.replace("$", "$$")


def _variables(
    program: service.Program, around: surroundings.Surroundings, cluster: clusters.Cluster
) -> list[objects.Tree]:
    plain = {name: value.resolve(cluster) for name, value in around.variables.items()}
    plain |= {name: contract.file_reference(f"/{file.path}") for name, file in around.files.items()}
    plain |= _listening(program) | {contract.DRAIN_SECONDS: str(drain(program)), "PYTHONUNBUFFERED": "1"}
    found: dict[str, objects.Tree] = {name: {"name": name, "value": escaped(value)} for name, value in plain.items()}
    found[contract.SERVICE_INSTANCE] = {"name": contract.SERVICE_INSTANCE, "valueFrom": {"fieldRef": OWN_NAME}}
    return [found[name] for name in sorted(found)]


def drain(program: service.Program) -> int:
    """Seconds that it may take to finish what it began: within its grace, after the pause before."""
    return int(max(1, min(DRAIN, program.grace - PRE_STOP - SPARE)))


def _listening(program: service.Program) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, port in program.ports.items():
        listen = f"0.0.0.0:{port.number}"
        found[contract.listen_variable(name)] = listen
        if name == "http":
            found[contract.PORT] = str(port.number)
        if port.speaks == "grpc":
            found[contract.probe_listen_variable(name)] = listen
    return found


def _ports(listens: dict[str, ports.Port]) -> list[objects.Tree]:
    return [
        {"name": name, "containerPort": port.number, "protocol": "UDP" if port.speaks == "udp" else "TCP"}
        for name, port in sorted(listens.items())
    ]


def resources(compute: quantities.Compute) -> objects.Tree:
    """Requests and limits; what nobody said is left to the namespace's limit range."""
    said = {name: found for name, found in (("cpu", compute.cpu), ("memory", compute.memory)) if found}
    if not said:
        return {}
    return {
        "requests": {name: found.request for name, found in said.items()},
        "limits": {name: found.limit for name, found in said.items()},
    }


def _lifecycle(program: service.Program) -> objects.Tree:
    if isinstance(program, service.Job):
        return {}
    return {"lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP}}}}


def _probes(program: service.Program, cluster: clusters.Cluster) -> objects.Tree:
    shape = program.probes or cluster.plan.probes
    port = shape.port or next((each for each in ("metrics", "grpc", "http") if each in program.ports), None)
    if port is None or port not in program.ports:
        return {}
    serving = port if shape.port or "http" in program.ports or "grpc" not in program.ports else "grpc"
    ready = _ask(program.ports[serving], serving, shape.readyz)
    live = _ask(program.ports[port], port, shape.livez)
    return {
        "startupProbe": ready | _patience(shape.startup, shape.timeout, shape.startup_failures),
        "readinessProbe": ready | _patience(shape.readiness, shape.timeout, shape.failures),
        "livenessProbe": live | _patience(shape.liveness, shape.timeout, shape.failures),
    }


def _ask(port: ports.Port, name: str, path: str) -> objects.Tree:
    if port.speaks == "http":
        return {"httpGet": {"path": path, "port": name, "scheme": "HTTP"}}
    if port.speaks == "grpc":
        return {"grpc": {"port": port.number}}  # asked by number: the API has no name here
    return {"tcpSocket": {"port": name}}


def _patience(period: float, timeout: float, failures: int) -> objects.Tree:
    return {
        "periodSeconds": max(1, round(period)),
        "timeoutSeconds": max(1, round(timeout)),
        "failureThreshold": failures,
    }


def of_engine(engine: resource.Resource, answer: workloads.Engine, cluster: clusters.Cluster) -> objects.Tree:
    """The container of an engine."""
    ready, alive = (_check(check, engine, cluster) for check in (answer.ready, answer.alive))
    made: objects.Tree = {"name": engine.name, "image": answer.image, **_words(answer.command, answer.argv, cluster)}
    if answer.environment:
        made["env"] = environment_of(answer.environment, cluster)
    if isinstance(answer, workloads.Stateful) and answer.peers:
        made["env"] = [*_own(answer.peers, cluster), *made.get("env", ())]
    asked = _engine_patience(cluster.plan.probes)
    return made | {
        "ports": _ports(engine.ports),
        "resources": resources(settings.compute(cluster.environment, engine)),
        "startupProbe": alive | {"periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 150},
        "readinessProbe": ready | asked,
        "livenessProbe": alive | asked,
        "volumeMounts": [],
    }


def _own(peers: workloads.Peers, cluster: clusters.Cluster) -> list[objects.Tree]:
    """Variables with a replica's own name in them, which the kubelet fills in from the one before them."""
    found: list[objects.Tree] = [{"name": "POD", "valueFrom": {"fieldRef": OWN_NAME}}]
    return found + [{"name": name, "value": word_of(word, cluster)} for name, word in peers.own]


def _engine_patience(shape: probes.Probes) -> objects.Tree:
    return _patience(10, 5, shape.failures)


def _check(check: workloads.Check, engine: resource.Resource, cluster: clusters.Cluster) -> objects.Tree:
    if check.argv:
        # A probe's command is run as it is: nothing in it is filled in.
        return {"exec": {"command": [word_of(word, cluster) for word in check.argv]}}
    if check.path:
        scheme = "HTTPS" if cluster.encrypts(engine.name) else "HTTP"  # the kubelet verifies no certificate
        return {"httpGet": {"path": check.path, "port": check.port, "scheme": scheme}}
    return {"tcpSocket": {"port": check.port}}


def _words(
    command: tuple[process_shapes.Word, ...], argv: tuple[process_shapes.Word, ...], cluster: clusters.Cluster
) -> objects.Tree:
    said = (("command", command), ("args", argv))
    return {name: [escaped(word_of(word, cluster)) for word in words] for name, words in said if words}


def of_step(step: process_shapes.Run, name: str, reference: str, cluster: clusters.Cluster) -> objects.Tree:
    """The container of something that runs to its end."""
    made: objects.Tree = {"name": name, "image": reference, **_words(step.argv, (), cluster)}
    if step.environment:
        made["env"] = environment_of(step.environment, cluster)
    return made | {"resources": resources(STEP), "volumeMounts": []}


STEP = quantities.Compute(cpu=quantities.Range("50m", "500m"), memory=quantities.Range("64Mi", "256Mi"))
"""What a bootstrap or a migration may take."""


def environment_of(given: tuple[tuple[str, process_shapes.Word], ...], cluster: clusters.Cluster) -> list[objects.Tree]:
    """Variables, in the order of their names."""
    return [{"name": name, "value": escaped(word_of(word, cluster))} for name, word in sorted(given, key=_name)]


def _name(pair: tuple[str, process_shapes.Word]) -> str:
    return pair[0]


def word_of(word: process_shapes.Word, cluster: clusters.Cluster) -> str:
    return values.of(word).resolve(cluster)
