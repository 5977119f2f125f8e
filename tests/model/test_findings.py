"""An author's mistakes are all shown at once, each at its line with a remedy."""

from __future__ import annotations

import pathlib
import textwrap

import pytest

from groundplan.model import check, findings, load

HEAD = """\
from groundplan import *
from groundplan.resources import *
from groundplan.secrets import *
plan = Platform("shop")
space = plan.namespace("services")
"""


def findings_of(tmp_path: pathlib.Path, text: str) -> dict[str, findings.Finding]:
    """The findings of a plan that starts with HEAD, by code."""
    file = tmp_path / "plan.py"
    file.write_text(HEAD + textwrap.dedent(text))
    with pytest.raises(findings.PlanError) as caught:
        load.load(file)
    found = {finding.code: finding for finding in caught.value.findings}
    assert all(finding.remedy or finding.why for finding in found.values())
    assert set(found) <= set(findings.CODES)
    return found


def line(finding: findings.Finding) -> int:
    return finding.where.line - HEAD.count("\n")


SERVICE = 'a = space.add(Service("a", python("x.a"), http=8000))\n'

SPECIMENS = [
    ("a name that Kubernetes refuses", 'space.add(Service("My_API", python("x"), http=1))', "GP101", 1, "my-api"),
    ("a storage that no Vault has", 'space.add(Vault("b", backend="consul"))', "GP105", 1, 'backend="raft"'),
    ("a component twice", SERVICE + 'space.add(Service("a", python("x.b"), http=8000))', "GP102", 2, "another name"),
    (
        "a component called as a replica is",
        SERVICE + 'space.add(Worker("a-1", python("x.b")))',
        "GP102",
        2,
        "another name",
    ),
    ("an external called as a service is", SERVICE + 'plan.external("a", https=443)', "GP102", 2, "another name"),
    (
        "a component that is in no namespace",
        SERVICE + 'b = Service("b", python("x"), http=1)\na.needs(b.http)',
        "GP103",
        3,
        "add it",
    ),
    ("two ports on one number", 'space.add(Service("a", python("x"), http=80, grpc=80))', "GP104", 1, "another number"),
    (
        "one path of an entry twice",
        SERVICE
        + 'c = plan.namespace("i").add(IngressNginx())\nplan.entry(c, {"/": a.http})\nplan.entry(c, {"/": a.http})',
        "GP104",
        4,
        "another",
    ),
    ("a port that is no number", 'space.add(Service("a", python("x"), http="eighty"))', "GP105", 1, "65535"),
    (
        "a quantity that is none",
        'space.add(Service("a", python("x"), http=1, resources=cpu("1oom")))',
        "GP105",
        1,
        "100m",
    ),
    ("a request above its limit", 'memory("2Gi", "1Gi")', "GP105", 1, "128Mi"),
    ("a duration that is none", 'space.add(Job("j", python("x"), every="often"))', "GP105", 1, "5m"),
    ("a module that is none", 'python("my-app")', "GP105", 1, "package.module"),
    ("a command as one string", 'command("run me")', "GP105", 1, "['run', 'me']"),
    ("a pattern as a key prefix", 'Redis("r").keys("a*")', "GP105", 1, "orders:"),
    ("nothing to run", 'space.add(Service("a", "x.a", http=1))', "GP106", 1, "python("),
    (
        "a port that does not exist",
        SERVICE + 'b = space.add(Worker("b", python("x.b")))\nb.needs(a.grpc)',
        "GP201",
        3,
        "http",
    ),
    (
        "a method that is not offered",
        'a = space.add(Service("a", python("x"), grpc=Grpc(1, methods=("Ask",))))\n'
        'b = space.add(Worker("b", python("y")))\nb.needs(a.grpc.methods("Aks"))',
        "GP202",
        3,
        "Ask",
    ),
    ("a resource instead of a right", SERVICE + 'p = space.add(Postgres("p"))\na.needs(p)', "GP202", 3, "needs("),
    (
        "a right that a resource does not grant",
        SERVICE + 'r = space.add(Redis("r"))\na.needs(r.read_write())',
        "GP202",
        3,
        "keys(",
    ),
    (
        "two databases in one variable",
        SERVICE + 'p = space.add(Postgres("p"))\na.needs(p.database("x").read(), p.database("y").read())',
        "GP205",
        3,
        "named(",
    ),
    ("an edge to oneself", SERVICE + "a.needs(a.http)", "GP206", 2, "delete"),
    ("a setting that does not exist", SERVICE + 'plan.environment("prod").set(a, replcas=3)', "GP301", 2, "replicas"),
    ("a setting of the wrong kind", SERVICE + 'plan.environment("prod").set(a, replicas="3")', "GP302", 2, "int"),
]


