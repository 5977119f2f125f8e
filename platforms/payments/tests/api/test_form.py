"""Forms with nested keys are read as Stripe's clients write them, and nothing that comes in breaks the reader."""

from __future__ import annotations

import urllib.parse

import hypothesis
import pytest
import stripe._encode
from hypothesis import strategies

from payments.api.wire import calls, errors, form, params
from payments.common import cards


@pytest.mark.parametrize(
    ("raw", "tree"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        (b"a[]=1&a[]=2", {"a": ["1", "2"]}),
        (b"a[][b]=1&a[][c]=2&a[][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        (b"a[0]=x&a[1]=y", {"a": {"0": "x", "1": "y"}}),
        (b"metadata%5Ba+b%5D=c%20d%26", {"metadata": {"a b": "c d&"}}),
    ],
)
def test_forms_are_read(raw: bytes, tree: object) -> None:
    assert form.parse(raw) == tree


@pytest.mark.parametrize(
    "raw",
    [b"a=1&a[b]=2", b"a[b]=2&a=1", b"a[]=1&a[b]=2", b"a[b]=1&a[]=2", b"[a]=1", b"a]=1", b"a[=1", b"a[b]c=1", b"=1",
     b"a=%ff", b"a=%00", b"a[b][c][d][e][f][g][h][i]=1", b"&".join(b"a%d=1" % n for n in range(1001))],
)  # fmt: skip
def test_what_is_no_form_is_refused(raw: bytes) -> None:
    with pytest.raises(errors.Error) as refused:
        form.parse(raw)
    assert refused.value.status == 400


_names = strategies.text("abc[]=&%+.0é", max_size=12)


@hypothesis.given(strategies.lists(strategies.tuples(_names, strategies.text(max_size=8)), max_size=8))
def test_anything_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    raw = "&".join(f"{urllib.parse.quote(name, safe='[]')}={urllib.parse.quote(value)}" for name, value in pairs)
    try:
        form.parse(raw.encode())
    except errors.Error as error:
        assert error.status == 400


@hypothesis.given(strategies.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        form.parse(raw)
    except errors.Error as error:
        assert error.status == 400


_keys = strategies.text("abcdefgh_", min_size=1, max_size=6).filter(lambda key: key not in ("number", "cvc"))
_leaf = strategies.text(max_size=8).filter(lambda text: "\0" not in text)
_trees = strategies.dictionaries(
    _keys, strategies.one_of(_leaf, strategies.dictionaries(_keys, _leaf, min_size=1, max_size=3)), max_size=4
)


@hypothesis.given(_trees)
def test_what_the_official_client_encodes_is_read_back(tree: dict[str, object]) -> None:
    pairs = list(stripe._encode._api_encode(tree))
    raw = urllib.parse.urlencode(pairs).encode()
    assert form.parse(raw) == tree


def test_card_data_are_wrapped_from_the_first_moment() -> None:
    tree = form.parse(b"card[number]=4242424242424242&card[cvc]=987")
    assert tree == {"card": {"number": cards.Number("4242424242424242"), "cvc": cards.Cvc("987")}}
    assert "4242424242424242" not in repr(tree)
    assert "987" not in repr(tree)


def test_a_fingerprint_tells_requests_apart_but_not_card_numbers() -> None:
    def fingerprint(raw: bytes, path: str = "/v1/x") -> bytes:
        call = calls.Call(tenant=calls.Tenant("a", False), method="POST", path=path, tree=form.parse(raw))
        return call.fingerprint()

    assert fingerprint(b"a=1&b=2") == fingerprint(b"b=2&a=1") != fingerprint(b"a=1&b=3")
    assert fingerprint(b"a=1") != fingerprint(b"a=1", "/v1/y")
    # Two numbers with the same last four digits: a digest that told them apart could be searched for the number.
    assert fingerprint(b"card[number]=4242424242424242") == fingerprint(b"card[number]=4000056655664242")
    assert fingerprint(b"card[cvc]=123") == fingerprint(b"card[cvc]=456")


SCHEMA = params.request(
    amount=params.amount(required=True),
    kind=params.choice("a", "b"),
    metadata=params.metadata(),
    items=params.many(params.one(params.Params(price=params.text(required=True)))),
    url=params.url(),
    note=params.text(unset=True),
)


@pytest.mark.parametrize(
    ("raw", "code", "param"),
    [
        (b"amount=1&x=1", "parameter_unknown", "x"),
        (b"kind=a", "parameter_missing", "amount"),
        (b"amount=", "parameter_invalid_empty", "amount"),
        (b"amount=1.5", "parameter_invalid_integer", "amount"),
        (b"amount=0", "parameter_invalid_integer", "amount"),
        (b"amount=99999999999999", "amount_too_large", "amount"),
        (b"amount[a]=1", "parameter_invalid_integer", "amount"),
        (b"amount=1&kind=c", None, "kind"),
        (b"amount=1&items[0][prices]=1", "parameter_unknown", "items[0][prices]"),
        (b"amount=1&items[0][]=1", "parameter_invalid_object", "items[0]"),
        (b"amount=1&items=1", "parameter_invalid_array", "items"),
        (b"amount=1&url=javascript:alert(1)", "url_invalid", "url"),
        (b"amount=1&note=4242+4242+4242+4242", None, "note"),
        (b"amount=1&metadata[a]=4242424242424242", None, "metadata[a]"),
    ],
)
def test_a_refusal_names_its_parameter(raw: bytes, code: str | None, param: str) -> None:
    with pytest.raises(errors.Error) as refused:
        SCHEMA.read(form.parse(raw))
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, code, param)
    assert "4242" not in refused.value.message


def test_lists_come_by_index_or_without() -> None:
    for raw in (b"amount=1&items[0][price]=a&items[1][price]=b", b"amount=1&items[][price]=a&items[][price]=b"):
        assert SCHEMA.read(form.parse(raw))["items"] == [{"price": "a"}, {"price": "b"}]


def test_metadata_merges_deletes_and_clears() -> None:
    assert params.merged({"a": "1", "b": "2"}, {"b": "", "c": "3"}) == {"a": "1", "c": "3"}
    assert params.merged({"a": "1"}, None) == {}
    assert SCHEMA.read(form.parse(b"amount=1&metadata="))["metadata"] is None
    assert SCHEMA.read(form.parse(b"amount=1&metadata[number]=6735"))["metadata"] == {"number": "6735"}
