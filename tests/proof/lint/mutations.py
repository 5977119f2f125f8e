"""Mistakes that can be made in any application: where, what it is then, and what else follows from it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

Documents = list[dict[str, Any]]
Path = tuple[str | int, ...]
Target = tuple[int, Path, Callable[[dict[str, Any]], None]]
"""The number of a document, the field that is to be named, and what is done to the document."""
SPECS: dict[str, Path] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "Job"), ("spec", "template", "spec")),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"), "Pod": ("spec",),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Mutation:
    """One way to break an application."""

    code: str
    name: str
    targets: Callable[[Documents], Iterator[Target]]
    follows: frozenset[str] = frozenset()
    """Codes of what the mistake also means."""


def at(value: Any, path: Path) -> Any:
    """What stands at a path; None for nothing."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def put(path: Path, value: Any) -> Callable[[dict[str, Any]], None]:
    """Writes a field."""

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        place[path[-1]] = copy.deepcopy(value)

    return change


def drop(path: Path) -> Callable[[dict[str, Any]], None]:
    """Removes a field."""
    return lambda document: at(document, path[:-1]).pop(path[-1])


def append(path: Path, value: Any) -> Callable[[dict[str, Any]], None]:
    """Adds to a list."""

    def change(document: dict[str, Any]) -> None:
        put(path, [*(at(document, path) or []), value])(document)

    return change


