"""The page and the pictures in a real browser, and before the real Mermaid."""

from __future__ import annotations

import itertools
import re

import pytest

from groundplan.documents import mermaid, pages
from tests import strategies
from tests.documents import browsers, hostile
from tests.kubernetes import worlds

WORDS = " ".join(hostile.WORDS.split())

_BOXES = {"one": mermaid.Box(WORDS), "end": mermaid.Box("end", "engine"), "o": mermaid.Box("`x`", "outside")}
HOSTILE = mermaid.flowchart({WORDS: ["one"], "end": []}, _BOXES, [mermaid.Arrow("one", "o", WORDS)])


def made(plan) -> dict[str, str]:
    return pages.of(plan, worlds.lowered(plan))


def pictures(files: dict[str, str]) -> list[str]:
    return re.findall(r"```mermaid\n(.*?)\n```", files["traffic.md"], re.S)


@pytest.fixture(scope="module")
def plans() -> dict[str, dict[str, str]]:
    kinds = ("service", "service", "command", "worker", "job", "postgres", "redis", "service")
    boxes = tuple(
        strategies.Box(kind, f"{kind}-of-a-long-name-{n}", f"space{n % 2}", 1 + n % 3, n % 2 == 0, (n, 7 * n, 3))
        for n, kind in enumerate(kinds)
    )
    wide = strategies.Drawing(("space0", "space1"), boxes, ("app/one", "app/two"), 0)
    return {
        "payments": made(worlds.payments()),
        "hostile": made(hostile.plan()),
        "long-names": made(worlds.drawn(wide)),
    }


@pytest.fixture(scope="module")
def seen(plans, tmp_path_factory):
    folder = tmp_path_factory.mktemp("looks")
    files = {}
    for name, found in plans.items():
        files[name] = folder / f"{name}.html"
        files[name].write_text(found["plan.html"])
    return browsers.look(files, [*(text for found in plans.values() for text in pictures(found)), HOSTILE])


def test_nothing_is_asked_of_anybody_and_nothing_complains(seen):
    for name, page in seen["pages"].items():
        assert page["console"] == [], name
        assert set(page["requests"]) == {url for url in page["requests"] if url.endswith(f"/{name}.html")}, name


def test_no_box_lies_on_another_and_words_stay_in_their_box(seen):
    for page in seen["pages"].values():
        for scheme in page["schemes"].values():
            assert len(scheme["boxes"]) > 5
            for one, other in itertools.combinations(scheme["boxes"], 2):
                assert not meets(one["box"], other["box"]), (one["key"], other["key"])
            for each in scheme["boxes"]:
                left, top, right, bottom = each["box"]
                for words in each["words"]:
                    assert left < words[0] and words[2] < right and top < words[1] and words[3] < bottom, each["key"]


def test_no_words_lie_on_others(seen):
    for page in seen["pages"].values():
        scheme = page["schemes"]["light"]
        words = [each["box"] for each in scheme["zones"]]
        words += [each["box"] for each in scheme["ports"] if not each["quiet"]]
        words += [box for each in scheme["boxes"] for box in each["words"]]
        for one, other in itertools.combinations(words, 2):
            assert not meets(one, other), (one, other)


def meets(one: list[float], other: list[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_a_page_of_1280_pixels_is_enough_and_it_is_dark_where_its_reader_is(seen):
    for page in seen["pages"].values():
        light, dark = page["schemes"]["light"], page["schemes"]["dark"]
        assert light["width"] <= 1280
        assert brightness(light["paper"]) > 200 > 60 > brightness(dark["paper"])
        assert brightness(light["ink"]) < 80 < 200 < brightness(dark["ink"])


def brightness(colour: str) -> float:
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def test_pointing_at_a_box_shows_its_lines_and_no_other(seen):
    found = seen["pages"]["payments"]["pointed"]
    assert len(found) == len(seen["pages"]["payments"]["schemes"]["light"]["boxes"])
    for key, lines in found.items():
        assert all(key in line.split(" → ") for line in lines), key
    plan = worlds.payments()
    for each in plan.programs:
        opened = {edge.right.target.name for edge in plan.edges if edge.source is each and edge.right.opens}
        shown = {line.split(" → ")[1].rpartition("/")[2] for line in found[f"{each.namespace}/{each.name}"]
                 if line.startswith(f"{each.namespace}/{each.name} ")}  # fmt: skip
        assert shown == opened, each.name


def test_what_an_author_writes_is_text_on_the_page(seen):
    page = seen["pages"]["hostile"]["schemes"]["light"]
    assert page["scripts"] == 0 and page["strange"] == [] and page["on"] == []
    assert WORDS in " ".join(page["said"].split())


def test_mermaid_draws_every_picture_with_every_word_of_it(seen, plans):
    texts = [text for found in plans.values() for text in pictures(found)]
    assert len(texts) == 2 * len(plans)
    for text, picture in zip(texts, seen["pictures"][:-1], strict=True):
        assert "error" not in picture, picture
        assert picture["scripts"] == 0
        wanted = set(re.findall(r'"([^"]*)"', text))
        assert wanted <= {re.sub(r"\s+", " ", each).strip() for each in picture["words"]}


def test_mermaid_draws_markup_as_words(seen):
    picture = seen["pictures"][-1]
    assert "error" not in picture and picture["scripts"] == 0
    said = [" ".join(each.split()) for each in picture["words"]]
    assert sorted(set(said)) == sorted({WORDS, "end", "`x`"})
    assert said.count(WORDS) >= 3  # the box, the group and the arrow
