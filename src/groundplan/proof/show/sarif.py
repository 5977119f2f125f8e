"""Findings as SARIF 2.1.0, which code hosts show at the line.

Sources: OASIS, "SARIF 2.1.0"; GitHub documentation, "SARIF support for code scanning" (what it reads, limits).
"""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Iterable
from typing import Any

from groundplan.proof import findings
from groundplan.proof.lint import codes, run

LEVELS = {findings.ERROR: "error", findings.WARNING: "warning", findings.NOTE: "note"}
MOST = 25_000
"""Results of one run: GitHub refuses a file with more."""


def report(some: Iterable[findings.Finding], accepted: Iterable[run.Suppressed] = ()) -> dict[str, Any]:
    """One run: what was found, worst first, and what somebody has accepted, with the reason."""
    listed = list(some)
    results = [_result(each) for each in listed]
    for one in accepted:
        suppression = {"kind": "inSource", "justification": one.reason}
        results.append({**_result(one.finding), "suppressions": [suppression]})
    used = sorted({each["ruleId"] for each in results[:MOST]})
    rules = [_rule(code) for code in used]
    driver = {"name": "groundplan", "rules": rules}
    one_run: dict[str, Any] = {"tool": {"driver": driver}, "results": results[:MOST]}
    if len(results) > MOST:
        said = f"{len(results) - MOST} results more were left off: a file of more than {MOST} is refused"
        note = {"level": "warning", "message": {"text": said}}
        one_run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": [note]}]
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [one_run]}


def _rule(code: str) -> dict[str, Any]:
    severity, meaning = codes.CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "defaultConfiguration": {"level": LEVELS[severity]},
    }


def _result(found: findings.Finding) -> dict[str, Any]:
    text = f"{found.what}: {found.said}" + (f". Fix: {found.remedy}" if found.remedy else "")
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(found.where.file)}}
    if found.where.line:
        place["region"] = {"startLine": found.where.line}
    location: dict[str, Any] = {"physicalLocation": place}
    if found.subject:
        location["logicalLocations"] = [{"fullyQualifiedName": found.subject}]
    return {
        "ruleId": found.code, "level": LEVELS[found.severity], "message": {"text": text}, "locations": [location],
        "partialFingerprints": {"objectAndField/v1": _fingerprint(found)},
    }  # fmt: skip


def _uri(file: str) -> str:
    """A path as a relative reference; from standard input, or from no file, a name that is one."""
    return urllib.parse.quote(file.removeprefix("./")) if file and file != "-" else "unknown"


def _fingerprint(found: findings.Finding) -> str:
    """The same for the same thing wrong, wherever its line has gone."""
    parts = "\0".join((found.code, found.subject, found.field, found.what))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:32]
