"""The documents: what is committed is what the plan says, nothing of a plan is missing, and words stay words."""

from __future__ import annotations

import html.parser
import re
import sys

import markdown_it
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from groundplan import cli
from groundplan.cli import output
from groundplan.delivery import tree
from groundplan.documents import pages
from groundplan.kubernetes import lower
from groundplan.model import check, load, platform
from tests import strategies
from tests.documents import hostile
from tests.kubernetes import worlds

FEW = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking a platform takes longer than reading its pages
)
TAGS = {"h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "a", "ul", "li", "strong"}
"""What the pages' own Markdown becomes; `img` is the picture on the first page."""


def made(plan: platform.Platform) -> dict[str, str]:
    return pages.of(plan, worlds.lowered(plan))


@pytest.fixture(scope="module")
def payments() -> dict[str, str]:
    lowered = sorted(worlds.payments_lowered(), key=lambda each: each.environment)
    return pages.of(worlds.payments(), lowered)


@pytest.fixture(scope="module")
def bad() -> dict[str, str]:
    plan = hostile.plan()
    assert check.check(plan) == ()
    return made(plan)


def test_what_is_committed_is_what_the_plan_says(payments):
    folder = worlds.PAYMENTS.parent / pages.FOLDER
    assert tree.compare(folder, payments, tree.DOCS) == tree.Changes((), (), ())


def test_the_same_is_written_wherever_one_stands(payments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = load.load(worlds.PAYMENTS)
    clusters = sorted((env for env in plan.environments if not env.local), key=lambda env: env.name)
    assert pages.of(plan, [lower.lower(plan, env) for env in clusters]) == payments


@FEW
@given(strategies.drawings(), st.integers(1, 10**6))
def test_the_order_of_declaration_never_matters(drawing, seed):
    assert made(worlds.drawn(drawing)) == made(worlds.drawn(drawing.shuffled(seed)))


@FEW
@given(strategies.drawings())
def test_every_namespace_component_port_and_edge_is_on_its_page(drawing):
    plan = worlds.drawn(drawing)
    found = made(plan)
    assert_whole(plan, found)


def test_nothing_of_payments_is_missing(payments):
    assert_whole(worlds.payments(), payments)


def assert_whole(plan: platform.Platform, found: dict[str, str]) -> None:
    plain = {name: plainly(text) for name, text in found.items()}
    for space in plan.namespaces:
        assert f"## {space.name}\n" in found["namespaces.md"]
    for each in plan.components:
        assert f"`{each.name}`" in found["namespaces.md"]
        for port in each.ports.values():
            assert re.search(rf"^\| {port.number}\b.* `{each.namespace}/{each.name}` ", found["ports.md"], re.M)
    for edge in plan.edges:
        if edge.right.opens:
            assert f"{edge.source.name} → {edge.right}" in plain["network.md"]
    for path in plan.kept:
        assert f"| `{path}` |" in found["secrets.md"]


def plainly(text: str) -> str:
    """Markdown's text without its escapes."""
    return html.unescape(re.sub(r"\\(.)", r"\1", text))


def test_every_connection_of_every_cluster_has_its_reason_on_the_page(payments):
    plain = plainly(payments["network.md"])
    reasons = {flow.why for one in worlds.payments_lowered() for flow in one.flows}
    assert len(reasons) > 100
    assert [why for why in reasons if why not in plain] == []


def test_the_estimates_of_the_document_stand_beside_what_came_of_them(payments):
    assert "| **all** | 2100m | 4314Mi |" in payments["resources.md"]
    assert "`payment-api-service` asks for 150m" in payments["resources.md"]


def test_no_secret_is_on_a_page(payments):
    said = "\n".join(payments.values())
    assert "BEGIN" not in said and "\0" not in said
    assert all(f"`{path}`" in payments["secrets.md"] for path in worlds.payments().kept)


class Reader(html.parser.HTMLParser):
    """The tags of a page and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links |= {value for name, value in attrs if name in ("href", "src")}

    def handle_data(self, data):
        self.said += data


def rendered(text: str) -> Reader:
    """A page as GitHub would show it."""
    reader = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return Reader(reader.render(text))


def test_what_an_author_writes_never_becomes_markup(bad):
    said = ""
    for name, text in bad.items():
        if name.endswith(".md"):
            page = rendered(text)
            assert page.tags <= TAGS | {"img"}, (name, page.tags - TAGS)
            assert {link for link in page.links if not re.fullmatch(r"[\w.-]*#?[\w-]*|\.\./.*#L\d+", link)} == set(), (
                name
            )
            said += page.said
    words = " ".join(hostile.WORDS.replace("\u202e", " ").split())
    assert said.count(words) > 5


def test_no_page_holds_what_a_terminal_obeys_or_what_turns_letters_round(bad):
    for name, text in ((name, text) for name, text in bad.items() if name.endswith(".md")):
        hidden = {sign for line in text.splitlines() for sign in line if not sign.isprintable()}
        assert not hidden, (name, hidden)


def test_every_link_of_the_pages_leads_somewhere(payments):
    for name, text in payments.items():
        for link in rendered(text).links if name.endswith(".md") else ():
            file, _, fragment = link.partition("#")
            if file.startswith("../"):
                lines = (worlds.PAYMENTS.parent / pages.FOLDER / file).read_text().splitlines()
                assert int(fragment.removeprefix("L")) <= len(lines)
            else:
                assert file in ("", *payments), link
                headings = re.findall(r"^#+ (.*)$", payments[file or name], re.M)
                assert not fragment or fragment in {re.sub(r"[^\w -]", "", each.lower()) for each in headings}, link


def test_check_lists_what_differs_and_touches_nothing_of_others(tmp_path, monkeypatch, capsys):
    (tmp_path / "plan.py").write_text(_PLAN)
    monkeypatch.chdir(tmp_path)
    assert run("docs", "--check") == output.FAILED
    assert "add     docs/README.md" in capsys.readouterr().out
    assert not (tmp_path / "docs").exists()
    assert run("docs") == output.OK
    assert run("docs", "--check") == output.OK
    (tmp_path / "docs" / "ports.md").unlink()
    (tmp_path / "docs" / "old.md").write_text(tree.DOCS.header)
    (tmp_path / "docs" / "notes.md").write_text("mine")
    capsys.readouterr()
    assert run("docs", "--check") == output.FAILED
    shown = capsys.readouterr().out
    assert "add     docs/ports.md" in shown and "remove  docs/old.md" in shown and "notes" not in shown
    assert run("docs") == output.OK
    assert {path.name for path in (tmp_path / "docs").iterdir()} == {"notes.md", *_files(tmp_path)}


def test_a_page_of_somebody_elses_in_the_way_stays(tmp_path, monkeypatch, capsys):
    (tmp_path / "plan.py").write_text(_PLAN)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README.md").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert run("docs") == output.UNUSABLE
    assert "not written by groundplan" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["README.md"]


def test_graph_prints_the_picture_as_mermaid_or_as_svg(tmp_path, monkeypatch, capsys):
    (tmp_path / "plan.py").write_text(_PLAN)
    monkeypatch.chdir(tmp_path)
    assert run("graph") == output.OK
    assert re.fullmatch(r"flowchart TB\n( +\S.*\n)+", capsys.readouterr().out)
    assert run("graph", "--svg") == output.OK
    shown = capsys.readouterr().out
    assert shown.startswith("<svg ") and shown.endswith("</svg>\n")
    assert run("graph", "elsewhere") == output.UNUSABLE


def _files(folder) -> list[str]:
    plan = load.load(folder / "plan.py")
    return list(pages.of(plan, worlds.lowered(plan)))


def run(*words: str) -> int:
    sys.argv = ["groundplan", *words]
    return output.guarded(cli.groundplan)


_PLAN = """
from groundplan import Platform, Service, cpu, memory, python
from groundplan.resources import Vault
plan = Platform("tiny")
space = plan.namespace("space")
vault = space.add(Vault("vault"))
size = cpu("10m", "20m") & memory("32Mi")
space.add(Service("web", python("web"), http=8000, resources=size))
plan.environment("one", host="one.example.com", registry="registry.example.com", secrets=vault, resources=size)
"""
