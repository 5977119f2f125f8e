"""Secrets and card numbers, blotted out of everything that is shown."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, urlsplit

import msgspec

from groundplan.local.plan import units

BLOT = "•••"
SHORTEST = 4
"""Characters: blotting out shorter strings would blot out the text around them."""

# 13–19 digits (ISO/IEC 7812), alone or in groups; which of them are cards the Luhn sum tells.
DIGITS = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?!\d)")


class Masker:
    """Blots out `secrets`, as they are and as JSON and URLs spell them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
        self.secrets = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        self._pattern = re.compile("|".join(map(re.escape, self.secrets))) if forms else None

    def __call__(self, text: str) -> str:
        if self._pattern is not None:
            text = self._pattern.sub(BLOT, text)
        return DIGITS.sub(_card, text)


def of(file: pathlib.Path) -> Masker:
    """The masker for what the supervisor last knew to be secret."""
    if not file.exists():
        return Masker()
    return Masker(msgspec.json.decode(file.read_bytes(), type=tuple[str, ...]))


def _forms(secret: str) -> set[str]:
    whole = secret.strip()
    # A key over several lines shows in a log line by line.
    lines = [line.strip() for line in whole.splitlines()] if "\n" in whole else []
    parts = [whole, *(line for line in lines if len(line) >= 16 and not line.startswith("-----"))]
    spelled = [form(part) for part in parts for form in (_json, _json_ascii, quote, _quote_all, quote_plus)]
    return {*parts, *spelled}


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _json_ascii(text: str) -> str:
    return json.dumps(text)[1:-1]


def _quote_all(text: str) -> str:
    return quote(text, safe="")


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return f"{BLOT}{digits[-4:]}" if luhn(digits) else match[0]


def luhn(digits: str) -> bool:
    """Is the last digit the check digit of the others (ISO/IEC 7812-1, annex B)?"""
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def secrets_of(plan: units.LocalPlan) -> tuple[str, ...]:
    """All that must not be shown: the plan's masks, secret files, and the passwords in their URLs."""
    contents = [file.content.strip() for file in _files(plan) if file.secret]
    passwords = [password for content in contents if (password := _password(content))]
    return tuple(dict.fromkeys(text for text in (*plan.masks, *contents, *passwords) if text))


def _files(plan: units.LocalPlan) -> Iterable[units.File]:
    for unit in plan.units:
        yield from unit.files
        if isinstance(unit, units.Daemon):
            for instance in unit.instances:
                yield from instance.files


def _password(content: str) -> str | None:
    try:
        return urlsplit(content).password if "://" in content and "\n" not in content else None
    except ValueError:
        return None
