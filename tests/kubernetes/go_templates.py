"""Go's templates (https://pkg.go.dev/text/template), as far as they are emitted; whatever else there is, is an error.

An action is what stands between the first ``{{`` and the next ``}}``; a string constant may hold neither here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_WITH = re.compile(r' with secret "secret/data/([^"]+)" ')


def filled(template: str, secret: Callable[[str], str], fields: dict[str, str] | None = None) -> str:
    """`template` with `secret` of a path by Vault's function, and `fields` of the dot."""
    out: list[str] = []
    inside: str | None = None
    while template:
        plain, opened, rest = template.partition("{{")
        out.append(plain)
        if not opened:
            break
        action, closed, template = rest.partition("}}")
        assert closed, f"unclosed action: {rest[:40]!r}"
        begun = _WITH.fullmatch(action)
        if begun:
            assert inside is None
            inside = begun[1]
        elif action == " end ":
            inside = None
        elif action == " .Data.data.value " and inside is not None:
            out.append(secret(inside))
        elif action == ' "{" ':
            out.append("{")
        else:
            assert fields is not None and re.fullmatch(r" \.[A-Za-z_][A-Za-z0-9_]* ", action), f"action {action!r}"
            out.append(fields[action.strip(" .")])
    return "".join(out)
