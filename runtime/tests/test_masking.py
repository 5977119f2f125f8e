"""No card number, secret or key is readable in a log line, wherever in a record it was."""

import io
import json
import logging
import re
import secrets

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplan_runtime import logs, masking, settings

SOURCE = logs.Source("auth-service", "auth-service-0")


def check_digit(digits: str) -> str:
    return next(last for last in "0123456789" if masking.luhn(digits + last))


card_numbers = st.text("0123456789", min_size=12, max_size=18).map(lambda digits: digits + check_digit(digits))
separators = st.sampled_from(["", " ", "-"])
around = st.text().map(lambda text: re.sub(r"[0-9 -]", "", text))


@st.composite
def written_cards(draw: st.DrawFn) -> tuple[str, str]:
    """A card number, and how somebody wrote it."""
    number, separator = draw(card_numbers), draw(separators)
    size = draw(st.integers(1, 6))
    groups = [number[start : start + size] for start in range(0, len(number), size)]
    return number, separator.join(groups)


def logged(*arguments: object, **extra: object) -> tuple[str, dict[str, object]]:
    """The line that a record becomes, raw and read."""
    record = logging.LogRecord("test", logging.INFO, "", 0, arguments[0], arguments[1:], None)
    record.__dict__.update(extra)
    line = logs.JsonFormatter(SOURCE).format(record)
    return line, json.loads(line)


@given(written_cards(), around, around)
def test_a_card_number_is_masked_but_for_its_last_four_digits(card: tuple[str, str], before: str, after: str) -> None:
    number, written = card
    masked = masking.text(before + written + after)
    assert number[:-4] not in re.sub("[ -]", "", masked)
    assert "".join(re.findall("[0-9]", masked)) == number[-4:]
    assert masked.startswith(before)
    assert masked.endswith(after)


@given(written_cards(), st.sampled_from(["message", "argument", "extra", "nested", "key"]))
def test_a_card_number_is_masked_in_every_part_of_a_record(card: tuple[str, str], part: str) -> None:
    number, written = card
    records = {
        "message": lambda: logged(written.replace("%", "%%")),
        "argument": lambda: logged("paid with %s and %r", written, {"number": written}),
        "extra": lambda: logged("paid", card=written),
        "nested": lambda: logged("paid", request={"card": [{"number": written}]}),
        "key": lambda: logged("paid", cards={written: 1}),
    }
    line, _ = records[part]()
    assert number not in re.sub("[ -]", "", line)
    assert written not in line


@given(card_numbers)
def test_a_card_number_logged_as_a_number_leaves_the_line_valid_json(number: str) -> None:
    _, line = logged("paid", pan=int(number), amount=1099)
    shown = str(int(number))
    assert line["pan"] == (masking.text(shown) if masking.text(shown) != shown else int(shown))
    assert line["amount"] == 1099


def test_a_card_number_in_a_traceback_is_masked() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.JsonFormatter(SOURCE))
    try:
        raise ValueError("declined: 4242-4242-4242-4242")
    except ValueError:
        record = logging.LogRecord("test", logging.ERROR, "", 0, "failed", (), __import__("sys").exc_info())
    handler.emit(record)
    assert "ValueError: declined: ****-****-****-4242" in json.loads(out.getvalue())["exception"]


@given(st.text("0123456789", min_size=13, max_size=19).filter(lambda digits: not masking.luhn(digits)))
def test_a_number_whose_check_digit_is_wrong_stays(digits: str) -> None:
    assert masking.text(f"order {digits}x") == f"order {digits}x"


@given(st.text(min_size=8, max_size=60).filter(lambda text: text.strip() == text and len(text) >= 8))
def test_a_loaded_secret_is_masked_in_every_part_of_a_record(value: str) -> None:
    value = secrets.token_hex(4) + value
    settings.Secret(value)
    for line, _ in (logged("%s", value), logged("x", extra={"deep": [value]}), logged(value.replace("%", "%%"))):
        assert value not in line
        assert msgspec.json.encode(value).decode()[1:-1] not in line


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("Authorization: Bearer eyJhbGciOi.J9.x-y_z", "Authorization: Bearer ********"),
        ("bearer abcdef0123", "bearer ********"),
        ("key sk_test_51Habcdef used", "key sk_test_******** used"),
        ("key rk_live_51Habcdef.", "key rk_live_********."),
        ("whsec_abcdef", "whsec_********"),
        ("task_force and risk_level", "task_force and risk_level"),
        ("Order 12 4242 4242 4242 4242", "Order 12 **** **** **** 4242"),
        ("2026-11-21 01:16:55 took 1234567 ns", "2026-11-21 01:16:55 took 1234567 ns"),
    ],
)
def test_keys_and_tokens_are_masked_and_ordinary_text_is_not(written: str, masked: str) -> None:
    assert masking.text(written) == masked


def test_a_private_key_is_masked_line_by_line() -> None:
    body = secrets.token_urlsafe(48)
    settings.Secret(f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    assert body not in masking.text(f"cannot read: b'{body}'")


def test_what_recurs_is_masked_by_the_secrets_of_the_moment() -> None:
    statement = "SELECT 'recurring-secret-of-a-test'"
    assert masking.recurring(statement) == masking.recurring(statement) == statement
    masking.remember("recurring-secret-of-a-test")
    assert "recurring-secret" not in masking.recurring(statement)
