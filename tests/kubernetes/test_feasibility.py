"""An environment that cannot work is a finding at the plan's line, not a broken manifest."""

from __future__ import annotations

import pathlib
import textwrap

import pytest

from groundplan.delivery import deploy
from groundplan.model import findings, load

HEAD = """\
from groundplan import *
from groundplan.resources import *
from groundplan.secrets import *
plan = Platform("shop")
space = plan.namespace("services")
vault = space.add(Vault("vault"))
a = space.add(Service("a", python("x.a"), http=8000, replicas=2, resources=cpu("100m") & memory("64Mi")))
outside = plan.external("outside", https=443)
given = {"host": "shop.example.com", "registry": "registry.example.com", "secrets": vault}
"""
FINE = 'live = plan.environment("live", **given)\n'
NEEDS = "a.needs(outside)\n"
THERE = 'live.set(outside, host="outside.example", cidrs=["192.0.2.0/24"])\n'


def found_in(tmp_path: pathlib.Path, text: str) -> tuple[findings.Finding, ...]:
    file = tmp_path / "plan.py"
    file.write_text(HEAD + textwrap.dedent(text))
    plan = load.load(file)
    try:
        deploy.of(plan)
    except findings.PlanError as error:
        return error.findings
    return ()


SPECIMENS = [
    ("a plan for the laptop alone", "", "GP303", None, "plan.environment"),
    ("a word that no environment has", FINE.replace("**given", "hots='x', **given"), "GP301", 1, "host"),
    ("a word of the wrong kind", FINE.replace("**given", "availability_zones='3', **given"), "GP302", 1, "int"),
    ("true where a number belongs", FINE.replace("**given", "availability_zones=True, **given"), "GP302", 1, "int"),
    ("no zone at all", FINE.replace("**given", "availability_zones=0, **given"), "GP105", 1, "1 or more"),
    ("no registry for what is built", 'plan.environment("live", host="x", secrets=vault)', "GP303", 1, "registry="),
    ("no store for secrets", 'plan.environment("live", host="x", registry="r.example.com")', "GP303", 1, "secrets="),
    (
        "no registry for migrations, though every service brings its image",
        'b = plan.namespace("b")\nc = b.add(Service("c", image("x:1"), http=1))\n'
        'c.needs(b.add(Postgres("p")).database("d", migrations="x.m"))\na.process = c.process\n'
        'plan.environment("live", host="x", secrets=vault)',
        "GP303",
        5,
        "registry=",
    ),
    (
        "an entry that nobody could find",
        'plan.entry(space.add(IngressNginx()), {"/": a.http})\nplan.environment("live", registry="r", secrets=vault)',
        "GP303",
        2,
        "host=",
    ),
    ("an external without a host", FINE + NEEDS + 'live.set(outside, wider_ok="why")', "GP304", 1, "live.set(outside"),
    ("an external without addresses", FINE + NEEDS + 'live.set(outside, host="x.example")', "GP305", 1, "cidrs="),
    (
        "an external without a single address",
        FINE + NEEDS + 'live.set(outside, host="x", cidrs=[])',
        "GP105",
        3,
        "192.",
    ),
    (
        "an address that is no range",
        FINE + NEEDS + 'live.set(outside, host="x", cidrs=["192.0.2.1/24"])',
        "GP105",
        3,
        "192.",
    ),
    (
        "a host name among the addresses",
        FINE + NEEDS + 'live.set(outside, host="x", cidrs=["x.org"])',
        "GP105",
        3,
        "192.",
    ),
    ("a range of the cluster that is none", FINE.replace("**given", "ranges=['x'], **given"), "GP105", 1, "192."),
    (
        "an API server without addresses",
        FINE.replace("**given", "api_server=['10.0.0.1'], **given"),
        "GP105",
        1,
        "192.",
    ),
    (
        "a gateway without a namespace",
        FINE.replace("**given", "gateway='public', **given"),
        "GP105",
        1,
        "namespace/name",
    ),
    ("a gateway in capitals", FINE.replace("**given", "gateway='Edge/public', **given"), "GP105", 1, "namespace/name"),
    *(
        (
            f"{word} that is none: {said}",
            FINE.replace("**given", f"**{{**given, {word!r}: {said!r}}}"),
            "GP105",
            1,
            word,
        )
        for word, said in (
            ("host", "https://shop.example.com"),
            ("host", "shop.example.com:8443"),
            ("host", "Shop.example.com"),
            ("host", "*.example.com"),
            ("registry", "https://registry.example.com"),
            ("registry", "registry.example.com/Team"),
            ("registry", ""),
            ("issuer", "Let's Encrypt"),
            ("storage_class", "fast SSD"),
            ("revision", "a branch"),
            ("revision", ""),
            ("cluster", "http://10.0.0.1"),
        )
    ),
    (
        "an autoscaler by what is not requested",
        'b = space.add(Service("b", python("x.b"), http=8000, resources=cpu("1")))\n'
        + FINE
        + "live.set(b, replicas=Autoscale(2, 4, cpu=70, memory=80))",
        "GP306",
        3,
        'memory("…")',
    ),
    ("an autoscaler by nothing", FINE + "live.set(a, replicas=Autoscale(2, 4, cpu=None))", "GP306", 2, "cpu=70"),
    ("an autoscaler upside down", FINE + "live.set(a, replicas=Autoscale(4, 2))", "GP307", 2, ""),
    ("an autoscaler from nothing", FINE + "live.set(a, replicas=Autoscale(0, 2))", "GP307", 2, ""),
    ("a budget that lets nobody go", FINE + "live.set(a, available=2)", "GP307", 2, "available=1"),
    ("a budget beyond the replicas", FINE + "live.set(a, available=5)", "GP307", 2, "available=1"),
    (
        "a budget of all that an autoscaler leaves",
        FINE + "live.set(a, replicas=Autoscale(3, 9), available=3)",
        "GP307",
        2,
        "available=2",
    ),
    (
        "an interval that cron has no words for",
        'space.add(Job("j", python("x.j"), every="7m"))\n' + FINE,
        "GP308",
        1,
        "divisor",
    ),
    ("seconds, which cron does not count", 'space.add(Job("j", python("x.j"), every="30s"))\n' + FINE, "GP308", 1, ""),
    (
        "no time to drain",
        'space.add(Service("b", python("x.b"), http=8000, grace=5))\n' + FINE,
        "GP309",
        1,
        "grace=8",
    ),
    ("a variable that no shell could set", FINE + 'live.set(a, env={"1=2": "x"})', "GP105", 2, "SOME_NAME"),
    ("a value that kustomize cannot read", FINE + 'live.set(a, env={"X": "a\\x7fb"})', "GP105", 2, "secret"),
    ("a volume of no size", FINE + 'live.set(vault, storage="much")', "GP105", 2, "5Gi"),
    (
        "replicas of which no more may be lost than of one less",
        FINE + "live.set(vault, replicas=2)",
        "GP105",
        2,
        "3, 5",
    ),
    ("more replicas than anybody wants", FINE + "live.set(vault, replicas=10**12)", "GP105", 2, "replicas=1"),
    (
        "replicas of what is alone with its data",
        'b = space.add(Vault("b", backend="file"))\n' + FINE + "live.set(b, replicas=3)",
        "GP105",
        3,
        "a way to keep its data",
    ),
    (
        "a store that stands nowhere",
        FINE.replace("**given", '**{**given, "secrets": Vault("other")}'),
        "GP103",
        1,
        "add",
    ),
    (
        "a name that two derived objects want",
        'p = space.add(Postgres("p"))\nspace.add(Service("p-bootstrap", python("x"), http=8000))\n' + FINE,
        "GP102",
        None,
        "another name",
    ),
    (
        "a database whose Jobs no name fits",
        f'p = space.add(Postgres("p"))\nd = p.database("{"d" * 60}", migrations="x.m")\na.needs(d)\n' + FINE,
        "GP101",
        None,
        "shorter",
    ),
]


