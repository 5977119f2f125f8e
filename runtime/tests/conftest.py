"""Each test begins as a fresh process would."""

import pytest

from groundplan_runtime import callee, current, deadlines
from platforms.payments.tests.engines import postgres, valkey

__all__ = ["fresh", "postgres", "valkey"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Breakers live as long as a process, and a synchronous test leaves its context behind."""
    monkeypatch.setattr(callee, "_breakers", {})
    deadlines.start(None)
    current.request_id.set("")
