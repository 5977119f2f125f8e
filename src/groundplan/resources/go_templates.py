"""Plain text and names in Go's templates, which every store of secrets fills in (https://pkg.go.dev/text/template)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from groundplan.model import findings
from groundplan.model import origin as origins
from groundplan.shapes import workloads

# A brace that stands before another, or before whatever comes next, could begin an action with it.
_BRACE = re.compile(r"\{(?=\{|\Z)")
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")


def quoted(text: str) -> str:
    """A template that says `text`."""
    return _BRACE.sub('{{ "{" }}', text)


def field(path: str) -> str:
    """The name by which a template calls the secret at `path`: ``app/smtp-account`` → ``app_smtp_account``."""
    name = _NO_NAME.sub("_", path)
    return f"_{name}" if name[:1].isdigit() else name


def twins(holder: workloads.Holder, where: origins.Origin) -> Iterator[findings.Finding]:
    """Secrets of one workload that a template could not tell apart, or not name at all."""
    seen: dict[str, str] = {}
    for path in holder.paths:
        name = field(path)
        if name in seen:
            what = f"the secrets {seen[name]} and {path} of {holder.name} have one name in a Secret"
            why = f"both are {name} there, where only letters, digits and _ may stand"
            yield findings.Finding("GP321", what, where, why, "give one of them another path")
        seen.setdefault(name, path)
