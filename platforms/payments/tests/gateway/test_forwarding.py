"""Headers on their way through, whatever they are."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.gateway import credentials, forwarding, matching, routes

OURS = ("x-account-id", "x-user-id", "x-roles", "x-scopes", "x-livemode", "x-key-id", "x-key-kind", "x-session-id",
        "authorization", "x-workload-token", "x-request-id", "traceparent", "host", "content-length", "connection",
        "transfer-encoding", "x-forwarded-for", "x-forwarded-user")  # fmt: skip
_NAMES = st.one_of(st.sampled_from(OURS), st.text(string.ascii_lowercase + "-_", min_size=1, max_size=20))
_HEADERS = st.lists(st.tuples(_NAMES, st.text(string.ascii_letters, max_size=8)), max_size=12)


@given(_HEADERS)
def test_backends_see_each_identity_header_once_and_from_us(outside: list[tuple[str, str]]) -> None:
    ours = [(name, "ours") for name in ("x-account-id", "x-user-id")]
    raw = [(name.encode(), value.encode()) for name, value in outside]
    sent = forwarding.sent(raw, ours)
    for name in OURS:
        assert [value for sent_name, value in sent if sent_name == name] == (["ours"] if (name, "ours") in ours else [])
    assert not any("_" in name or name.startswith("x-forwarded-") for name, _ in sent)


@given(st.lists(st.sampled_from(["a", "b", "close", "keep-alive"])))
def test_what_connection_names_stays_on_its_hop(named: list[str]) -> None:
    raw = [(b"connection", ", ".join(named).encode()), (b"a", b"1"), (b"b", b"2"), (b"c", b"3")]
    assert [name for name, _ in forwarding.sent(raw, ())] == [name for name in "abc" if name not in named]


@pytest.mark.parametrize(
    ("forwarded", "hops", "found"),
    [
        (b"1.1.1.1", 0, "peer"),
        (b"", 1, "peer"),
        (b"1.1.1.1", 1, "1.1.1.1"),
        (b"6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        (b"6.6.6.6, 1.1.1.1, 2.2.2.2", 2, "1.1.1.1"),
        (b"1.1.1.1", 2, "peer"),
    ],
)
def test_only_trusted_proxies_say_who_asks(forwarded: bytes, hops: int, found: str) -> None:
    assert forwarding.client_address("peer", forwarded, hops) == found


def test_pages_without_a_policy_get_the_strict_one() -> None:
    page = dict(forwarding.returned([("Content-Type", "text/html")]))
    assert b"default-src 'none'" in page[b"content-security-policy"]
    own = forwarding.returned([("content-type", "text/html"), ("content-security-policy", "default-src 'self'")])
    assert [value for name, value in own if name == b"content-security-policy"] == [b"default-src 'self'"]


@given(st.text())
def test_no_authorization_header_breaks_the_reading_of_it(header: str) -> None:
    assert isinstance(credentials.api_key(header), str)
    assert credentials._masked(header) != header or not header or set(header) == {"*"}


@given(st.lists(st.sampled_from(["v1", "checkout", "auth", "..", ".", "", "%2e", "payment_intents", "x"]), max_size=6))
def test_a_path_that_is_found_is_read_alike_by_everybody(segments: list[str]) -> None:
    found = matching.Table(routes.ROUTES).find("/" + "/".join(segments))
    if found is not None:
        assert not {"..", ".", "", "%2e"} & set(segments)
