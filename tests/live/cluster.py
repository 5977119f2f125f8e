"""A double of an API server and of the controllers behind it, written from the documentation:

- requests, errors, dry run: https://kubernetes.io/docs/reference/using-api/api-concepts/
- Status: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
- discovery: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
- Jobs and their immutable template: https://kubernetes.io/docs/concepts/workloads/controllers/job/
- namespaces that end: https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace
- deleting in the foreground: https://kubernetes.io/docs/concepts/architecture/garbage-collection/

It is no API server: it knows no schemas (`tests.kubernetes.schemas` holds every object to those), and its
controllers make a workload ready at once unless `troubles` says otherwise.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable

from tests.live import merging, paths

Tree = dict

USER = "jane"


@dataclasses.dataclass
class Held:
    """An object, and who set which field of it."""

    tree: Tree
    owners: dict[str, set]
    ends_after: int = -1
    """Looks until one that is being deleted is gone."""


class Cluster:
    """Everything in memory; `handle` is one request."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str, str], Held] = {}
        self.numbers = itertools.count(1)
        self.requests: list[tuple[str, str]] = []
        self.writes = 0
        """How often something became different."""
        self.denied: set[tuple[str, str]] = set()
        """Verb and plural that the user may not."""
        self.refuse: Callable[[str, paths.Place, Tree], paths.Answer | None] = lambda method, place, tree: None
        """Admission: an answer for what is not admitted."""
        self.troubles: dict[str, Tree] = {}
        """The state of a container by the name of its workload: `{"waiting": …}`; ``{}`` for one that is not ready."""
        self.warnings: dict[str, str] = {}
        """What the kubelet or a controller says of an object, by a part of its name."""
        self.order: list[str] = []
        """What was made, changed or deleted, in this order."""
        self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}, "system")

    # What tests ask and do themselves.

    def find(self, kind: str, name: str, namespace: str = "") -> Tree | None:
        found = self.held.get((kind, namespace, name))
        return found.tree if found else None

    def put(self, tree: Tree, manager: str) -> Tree:
        """Applied by somebody else."""
        place = self._place_of(tree)
        return self._apply(place, tree, manager, force=True, dry=False)

    def final(self) -> dict[tuple[str, str, str], Tree]:
        """What is there, without what is only a matter of when it was made, and without the lock."""
        return {key: _lasting(held.tree) for key, held in self.held.items() if key[0] not in ("Lease", "Pod")}

    # Requests.

    def handle(self, method: str, path: str, query: dict[str, str], body: Tree | None) -> tuple[int, Tree]:
        self.requests.append((method, path))
        self._tick()
        try:
            return self._answer(method, path, query, body)
        except paths.Answer as answer:
            return answer.code, answer.status

    def _answer(self, method: str, path: str, query: dict[str, str], body: Tree | None) -> tuple[int, Tree]:
        if found := paths.discovery(path):
            return 200, found
        place = paths.parsed(path)
        verb = _verb(method, place)
        if (verb, place.plural) in self.denied:
            raise _forbidden(verb, place)
        match method:
            case "GET" if not place.name:
                return 200, self._list(place, query)
            case "GET":
                return 200, copy.deepcopy(self._get(place).tree)
            case "PATCH":
                return 200, copy.deepcopy(self._patched(place, query, body or {}))
            case "POST":
                return 201, self._created(place, body or {})
            case "PUT":
                return 200, self._replaced(place, body or {})
            case "DELETE":
                return 200, self._deleted(place, body or {})
        raise paths.Answer(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _get(self, place: paths.Place) -> Held:
        held = self.held.get((place.kind, place.namespace, place.name))
        if held is None:
            raise paths.Answer(404, "NotFound", f'{place.resource} "{place.name}" not found')
        return held

    def _list(self, place: paths.Place, query: dict[str, str]) -> Tree:
        chosen = [
            held.tree
            for (kind, namespace, _), held in sorted(self.held.items())
            if kind == place.kind and place.namespace in ("", namespace) and _matches(held.tree, query)
        ]
        if place.kind == "Event":
            chosen = self._events(query)
        first = int(query.get("continue", "0"))
        page = chosen[first : first + int(query.get("limit", "500"))]
        more = first + len(page)
        metadata = {"continue": str(more)} if more < len(chosen) else {}
        # Items of a list carry neither apiVersion nor kind.
        items = [{key: value for key, value in tree.items() if key not in ("apiVersion", "kind")} for tree in page]
        return {
            "kind": f"{place.kind}List",
            "apiVersion": place.api,
            "metadata": metadata,
            "items": copy.deepcopy(items),
        }

    def _events(self, query: dict[str, str]) -> list[Tree]:
        name = query.get("fieldSelector", "").removeprefix("involvedObject.name=")
        said = [text for part, text in self.warnings.items() if part in name]
        return [
            {
                "metadata": {"name": f"{name}.1"},
                "type": "Warning",
                "reason": text.partition(": ")[0],
                "message": text.partition(": ")[2],
            }
            for text in said
        ]

    def _patched(self, place: paths.Place, query: dict[str, str], body: Tree) -> Tree:
        if "fieldManager" not in query:
            raise paths.Answer(422, "Invalid", "PatchOptions.meta.k8s.io: fieldManager is required for apply patch")
        dry, force = query.get("dryRun") == "All", query.get("force") == "true"
        return self._apply(place, body, query["fieldManager"], force=force, dry=dry)

    def _apply(self, place: paths.Place, body: Tree, manager: str, *, force: bool, dry: bool) -> Tree:
        self._check_namespace(place)
        if refused := self.refuse("PATCH", place, body):
            raise refused
        held = self.held.get((place.kind, place.namespace, place.name))
        try:
            merged, owners = merging.apply(
                held.tree if held else None, body, held.owners if held else {}, manager, force
            )
        except merging.Conflict as error:
            raise _conflict(error) from None
        _default(merged, held)
        if held:
            _check_immutable(place, held.tree, merged)
        if held and _bare(held.tree) == _bare(merged):
            if not dry:
                held.owners = owners
                held.tree["metadata"]["managedFields"] = merging.managed(owners)
            return held.tree
        return self._stored(place, merged, owners, held, dry)

    def _stored(self, place: paths.Place, tree: Tree, owners: dict, held: Held | None, dry: bool) -> Tree:
        metadata = tree["metadata"]
        number = next(self.numbers)
        metadata["resourceVersion"] = str(number)
        metadata.setdefault("uid", f"uid-{number}")
        metadata.setdefault("creationTimestamp", f"2026-01-01T00:00:{number % 60:02}Z")
        metadata["managedFields"] = merging.managed(owners)
        if held is None or held.tree.get("spec") != tree.get("spec"):
            metadata["generation"] = metadata.get("generation", 0) + 1
        if dry:
            return tree
        self.writes += place.kind != "Lease"
        self.order.append(f"{'change' if held else 'create'} {place.kind} {place.name}")
        if held:
            held.tree, held.owners = tree, owners
        else:
            self.held[place.kind, place.namespace, place.name] = Held(tree, owners)
        self._control(place, tree)
        return tree

    def _created(self, place: paths.Place, body: Tree) -> Tree:
        place = dataclasses.replace(place, name=body["metadata"]["name"])
        self._check_namespace(place)
        if (place.kind, place.namespace, place.name) in self.held:
            raise paths.Answer(409, "AlreadyExists", f'{place.resource} "{place.name}" already exists')
        return copy.deepcopy(self._stored(place, copy.deepcopy(body), {}, None, dry=False))

    def _replaced(self, place: paths.Place, body: Tree) -> Tree:
        held = self._get(place)
        if body["metadata"].get("resourceVersion") != held.tree["metadata"]["resourceVersion"]:
            said = "the object has been modified; please apply your changes to the latest version and try again"
            raise paths.Answer(
                409, "Conflict", f'Operation cannot be fulfilled on {place.resource} "{place.name}": {said}'
            )
        return copy.deepcopy(self._stored(place, copy.deepcopy(body), held.owners, held, dry=False))

    def _deleted(self, place: paths.Place, body: Tree) -> Tree:
        held = self._get(place)
        uid = (body.get("preconditions") or {}).get("uid")
        if uid and uid != held.tree["metadata"]["uid"]:
            raise paths.Answer(409, "Conflict", "the UID in the precondition does not match the UID in record")
        self.order.append(f"delete {place.kind} {place.name}")
        self.writes += 1
        if body.get("propagationPolicy") == "Foreground" or place.kind == "Namespace":
            held.tree["metadata"].setdefault("deletionTimestamp", "2026-01-01T00:00:00Z")
            held.ends_after = 2 if held.ends_after < 0 else held.ends_after
        else:
            self._remove(place.kind, place.namespace, place.name)
        return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _remove(self, kind: str, namespace: str, name: str) -> None:
        del self.held[kind, namespace, name]
        self.held.pop(("Pod", namespace, f"{name}-0"), None)
        if kind == "Namespace":
            for key in [key for key in self.held if key[1] == name]:
                del self.held[key]

    def _check_namespace(self, place: paths.Place) -> None:
        if not place.namespace:
            return
        found = self.held.get(("Namespace", "", place.namespace))
        if found is None:
            raise paths.Answer(404, "NotFound", f'namespaces "{place.namespace}" not found')
        if "deletionTimestamp" in found.tree["metadata"] and place.name not in [key[2] for key in self.held]:
            said = f"unable to create new content in namespace {place.namespace} because it is being terminated"
            causes = [{"reason": "NamespaceTerminating", "message": said, "field": "metadata.namespace"}]
            raise paths.Answer(403, "Forbidden", f'{place.resource} "{place.name}" is forbidden: {said}', causes)

    def _tick(self) -> None:
        """Time passes with every request."""
        for (kind, namespace, name), held in list(self.held.items()):
            if held.ends_after >= 0:
                held.ends_after -= 1
                if held.ends_after < 0:
                    self._remove(kind, namespace, name)

    # Controllers.

    def settle(self) -> None:
        """Controllers look again at everything."""
        for (kind, namespace, name), held in list(self.held.items()):
            self._control(paths.Place(held.tree["apiVersion"], kind, "", namespace, name), held.tree)

    def _control(self, place: paths.Place, tree: Tree) -> None:
        if place.kind == "Job":
            self._run(place, tree)
        elif place.kind in ("Deployment", "StatefulSet"):
            wanted = tree["spec"].get("replicas", 1)
            ready = 0 if place.name in self.troubles else wanted
            tree["status"] = {"observedGeneration": tree["metadata"]["generation"], "replicas": wanted}
            tree["status"] |= {"updatedReplicas": wanted, "readyReplicas": ready, "availableReplicas": ready}
            self._pod(place, tree)

    def _run(self, place: paths.Place, tree: Tree) -> None:
        trouble = self.troubles.get(place.name)
        if tree["spec"].get("suspend"):
            tree["status"] = {}
        elif trouble is None:
            tree["status"] = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
        elif trouble.get("failed"):
            failed = {
                "type": "Failed",
                "status": "True",
                "reason": "BackoffLimitExceeded",
                "message": trouble["failed"],
            }
            tree["status"] = {"failed": 1, "conditions": [failed]}
        else:
            tree["status"] = {"active": 1}
            self._pod(place, tree)

    def _pod(self, place: paths.Place, tree: Tree) -> None:
        trouble = self.troubles.get(place.name)
        template = copy.deepcopy(tree["spec"]["template"])
        ready = trouble is None
        state = {"running": {}} if ready or not trouble else trouble
        status = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [
                {"name": template["spec"]["containers"][0]["name"], "ready": ready, "state": state, "restartCount": 0}
            ],
        }
        labels = template["metadata"]["labels"]
        metadata = {"name": f"{place.name}-0", "namespace": place.namespace, "labels": labels}
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"], "status": status}
        self.held["Pod", place.namespace, f"{place.name}-0"] = Held(made, {})

    def _place_of(self, tree: Tree) -> paths.Place:
        plural = next(each[2] for each in paths.SERVED if each[:2] == (tree["apiVersion"], tree["kind"]))
        metadata = tree["metadata"]
        return paths.Place(tree["apiVersion"], tree["kind"], plural, metadata.get("namespace", ""), metadata["name"])


