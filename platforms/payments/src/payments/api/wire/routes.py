"""Which handler answers which method and path: a table that is read once, a dictionary that is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from payments.api.wire import calls

Handler = Callable[[calls.Call], Awaitable[calls.Answer]]


class Route(NamedTuple):
    """``Route("POST", "/v1/payment_intents/{id}/confirm", handler, "payment_intents")``."""

    method: str
    path: str
    handler: Handler
    resource: str
    publishable: bool = False
    """A publishable key may call it, if it shows the object's client secret where it has one."""

    @property
    def right(self) -> str:
        return "read" if self.method == "GET" else "write"


class Found(NamedTuple):
    route: Route | None
    ids: dict[str, str]
    allowed: tuple[str, ...]
    """Methods that the path knows; empty: there is no such path."""


class Table:
    """Routes by their fixed parts: at most a handful share one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._open: dict[tuple[str, ...], dict[str, Route]] = {}
        for route in routes:
            target = (
                self._open.setdefault(_shape(route.path), {})
                if "{" in route.path
                else self._fixed.setdefault(route.path, {})
            )
            target[route.method] = route

    def find(self, method: str, path: str) -> Found:
        fixed = self._fixed.get(path)
        if fixed is not None:
            return Found(fixed.get(method), {}, tuple(fixed))
        parts = path.strip("/").split("/")
        for shape, routes in self._candidates(parts):
            ids = {name[1:-1]: part for name, part in zip(shape, parts, strict=True) if name[0] == "{"}
            return Found(routes.get(method), ids, tuple(routes))
        return Found(None, {}, ())

    def _candidates(self, parts: list[str]) -> Iterable[tuple[tuple[str, ...], dict[str, Route]]]:
        for shape, routes in self._open.items():
            if len(shape) == len(parts) and all(
                want in (got, "{id}") and got for want, got in zip(shape, parts, strict=True)
            ):
                yield shape, routes


def _shape(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))
