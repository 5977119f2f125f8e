"""The request being served: its id and who called. Set by the servers, read by logs, clients and handlers."""

from __future__ import annotations

import random
import re
from contextvars import ContextVar

ANONYMOUS = "anonymous"

request_id: ContextVar[str] = ContextVar("groundplan_request_id", default="")
"""The id of the request being served; empty outside one."""

caller: ContextVar[str] = ContextVar("groundplan_caller", default="")
"""The workload that called (``system:serviceaccount:gateway:api-gateway``), `ANONYMOUS`, or empty outside a request."""

_VALID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# Letters only: digits in an id would now and then pass for a card number and be starred out.
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijkmnpqr")


def new_request_id() -> str:
    return "req_" + f"{random.getrandbits(96):024x}".translate(_LETTERS)


def accepted_request_id(given: str | None) -> str:
    """`given` if it is fit for headers and logs, else a new one."""
    return given if given and _VALID.fullmatch(given) else new_request_id()