def of(documents: Documents, *kinds: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects of these kinds."""
    return ((number, each) for number, each in enumerate(documents) if each["kind"] in kinds)


def pods(documents: Documents, *kinds: str) -> Iterator[tuple[int, Path, dict[str, Any]]]:
    """Pod specs."""
    for number, each in of(documents, *(kinds or SPECS)):
        if "helm.sh/hook" not in (each["metadata"].get("annotations") or {}):
            yield number, SPECS[each["kind"]], at(each, SPECS[each["kind"]])


def containers(documents: Documents, *kinds: str) -> Iterator[tuple[int, Path, dict[str, Any]]]:
    """The first containers of pods."""
    for number, path, spec in pods(documents, *kinds):
        yield number, (*path, "containers", 0), spec["containers"][0]


def container(field: str, value: Any, *, asks: str = "") -> Callable[[Documents], Iterator[Target]]:
    """Writes a field of a container, where `asks` is there."""

    def targets(documents: Documents) -> Iterator[Target]:
        for number, path, each in containers(documents):
            whole = (*path, *field.split("."))
            if not asks or at(each, tuple(asks.split("."))) is not None:
                yield number, whole, put(whole, value)

    return targets


def field(kind: str, path: str, value: Any, *, there: bool = True) -> Callable[[Documents], Iterator[Target]]:
    """Writes a field of the objects of a kind, that have it."""
    steps: Path = tuple(int(each) if each.isdigit() else each for each in path.split("."))

    def targets(documents: Documents) -> Iterator[Target]:
        for number, each in of(documents, kind):
            if not there or at(each, steps) is not None:
                yield number, steps, put(steps, value)

    return targets


def pod(name: str, value: Any) -> Callable[[Documents], Iterator[Target]]:
    """Writes a field of pod specs."""
    return lambda documents: ((number, (*path, name), put((*path, name), value)) for number, path, _ in pods(documents))


def no_limit(documents: Documents) -> Iterator[Target]:
    for number, path, each in containers(documents):
        if at(each, ("resources", "limits", "memory")):
            yield number, (*path, "resources"), drop((*path, "resources", "limits", "memory"))


def password(documents: Documents) -> Iterator[Target]:
    for number, path, each in containers(documents):
        last = len(each.get("env") or ())
        yield number, (*path, "env", last), append((*path, "env"), {"name": "DB_PASSWORD", "value": "hunter2"})


def variable_twice(documents: Documents) -> Iterator[Target]:
    for number, path, each in containers(documents):
        if each.get("env"):
            yield number, (*path, "env", len(each["env"])), append((*path, "env"), each["env"][0])


def mount(documents: Documents) -> Iterator[Target]:
    for number, path, each in containers(documents):
        if each.get("volumeMounts"):
            place = (*path, "volumeMounts", 0)
            yield number, place, put((*place, "name"), "nowhere")


def secret(documents: Documents) -> Iterator[Target]:
    for number, path, spec in pods(documents):
        for place, each in enumerate(spec.get("volumes") or ()):
            if at(each, ("secret", "secretName")) and not at(each, ("secret", "optional")):
                where = (*path, "volumes", place)
                yield number, where, put((*where, "secret", "secretName"), "nowhere")


def same_question(documents: Documents) -> Iterator[Target]:
    for number, path, each in containers(documents):
        ready = each.get("readinessProbe")
        if ready:
            yield number, (*path, "livenessProbe"), put((*path, "livenessProbe"), {**ready, "periodSeconds": 1})


def misspelt(documents: Documents) -> Iterator[Target]:
    for number, path, _ in containers(documents):
        yield number, (*path, "livenessprobe"), put((*path, "livenessprobe"), {"tcpSocket": {"port": 1}})


def target_port(documents: Documents) -> Iterator[Target]:
    for number, each in of(documents, "Service"):
        if at(each, ("spec", "selector")) and at(each, ("spec", "ports")):
            place = ("spec", "ports", 0)
            yield number, place, put((*place, "targetPort"), "htttp")


def port_twice(documents: Documents) -> Iterator[Target]:
    for number, each in of(documents, "Service"):
        ports = at(each, ("spec", "ports"))
        if ports:
            yield (
                number,
                ("spec", "ports", len(ports)),
                append(("spec", "ports"), {**ports[0], "name": f"{ports[0].get('name', 'a')}-again"[:15]}),
            )


def policies(documents: Documents, direction: str) -> Iterator[tuple[int, dict[str, Any], int, dict[str, Any]]]:
    for number, each in of(documents, "NetworkPolicy"):
        types = each["spec"].get("policyTypes") or ["Ingress"]
        for place, rule in enumerate(each["spec"].get(direction) or ()):
            if direction.title() in types:
                yield number, each, place, rule


def peer(documents: Documents) -> Iterator[Target]:
    for direction, word in (("ingress", "from"), ("egress", "to")):
        for number, each, place, rule in policies(documents, direction):
            first = at(rule, (word, 0)) or {}
            if at(first, ("podSelector", "matchLabels")) and _declared(documents, each, first):
                where = ("spec", direction, place, word, 0)
                yield number, where, put((*where, "podSelector"), NOBODY)


def _declared(documents: Documents, policy: dict[str, Any], first: dict[str, Any]) -> bool:
    """Is the peer's namespace among the documents, with its pods? Others may have any."""
    chosen = at(first, ("namespaceSelector", "matchLabels", "kubernetes.io/metadata.name"))
    if first.get("namespaceSelector") is not None and chosen is None:
        return False
    home = chosen or policy["metadata"]["namespace"]
    return any(each["metadata"]["name"] == home for _, each in of(documents, "Namespace")) and any(
        documents[number]["metadata"].get("namespace") == home for number, _, _ in pods(documents)
    )


def rule_twice(documents: Documents) -> Iterator[Target]:
    for direction in ("ingress", "egress"):
        for number, each, _, rule in policies(documents, direction):
            last = len(each["spec"][direction])
            if rule:
                yield number, ("spec", direction, last), append(("spec", direction), rule)


def internet(documents: Documents) -> Iterator[Target]:
    for number, each, _, _ in policies(documents, "egress"):
        last = len(each["spec"]["egress"])
        rule = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 8443}]}
        where = ("spec", "egress", last, "to", 0, "ipBlock")
        yield number, where, append(("spec", "egress"), rule)


def dash(documents: Documents) -> Iterator[Target]:
    for number, each, _, _ in policies(documents, "ingress"):
        last = len(each["spec"]["ingress"])
        both = [{"namespaceSelector": {"matchLabels": {"some": "label"}}}, {"podSelector": {"matchLabels": {"a": "b"}}}]
        rule = {"from": both, "ports": [{"port": 4711}]}
        yield number, ("spec", "ingress", last, "from", 0), append(("spec", "ingress"), rule)


