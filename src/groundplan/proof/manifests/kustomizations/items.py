"""An object on its way through a kustomization: its tree, what it was called, and where each field comes from."""

from __future__ import annotations

from typing import Any

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import scopes, trouble

Path = documents.Path
MISSING: Any = object()
_MARKS = ("config.kubernetes.io/", "internal.config.kubernetes.io/", "kustomize.config.k8s.io/", "config.k8s.io/")


class Item:
    """One object; its tree is its own, so that it may be changed."""

    def __init__(self, document: documents.Document, *, doubtful: bool) -> None:
        self.document, self.data, self.doubtful = document, copied(document.data), doubtful
        self.moved: dict[Path, documents.Spot] = dict(document.moved)
        self.former: list[tuple[str, str]] = []
        """Namespaces and names that it had, the oldest first; kustomize looks it up by each of them."""
        self.prefixes: list[str] = []
        self.suffixes: list[str] = []
        self.hashed = False
        """Whether its name is to end in the hash of its content."""
        self.named = False
        """Whether another object's field was found to name it."""
        self.everywhere = scopes.everywhere(str(document.data["apiVersion"]), document.kind)
        """Whether kustomize takes it for an object without a namespace."""
        self._annotations()

    def _annotations(self) -> None:
        # kustomize reads and writes them all as soon as it sees an object.
        path: Path = ("metadata", "annotations")
        said = self.metadata.get("annotations", MISSING)
        if said is None or said == {}:
            self.remove(path)
        elif isinstance(said, dict):
            for key, value in said.items():
                if key.startswith(_MARKS):
                    raise trouble.Beyond(f"the annotation {key}", self.spot((*path, key)))
                said[key] = str(value) if type(value) is int else value
            self._told()

    def _told(self) -> None:
        said = self.metadata.get("annotations", {})
        wrong = [key for key, value in said.items() if not isinstance(value, str)] if isinstance(said, dict) else [""]
        for key in wrong:
            spot = self.spot(("metadata", "annotations", key))
            raise trouble.Beyond(f"annotations of {self.title} that are no text", spot)

    @property
    def kind(self) -> str:
        return self.document.kind

    @property
    def group(self) -> str:
        return self.document.group

    @property
    def version(self) -> str:
        return str(self.document.data["apiVersion"]).rpartition("/")[2]

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.data.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        """As kustomize compares it: none is the one called default."""
        return "" if self.everywhere else str(self.metadata.get("namespace") or "default")

    @property
    def first(self) -> tuple[str, str]:
        """Namespace and name before anything was done to it."""
        return self.former[0] if self.former else (self.namespace, self.name)

    @property
    def names(self) -> list[tuple[str, str]]:
        """All namespaces and names by which it may be meant."""
        return [*self.former, (self.namespace, self.name)]

    @property
    def key(self) -> tuple[str, ...]:
        """What no two objects have in common."""
        return (self.group, self.version, self.kind, self.namespace, self.name)

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    def remember(self) -> None:
        """Keeps what it is called now, before that changes."""
        self.former.append((self.namespace, self.name))

    def spot(self, path: Path) -> documents.Spot | None:
        """Where a field was written."""
        return self.done().spot(*path)

    def finish(self) -> None:
        """Does what is left when everything is built: kustomize keeps notes among the annotations, and takes away what
        is empty without them."""
        if (self.former or self.named) and self.metadata.get("annotations") == {}:
            self.remove(("metadata", "annotations"))
        self._told()

    def done(self) -> documents.Document:
        """The object as it is now."""
        old = self.document
        return documents.Document(self.data, old.source, old.index, old.items, old.line, self.moved)

    def put(self, path: Path, value: Any, spot: documents.Spot | None) -> None:
        """Sets a field whose surroundings exist."""
        around = self.get(path[:-1])
        around[path[-1]] = copied(value)
        self._forget(path)
        if spot is not None:
            self.moved[path] = spot

    def insert(self, path: Path, value: Any, spot: documents.Spot | None) -> None:
        """Puts a value into a list, before what has this number now."""
        items = self.get(path[:-1])
        spots = self._spots(path[:-1], items)
        number = int(path[-1])
        items.insert(number, copied(value))
        spots.insert(number, {} if spot is None else {(): spot})
        self._renumber(path[:-1], spots)

    def remove(self, path: Path) -> None:
        """Takes away a field or an item of a list."""
        around = self.get(path[:-1])
        if isinstance(around, list):
            spots = self._spots(path[:-1], around)
            del spots[int(path[-1])]
            del around[int(path[-1])]
            self._renumber(path[:-1], spots)
        else:
            del around[path[-1]]
            self._forget(path)

    def reorder(self, path: Path, order: list[int]) -> None:
        """Puts the items of a list into another order, given by their numbers."""
        there = self.get(path)
        spots = self._spots(path, there)
        there[:] = [there[number] for number in order]
        self._renumber(path, [spots[number] for number in order])

    def get(self, path: Path) -> Any:
        """What stands at a path, or `MISSING`."""
        found: Any = self.data
        for step in path:
            if isinstance(found, dict) and isinstance(step, str):
                found = found.get(step, MISSING)
            elif isinstance(found, list) and isinstance(step, int) and 0 <= step < len(found):
                found = found[step]
            else:
                return MISSING
        return found

    def _spots(self, path: Path, items: list[Any]) -> list[dict[Path, documents.Spot]]:
        # Of every item of a list: where it was written, and what was put into it.
        found = []
        for number in range(len(items)):
            place = (*path, number)
            inside = {key[len(place) :]: spot for key, spot in self.moved.items() if key[: len(place)] == place}
            own = self.spot(place)
            found.append(inside if () in inside or own is None else {(): own, **inside})
        return found

    def _renumber(self, path: Path, spots: list[dict[Path, documents.Spot]]) -> None:
        kept = self.moved.get(path)
        self._forget(path)
        if kept is not None:
            self.moved[path] = kept
        for number, inside in enumerate(spots):
            self.moved.update({(*path, number, *key): spot for key, spot in inside.items()})

    def _forget(self, path: Path) -> None:
        self.moved = {key: spot for key, spot in self.moved.items() if key[: len(path)] != path}


def copied(value: Any) -> Any:
    """A value of one's own: aliases in YAML make one thing of several."""
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value
