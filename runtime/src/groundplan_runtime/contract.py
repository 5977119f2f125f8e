"""The names that a platform and its services both keep: variables, files, ports, paths, headers.

This is the only module of the runtime that the tool imports, and it depends on nothing. A service
sees the same variable names and the same file layout on a laptop and in a cluster; only the values
differ (a loopback port here, a DNS name there). What each side may rely on:

=====================  ==================================================  =============================
variable               value in a cluster                                  value on a laptop
=====================  ==================================================  =============================
SERVICE_NAME           the author's name, ``auth-service``                  the same
SERVICE_NAMESPACE      the author's namespace, ``services``                 the same
SERVICE_VERSION        the platform's version                               the same
SERVICE_INSTANCE       the pod's name                                       ``auth-service-0``
HTTP_LISTEN            ``0.0.0.0:8001``                                     ``127.0.0.1:41234``
PORT                   ``8001``                                             ``41234``
GRPC_LISTEN            ``0.0.0.0:50051``                                    ``127.0.0.1:41235``
GRPC_PROBE_LISTEN      the same as GRPC_LISTEN                              a port of this replica's own
METRICS_LISTEN         ``0.0.0.0:9464``                                     a port of this replica's own
<CALLEE>_URL           ``http://auth-service.services:8001``                ``http://127.0.0.1:41234``
<CALLEE>_GRPC_ADDRESS  ``auth-service.services:50051``                      ``127.0.0.1:41235``
<CALLEE>_TOKEN         ``file:///secrets/tokens/auth-service``              ``file:///…/tokens/auth-service``
CALLERS                ``file:///config/callers.json``                      ``file:///…/config/callers.json``
DATABASE_DSN, …        ``file:///secrets/database-dsn``                     ``file:///…/secrets/database-dsn``
<SECRET>               ``file:///secrets/jwt-signing-key``                  ``file:///…/jwt-signing-key``
=====================  ==================================================  =============================

A value that is or contains a secret is always a ``file://`` reference, never the value itself.
"""

from __future__ import annotations

import re
from typing import Literal

# Every process knows itself by these.
SERVICE_NAME = "SERVICE_NAME"
SERVICE_NAMESPACE = "SERVICE_NAMESPACE"
SERVICE_VERSION = "SERVICE_VERSION"
SERVICE_INSTANCE = "SERVICE_INSTANCE"

LOG_LEVEL = "LOG_LEVEL"
"""Optional: DEBUG, INFO (default), WARNING or ERROR."""

DRAIN_SECONDS = "DRAIN_SECONDS"
"""How long a service may take to finish its requests after SIGTERM, in seconds."""

PORT = "PORT"
"""The number of the HTTP port, for programs that read it by its customary name."""

DRAIN_DELAY_SECONDS = "DRAIN_DELAY_SECONDS"
"""Optional: how long answers are still given after SIGTERM, so that whoever routes to us can notice; 0.2 s."""

OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""Optional: where spans go as OTLP over HTTP (OpenTelemetry's own variable); without it ids still travel."""

CALLERS = "CALLERS"
"""Reference to the JSON file that lists who may call this service, and what (see `identity`)."""

# A migration Job gets its owner's DSN as DATABASE_DSN, and this.
DATABASE_DSN = "DATABASE_DSN"
DATABASE_GRANTS = "DATABASE_GRANTS"
"""Reference to the JSON file with the grants to apply after migrating (see `migrate`)."""

DEFAULT_METRICS_PORT = 9464
"""Where a service answers /livez, /readyz, /health and /metrics (OpenTelemetry's Prometheus port)."""

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds up to which the histograms of requests count."""

Exported = tuple[str, Literal["counter", "gauge", "histogram"], tuple[str, ...], str]
"""A metric: name, kind, labels, unit."""

EXPORTED: dict[str, tuple[Exported, ...]] = {
    "process": (
        ("process_cpu_seconds_total", "counter", (), "seconds"),
        ("process_max_fds", "gauge", (), ""),
        ("process_open_fds", "gauge", (), ""),
        ("process_resident_memory_bytes", "gauge", (), "bytes"),
        ("process_start_time_seconds", "gauge", (), "seconds"),
        ("process_virtual_memory_bytes", "gauge", (), "bytes"),
        ("python_gc_collections_total", "counter", ("generation",), ""),
        ("python_gc_objects_collected_total", "counter", ("generation",), ""),
        ("python_gc_objects_uncollectable_total", "counter", ("generation",), ""),
        ("python_info", "gauge", ("implementation", "major", "minor", "patchlevel", "version"), ""),
        ("service_info", "gauge", ("service", "version"), ""),
    ),
    "calls": (("circuit_breaker_state", "gauge", ("callee", "state"), ""),),
    "http": (
        ("http_requests_total", "counter", ("method", "route", "status"), ""),
        ("http_request_duration_seconds", "histogram", ("method", "route"), "seconds"),
    ),
    "grpc": (
        ("grpc_server_handled_total", "counter", ("grpc_service", "grpc_method", "grpc_code"), ""),
        ("grpc_server_handling_seconds", "histogram", ("grpc_service", "grpc_method"), "seconds"),
    ),
}
"""What every service of the runtime answers on METRICS: its process, whom it calls, and what it serves."""

LIVEZ, READYZ, HEALTH, METRICS = "/livez", "/readyz", "/health", "/metrics"

WORKLOAD_TOKEN_HEADER = "x-workload-token"  # noqa: S105  (a header's name)
"""HTTP header and gRPC metadata key that carries the caller's workload token."""

REQUEST_ID_HEADER = "x-request-id"

SECRETS_DIRECTORY = "/secrets"
CONFIG_DIRECTORY = "/config"
TOKENS_DIRECTORY = "tokens"


def variable_name(name: str) -> str:
    """`name` as an environment variable: ``auth-service`` → ``AUTH_SERVICE``."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def listen_variable(port: str) -> str:
    """The variable with the address to listen on for the port called `port`: ``HTTP_LISTEN``."""
    return f"{variable_name(port)}_LISTEN"


def probe_listen_variable(port: str) -> str:
    """The variable with the address where this replica alone answers gRPC health checks."""
    return f"{variable_name(port)}_PROBE_LISTEN"


def url_variable(callee: str, port: str = "http") -> str:
    """The variable with the base URL of an HTTP endpoint: ``AUTH_SERVICE_URL``."""
    middle = "" if port == "http" else f"_{variable_name(port)}"
    return f"{variable_name(callee)}{middle}_URL"


def address_variable(callee: str, port: str = "grpc") -> str:
    """The variable with the ``host:port`` of a gRPC or TCP endpoint: ``AUTH_SERVICE_GRPC_ADDRESS``."""
    return f"{variable_name(callee)}_{variable_name(port)}_ADDRESS"


def token_variable(callee: str) -> str:
    """The variable that refers to the token with which this workload calls `callee`."""
    return f"{variable_name(callee)}_TOKEN"


def secret_variable(path: str) -> str:
    """The variable that refers to the secret at `path`: ``app/jwt-signing-key`` → ``JWT_SIGNING_KEY``."""
    return variable_name(path.rsplit("/", 1)[-1])


def file_name(variable: str) -> str:
    """The file that holds the value of `variable`: ``DATABASE_DSN`` → ``database-dsn``."""
    return variable.lower().replace("_", "-")


def file_reference(path: str) -> str:
    """`path` (absolute) as the value of a variable: ``/secrets/database-dsn`` → ``file:///secrets/database-dsn``."""
    return f"file://{path}"


def workload(namespace: str, name: str) -> str:
    """The identity of a workload, as Kubernetes spells its ServiceAccount in a token's ``sub`` claim."""
    return f"system:serviceaccount:{namespace}:{name}"
