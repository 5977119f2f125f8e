"""What is said over the control socket: one JSON value a line; a request, then events, then one result."""

from __future__ import annotations

import msgspec

from groundplan.local import errors
from groundplan.local.plan import units
from groundplan.local.state import events


class Up(msgspec.Struct, frozen=True, kw_only=True, tag="up"):
    """Take over this plan, and tell until it has settled."""

    plan: units.LocalPlan
    partial: bool = False
    """Its units are put in; others go on."""


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag="settle"):
    """Tell until everything is ready or something failed."""


class Restart(msgspec.Struct, frozen=True, kw_only=True, tag="restart"):
    """Do these units over, and tell until they have settled."""

    names: tuple[str, ...]


class Down(msgspec.Struct, frozen=True, kw_only=True, tag="down"):
    """Stop everything and end."""

    wipe: bool = False


class Watch(msgspec.Struct, frozen=True, kw_only=True, tag="watch"):
    """Tell everything, for ever; with `once`, only how it is now."""

    once: bool = False


Request = Up | Settle | Restart | Down | Watch


class Result(msgspec.Struct, frozen=True, kw_only=True, tag="result"):
    """The end of an answer."""

    ok: bool
    did: tuple[str, ...] = ()
    """What was done, in words."""
    failed: tuple[str, ...] = ()
    """Units that did not come up."""
    error: errors.Message | None = None


Line = events.Event | Result

LONGEST = 64 * 1024 * 1024
"""Bytes of one line: a plan with all its files."""


def encode(value: Request | Line) -> bytes:
    return msgspec.json.encode(value) + b"\n"


request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
line_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
