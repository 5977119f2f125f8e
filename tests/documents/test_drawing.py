"""The drawing, over random platforms: everything is on it, nothing lies on anything else, and every line leads home."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as trees

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from groundplan.documents import connections
from groundplan.documents import world as worlds_
from groundplan.documents.picture import columns, graph, layout, order, routes, svg
from tests import strategies
from tests.documents import hostile
from tests.kubernetes import worlds

FEW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking a drawing takes longer than looking at it
)


def drawn(plan) -> graph.Graph:
    world = worlds_.World(plan, worlds.lowered(plan))
    return graph.of(world, connections.of(world))


@pytest.fixture(scope="module")
def payments() -> graph.Graph:
    return drawn(worlds.payments())


@st.composite
def graphs(draw: st.DrawFn) -> graph.Graph:
    """Any graph at all: circles, boxes that call themselves, zones without boxes, many ports."""
    zones = [f"zone{number}" for number in range(draw(st.integers(1, 4)))]
    kinds = st.sampled_from(("service", "worker", "job", "engine"))
    nodes = {}
    for number in range(draw(st.integers(1, 14))):
        end = connections.End(draw(st.sampled_from(zones)), f"box{number}")
        nodes[str(end)] = graph.Node(end, draw(kinds), "http 80", "plan.py:1", draw(st.integers(1, 3)))
    for number in range(draw(st.integers(0, 3))):
        end = connections.End("", f"outside{number}")
        nodes[str(end)] = graph.Node(end, "outside", "443", "plan.py:1")
    nodes["the world"] = graph.Node(connections.End("", "the world"), "outside", "", "")
    inside = sorted(key for key, node in nodes.items() if node.zone)
    outside = sorted(key for key, node in nodes.items() if not node.zone and key != "the world")
    pairs = st.tuples(st.sampled_from([*inside, "the world"]), st.sampled_from([*inside, *outside]))
    ports = st.sampled_from(("80", "443", "5432, 5433"))
    found = draw(st.lists(st.tuples(pairs, ports, st.booleans()), max_size=30, unique_by=lambda each: each[:2]))
    # A net is quiet or not as a whole: it is so by its target.
    quiet = {target: silent for (_, target), _, silent in found}
    edges = sorted((source, target, port) for (source, target), port, _ in found)
    made = tuple(graph.Edge(source, target, port, "why", quiet[target]) for source, target, port in edges)
    return graph.Graph(dict(sorted(nodes.items())), made, tuple(zones))


def boxes(made: layout.Layout, ways: routes.Routes) -> dict[str, tuple[float, float]]:
    """The left top of every box."""
    inside = {key: (made.cell(row, key).x - layout.WIDTH / 2, ways.tops[row]) for key, row in made.row.items()}
    return inside | ways.outside


def assert_sound(given_: graph.Graph) -> None:
    made = layout.of(given_, left=100)
    columns.place(made)
    ways = routes.of(made, 16)
    places = boxes(made, ways)
    assert set(places) == set(given_.nodes)
    for (_, one), (_, other) in itertools.combinations(sorted(places.items()), 2):
        assert abs(one[0] - other[0]) >= layout.WIDTH or abs(one[1] - other[1]) >= layout.HEIGHT
    assert sorted(map(repr, given_.edges)) == sorted(repr(edge) for edge, _ in ways.edges)
    for edge, points in ways.edges:
        assert_leads_home(edge, points, places, made)
        for one, other in itertools.pairwise(points):
            assert one[0] == other[0] or one[1] == other[1], "lines run at right angles"
            for key, (left, top) in places.items():
                crosses = (
                    max(one[0], other[0]) > left
                    and min(one[0], other[0]) < left + layout.WIDTH
                    and max(one[1], other[1]) > top
                    and min(one[1], other[1]) < top + layout.HEIGHT
                )
                assert not crosses, f"{edge.source} → {edge.target} runs through {key}"
    assert_apart(ways)


def assert_leads_home(edge, points, places, made) -> None:
    (x, y), (left, top) = points[0], places[edge.source]
    assert left < x < left + layout.WIDTH and y == top + layout.HEIGHT
    (x, y), (left, top) = points[-1], places[edge.target]
    if edge.target in made.row:
        assert left < x < left + layout.WIDTH and y == top
    else:
        assert x == left and top < y < top + layout.HEIGHT


def assert_apart(ways: routes.Routes) -> None:
    """No two lines to different places lie on each other: one could not tell which is which."""
    along: dict[tuple[bool, float], list[tuple[float, float, layout.Net]]] = {}
    for edge, points in ways.edges:
        net = layout.Net(edge.target, edge.ports)
        for one, other in itertools.pairwise(points):
            upright = one[0] == other[0]
            low, high = sorted((one[1], other[1]) if upright else (one[0], other[0]))
            along.setdefault((upright, one[0] if upright else one[1]), []).append((low, high, net))
    for where, several in along.items():
        for (low, high, net), (other_low, other_high, other) in itertools.combinations(sorted(several), 2):
            if net != other:
                assert other_low >= high or low >= other_high, f"{net} on {other} at {where}"


@FEW
@given(graphs())
def test_any_graph_can_be_drawn_and_read(found):
    assert_sound(found)


def test_a_line_that_leaves_keeps_away_from_one_that_comes_up_beside_the_box_that_it_enters():
    """From box9 to box8, which stand beside each other: its lane was once taken for the place where it enters."""
    ends = [connections.End("zone", f"box{number}") for number in range(12)]
    nodes = {str(end): graph.Node(end, "service", "http 80", "plan.py:1", 1) for end in sorted(ends, key=str)}
    calls = (
        (1, 2, "80", False),
        (3, 6, "5432, 5433", False),
        (5, 2, "443", False),
        (7, 11, "80", True),
        (8, 11, "443", True),
        (9, 8, "5432, 5433", True),
    )
    edges = [graph.Edge(str(ends[one]), str(ends[other]), ports, "why", quiet) for one, other, ports, quiet in calls]
    assert_sound(graph.Graph(nodes, tuple(edges), ("zone",)))


@FEW
@given(strategies.drawings())
def test_random_platforms_can_be_drawn_and_read(drawing):
    assert_sound(drawn(worlds.drawn(drawing)))


def test_payments_can_be_drawn_and_read(payments):
    assert_sound(payments)


def test_payments_is_drawn_from_the_world_down_to_the_data(payments):
    made = layout.of(payments, left=100)
    way = ["the world", "ingress-nginx/ingress-nginx-controller", "gateway/api-gateway",
           "services/payment-api-service", "internal/transaction-service", "databases/postgres"]  # fmt: skip
    rows = [made.row[key] for key in way]
    assert rows == sorted(set(rows))
    assert order.zones(payments).main == ("ingress-nginx", "gateway", "services", "internal", "databases")


@FEW
@given(strategies.drawings())
def test_every_component_and_every_right_that_opens_a_port_is_drawn(drawing):
    plan = worlds.drawn(drawing)
    found = drawn(plan)
    assert {f"{each.namespace}/{each.name}" for each in plan.components} <= set(found.nodes)
    said = "\n".join(each.why for each in found.edges)
    for edge in plan.edges:
        if edge.right.opens:
            assert f"{edge.source.name} → {edge.right} (" in said


def test_a_drawing_is_well_formed_whatever_an_author_writes(payments):
    for given_ in (payments, drawn(hostile.plan())):
        root = trees.fromstring(svg.standalone(given_, hostile.WORDS + "\x00\x1b\ud800"))
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert names <= {"svg", "style", "g", "rect", "text", "title", "path", "polygon"}
        assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]


def test_deep_chains_and_wide_rows_are_drawn():
    ends = [connections.End("zone", f"box{number}") for number in range(1200)]
    nodes = {str(end): graph.Node(end, "service", "", "") for end in ends}
    keys = list(nodes)
    chain = [graph.Edge(one, other, "80", "", False) for one, other in itertools.pairwise(keys)]
    ranks = order.ranks(keys, [(edge.source, edge.target) for edge in chain])
    assert ranks[keys[-1]] == len(keys) - 1
    fan = graph.Graph(
        dict(list(nodes.items())[:40]),
        tuple(graph.Edge(keys[0], key, "80", "", False) for key in keys[1:40]),
        ("zone",),
    )
    assert_sound(fan)
