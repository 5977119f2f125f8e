"""Labels and label selectors.

Source: kubernetes.io/docs/concepts/overview/working-with-objects/labels (syntax and character set; "NotIn"
and "DoesNotExist" also match objects without the key; all requirements are ANDed) and the LabelSelector
validation of k8s.io/apimachinery/pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.proof.naive import truth
from tests.proof.naive.refusals import Invalid

Labels = Mapping[str, "str | truth.Unknown"]
"""A value that only a controller knows is `Unknown`; the key itself is certain."""

NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def checked(labels: Any, where: str) -> dict[str, str]:
    """`labels` as a dictionary, or `Invalid`: keys and values must be strings of the label syntax."""
    if labels is None:
        return {}
    if not isinstance(labels, dict):
        raise Invalid(f"{where}: labels must be a mapping")
    for key, value in labels.items():
        check_key(key, where)
        check_value(value, where)
    return dict(labels)


def check_key(key: Any, where: str) -> None:
    if not isinstance(key, str):
        raise Invalid(f"{where}: the label key {key!r} is not a string")
    prefix, slash, name = key.rpartition("/")
    if slash and not (len(prefix) <= 253 and SUBDOMAIN.fullmatch(prefix)):
        raise Invalid(f"{where}: {key!r} has no valid prefix")
    if len(name) > 63 or not NAME.fullmatch(name):
        raise Invalid(f"{where}: {key!r} is no label key")


def check_value(value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise Invalid(f"{where}: the label value {value!r} is not a string")
    if value and (len(value) > 63 or not NAME.fullmatch(value)):
        raise Invalid(f"{where}: {value!r} is no label value")


def check_selector(selector: Any, where: str) -> None:
    """`Invalid` unless `selector` is what an API server takes for a LabelSelector."""
    fields(selector, {"matchLabels", "matchExpressions"}, where)
    checked(selector.get("matchLabels"), where)
    for expression in selector.get("matchExpressions") or []:
        check_expression(expression, where)


def check_expression(expression: Any, where: str) -> None:
    fields(expression, {"key", "operator", "values"}, where)
    check_key(expression.get("key"), where)
    operator, values = expression.get("operator"), expression.get("values") or []
    if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        raise Invalid(f"{where}: {operator!r} is no operator (In, NotIn, Exists, DoesNotExist)")
    if operator in ("In", "NotIn") and not values:
        raise Invalid(f"{where}: {operator} needs values")
    if operator in ("Exists", "DoesNotExist") and values:
        raise Invalid(f"{where}: {operator} takes no values")
    for value in values:
        check_value(value, where)


def fields(thing: Any, known: set[str], where: str) -> None:
    """`Invalid` unless `thing` is a mapping of known fields (kubectl validates strictly by default)."""
    if not isinstance(thing, dict):
        raise Invalid(f"{where}: must be a mapping, not {thing!r}")
    unknown = sorted(str(key) for key in thing if key not in known)
    if unknown:
        raise Invalid(f"{where}: unknown field {unknown[0]!r}")


def matches(selector: Mapping[str, Any], labels: Labels) -> truth.Truth:
    """Whether every matchLabels entry and every expression holds; an empty selector matches everything."""
    wanted = (selector.get("matchLabels") or {}).items()
    equal = [holds("In", labels.get(key), [value]) for key, value in wanted]
    expressions = selector.get("matchExpressions") or []
    more = [holds(e["operator"], labels.get(e["key"]), e.get("values") or []) for e in expressions]
    return truth.both(equal + more)


def holds(operator: str, value: str | truth.Unknown | None, values: list[str]) -> truth.Truth:
    """One requirement; `value` is None where the key is absent."""
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if isinstance(value, truth.Unknown):
        return value
    inside = value is not None and value in values
    return inside if operator == "In" else not inside
