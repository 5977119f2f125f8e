"""What the checks share: what they give, and where what holds was said."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import environment, findings
from groundplan.model import origin as origins

Found = Iterator[findings.Finding]


def line(thing: environment.Settable, name: str, env: environment.Environment) -> origins.Origin:
    """Where what holds for `thing` in `env` was said."""
    found = env.own(thing, name)
    if found:
        return found.origin
    return env.origin if name in env.defaults else getattr(thing, "origin", env.origin)