def subject(documents: Documents) -> Iterator[Target]:
    homes = {documents[number]["metadata"].get("namespace") for number, _, _ in pods(documents)}
    for number, each in of(documents, "NetworkPolicy"):
        if at(each, ("spec", "podSelector", "matchLabels")) and each["metadata"].get("namespace") in homes:
            where = ("spec", "podSelector")
            yield number, where, put(where, NOBODY)


def verbs(documents: Documents) -> Iterator[Target]:
    for number, each in of(documents, "Role", "ClusterRole"):
        if each.get("rules") and "" in (each["rules"][0].get("apiGroups") or ()):
            yield number, ("rules", 0), put(("rules", 0, "verbs"), ["*"])


def ingress_backend(path: str, value: Any) -> Callable[[Documents], Iterator[Target]]:
    first: Path = ("spec", "rules", 0, "http", "paths", 0)

    def targets(documents: Documents) -> Iterator[Target]:
        for number, each in of(documents, "Ingress"):
            if at(each, first):
                yield number, first, put((*first, "backend", "service", path), value)

    return targets


def accepted(text: str) -> Callable[[Documents], Iterator[Target]]:
    where: Path = ("metadata", "annotations", "groundplan/accept")

    def targets(documents: Documents) -> Iterator[Target]:
        for number, each in of(documents, "Deployment", "Service"):
            if at(each, where) is None:
                yield number, where, put(where, text)

    return targets


def spaced(documents: Documents) -> Iterator[Target]:
    for number, _ in of(documents, "Service"):
        yield number, ("metadata", "labels", "a b"), put(("metadata", "labels"), {"a b": "c"})


def no_target(documents: Documents) -> Iterator[Target]:
    where: Path = ("spec", "scaleTargetRef")
    for number, _ in of(documents, "HorizontalPodAutoscaler"):
        yield number, where, put((*where, "name"), "nobody")


def endless(documents: Documents) -> Iterator[Target]:
    job: Path = ("spec", "jobTemplate", "spec")
    for number, each in of(documents, "CronJob"):
        if at(each, (*job, "activeDeadlineSeconds")):
            yield number, job, drop((*job, "activeDeadlineSeconds"))


def unready(documents: Documents) -> Iterator[Target]:
    """Where a service leads to it, and not only to its metrics."""
    for number, path, each in containers(documents, "Deployment", "StatefulSet"):
        labels = at(documents[number], (*path[:-3], "metadata", "labels")) or {}
        for _, service in of(documents, "Service"):
            here = service["metadata"].get("namespace") == documents[number]["metadata"].get("namespace")
            names = [str(one.get("name")) for one in service["spec"].get("ports") or ()]
            led = (service["spec"].get("selector") or {"": ""}).items() <= labels.items()
            if here and led and not all("metrics" in one for one in names) and each.get("readinessProbe"):
                yield number, path[:-1], drop((*path, "readinessProbe"))
                break


def no_role(documents: Documents) -> Iterator[Target]:
    for number, _ in of(documents, "RoleBinding"):
        yield number, ("roleRef",), put(("roleRef", "name"), "nobody")


def monitor(kind: str) -> Callable[[Documents], Iterator[Target]]:
    """Of a namespace whose pods are among the documents; a chart's come with it."""

    def targets(documents: Documents) -> Iterator[Target]:
        homes = {documents[number]["metadata"].get("namespace") for number, _, _ in pods(documents)}
        for number, each in of(documents, kind):
            if each["metadata"].get("namespace") in homes and "namespaceSelector" not in each["spec"]:
                yield number, ("spec", "selector"), put(("spec", "selector"), NOBODY)

    return targets


def token(documents: Documents) -> Iterator[Target]:
    for number, path, spec in pods(documents):
        if spec.get("automountServiceAccountToken") is False:
            place = (*path, "automountServiceAccountToken")
            yield number, place, put(place, True)