def _verb(method: str, place: paths.Place) -> str:
    return {"GET": "get" if place.name else "list", "POST": "create", "PUT": "update"}.get(method, method.lower())


def _forbidden(verb: str, place: paths.Place) -> paths.Answer:
    where = f' in the namespace "{place.namespace}"' if place.namespace else " at the cluster scope"
    said = f'User "{USER}" cannot {verb} resource "{place.plural}" in API group "{place.group}"{where}'
    return paths.Answer(403, "Forbidden", f'{place.resource} "{place.name}" is forbidden: {said}')


def _conflict(error: merging.Conflict) -> paths.Answer:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": field}
        for manager, field in error.owners
    ]
    return paths.Answer(409, "Conflict", f"Apply failed with {len(causes)} conflicts", causes)


def _matches(tree: Tree, query: dict[str, str]) -> bool:
    labels = tree["metadata"].get("labels") or {}
    wanted = [part.partition("=") for part in query.get("labelSelector", "").split(",") if part]
    return all(key in labels and (not equals or labels[key] == value) for key, equals, value in wanted)


def _bare(tree: Tree) -> Tree:
    metadata = {
        key: value for key, value in tree["metadata"].items() if key in ("name", "namespace", "labels", "annotations")
    }
    return {**{key: value for key, value in tree.items() if key != "status"}, "metadata": metadata}


