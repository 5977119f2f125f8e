"""The few names, labels, ports and addresses that everything is drawn from, and selectors over them."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]

NAMESPACES = ("alpha", "beta", "gamma")
LIKELY_NAMESPACES = ("alpha", "alpha", "beta", "beta", "gamma")
KEYS = ("app", "tier", "example.com/zone")
VALUES = ("a", "a", "b", "b", "c", "")
PORT_NAMES = ("http", "dns", "metrics")
PORTS = (1, 53, 80, 443, 8079, 8080, 8081, 65535)
PROTOCOLS = ("TCP", "UDP", "SCTP")

# Each of the later ones lies in an earlier one or beside it, so that excepts, holes and neighbours meet.
CIDRS = (
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "10.1.2.3/32",
    "10.128.0.0/9",
    "192.0.2.0/24",
    "192.0.2.128/25",
    "::/0",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "2001:db8:1::1/128",
)

# Set by controllers: some predictable, some known to be there only.
CONTROLLED = (
    ("statefulset.kubernetes.io/pod-name", "w0-0"),
    ("apps.kubernetes.io/pod-index", "1"),
    ("job-name", "w1"),
    ("batch.kubernetes.io/job-completion-index", "0"),
    ("pod-template-hash", "5d4f8c7b9"),
)


def often(common: st.SearchStrategy[Any], rare: st.SearchStrategy[Any], times: int = 4) -> st.SearchStrategy[Any]:
    """`common`, and one time in `times` + 1 `rare`."""
    return st.integers(0, times).flatmap(lambda number: common if number else rare)


def labels(least: int = 0) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), min_size=least, max_size=3)


def pod_selectors() -> st.SearchStrategy[Document]:
    by_controlled = st.sampled_from(CONTROLLED).map(lambda pair: {"matchLabels": {pair[0]: pair[1]}})
    return often(selectors(st.sampled_from(KEYS), st.sampled_from(VALUES)), by_controlled, 9)


def namespace_selectors() -> st.SearchStrategy[Document]:
    by_name = selectors(st.just("kubernetes.io/metadata.name"), st.sampled_from(NAMESPACES))
    return st.one_of(selectors(st.sampled_from(KEYS), st.sampled_from(VALUES)), by_name)


@st.composite
def selectors(draw: st.DrawFn, keys: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> Document:
    """All four operators, keys that are absent, and empty, missing or null parts."""
    selector: Document = {}
    if draw(st.booleans()):
        selector["matchLabels"] = draw(
            often(st.dictionaries(keys, values, min_size=1, max_size=1), st.sampled_from((None, {})), 9)
        )
    if draw(st.integers(0, 2)) == 0:
        selector["matchExpressions"] = draw(often(st.lists(expressions(keys, values), max_size=2), st.none(), 9))
    return selector


@st.composite
def expressions(draw: st.DrawFn, keys: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> Document:
    operator = draw(st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")))
    expression: Document = {"key": draw(keys), "operator": operator}
    if operator in ("In", "NotIn"):
        expression["values"] = draw(st.lists(values, min_size=1, max_size=2))
    elif draw(st.booleans()):
        expression["values"] = draw(st.sampled_from(([], None)))
    return expression


@st.composite
def ip_blocks(draw: st.DrawFn) -> Document:
    cidr = draw(st.sampled_from(CIDRS))
    smaller = [other for other in CIDRS if strictly_inside(other, cidr)]
    block: Document = {"cidr": cidr}
    if draw(st.booleans()):
        block["except"] = draw(st.lists(st.sampled_from(smaller), max_size=2, unique=True)) if smaller else []
    return block


def strictly_inside(small: str, large: str) -> bool:
    inner, outer = ipaddress.ip_network(small), ipaddress.ip_network(large)
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner != outer and inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner != outer and inner.subnet_of(outer)
    return False