NOBODY = {"matchLabels": {"app": "nobody"}}
SCALED = frozenset({"GP544", "GP547"})
"""What quotas say of figures that no longer add up."""
CUT = frozenset({"GP428", "GP429", "GP431", "GP422", "GP423", "GP430"})
"""Who is cut off where a policy no longer means whom it meant."""
MUTATIONS = (
    Mutation("GP411", "rules of a type left out", lambda documents: (
        (number, ("spec", "egress"), put(("spec", "policyTypes"), ["Ingress"]))
        for number, each, place, _ in policies(documents, "egress") if not place
    ), CUT | {"GP421", "GP425"}),
    Mutation("GP422", "a subject misspelt", subject, CUT | {"GP420", "GP421", "GP425"}),
    Mutation("GP423", "a peer misspelt", peer, CUT),
    Mutation("GP424", "one dash too many", dash, frozenset({"GP423"})),
    Mutation("GP425", "a rule said twice", rule_twice),
    Mutation("GP426", "all of the internet", internet),
    Mutation("GP432", "a port of every node", field("Service", "spec.type", "NodePort", there=False),
             SCALED | {"GP429"}),
    Mutation("GP510", "a service without pods", field("Service", "spec.selector", {"app": "nobody"}),
             frozenset({"GP431", "GP537"})),
    Mutation("GP511", "a target port misspelt", target_port),
    Mutation("GP512", "a route to no service", ingress_backend("name", "nobody")),
    Mutation("GP512", "a route to no port", ingress_backend("port", {"number": 4711})),
    Mutation("GP513", "a mount of no volume", mount),
    Mutation("GP513", "a secret that is not there", secret),
    Mutation("GP513", "an account that is not there", pod("serviceAccountName", "nobody"), frozenset({"GP552"})),
    Mutation("GP514", "a selector that misses", field("Deployment", "spec.selector", NOBODY)),
    Mutation("GP517", "an autoscaler of nothing", no_target,
             frozenset({"GP537", "GP534"})),
    Mutation("GP517", "least above most", field("HorizontalPodAutoscaler", "spec.minReplicas", 99), SCALED),
    Mutation("GP518", "a variable twice", variable_twice),
    Mutation("GP518", "a port twice", port_twice),
    Mutation("GP521", "a privileged container", container("securityContext.privileged", True)),
    Mutation("GP521", "the node's processes", pod("hostPID", True)),
    Mutation("GP521", "a capability", container("securityContext.capabilities.add", ["SYS_ADMIN"])),
    Mutation("GP522", "root", container("securityContext.runAsNonRoot", False)),
    Mutation("GP523", "files that can be written", container("securityContext.readOnlyRootFilesystem", False)),
    Mutation("GP531", "no readiness", unready),
    Mutation("GP532", "a probe of no port",
             container("readinessProbe.httpGet.port", "htttp", asks="readinessProbe.httpGet")),
    Mutation("GP533", "one question for both", same_question),
    Mutation("GP534", "a budget that blocks", field("PodDisruptionBudget", "spec.maxUnavailable", 0)),
    Mutation("GP538", "a budget for nobody", field("PodDisruptionBudget", "spec.selector", NOBODY),
             frozenset({"GP592"})),
    Mutation("GP541", "no limit", no_limit, frozenset({"GP545"})),
    Mutation("GP542", "a request above its limit",
             container("resources.requests.memory", "64Gi", asks="resources.limits.memory"), SCALED),
    Mutation("GP543", "a tag that moves", container("image", "example.com/it:latest")),
    Mutation("GP544", "a quota that is too small", field("ResourceQuota", "spec.hard.pods", "0")),
    Mutation("GP551", "a password in a variable", password),
    Mutation("GP552", "a token for nothing", token),
    Mutation("GP553", "every verb", verbs),
    Mutation("GP554", "a role that is not there", no_role),
    Mutation("GP556", "a monitor of no service", monitor("ServiceMonitor")),
    Mutation("GP561", "a field misspelt", misspelt),
    Mutation("GP562", "a text for a number", pod("terminationGracePeriodSeconds", "30")),
    Mutation("GP564", "an enum misspelt", container("imagePullPolicy", "always")),
    Mutation("GP565", "a kind that went", field("PodDisruptionBudget", "apiVersion", "policy/v1beta1")),
    Mutation("GP567", "a label with a space", spaced, frozenset({"GP556", "GP557"})),
    Mutation("GP571", "accepted without a reason", accepted("GP543")),
    Mutation("GP572", "accepted for nothing", accepted("GP424: it is fine")),
    Mutation("GP594", "a day that never comes", field("CronJob", "spec.schedule", "0 3 30 2 *")),
    Mutation("GP595", "a run without an end", endless),
)  # fmt: skip