@pytest.mark.parametrize(
    ("text", "code", "at", "remedy"), [each[1:] for each in SPECIMENS], ids=[each[0] for each in SPECIMENS]
)
def test_a_mistake_is_found_at_its_line_with_a_remedy(tmp_path, text, code, at, remedy):
    finding = findings_of(tmp_path, text)[code]
    assert line(finding) == at
    assert remedy in f"{finding.why} {finding.remedy}"


def test_a_circle_is_named_edge_by_edge_with_the_edge_to_make_lazy(tmp_path):
    found = findings_of(
        tmp_path,
        """\
        a = space.add(Service("a", python("x"), http=1))
        b = space.add(Service("b", python("x"), http=1))
        c = space.add(Service("c", python("x"), http=1))
        a.needs(b.http.before_start())
        b.needs(c.http.before_start())
        c.needs(a.http.before_start())
        """,
    )
    circle = found["GP203"]
    assert "a → b → c → a" in circle.what
    for edge in ("a → b:http", "b → c:http", "c → a:http"):
        assert edge in circle.why
    assert "drop before_start() from c → a" in circle.remedy


def test_services_may_need_each_other_when_neither_waits(tmp_path):
    file = tmp_path / "plan.py"
    file.write_text(
        HEAD
        + 'a = space.add(Service("a", python("x"), http=1))\nb = space.add(Service("b", python("x"), http=1))\n'
        + "a.needs(b.http)\nb.needs(a.http.before_start())\n"
    )
    assert load.load(file).name == "shop"


def test_five_mistakes_are_five_findings(tmp_path):
    found = findings_of(
        tmp_path,
        """\
        a = space.add(Service("A!", python("x"), http=99999))
        b = space.add(Service("b", python("x"), http=1))
        b.needs(b.grpc)
        plan.environment("prod").set(b, replicas="many")
        plan.external("both")
        """,
    )
    assert set(found) >= {"GP101", "GP105", "GP201", "GP302"}


def test_a_file_that_stops_still_shows_what_was_found_before(tmp_path):
    found = findings_of(tmp_path, 'space.add(Service("A!", python("x"), http=1))\nspace.add(Service(nme="b"))\n')
    assert line(found["GP101"]) == 1
    assert line(found["GP001"]) == 2
    assert "nme" in found["GP001"].why


def test_a_file_that_stops_is_still_checked_as_a_whole(tmp_path):
    found = findings_of(tmp_path, SERVICE + 'b = space.add(Worker("b", python("x")))\nb.needs(a.grpc)\n1 / 0\n')
    assert line(found["GP201"]) == 3
    assert line(found["GP001"]) == 4


def test_a_file_that_exits_is_a_finding(tmp_path):
    assert "SystemExit: 3" in findings_of(tmp_path, "raise SystemExit(3)")["GP001"].why


def test_a_syntax_error_is_a_finding(tmp_path):
    assert line(findings_of(tmp_path, "a = (\n")["GP001"]) in (1, 2)


def test_a_file_without_a_platform_is_a_finding(tmp_path):
    file = tmp_path / "plan.py"
    file.write_text("x = 1\n")
    with pytest.raises(findings.PlanError) as caught:
        load.load(file)
    assert [finding.code for finding in caught.value.findings] == ["GP002"]


def test_a_late_bound_value_refuses_to_be_text_and_says_what_to_use(tmp_path):
    found = findings_of(tmp_path, SERVICE + 'url = f"{a.http.url}/x"')
    assert "groundplan.text(" in found["GP001"].why


def test_checking_twice_says_the_same(tmp_path):
    file = tmp_path / "plan.py"
    file.write_text(HEAD + SERVICE)
    plan = load.load(file)
    assert check.check(plan) == check.check(plan) == ()