@pytest.mark.parametrize(("what", "text", "code", "line", "remedy"), SPECIMENS, ids=[each[0] for each in SPECIMENS])
def test_what_cannot_work_is_found_at_its_line(tmp_path, what, text, code, line, remedy):
    found = [finding for finding in found_in(tmp_path, text) if finding.code == code]
    assert found, what
    assert {finding.code for finding in found} <= set(findings.CODES)
    assert any(remedy in finding.remedy for finding in found)
    if line is not None:
        assert line + HEAD.count("\n") in [finding.where.line for finding in found]


def test_what_can_work_is_no_finding(tmp_path):
    text = FINE + NEEDS + THERE + "live.set(a, replicas=Autoscale(2, 4), available=1)\n"
    assert found_in(tmp_path, text + 'space.add(Job("j", python("x.j"), every="6h"))') == ()


def test_an_open_external_with_a_reason_is_no_finding(tmp_path):
    text = FINE + NEEDS + 'live.set(outside, host="x.example", wider_ok="its addresses change daily")'
    assert found_in(tmp_path, text) == ()


def test_findings_of_all_environments_come_at_once(tmp_path):
    text = 'one = plan.environment("one", hots="x")\ntwo = plan.environment("two", stroage="x")\n'
    assert len([each for each in found_in(tmp_path, text) if each.code == "GP301"]) == 2


def test_the_host_of_an_environment_is_not_the_host_of_an_external(tmp_path):
    codes = [finding.code for finding in found_in(tmp_path, FINE + NEEDS)]
    assert "GP304" in codes
