"""Quantities as Kubernetes writes them: 100m, 64Mi, 1e3.

Source: Kubernetes API reference, Quantity.
"""

from __future__ import annotations

import decimal
import re
from typing import Any

_QUANTITY = re.compile(r"([+-]?[0-9.]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?")
_FACTORS = {
    "": decimal.Decimal(1),
    **{unit: decimal.Decimal(1000) ** -power for power, unit in enumerate("mun", 1)},
    **{unit: decimal.Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": decimal.Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}  # fmt: skip


def number(value: Any) -> decimal.Decimal | None:
    """A quantity as a number; None for what is none."""
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    try:
        digits, unit = decimal.Decimal(match[1]), match[2] or ""
    except decimal.InvalidOperation:
        return None
    return digits * (_FACTORS[unit] if unit in _FACTORS else decimal.Decimal(f"1{unit}"))
