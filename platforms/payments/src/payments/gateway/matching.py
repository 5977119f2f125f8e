"""Finding the route of a request, in one walk down a tree of segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from payments.gateway import routes

_ANY, _REST = "{}", "{...}"


class _Node:
    __slots__ = ("children", "methods")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.methods: dict[str, routes.Route] = {}


class Table:
    """The routes, ready to be asked."""

    def __init__(self, declared: Iterable[routes.Route]) -> None:
        self._root = _Node()
        for route in declared:
            self._add(route)

    def find(self, path: str) -> Mapping[str, routes.Route] | None:
        """The routes by method at `path` as it was sent, undecoded; None where nothing is.

        Static names win over ``{id}``, and a wrong turn is not gone back on: no two routes need it.
        """
        node = self._root
        for segment in path[1:].split("/"):
            following = node.children.get(segment)
            if following is None:
                rest = node.children.get(_REST)
                if rest is not None:
                    return rest.methods if _plain(path) else None
                following = node.children.get(_ANY)
                if following is None or not routes.SEGMENT.fullmatch(segment):
                    return None
            node = following
        return node.methods or None

    def _add(self, route: routes.Route) -> None:
        node = self._root
        for segment in route.segments:
            name = segment if not segment.startswith("{") else _REST if segment.endswith("...}") else _ANY
            node = node.children.setdefault(name, _Node())
        if route.method in node.methods:
            raise ValueError(f"{route.method} {route.path} is declared twice")
        node.methods[route.method] = route


def _plain(path: str) -> bool:
    """Whether each segment is one that no server along the way reads differently: no dots, escapes or empty ones."""
    return all(map(routes.SEGMENT.fullmatch, path[1:].split("/")))
