"""Amounts of CPU, memory and storage in Kubernetes' notation.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import dataclasses
import decimal
import re

_SUFFIX = {"": decimal.Decimal(1), "m": decimal.Decimal("0.001")}
_SUFFIX |= {letter: decimal.Decimal(1000) ** power for power, letter in enumerate("kMGTP", 1)}
_SUFFIX |= {f"{letter}i": decimal.Decimal(1024) ** power for power, letter in enumerate("KMGTP", 1)}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")


def parse(text: str) -> decimal.Decimal:
    """The amount in cores or bytes.

    Raises ValueError, in words for the author, when `text` is not a quantity.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as 100m, 0.5, 128Mi or 5Gi")
    return decimal.Decimal(match[1]) * _SUFFIX[match[2] or ""]


@dataclasses.dataclass(frozen=True)
class Range:
    """What is requested and the limit; equal when only one was said."""

    request: str
    limit: str


@dataclasses.dataclass(frozen=True)
class Compute:
    """CPU (cores) and memory (bytes) of one replica; None where nothing was said."""

    cpu: Range | None = None
    memory: Range | None = None

    def __and__(self, other: Compute) -> Compute:
        return Compute(cpu=other.cpu or self.cpu, memory=other.memory or self.memory)
