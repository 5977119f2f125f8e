"""Secrets and card numbers never show."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplan.local import masks
from groundplan.local.plan import units
from tests.local import running

BODY = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"
KEY = f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n"

plain = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)


@given(plain, st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=4, max_size=30), plain)
def test_a_secret_never_shows_however_it_is_spelled(before: str, secret: str, after: str) -> None:
    secret = secret.strip()
    masker = masks.Masker([secret])
    if len(secret) < masks.SHORTEST:
        return
    for spelled in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
        assert secret not in masker(f"{before}{spelled}{after}").replace(masks.BLOT, "\0")
        assert masker(spelled) == masks.BLOT


@pytest.mark.parametrize("line", [BODY, json.dumps({"key": KEY}), repr(KEY)])
def test_a_key_over_several_lines_shows_in_none_of_them(line: str) -> None:
    assert BODY not in masks.Masker([KEY])(f"loaded {line}!")


def _card(digits: str) -> str:
    return next(digits + str(check) for check in range(10) if masks.luhn(digits + str(check)))


@given(st.text("0123456789", min_size=12, max_size=18), st.sampled_from(["", " ", "-"]))
def test_a_card_number_shows_its_last_four_digits_only(digits: str, gap: str) -> None:
    card = _card(digits)
    grouped = gap.join(card[place : place + 4] for place in range(0, len(card), 4))
    assert masks.Masker()(f"paid with {grouped}, thanks") == f"paid with {masks.BLOT}{card[-4:]}, thanks"


@pytest.mark.parametrize(
    "text", ["order 1234567890123", "at 1795225214.4545853000", "id 41111111111111111111111", "4242"]
)
def test_other_numbers_stay(text: str) -> None:
    assert masks.Masker()(text) == text


def test_the_luhn_sum_is_that_of_the_standard() -> None:
    assert masks.luhn("4242424242424242")
    assert not masks.luhn("4242424242424241")


def test_a_plans_secrets_are_its_masks_its_secret_files_and_the_passwords_in_them() -> None:
    dsn = units.File(path="/x", content="postgres://app:s3cr3t-pw@127.0.0.1/db\n", secret=True)
    public = units.File(path="/y", content="public", secret=False)
    wanted = running.plan(running.task("t", "pass", files=(dsn, public)), masks=("token-1",))
    assert masks.secrets_of(wanted) == ("token-1", "postgres://app:s3cr3t-pw@127.0.0.1/db", "s3cr3t-pw")


def test_a_secret_in_the_last_words_of_a_crash_shows_nowhere(ground: running.Ground) -> None:
    secret = units.File(path=str(ground.place.secrets / "key"), content="sk_live_abcdef", secret=True)
    code = f"raise SystemExit('bad key ' + open({secret.path!r}).read() + ' for 4242 4242 4242 4242')"
    child = ground.launch(running.plan(running.task("pay", code, files=(secret,))))
    said = ground.said(child)
    assert f"bad key {masks.BLOT} for {masks.BLOT}4242" in said
    assert "sk_live" not in said
    assert "sk_live" not in ground.log("groundplan")
