"""Where a kind's objects live: asked of the API server, which alone knows what it serves.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from groundplan.live import client as clients
from groundplan.live import errors
from groundplan.shapes import objects


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind as one API server serves it."""

    api: str
    """``v1``, ``apps/v1``."""
    name: str
    plural: str
    namespaced: bool

    def collection(self, namespace: str = "") -> str:
        """The path of all objects, or of those in `namespace`."""
        root = f"/apis/{self.api}" if "/" in self.api else f"/api/{self.api}"
        place = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{place}/{self.plural}"

    def path(self, key: objects.Key) -> str:
        """The path of one object."""
        return f"{self.collection(key.namespace)}/{key.name}"


class Kinds:
    """The kinds of one API server, each version of an API asked for once."""

    def __init__(self, client: clients.Client) -> None:
        self._client = client
        self._known: dict[str, dict[str, Kind]] = {}

    def check(self, wanted: Iterable[objects.Object]) -> None:
        """Raises errors.UnknownKinds with every kind that the cluster does not serve."""
        lacking = self.lacking(wanted)
        if lacking:
            raise errors.UnknownKinds(
                f"the cluster does not know {', '.join(lacking)}",
                why="these kinds come with charts, or with a newer Kubernetes",
                fix="install what brings them first, or leave these objects out: --skip-unknown",
            )

    def lacking(self, wanted: Iterable[objects.Object]) -> tuple[str, ...]:
        """The kinds of `wanted` that the cluster does not serve: ``Certificate (cert-manager.io/v1)``."""
        asked = {(str(made.tree["apiVersion"]), made.key.kind) for made in wanted}
        return tuple(f"{kind} ({api})" for api, kind in sorted(asked) if kind not in self.served(api))

    def knows(self, made: objects.Object) -> bool:
        """Whether the cluster serves the kind of an object."""
        return made.key.kind in self.served(str(made.tree["apiVersion"]))

    def live(self, made: objects.Object) -> dict[str, Any] | None:
        """The object as it is in the cluster; None where there is none, or nothing of its kind."""
        kind = self.served(str(made.tree["apiVersion"])).get(made.key.kind)
        return self._client.find(kind.path(made.key), subject=str(made.key)) if kind else None

    def of(self, made: objects.Object) -> Kind:
        """The kind of one object; raises errors.Missing."""
        return self.find(str(made.tree["apiVersion"]), made.key.kind)

    def find(self, api: str, kind: str) -> Kind:
        """A kind by its API's version and its name; raises errors.Missing."""
        found = self.served(api).get(kind)
        if found is None:
            raise errors.Missing(f"the cluster does not know {kind} ({api})")
        return found

    def group_kind(self, said: str) -> Kind | None:
        """A kind by ``Deployment.apps``, in the version that the server prefers; None where it is not served."""
        name, _, group = said.partition(".")
        api = self._preferred(group) if group else "v1"
        return self.served(api).get(name) if api else None

    def served(self, api: str) -> dict[str, Kind]:
        """Every kind of one version of an API, by name; empty where it is not served."""
        if api not in self._known:
            root = f"/apis/{api}" if "/" in api else f"/api/{api}"
            found = self._client.find(root, subject=f"what {api} serves") or {}
            self._known[api] = {
                each["kind"]: Kind(api, each["kind"], each["name"], bool(each["namespaced"]))
                for each in found.get("resources") or ()
                if "/" not in each["name"]
            }
        return self._known[api]

    def _preferred(self, group: str) -> str:
        known = next((api for api, kinds in self._known.items() if kinds and api.startswith(f"{group}/")), "")
        if known:
            return known
        found = self._client.find(f"/apis/{group}", subject=f"the API group {group}") or {}
        return str((found.get("preferredVersion") or {}).get("groupVersion", ""))
