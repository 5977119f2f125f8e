"""api-gateway, put together."""

from __future__ import annotations

import msgspec
from prometheus_client import Counter

from groundplan_runtime import callee, clients, redis, service, settings
from payments.gateway import credentials, gateway, health, jwks, limits, matching, openapi, routes
from payments.rpc import auth_pb2_grpc

_BACKENDS = {"auth": "auth-service", "merchant": "merchant-service", "payment": "payment-api-service"}
_JWKS = "/.well-known/jwks.json"


class Settings(msgspec.Struct, frozen=True):
    """What the gateway reads from its environment; rates are requests a second."""

    rate_limit_url: settings.Secret
    payment_service_url: str
    rate_limit_api_live: float = 200.0
    """For each account's live keys."""
    rate_limit_api_test: float = 2000.0
    """For each account's test keys."""
    rate_limit_management: float = 100.0
    """For each user who is signed in."""
    rate_limit_public: float = 200.0
    """For each address, where nobody is known."""
    rate_limit_sign_in: float = 50.0
    """For each address, where passwords and tokens are tried."""
    rate_limit_refused: float = 20.0
    """For each address whose keys or tokens are refused."""
    max_in_flight: int = 512
    """Requests at once; more are shed with 503."""
    trusted_proxy_hops: int = 0
    """How many proxies in front of us may say in X-Forwarded-For where a request came from; 0: none."""


async def build(context: service.Context) -> service.App:
    given = context.load(Settings)
    store = await context.enter(redis.store(given.rate_limit_url, timeout=0.25, connect_timeout=0.25))
    channel = await context.enter(
        clients.grpc_channel("auth-service", idempotent=("ValidateToken", "ValidateApiKey"), timeout=5.0)
    )
    backends = {name: await context.enter(_backend(name, given)) for name in _BACKENDS}
    asked = health.Health(
        "api-gateway",
        context.about.service_version,
        {name: (backend, f"{_BACKENDS[name]}.http") for name, backend in backends.items()},
    )

    async def public_keys() -> bytes:
        return (await backends["auth"].get(_JWKS)).content

    without_redis = Counter(
        "gateway_rate_limit_fallback_total", "Tokens taken without Redis.", registry=context.metrics
    )
    app = gateway.Gateway(
        matching.Table(routes.ROUTES),
        backends,
        credentials.Credentials(auth_pb2_grpc.AuthStub(channel), jwks.Keys(public_keys)),
        limits.Limits(store, without_redis),
        policy(given),
        gateway.Local(
            asked.document, msgspec.json.encode(openapi.document(routes.ROUTES, context.about.service_version))
        ),
    )
    # Open: everybody may ask the gateway; who may do what is its own business. Ready without Redis: see `limits`.
    return service.App(routes=app, health=asked.document, open=True)


def policy(given: Settings) -> gateway.Policy:
    rates = {
        name.removeprefix("rate_limit_"): getattr(given, name) for name in given.__struct_fields__ if _is_rate(name)
    }
    made = {name: limits.Limit(name, rate, max(1, round(rate))) for name, rate in rates.items()}
    return gateway.Policy(made, given.max_in_flight, given.trusted_proxy_hops)


def _is_rate(name: str) -> bool:
    return name.startswith("rate_limit_") and name != "rate_limit_url"


def _backend(name: str, given: Settings) -> clients.Http:
    service_name = _BACKENDS[name]
    if name == "payment":
        return clients.Http(callee.Callee(service_name, "http"), given.payment_service_url, timeout=gateway.TIMEOUT)
    return clients.Http.for_callee(service_name, timeout=gateway.TIMEOUT)
