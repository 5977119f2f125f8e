"""What must never be read in a log: card numbers, loaded secrets, keys and bearer tokens.

Here: text and values in, the same with the sensitive parts starred out, out. Not here: where lines
are written (`logs`), what counts as a secret setting (`settings`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import msgspec

# ISO/IEC 7812-1: 13 to 19 digits with a Luhn check digit; people write them with spaces or dashes.
_DIGITS = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
_GROUP = re.compile(r"[0-9]+")
# RFC 6750 bearer tokens; Stripe-shaped secret, restricted, publishable and webhook-signing keys.
_BEARER = re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{4,}")
_KEY = re.compile(r"\b((?:sk|rk|pk)_(?:test|live)_|sk_|rk_|whsec_)[A-Za-z0-9+/=]{4,}")
_SUSPICIOUS = re.compile(r"(?i)[0-9](?:[ -]?[0-9]){12}|bearer|sk_|rk_|pk_|whsec_")

_SHORTEST_SECRET = 6  # a shorter one would star out ordinary words
_STARS = "********"


class _Secrets:
    """The values to star out, and the expression that finds any of them."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        forms = {form for form in (value, value.strip(), _escaped(value)) if len(form) >= _SHORTEST_SECRET}
        if forms <= self.values:
            return
        self.values |= forms
        longest_first = sorted(self.values, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first)))


_SECRETS = _Secrets()


def remember(value: str | bytes) -> None:
    """Star out `value` wherever it is logged from now on, also line by line (a PEM key in a traceback)."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    _SECRETS.add(text)
    for line in text.splitlines():
        if not line.startswith("-----"):
            _SECRETS.add(line)


def suspicious(text: str) -> bool:
    """Whether `text` may hold something to star out: one cheap pass, for lines that nearly never do."""
    secrets = _SECRETS.pattern
    return _SUSPICIOUS.search(text) is not None or (secrets is not None and secrets.search(text) is not None)


def text(raw: str) -> str:
    """`raw` with card numbers, secrets, keys and bearer tokens starred out."""
    if _SECRETS.pattern is not None:
        raw = _SECRETS.pattern.sub(_STARS, raw)
    raw = _BEARER.sub(rf"\1{_STARS}", raw)
    raw = _KEY.sub(rf"\1{_STARS}", raw)
    return _DIGITS.sub(_mask_cards, raw)


def recurring(raw: str) -> str:
    """The same as `text`, remembered for what comes again and again: a span's name, a statement."""
    return _remembered(raw, _SECRETS.pattern)


@functools.lru_cache(maxsize=1024)
def _remembered(raw: str, secrets: re.Pattern[str] | None) -> str:  # known again only while secrets are the same
    return text(raw)


def value(raw: Any) -> Any:
    """`raw` (anything JSON can say) with every string and number in it masked; a masked number becomes a string."""
    if isinstance(raw, str):
        return text(raw)
    if isinstance(raw, dict):
        return {text(str(key)): value(item) for key, item in raw.items()}
    if isinstance(raw, (list, tuple)):
        return [value(item) for item in raw]
    if isinstance(raw, bool) or raw is None:
        return raw
    written = str(raw) if isinstance(raw, (int, float)) else msgspec.json.encode(raw, enc_hook=str).decode().strip('"')
    masked = text(written)
    return raw if masked == written and isinstance(raw, (int, float)) else masked


def luhn(digits: str) -> bool:
    """Whether the check digit of `digits` is right (ISO/IEC 7812-1, annex B)."""
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0


def _mask_cards(found: re.Match[str]) -> str:
    run = found.group()
    # "Order 12 4242 4242 4242 4242": any neighbouring groups of digits may be the number.
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(run)]
    characters = list(run)
    for start, end in _cards(run, groups):
        hidden = sum(map(str.isdigit, run[start:end])) - 4
        for position in range(start, end):
            if run[position].isdigit() and hidden > 0:
                characters[position] = "*"
                hidden -= 1
    return "".join(characters)


def _cards(run: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, (start, _) in enumerate(groups):
        digits = ""
        for group_start, end in groups[first:]:
            digits += run[group_start:end]
            if len(digits) > 19:
                break
            if len(digits) >= 13 and luhn(digits):
                yield start, end


def _escaped(raw: str) -> str:
    return msgspec.json.encode(raw).decode()[1:-1]
