"""The states, the edges between them, and what each edge tells the world: one table, read by code and tests alike.

Every change of an object goes along one of these edges. An edge declares its tuple of event types, possibly empty
as Stripe does it; the change that goes along it writes exactly these, in the same transaction (`store.commit`).
Event types: https://docs.stripe.com/api/events/types. The state before the first is "" (there was nothing).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Edge(NamedTuple):
    kind: str
    name: str
    before: str
    after: str
    events: tuple[str, ...] = ()


_PI = "payment_intent"
_UNPAID = ("requires_payment_method", "requires_confirmation")
_OPEN = (*_UNPAID, "requires_action", "requires_capture")


def _each(kind: str, name: str, befores: Iterable[str], after: str, *events: str) -> tuple[Edge, ...]:
    return tuple(Edge(kind, name, before, after, events) for before in befores)


def _stays(kind: str, name: str, states: Iterable[str], *events: str) -> tuple[Edge, ...]:
    return tuple(Edge(kind, name, state, state, events) for state in states)


INTENT = (
    Edge(_PI, "create", "", "requires_payment_method", ("payment_intent.created",)),
    Edge(_PI, "create_ready", "", "requires_confirmation", ("payment_intent.created",)),
    *_each(_PI, "attach", (*_UNPAID, "requires_action"), "requires_confirmation"),
    *_stays(_PI, "update", (*_OPEN, "processing", "succeeded", "canceled")),
    *_each(_PI, "submit", (*_UNPAID, "requires_action"), "processing"),
    Edge(_PI, "unanswered", "processing", "processing", ("payment_intent.processing",)),
    Edge(_PI, "challenge", "processing", "requires_action", ("payment_intent.requires_action",)),
    Edge(_PI, "hold", "processing", "requires_capture", ("payment_intent.amount_capturable_updated",)),
    Edge(_PI, "pay", "processing", "succeeded", ("payment_intent.succeeded",)),
    *_each(
        _PI, "decline", ("processing", "requires_action"), "requires_payment_method", "payment_intent.payment_failed"
    ),
    Edge(_PI, "capture", "requires_capture", "succeeded", ("payment_intent.succeeded",)),
    *_stays(_PI, "capture_part", ("requires_capture",), "payment_intent.amount_capturable_updated"),
    *_stays(_PI, "promise", ("requires_capture", "requires_action")),
    *_stays(_PI, "give_up", ("requires_capture", "requires_action")),
    *_each(_PI, "cancel", _OPEN, "canceled", "payment_intent.canceled"),
)

CHARGE = (
    Edge("charge", "authorize", "", "authorized", ("charge.succeeded",)),
    Edge("charge", "pay", "", "captured", ("charge.succeeded",)),
    Edge("charge", "fail", "", "failed", ("charge.failed",)),
    Edge("charge", "capture", "authorized", "captured", ("charge.captured",)),
    *_stays("charge", "capture_part", ("authorized",), "charge.updated"),
    Edge("charge", "release", "authorized", "released", ("charge.refunded",)),
    *_stays("charge", "update", ("authorized", "captured", "failed", "refunded", "released"), "charge.updated"),
    # A refund reserves its amount before the acquirer is asked, so that two can never return more than was taken.
    *_stays("charge", "reserve", ("captured",)),
    *_stays("charge", "refund_part", ("captured",), "charge.refunded"),
    Edge("charge", "refund", "captured", "refunded", ("charge.refunded",)),
    *_stays("charge", "refund_failed", ("captured",)),
)

REFUND = (
    Edge("refund", "create", "", "pending", ("refund.created",)),
    Edge("refund", "succeed", "pending", "succeeded", ("refund.updated",)),
    Edge("refund", "fail", "pending", "failed", ("refund.failed",)),
    *_stays("refund", "update", ("pending", "succeeded", "failed"), "refund.updated"),
)

_SI = "setup_intent"
SETUP = (
    Edge(_SI, "create", "", "requires_payment_method", ("setup_intent.created",)),
    Edge(_SI, "create_ready", "", "requires_confirmation", ("setup_intent.created",)),
    *_each(_SI, "attach", (*_UNPAID, "requires_action"), "requires_confirmation"),
    *_stays(_SI, "update", (*_UNPAID, "requires_action", "processing", "succeeded", "canceled")),
    *_each(_SI, "submit", (*_UNPAID, "requires_action"), "processing"),
    *_stays(_SI, "unanswered", ("processing",)),
    Edge(_SI, "challenge", "processing", "requires_action", ("setup_intent.requires_action",)),
    Edge(_SI, "succeed", "processing", "succeeded", ("setup_intent.succeeded",)),
    *_each(_SI, "decline", ("processing", "requires_action"), "requires_payment_method", "setup_intent.setup_failed"),
    *_each(_SI, "cancel", (*_UNPAID, "requires_action"), "canceled", "setup_intent.canceled"),
)

SESSION = (
    Edge("checkout_session", "create", "", "open"),
    *_stays("checkout_session", "update", ("open",)),
    Edge("checkout_session", "complete", "open", "complete", ("checkout.session.completed",)),
    Edge("checkout_session", "expire", "open", "expired", ("checkout.session.expired",)),
)

THINGS = (
    Edge("customer", "create", "", "active", ("customer.created",)),
    *_stays("customer", "update", ("active",), "customer.updated"),
    Edge("customer", "delete", "active", "deleted", ("customer.deleted",)),
    Edge("payment_method", "create", "", "loose"),
    Edge("payment_method", "create_attached", "", "attached", ("payment_method.attached",)),
    *_stays("payment_method", "update", ("loose", "attached"), "payment_method.updated"),
    Edge("payment_method", "attach", "loose", "attached", ("payment_method.attached",)),
    Edge("payment_method", "detach", "attached", "detached", ("payment_method.detached",)),
    Edge("token", "create", "", "unused"),
    Edge("token", "use", "unused", "used"),
    Edge("webhook_endpoint", "create", "", "enabled"),
    *_stays("webhook_endpoint", "update", ("enabled", "disabled")),
    Edge("webhook_endpoint", "disable", "enabled", "disabled"),
    Edge("webhook_endpoint", "enable", "disabled", "enabled"),
    *_each("webhook_endpoint", "delete", ("enabled", "disabled"), "deleted"),
    Edge("balance_transaction", "create", "", "recorded"),
)

EDGES = (*INTENT, *CHARGE, *REFUND, *SETUP, *SESSION, *THINGS)
EVENT_TYPES = tuple(sorted({event for edge in EDGES for event in edge.events}))

_BY_NAME = {(edge.kind, edge.name, edge.before): edge for edge in EDGES}


def allows(before: str, after: str, kind: str = _PI) -> bool:
    """Whether any edge of `kind` leads from `before` to `after`."""
    return any((one.kind, one.before, one.after) == (kind, before, after) for one in EDGES)


class NoEdge(Exception):
    """A change that the graph does not know: a mistake in our code, never a request's."""


def edge(kind: str, name: str, before: str) -> Edge:
    """The edge of `kind` called `name` that leaves `before`."""
    found = _BY_NAME.get((kind, name, before))
    if found is None:
        raise NoEdge(f"{kind} has no edge {name!r} from {before!r}")
    return found
