"""Label selectors: canonical, hashable, and matched in three values.

A label that only a controller makes is present with a value nobody can know (`UNKNOWN`), or may be absent altogether
(`MAYBE`). A selector that asks about one of them neither matches nor fails to: it is not decidable.
Source: Kubernetes documentation, "Labels and Selectors", set-based requirements.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

import msgspec

from groundplan.proof.model import shapes

UNKNOWN = "\0unknown"
MAYBE = "\0maybe"
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class Term(msgspec.Struct, gc=False, frozen=True, order=True):
    """One requirement on one key."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator in ("Exists", "DoesNotExist"):
            return self.key if self.operator == "Exists" else f"!{self.key}"
        if self.operator == "In" and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        return f"{self.key} {'in' if self.operator == 'In' else 'notin'} ({', '.join(self.values)})"


Selector = tuple[Term, ...]
EVERYTHING: Selector = ()


def of(shape: shapes.LabelSelector | None, path: str, wrong: list[tuple[str, str]]) -> Selector:
    """The selector of a shape; none given selects everything. What the API server would refuse goes on `wrong`."""
    if shape is None:
        return EVERYTHING
    terms: list[Term] = []
    for key, value in (shape.match_labels or {}).items():
        term, complaints = _term_of(key, "In", (value,))
        terms.append(term)
        if complaints:
            wrong.extend((f"{path}.matchLabels", why) for why in complaints)
    for number, each in enumerate(shape.match_expressions or ()):
        term, complaints = _term_of(each.key, each.operator, tuple(sorted(set(each.values or ()))))
        terms.append(term)
        if complaints:
            wrong.extend((f"{path}.matchExpressions[{number}]", why) for why in complaints)
    if len(terms) > 1:
        terms = sorted(set(terms))
    return tuple(terms)


def of_labels(labels: Mapping[str, str]) -> Selector:
    """A plain map, as Services have it."""
    return tuple(sorted(Term(key, "In", (value,)) for key, value in labels.items()))


@functools.lru_cache(maxsize=1 << 16)
def _term_of(key: str, operator: str, values: tuple[str, ...]) -> tuple[Term, tuple[str, ...]]:
    """The term, and why the API server would refuse it; selectors say the same few again and again."""
    term = Term(key, operator, values)
    return term, tuple(_complaints(term))


def _complaints(term: Term) -> Iterator[str]:
    if why := bad_key(term.key):
        yield why
    if term.operator not in OPERATORS:
        yield f"operator {term.operator!r} is none of {', '.join(OPERATORS)}"
    elif (term.operator in ("In", "NotIn")) != bool(term.values):
        need = "needs values" if not term.values else "takes no values"
        yield f"operator {term.operator} {need}"
    yield from (why for value in term.values if (why := bad_value(value)))


def bad_key(key: str) -> str:
    """Why a label key is refused; empty when it is not."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (_PREFIX.fullmatch(prefix) and len(prefix) <= 253):
        return f"label key {key!r} has a prefix that is no DNS name"
    return "" if _NAME.fullmatch(name) else f"label key {key!r} is no name of at most 63 letters, digits, -, _ or ."


def bad_value(value: str) -> str:
    """Why a label value is refused; empty when it is not."""
    if not value or _NAME.fullmatch(value):
        return ""
    return f"label value {value!r} is not at most 63 letters, digits, -, _ or ., with a letter or digit at both ends"


def matches(selector: Selector, labels: Mapping[str, str]) -> bool | None:
    """Does it select these labels? None where only a controller knows."""
    verdict: bool | None = True
    for term in selector:
        found = _term(term, labels.get(term.key))
        if found is False:
            return False
        if found is None:
            verdict = None
    return verdict


def _term(term: Term, value: str | None) -> bool | None:
    positive = term.operator in ("In", "Exists")
    if value is None:
        return not positive
    if value is MAYBE or value == MAYBE:
        return None
    if term.operator in ("Exists", "DoesNotExist"):
        return positive
    if value == UNKNOWN:
        return None
    return (value in term.values) == positive


def text(selector: Selector) -> str:
    """In words; `everything` for the empty one."""
    return ", ".join(str(term) for term in selector) or "everything"