_MOMENTARY = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields")


def _lasting(tree: Tree) -> Tree:
    metadata = {key: value for key, value in tree["metadata"].items() if key not in _MOMENTARY}
    found = {**{key: value for key, value in tree.items() if key != "status"}, "metadata": metadata}
    if tree["kind"] == "Job":
        found["spec"] = {key: value for key, value in tree["spec"].items() if key != "selector"}
    return found


def _default(tree: Tree, held: Held | None) -> None:
    """What an API server fills in, some of it."""
    spec = tree.get("spec") or {}
    if tree["kind"] in ("Deployment", "StatefulSet"):
        spec.setdefault("replicas", 1)
    if tree["kind"] == "Deployment":
        spec.setdefault("progressDeadlineSeconds", 600)
    if tree["kind"] == "Service":
        spec.setdefault("clusterIP", "10.0.0.1")
        spec.setdefault("type", "ClusterIP")
    if tree["kind"] == "Job":
        spec.setdefault("completions", 1)
        spec.setdefault("selector", {"matchLabels": dict(spec["template"]["metadata"]["labels"])})
    for container in (spec.get("template") or {}).get("spec", {}).get("containers") or ():
        container.setdefault("imagePullPolicy", "IfNotPresent")
        for port in container.get("ports") or ():
            port.setdefault("protocol", "TCP")


_FIXED = {
    "Job": ("template", "selector", "completions"),
    "Deployment": ("selector",),
    "StatefulSet": ("selector", "serviceName", "volumeClaimTemplates"),
}


def _check_immutable(place: paths.Place, before: Tree, after: Tree) -> None:
    changed = [
        field
        for field in _FIXED.get(place.kind, ())
        if before.get("spec", {}).get(field) != after.get("spec", {}).get(field)
    ]
    if changed:
        # The real one writes the whole value into its message, a page of Go.
        said = f"Invalid value: core.Object{{{'Field:nil, ' * 300}}}: field is immutable"
        causes = [{"reason": "FieldValueInvalid", "message": said, "field": f"spec.{field}"} for field in changed]
        raise paths.Answer(422, "Invalid", f'{place.kind} "{place.name}" is invalid: field is immutable', causes)
