"""The OpenAPI 3.1 document of everything behind the gateway, made from its route table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from payments.gateway import routes

_TAGS = {"auth": "accounts", "merchant": "merchants", "payment": "payments", "gateway": "platform"}
_SECURITY: dict[routes.Access, list[dict[str, list[str]]]] = {
    "none": [],
    "jwt": [{"access_token": []}],
    "api_key": [{"api_key_bearer": []}, {"api_key_basic": []}],
}


def document(declared: Iterable[routes.Route], version: str) -> dict[str, Any]:
    """The document; operations are described briefly, bodies by their media type."""
    paths: dict[str, dict[str, Any]] = {}
    for route in declared:
        paths.setdefault(_path(route), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Payments",
            "version": version,
            "description": "A payment platform. Everything under /v1 speaks Stripe's wire format.",
        },
        "paths": paths,
        "components": {"securitySchemes": _SCHEMES, "schemas": _SCHEMAS},
    }


def _path(route: routes.Route) -> str:
    return route.path.replace("...}", "}")


def _operation(route: routes.Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [_TAGS[route.backend]],
        "security": _SECURITY[route.access],
        "responses": {"default": _error(route), "2XX": {"description": "Done."}},
    }
    parameters = [_parameter(name) for name in re.findall(r"{(\w+)(?:\.\.\.)?}", route.path)]
    if route.method == "POST" and route.access == "api_key":
        parameters.append(_IDEMPOTENCY_KEY)
    if parameters:
        found["parameters"] = parameters
    if route.method in ("POST", "PUT", "PATCH"):
        kind = "application/json" if route.backend in ("auth", "merchant") else "application/x-www-form-urlencoded"
        found["requestBody"] = {"content": {kind: {"schema": {"type": "object"}}}}
    return found


def _name(route: routes.Route) -> str:
    """Unique, for client generators: ``post_v1_payment_intents_id_confirm``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", f"{route.method.lower()}{route.path}").strip("_")


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _error(route: routes.Route) -> dict[str, Any]:
    stripe = route.access == "api_key"
    kind, name = ("application/json", "Error") if stripe else ("application/problem+json", "Problem")
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": "What went wrong.", "content": {kind: {"schema": schema}}}


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
}

_SCHEMES = {
    "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "api_key_bearer": {"type": "http", "scheme": "bearer", "description": "A secret, restricted or publishable key."},
    "api_key_basic": {"type": "http", "scheme": "basic", "description": "The key as user name, no password."},
}

_TEXT = {"type": "string"}
_SCHEMAS = {
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["type", "message"],
                "properties": {
                    "type": {"enum": ["api_error", "card_error", "idempotency_error", "invalid_request_error"]},
                    "message": _TEXT,
                    "code": _TEXT,
                    "param": _TEXT,
                    "decline_code": _TEXT,
                },
            }
        },
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status"],
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": _TEXT,
            "request_id": _TEXT,
            "errors": {"type": "array", "items": {"type": "object"}},
        },
    },
}
