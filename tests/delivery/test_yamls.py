"""What is written as YAML is read as it was, by readers of YAML 1.1 and of 1.2."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from groundplan.delivery import yamls

# What a reader takes for something else than text when it stands plain, in either version.
TRAPS = (
    *(
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "N",
        "true",
        "False",
        "null",
        "Null",
        "~",
        "",
        " ",
        "NaN",
        ".nan",
        ".inf",
        "-.INF",
    ),
    *("012", "0o14", "0x1F", "0b11", "1e3", "1.5", "+1", "-0", "1_000", "12:30", "1:20:30", "2001-12-14", "1.0.0", "="),
    *(
        "<<",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "{a}",
        "[a]",
        "?",
        ":",
        "-",
        "--",
        "a:",
    ),
    *(
        "{{ x }}",
        "$HOME",
        "$(X)",
        "'",
        '"',
        "\\",
        "a\tb",
        " a",
        "a ",
        "é",
        "\u2028",
        "\x85",
        "\ufeff",
        "\U0001f600",
        "---",
        "...",
    ),
    *(
        "a\nb",
        "a\n",
        "\na",
        "a\n\n",
        "a \nb",
        "  a\nb",
        "a\n  b\n",
        "a\r\nb",
        "\n",
        "a\tb\nc",
        "#a\nb",
        "a\n\n\nb\n\n\n",
    ),
)

HUGE = {
    "one line of 64 KiB": "x" * 65536,
    "lines of 64 KiB": "line with 'quotes', \"more\", $VAR and {{ braces }}\n" * 1300,
    "64 KiB that cannot be a block": "a \u2028\t\n" * 13000,
}

texts = st.one_of(
    st.sampled_from(TRAPS),
    st.text(max_size=30),
    st.text(alphabet="abc:#-{}[]&*!|>'\"%@`~?, \n\t.0123456789eEoxyn", max_size=20),
    st.from_regex(r"[-+]?[0-9_:.eE]{1,12}", fullmatch=True),
)
leaves = st.one_of(texts, st.integers(-(2**63), 2**63), st.booleans(), st.none())
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=25
)

# The core schema of YAML 1.2 (chapter 10.3.2): a plain scalar that matches one of these is no text.
CORE = re.compile(
    r"null|Null|NULL|~||true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN"
)


@given(trees)
def test_whatever_is_written_is_read_the_same(tree):
    assert yaml.safe_load(yamls.document(tree)) == tree


@given(trees)
def test_what_another_writer_wrote_is_read_written_and_read_again(tree):
    there = yaml.safe_load(yaml.safe_dump(tree, allow_unicode=True))
    assert yaml.safe_load(yamls.document(there)) == there


@given(st.lists(trees, max_size=4))
def test_documents_of_a_stream_stay_apart(found):
    assert list(yaml.safe_load_all(yamls.documents(found))) == found


@pytest.mark.parametrize("text", TRAPS, ids=repr)
def test_a_trap_is_read_as_text(text):
    written = yamls.document({"value": text, text: 1, "list": [text, [text]]})
    assert yaml.safe_load(written) == {"value": text, text: 1, "list": [text, [text]]}


@pytest.mark.parametrize("what", HUGE)
def test_much_text_is_read_as_it_was(what):
    assert yaml.safe_load(yamls.document({"value": HUGE[what]})) == {"value": HUGE[what]}


@given(texts)
@settings(max_examples=300)
def test_no_text_stands_plain_that_yaml_1_2_takes_for_another_type(text):
    written = yamls.document([text]).removeprefix("- ").removesuffix("\n")
    if not written.startswith(('"', "|")):
        assert written == text
        assert not CORE.fullmatch(written)


@given(trees)
def test_every_character_is_one_that_yaml_1_1_lets_stand(tree):
    assert yaml.reader.Reader.NON_PRINTABLE.search(yamls.document(tree)) is None


def test_text_with_lines_stays_readable():
    assert yamls.document({"key": {"file": "one\n  two\n"}, "list": [{"a": 1, "b": []}, []]}) == (
        "key:\n  file: |\n    one\n      two\nlist:\n- a: 1\n  b: []\n- []\n"
    )


@pytest.mark.parametrize("value", [1.5, {1, 2}, object(), b"x"], ids=lambda value: type(value).__name__)
def test_what_has_no_place_in_an_object_is_refused(value):
    with pytest.raises(TypeError):
        yamls.document({"value": value})
