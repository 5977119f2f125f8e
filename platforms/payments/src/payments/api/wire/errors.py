"""What goes wrong, in Stripe's shape (https://docs.stripe.com/api/errors): a status, a type, a code, the parameter."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

DOCS = "https://docs.stripe.com/error-codes"


class Error(Exception):
    """An answer other than success. `more` holds further members: charge, payment_intent, payment_method."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.more = more or {}

    def body(self) -> dict[str, Any]:
        """The member ``error`` of the answer; absent members are left out, as Stripe does."""
        said: dict[str, Any] = {"code": self.code, "decline_code": self.decline_code}
        if self.code:
            said["doc_url"] = f"{DOCS}/{self.code.replace('_', '-')}"
        said |= {"message": self.message, "param": self.param, "type": self.kind, **self.more}
        return {name: value for name, value in said.items() if value is not None}

    def encoded(self) -> bytes:
        return msgspec.json.encode({"error": self.body()})


def invalid(message: str, *, param: str | None = None, code: str | None = None, **more: Any) -> Error:
    """400: the request does not fit."""
    return Error(400, "invalid_request_error", message, code=code, param=param, more=more)


def missing(what: str, given: str, param: str = "id") -> Error:
    """404: there is no such object of the caller's, whoever else may have one."""
    said = f"No such {what}: '{given}'"
    return Error(404, "invalid_request_error", said, code="resource_missing", param=param)


def unauthenticated(message: str) -> Error:
    return Error(401, "invalid_request_error", message)


def forbidden(message: str) -> Error:
    return Error(403, "invalid_request_error", message, code="insufficient_permissions")


class Busy(Exception):
    """Somebody else works on the same object this moment: wait a little, then look again."""


def locked() -> Error:
    """429: the wait was too long (Stripe's lock_timeout)."""
    said = (
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it. If you see this error intermittently, retry the request."
    )
    return Error(429, "invalid_request_error", said, code="lock_timeout")


def internal() -> Error:
    return Error(500, "api_error", "An unknown error occurred.")


def unavailable() -> Error:
    """503: a service that we need does not answer, and nothing was begun."""
    return Error(503, "api_error", "The service is temporarily unavailable. Please retry with exponential backoff.")


def refuse(message: str, *, param: str | None = None, code: str | None = None, **more: Any) -> NoReturn:
    """Raises `invalid`."""
    raise invalid(message, param=param, code=code, **more)
