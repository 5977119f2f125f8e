"""Findings as SARIF 2.1.0, which code hosts show at the line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from groundplan.proof import findings
from groundplan.proof.lint import codes

LEVELS = {findings.ERROR: "error", findings.WARNING: "warning", findings.NOTE: "note"}


def report(some: Iterable[findings.Finding]) -> dict[str, Any]:
    """One run."""
    listed = list(some)
    used = sorted({each.code for each in listed})
    rules = [{"id": code, "shortDescription": {"text": codes.CODES[code][1]}} for code in used]
    driver = {"name": "groundplan", "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(each) for each in listed]}],
    }  # fmt: skip


def _result(found: findings.Finding) -> dict[str, Any]:
    text = f"{found.what}: {found.said}" + (f". Fix: {found.remedy}" if found.remedy else "")
    place: dict[str, Any] = {"artifactLocation": {"uri": found.where.file or "unknown"}}
    if found.where.line:
        place["region"] = {"startLine": found.where.line}
    return {
        "ruleId": found.code, "level": LEVELS[found.severity], "message": {"text": text},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": found.subject}]}],
    }  # fmt: skip
