"""One-time codes: the vectors of RFC 6238, and their life in the service."""

from __future__ import annotations

import base64
import time
import urllib.parse

import pytest

from payments.auth import totp
from platforms.payments.tests import asgi
from platforms.payments.tests.auth.conftest import PASSWORD, Auth

_SEED = b"12345678901234567890"
_SEEDS = {"sha1": _SEED, "sha256": (_SEED * 2)[:32], "sha512": (_SEED * 4)[:64]}

# RFC 6238, appendix B.
VECTORS = (
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
)


@pytest.mark.parametrize("vector", VECTORS)
def test_codes_are_those_of_the_standard(vector: tuple[int, str, str, str]) -> None:
    moment, *wanted = vector
    found = [totp.code(seed, moment // totp.STEP, 8, name) for name, seed in _SEEDS.items()]
    assert found == wanted


def test_a_code_is_taken_one_step_early_or_late_and_never_again() -> None:
    now = 1_000_000 * totp.STEP + 7
    for drift in (-1, 0, 1):
        code = totp.code(_SEED, 1_000_000 + drift)
        assert totp.matching_step(_SEED, code, now, after=0) == 1_000_000 + drift
        assert totp.matching_step(_SEED, code, now, after=1_000_000 + drift) is None
    assert totp.matching_step(_SEED, totp.code(_SEED, 1_000_002), now, after=0) is None


def _code(secret: str, ahead: int = 0) -> str:
    padded = secret + "=" * (-len(secret) % 8)
    return totp.code(base64.b32decode(padded), int(time.time()) // totp.STEP + ahead)


async def _enabled(auth: Auth, email: str) -> tuple[asgi.Client, str, list[str]]:
    me = auth.client.known(await auth.person(email))
    setup = (await me.post("/auth/totp/setup", password=PASSWORD)).json
    assert urllib.parse.parse_qs(setup["uri"].partition("?")[2])["secret"] == [setup["secret"]]
    # The step before is used, so that the present one is free for what follows.
    codes = (await me.post("/auth/totp/enable", code=_code(setup["secret"], -1))).json["recovery_codes"]
    return me, setup["secret"], codes


async def test_sign_in_asks_for_a_code_and_takes_it_once(auth: Auth) -> None:
    email = "code@example.com"
    _, secret, _ = await _enabled(auth, email)
    asked = await auth.client.post("/auth/login", email=email, password=PASSWORD)
    assert (asked.status, asked.json["code"]) == (401, "totp_required")
    code = _code(secret)
    await auth.login(email, totp=code)
    again = await auth.client.post("/auth/login", email=email, password=PASSWORD, totp=code)
    assert (again.status, again.json["code"]) == (401, "invalid_totp")


async def test_a_recovery_code_replaces_the_app_once(auth: Auth) -> None:
    email = "recover@example.com"
    _, _, codes = await _enabled(auth, email)
    assert len(set(codes)) == 10
    await auth.login(email, totp=codes[0])
    again = await auth.client.post("/auth/login", email=email, password=PASSWORD, totp=codes[0])
    assert again.status == 401


async def test_nothing_is_asked_for_until_the_app_has_shown_a_code(auth: Auth) -> None:
    email = "half@example.com"
    me = auth.client.known(await auth.person(email))
    wrong = await me.post("/auth/totp/setup", password="a wrong password")
    assert wrong.status == 401
    await me.post("/auth/totp/setup", password=PASSWORD)
    assert (await me.post("/auth/totp/enable", code="000000")).status == 400
    await auth.login(email)


async def test_disabling_asks_for_password_and_code(auth: Auth) -> None:
    email = "off@example.com"
    me, secret, codes = await _enabled(auth, email)
    assert (await me.post("/auth/totp/disable", password="a wrong password", code=codes[0])).status == 401
    assert (await me.post("/auth/totp/disable", password=PASSWORD, code="000000")).status == 400
    assert (await me.post("/auth/totp/setup", password=PASSWORD)).status == 409
    assert (await me.post("/auth/totp/disable", password=PASSWORD, code=_code(secret))).status == 204
    await auth.login(email)
    dump = auth.database.dump()
    assert secret not in dump and codes[1] not in dump


async def test_who_knows_the_password_cannot_go_through_the_codes(auth: Auth) -> None:
    me, _, _ = await _enabled(auth, "codes@example.com")
    answers = [await me.post("/auth/totp/disable", password=PASSWORD, code=f"00000{n}") for n in range(7)]
    assert [answer.status for answer in answers][-1] == 429
