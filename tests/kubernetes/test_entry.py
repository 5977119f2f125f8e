"""The entry: an Ingress and an HTTPRoute say the same, and nothing that a controller would refuse."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundplan import Platform, Service, image
from groundplan.kubernetes import entry, lower
from groundplan.model import entries
from groundplan.resources import IngressNginx, Vault
from groundplan.shapes import quantities
from tests.kubernetes import schemas

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")  # https://gateway-api.sigs.k8s.io/geps/gep-2257/
UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
NAME = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,8}", fullmatch=True)
PATHS = st.builds(
    lambda parts, end: "/" + "/".join(parts) + end, st.lists(NAME, max_size=4), st.sampled_from(("", "/"))
)


def made(routes, **said):
    """Ingresses and HTTPRoutes of a platform with these routes."""
    plan = Platform("shop")
    space, other = plan.namespace("space"), plan.namespace("other")
    vault = space.add(Vault("vault"))
    there = image("registry.example.com/app:1")
    services = [place.add(Service(f"app-{place.name}", there, http=8000)) for place in (space, other)]
    targets = {path: services[number % 2].http for number, path in enumerate(sorted(routes))}
    plan.entry(space.add(IngressNginx()), targets, **said)
    env = plan.environment("live", host="shop.example.com", secrets=vault, gateway="edge/public")
    trees = [each.tree for each in lower.lower(plan, env).objects]
    kinds = {"Ingress": {}, "HTTPRoute": {}}
    for tree in trees:
        if tree["kind"] in kinds:
            kinds[tree["kind"]][tree["metadata"]["namespace"]] = tree
    return plan, kinds


def seconds(text: str) -> float:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|h|m|s)", text))


@FEW
@given(
    st.sets(PATHS.filter(lambda path: "//" not in path), min_size=1, max_size=4),
    st.floats(1, 86400),
    st.sampled_from(("1", "1500m", "10Mi", "1Gi", "12345")),
)
def test_both_say_the_same(paths, timeout, body):
    plan, kinds = made(paths, timeout=timeout, body=body)
    assert plan.sheet.findings == []
    assert kinds["Ingress"].keys() == kinds["HTTPRoute"].keys()
    for space, ingress in kinds["Ingress"].items():
        route = kinds["HTTPRoute"][space]
        assert schemas.complaints(route) == []
        (rule,) = ingress["spec"]["rules"]
        there = {each["path"]: each["backend"]["service"]["name"] for each in rule["http"]["paths"]}
        rules = {each["matches"][0]["path"]["value"]: each for each in route["spec"]["rules"]}
        assert {path: each["backendRefs"][0]["name"] for path, each in rules.items()} == there
        assert route["spec"]["hostnames"] == [rule["host"]]
        assert route["spec"]["parentRefs"] == [{"namespace": "edge", "name": "public"}]
        said = ingress["metadata"]["annotations"]
        limit = int(said["nginx.ingress.kubernetes.io/proxy-body-size"])
        assert limit - 1 < quantities.parse(body) <= limit
        assert route["metadata"]["annotations"][entry.BODY_LIMIT] == str(limit)
        for each in rules.values():
            assert each["backendRefs"][0]["port"] == 8000
            for told in each["timeouts"].values():
                assert DURATION.fullmatch(told)
                assert timeout <= seconds(told) <= timeout + 0.01
        # Not "< timeout + 1": a float beside 1 plus 1 is 2.
        assert timeout <= int(said["nginx.ingress.kubernetes.io/proxy-read-timeout"]) == math.ceil(timeout)


@pytest.mark.parametrize(
    "path", ["", "api", "//", "/a//b", "/.", "/..", "/a/../b", "/a/./b", "/a b", "/a?b", "/%2f", "/ä", "/a\n", 5, None]
)
def test_a_path_that_a_controller_would_refuse_is_a_finding(path):
    plan = Platform("shop")
    space = plan.namespace("space")
    app = space.add(Service("app", image("x:1"), http=8000))
    plan.entry(space.add(IngressNginx()), {"/": app.http, path: app.http})
    assert [found.code for found in plan.sheet.findings] == ["GP105"]
    assert [path for path, _ in plan.entries[0].routes] == ["/"]


@pytest.mark.parametrize("timeout", [0, 0.5, -1, 86401, float("nan"), float("inf"), "30s", None, True])
def test_a_timeout_that_is_none_is_a_finding(timeout):
    plan = Platform("shop")
    space = plan.namespace("space")
    app = space.add(Service("app", image("x:1"), http=8000))
    plan.entry(space.add(IngressNginx()), {"/": app.http}, timeout=timeout)
    assert [found.code for found in plan.sheet.findings] == ["GP105"]


def test_an_entry_that_leads_to_no_endpoint_says_which_it_has():
    plan = Platform("shop")
    space = plan.namespace("space")
    app = space.add(Service("the-app", image("x:1"), http=8000))
    nginx = space.add(IngressNginx())
    plan.entry(nginx, {"/": app})
    plan.entry(nginx, {})
    plan.entry(app, {"/": app.http})
    plan.entry(nginx, {"/": app.http}, body=10)
    assert [found.code for found in plan.sheet.findings] == ["GP202", "GP106", "GP202", "GP105"]
    assert "the_app.http" in plan.sheet.findings[0].remedy
    assert all(isinstance(each, entries.Entry) for each in plan.entries)
