"""What an API server of Kubernetes says beyond its schemas, written from its documentation and its validation code.

Sources: pkg/apis/*/validation of kubernetes/kubernetes; https://kubernetes.io/docs/concepts/ (names, labels,
probes, quotas, budgets). Each rule yields sentences; none about a set of objects means that it is accepted.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator

from groundplan.shapes import quantities

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
QUALIFIED = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
CRON = re.compile(r"(\*(/\d+)?|\d+)( (\*(/\d+)?|\d+)){4}")
CLUSTER_WIDE = {"Namespace", "PriorityClass", "ClusterRoleBinding", "ClusterIssuer", "ClusterSecretStore"}


def complaints(trees: list[dict]) -> list[str]:
    """Everything that is wrong with `trees` as the whole content of a cluster."""
    world = World(trees)
    return [f"{_title(tree)}: {said}" for tree in trees for rule in RULES for said in rule(tree, world)]


class World:
    """All objects, by kind, namespace and name."""

    def __init__(self, trees: list[dict]) -> None:
        self.trees = trees
        self.keys = Counter((tree["kind"], _space(tree), tree["metadata"]["name"]) for tree in trees)
        self.found = {(tree["kind"], _space(tree), tree["metadata"]["name"]): tree for tree in trees}

    def get(self, kind: str, space: str, name: str) -> dict | None:
        return self.found.get((kind, space, name))

    def pods(self, space: str, labels: dict) -> list[dict]:
        """Templates in `space` that `labels` select."""
        return [
            template
            for tree in self.trees
            if _space(tree) == space and (template := template_of(tree))
            if labels.items() <= template["metadata"]["labels"].items()
        ]


def _title(tree: dict) -> str:
    return f"{tree['kind']} {_space(tree)}/{tree['metadata']['name']}"


def _space(tree: dict) -> str:
    return tree["metadata"].get("namespace", "")


def template_of(tree: dict) -> dict | None:
    """The pod template in a controller."""
    spec = tree.get("spec", {})
    if tree["kind"] == "CronJob":
        return spec["jobTemplate"]["spec"]["template"]
    return spec.get("template") if tree["kind"] in ("Deployment", "StatefulSet", "Job") else None


def containers(template: dict) -> list[dict]:
    return [*template["spec"].get("initContainers", ()), *template["spec"]["containers"]]


def metadata(tree: dict, world: World) -> Iterator[str]:
    name, kind = tree["metadata"]["name"], tree["kind"]
    pattern = {"Service": SERVICE, "Namespace": LABEL, "StatefulSet": LABEL, "Job": LABEL}.get(kind, SUBDOMAIN)
    longest = {"CronJob": 52}.get(kind, 63 if pattern is not SUBDOMAIN else 253)
    if not pattern.fullmatch(name) or len(name) > longest:
        yield f"the name {name!r}"
    if (kind in CLUSTER_WIDE) == bool(_space(tree)):
        yield "its namespace"
    if _space(tree) and not world.get("Namespace", "", _space(tree)):
        yield "a namespace that is not there"
    if world.keys[kind, _space(tree), name] > 1:
        yield "twice"
    template = template_of(tree)
    for each in (tree["metadata"], *((template["metadata"],) if template else ())):
        yield from labels(each)


def labels(each: dict) -> Iterator[str]:
    for key, value in each.get("labels", {}).items():
        if not QUALIFIED.fullmatch(key) or not VALUE.fullmatch(value):
            yield f"the label {key}={value}"
    for key, value in each.get("annotations", {}).items():
        if not QUALIFIED.fullmatch(key) or not isinstance(value, str) or len(value) > 262144:
            yield f"the annotation {key}"


def selectors(tree: dict, world: World) -> Iterator[str]:
    template = template_of(tree)
    chosen = tree.get("spec", {}).get("selector", {}).get("matchLabels") if template else None
    if not chosen:
        if tree["kind"] in ("Deployment", "StatefulSet"):
            yield "no selector"
        return
    if not chosen.items() <= template["metadata"]["labels"].items():
        yield "a selector that does not match its template"
    if len(world.pods(_space(tree), chosen)) > 1:
        yield "a selector that matches the pods of another"


def pods(tree: dict, world: World) -> Iterator[str]:
    template = template_of(tree)
    if template is None:
        return
    spec = template["spec"]
    claims = [each["metadata"]["name"] for each in tree["spec"].get("volumeClaimTemplates", ())]
    volumes = [*(each["name"] for each in spec.get("volumes", ())), *claims]
    yield from unique("volumes", volumes)
    yield from unique("containers", [each["name"] for each in containers(template)])
    for container in containers(template):
        yield from container_rules(container, volumes)
    for volume in spec.get("volumes", ()):
        yield from volume_rules(volume, _space(tree), world)
    policy = spec.get("restartPolicy", "Always")
    if (policy == "Always") == (tree["kind"] in ("Job", "CronJob")):
        yield f"restartPolicy {policy}"
    if not world.get("ServiceAccount", _space(tree), spec.get("serviceAccountName", "")):
        yield "an account that is not there"
    if not world.get("PriorityClass", "", spec.get("priorityClassName", "")):
        yield "a priority class that is not there"
    grace = spec.get("terminationGracePeriodSeconds", 30)
    for container in spec["containers"]:
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pause >= grace:
            yield "a pause that takes all of the grace"


def unique(what: str, names: list[str]) -> Iterator[str]:
    for name, number in Counter(names).items():
        if number > 1:
            yield f"{what}: {name} twice"


def container_rules(container: dict, volumes: list[str]) -> Iterator[str]:
    name = container["name"]
    if not LABEL.fullmatch(name):
        yield f"the container {name!r}"
    if not container.get("image", "").strip() or " " in container["image"]:
        yield f"{name}: the image"
    yield from unique(f"{name}: variables", [each["name"] for each in container.get("env", ())])
    yield from unique(f"{name}: mounts", [each["mountPath"] for each in container.get("volumeMounts", ())])
    for mount in container.get("volumeMounts", ()):
        if mount["name"] not in volumes:
            yield f"{name}: the volume {mount['name']} is not there"
        if ":" in mount["mountPath"] or not mount["mountPath"].startswith("/"):
            yield f"{name}: mountPath {mount['mountPath']}"
    for variable in container.get("env", ()):
        if not variable["name"] or "=" in variable["name"] or not isinstance(variable.get("value", ""), str):
            yield f"{name}: the variable {variable['name']}"
    yield from ports(container)
    yield from resources(container)
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        yield from probe(container, container.get(kind))


def ports(container: dict) -> Iterator[str]:
    given = container.get("ports", ())
    yield from unique("ports", [each["name"] for each in given])
    yield from unique("port numbers", [f"{each['containerPort']}/{each['protocol']}" for each in given])
    for each in given:
        name = each["name"]
        # IANA_SVC_NAME
        if not re.fullmatch(r"[a-z0-9-]{1,15}", name) or not re.search("[a-z]", name) or "--" in name:
            yield f"the port's name {name!r}"
        if name[0] == "-" or name[-1] == "-":
            yield f"the port's name {name!r}"
        if not 1 <= each["containerPort"] <= 65535:
            yield f"the port {each['containerPort']}"


def resources(container: dict) -> Iterator[str]:
    given = container.get("resources", {})
    for name, request in given.get("requests", {}).items():
        limit = given.get("limits", {}).get(name, request)
        if quantities.parse(request) > quantities.parse(limit):
            yield f"{name}: {request} is requested above the limit {limit}"


def probe(container: dict, given: dict | None) -> Iterator[str]:
    if given is None:
        return
    handlers = [name for name in ("httpGet", "grpc", "tcpSocket", "exec") if name in given]
    if len(handlers) != 1:
        yield f"a probe with {handlers}"
    named = {each["name"] for each in container.get("ports", ())}
    port = given.get("httpGet", given.get("tcpSocket", {})).get("port")
    if isinstance(port, str) and port not in named:
        yield f"a probe of {port}"
    if "grpc" in given and not isinstance(given["grpc"]["port"], int):
        yield "a gRPC probe by name"
    for field in ("periodSeconds", "timeoutSeconds", "failureThreshold"):
        if given.get(field, 1) < 1:
            yield f"a probe with {field} {given[field]}"


def _projected(source: dict) -> list[str]:
    items = source["secret"]["items"] if "secret" in source else [source["serviceAccountToken"]]
    return [item["path"] for item in items]


def _secret_rules(source: dict, volume: str, space: str, world: World) -> Iterator[str]:
    """A Secret that a controller makes: of an object by its name, with every key that is mounted."""
    kinds = {"ExternalSecret": lambda spec: spec["target"]["template"]["data"],
             "SealedSecret": lambda spec: spec["template"]["data"] | spec["encryptedData"]}  # fmt: skip
    makers = [(kind, found) for kind in kinds if (found := world.get(kind, space, source["name"]))]
    if len(makers) != 1:
        yield f"the volume {volume} wants the Secret {source['name']}, which {len(makers)} objects make"
    for kind, found in makers:
        keys = kinds[kind](found["spec"])
        yield from (f"the volume {volume} wants {item['key']}" for item in source["items"] if item["key"] not in keys)
        yield from (f"the key {key}" for key in keys if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key))


def volume_rules(volume: dict, space: str, world: World) -> Iterator[str]:
    sources = [name for name in volume if name != "name"]
    if len(sources) != 1 or not LABEL.fullmatch(volume["name"]):
        yield f"the volume {volume['name']} of {sources}"
    if "configMap" in volume:
        found = world.get("ConfigMap", space, volume["configMap"]["name"])
        keys = found["data"] if found else {}
        yield from (
            f"the volume {volume['name']} wants {item['key']}"
            for item in volume["configMap"].get("items", [{"key": None}] if found is None else [])
            if item["key"] not in keys
        )
    paths = [path for source in volume.get("projected", {}).get("sources", ()) for path in _projected(source)]
    yield from (f"the volume {volume['name']} has two {path}" for path in set(paths) if paths.count(path) > 1)
    for source in volume.get("projected", {}).get("sources", ()):
        if "secret" in source:
            yield from _secret_rules(source["secret"], volume["name"], space, world)
            continue
        token = source["serviceAccountToken"]
        if token["expirationSeconds"] < 600 or not token["audience"] or token["path"].startswith("/"):
            yield f"the token {token['path']}"


def deployments(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] == "Deployment":
        rolling = tree["spec"]["strategy"]["rollingUpdate"]
        if not rolling["maxSurge"] and not rolling["maxUnavailable"]:
            yield "a rollout that cannot move"
    if tree["kind"] == "StatefulSet" and not world.get("Service", _space(tree), tree["spec"]["serviceName"]):
        yield "its Service is not there"
    if tree["kind"] == "CronJob" and not CRON.fullmatch(tree["spec"]["schedule"]):
        yield f"the schedule {tree['spec']['schedule']!r}"


def services(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] != "Service":
        return
    spec = tree["spec"]
    chosen = world.pods(_space(tree), spec["selector"])
    if len(chosen) != 1:
        yield f"it selects {len(chosen)} kinds of pods"
    offered = {each["name"] for template in chosen for each in template["spec"]["containers"][0].get("ports", ())}
    yield from unique("ports", [each["name"] for each in spec["ports"]])
    yield from unique("port numbers", [f"{each['port']}/{each['protocol']}" for each in spec["ports"]])
    for each in spec["ports"]:
        if each["targetPort"] not in offered:
            yield f"nobody listens on {each['targetPort']}"


def config_maps(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] != "ConfigMap":
        return
    if sum(len(key) + len(text.encode()) for key, text in tree["data"].items()) > 1 << 20:
        yield "more than 1 MiB"
    for key, text in tree["data"].items():
        if not CONFIG_KEY.fullmatch(key) or key in (".", "..") or not isinstance(text, str):
            yield f"the key {key!r}"


def autoscalers(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] != "HorizontalPodAutoscaler":
        return
    spec = tree["spec"]
    if not 1 <= spec["minReplicas"] <= spec["maxReplicas"]:
        yield "its bounds"
    target = world.get(spec["scaleTargetRef"]["kind"], _space(tree), spec["scaleTargetRef"]["name"])
    if target is None:
        yield "its target is not there"
        return
    if "replicas" in target["spec"]:
        yield "its target says replicas too: each release would undo what it did"
    for metric in spec["metrics"]:
        for container in target["spec"]["template"]["spec"]["containers"]:
            if metric["resource"]["name"] not in container.get("resources", {}).get("requests", {}):
                yield f"{metric['resource']['name']} is not requested"


def budgets(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] != "PodDisruptionBudget":
        return
    spec = tree["spec"]
    if ("minAvailable" in spec) == ("maxUnavailable" in spec):
        yield "it says both or neither"
    guarded = [
        each for each in world.trees if each["kind"] in ("Deployment", "StatefulSet") and _selects(spec, each, tree)
    ]
    if len(guarded) != 1:
        yield f"it guards {len(guarded)} workloads"
    for each in guarded:
        if least_replicas(each, world) - spec.get("minAvailable", 0) < 1 or spec.get("maxUnavailable", 1) < 1:
            yield "it blocks every drain"


def _selects(spec: dict, each: dict, tree: dict) -> bool:
    labels_ = each["spec"]["template"]["metadata"]["labels"]
    return _space(each) == _space(tree) and spec["selector"]["matchLabels"].items() <= labels_.items()


def least_replicas(deployment: dict, world: World) -> int:
    scaler = world.get("HorizontalPodAutoscaler", _space(deployment), deployment["metadata"]["name"])
    return scaler["spec"]["minReplicas"] if scaler else deployment["spec"]["replicas"]


def most_replicas(deployment: dict, world: World) -> int:
    scaler = world.get("HorizontalPodAutoscaler", _space(deployment), deployment["metadata"]["name"])
    return scaler["spec"]["maxReplicas"] if scaler else deployment["spec"]["replicas"]


def quotas(tree: dict, world: World) -> Iterator[str]:
    """Pods of all workloads at their most, one of each surging, fit into the quota."""
    if tree["kind"] != "ResourceQuota":
        return
    hard = {name: quantities.parse(value) for name, value in tree["spec"]["hard"].items()}
    used = dict.fromkeys(hard, quantities.parse("0"))
    defaults = [each for each in world.trees if each["kind"] == "LimitRange" and _space(each) == _space(tree)]
    for each in world.trees:
        template = template_of(each)
        if template is None or _space(each) != _space(tree):
            continue
        count = most_replicas(each, world) + 1 if each["kind"] == "Deployment" else 1
        used["pods"] += count
        for side in ("requests", "limits"):
            for resource in ("cpu", "memory"):
                used[f"{side}.{resource}"] += count * pod_takes(template, side, resource, defaults)
        for claim in each["spec"].get("volumeClaimTemplates", ()):
            used["persistentvolumeclaims"] += 1
            used["requests.storage"] += quantities.parse(claim["spec"]["resources"]["requests"]["storage"])
    yield from (f"{name}: {used[name]} of {hard[name]}" for name in hard if used[name] > hard[name])


def pod_takes(template: dict, side: str, resource: str, limit_ranges: list[dict]):
    otherwise = "default" if side == "limits" else "defaultRequest"
    fallback = limit_ranges[0]["spec"]["limits"][0][otherwise][resource]

    def takes(container: dict):
        return quantities.parse(container.get("resources", {}).get(side, {}).get(resource, fallback))

    spec = template["spec"]
    first = max((takes(each) for each in spec.get("initContainers", ())), default=quantities.parse("0"))
    return max(first, sum(takes(each) for each in spec["containers"]))


def policies(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] != "NetworkPolicy":
        return
    for rule in (*tree["spec"].get("ingress", ()), *tree["spec"].get("egress", ())):
        for peer in (*rule.get("from", ()), *rule.get("to", ())):
            if not peer or ("ipBlock" in peer and len(peer) > 1):
                yield f"the peer {peer}"
            block = peer.get("ipBlock")
            if block:
                whole = ipaddress.ip_network(block["cidr"])
                for less in block.get("except", ()):
                    part = ipaddress.ip_network(less)
                    if part.version != whole.version or part == whole or not part.subnet_of(whole):
                        yield f"{less} is no part of {block['cidr']}"
        for port in rule.get("ports", ()):
            if not isinstance(port["port"], int) or not 1 <= port["port"] <= 65535:
                yield f"the port {port}"


def entries(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] != "Ingress":
        return
    for rule in tree["spec"]["rules"]:
        if not SUBDOMAIN.fullmatch(rule["host"]):
            yield f"the host {rule['host']!r}"
        for path in rule["http"]["paths"]:
            service = world.get("Service", _space(tree), path["backend"]["service"]["name"])
            named = {each["name"] for each in service["spec"]["ports"]} if service else set()
            if path["backend"]["service"]["port"]["name"] not in named or not _is_path(path["path"]):
                yield f"the path {path['path']}"


def routes(tree: dict, world: World) -> Iterator[str]:
    """Source: https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec"""
    if tree["kind"] != "HTTPRoute":
        return
    for rule in tree["spec"]["rules"]:
        for match in rule["matches"]:
            if not _is_path(match["path"]["value"]):
                yield f"the path {match['path']['value']}"
        for backend in rule["backendRefs"]:
            service = world.get("Service", _space(tree), backend["name"])
            if backend["port"] not in {each["port"] for each in service["spec"]["ports"]} if service else True:
                yield f"a backend that is not there: {backend}"
        for duration in rule.get("timeouts", {}).values():
            if not re.fullmatch(r"([0-9]{1,5}(h|m|s|ms)){1,4}", duration):
                yield f"the timeout {duration}"


def _is_path(path: str) -> bool:
    refused = ("//", "/./", "/../", "%2f", "%2F", "#")
    return path.startswith("/") and not any(each in path for each in refused) and not path.endswith(("/.", "/.."))


def priorities(tree: dict, world: World) -> Iterator[str]:
    if tree["kind"] == "PriorityClass" and not -(10**9) <= tree["value"] <= 10**9:
        yield f"the value {tree['value']}"


RULES = (
    metadata,
    selectors,
    pods,
    deployments,
    services,
    config_maps,
    autoscalers,
    budgets,
    quotas,
    policies,
    entries,
    routes,
    priorities,
)
