"""Building an overlay gives exactly what was lowered for its environment: shown with the real kustomize."""

from __future__ import annotations

import pathlib
import re
import tempfile

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundplan.delivery import kustomize, tree
from groundplan.kubernetes import lower
from groundplan.shapes import objects
from tests import strategies
from tests.delivery import kustomizes
from tests.delivery.test_yamls import HUGE, TRAPS, texts
from tests.kubernetes import worlds

FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def by_key(trees: list[dict]) -> dict[tuple, dict]:
    found = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each for each in trees}
    assert len(found) == len(trees)
    return found


def assert_law(lowered: tuple[lower.Lowered, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree.write(pathlib.Path(folder), kustomize.files(lowered))
        for one in lowered:
            built = kustomizes.build(pathlib.Path(folder) / "overlays" / one.environment)
            assert by_key(built) == by_key([made.tree for made in one.objects])


def test_the_overlays_of_the_payments_platform_build_to_what_was_lowered():
    assert_law(worlds.payments_lowered())


@FEW
@given(strategies.drawings())
def test_every_overlay_builds_to_what_was_lowered(drawing):
    assert_law(worlds.lowered(worlds.drawn(drawing)))


def config_map(data: dict[str, str], name: str = "some") -> objects.Object:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "here"}, "data": data}
    return objects.Object(body, "plan.py:1", "test")


def environments(*found: tuple[objects.Object, ...]) -> tuple[lower.Lowered, ...]:
    return tuple(lower.Lowered(f"env-{number}", each, (), ()) for number, each in enumerate(found))


# kustomize itself refuses DEL, and writes a NEL as it stands, which is a line's end to a reader of YAML 1.1.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def is_printable(text: str) -> bool:
    return not CONTROL.search(text)


KEYS = st.from_regex(r"[-._a-z0-9]{1,8}", fullmatch=True)


@FEW
@given(*(st.dictionaries(KEYS, texts.filter(is_printable), max_size=6) for _ in range(2)))
def test_any_text_arrives_from_base_and_overlay(one, other):
    assert_law(environments((config_map(one),), (config_map({**one, **other}),), (config_map(other),)))


def test_every_trap_of_yaml_arrives_by_a_patch_and_by_a_resource():
    data = {f"trap-{number}": text for number, text in enumerate((*TRAPS, *HUGE.values())) if is_printable(text)}
    assert_law(environments((config_map(data), config_map(data, "only")), (config_map({}),)))


def test_an_object_of_one_environment_stands_in_its_overlay_alone():
    files = kustomize.files(environments((config_map({}), config_map({}, "only")), (config_map({}),)))
    assert "overlays/env-0/here/only.yaml" in files
    assert not any("only" in path for path in files if not path.startswith("overlays/env-0/"))


def test_overlays_hold_nothing_that_is_alike_everywhere():
    files = kustomize.files(environments(*((config_map({"same": "a", "own": str(n)}),) for n in range(3))))
    for number in range(3):
        patch = yaml.safe_load(files[f"overlays/env-{number}/patches/here.some.configmap.yaml"])
        assert patch == [{"op": "add", "path": "/data/own", "value": str(number)}]
    assert yaml.safe_load(files["base/here/some.yaml"])["data"] == {"same": "a"}


@given(st.data())
def test_what_is_alike_and_what_is_added_make_the_whole_again(data):
    leaves = st.integers(0, 3) | st.text(alphabet="ab/~", max_size=2)
    keys = st.sampled_from(("name", "a/b", "c~d", "e"))
    shapes = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
    wholes = data.draw(st.lists(st.dictionaries(keys, shapes, max_size=3), min_size=1, max_size=3))
    base = kustomize.common(wholes)
    for whole in wholes:
        assert applied(base, list(kustomize.additions(base, whole, ""))) == whole


def applied(base, ops):
    """JSON Patch (RFC 6902), as far as it is used here."""
    import copy

    made = copy.deepcopy(base)
    for op in ops:
        assert op["op"] == "add"
        *path, last = [step.replace("~1", "/").replace("~0", "~") for step in op["path"].split("/")[1:]]
        at = made
        for step in path:
            at = at[int(step)] if isinstance(at, list) else at[step]
        assert isinstance(at, dict)
        assert last not in at
        at[last] = op["value"]
    return made
