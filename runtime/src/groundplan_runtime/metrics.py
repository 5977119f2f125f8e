"""Metrics in Prometheus' words, with few labels: the route's template, never the path.

Bound children are kept, because finding one by its labels costs more than counting.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from groundplan_runtime import contract


class Http:
    """What an HTTP server counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "http_requests_total", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "From the request's head to the end of its answer.",
            ("method", "route"),
            buckets=contract.BUCKETS,
            registry=registry,
        )
        self._bound: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        bound = self._bound.get(key)
        if bound is None:
            counter = self._requests.labels(method, route, str(status))
            bound = self._bound[key] = (counter.inc, self._seconds.labels(method, route).observe)
        bound[0]()
        bound[1](seconds)


class Grpc:
    """What a gRPC server counts, named as go-grpc-prometheus does."""

    def __init__(self, registry: CollectorRegistry) -> None:
        names = ("grpc_service", "grpc_method")
        self._handled = Counter(
            "grpc_server_handled_total", "Calls answered.", (*names, "grpc_code"), registry=registry
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "From the call's start to its end.",
            names,
            buckets=contract.BUCKETS,
            registry=registry,
        )
        self._bound: dict[tuple[str, str], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def handled(self, path: str, code: str, seconds: float) -> None:
        """`path` as on the wire: ``/payments.auth.v1.Auth/ValidateToken``."""
        key = (path, code)
        bound = self._bound.get(key)
        if bound is None:
            service, method = path.lstrip("/").split("/", 1)
            counter = self._handled.labels(service, method, code)
            bound = self._bound[key] = (counter.inc, self._seconds.labels(service, method).observe)
        bound[0]()
        bound[1](seconds)


class Gauges(Collector):
    """Gauges that are read when scraped: ``Gauges("db_pool_connections", "…", ("state",), lambda: {("idle",): 3})``."""

    def __init__(
        self, name: str, help_text: str, labels: tuple[str, ...], read: Callable[[], dict[tuple[str, ...], float]]
    ) -> None:
        self._family = (name, help_text, labels)
        self._read = read

    def collect(self) -> list[Metric]:
        name, help_text, labels = self._family
        family = GaugeMetricFamily(name, help_text, labels=labels)
        for values, number in self._read().items():
            family.add_metric(values, number)
        return [family]


def process(registry: CollectorRegistry, *, name: str, version: str) -> None:
    """What every process tells of itself: memory, CPU, garbage collection, which build it is."""
    from prometheus_client import GCCollector, PlatformCollector, ProcessCollector, disable_created_metrics

    disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, which Prometheus itself does not read

    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Gauge("service_info", "Which build runs.", ("service", "version"), registry=registry).labels(name, version).set(1)
