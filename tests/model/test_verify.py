"""``plan.verify`` takes a program of the plan and what to run there; anything else is a finding at its line."""

from __future__ import annotations

import pytest

from groundplan import Platform, Service, python
from groundplan.resources import Redis


@pytest.mark.parametrize("wrong", ["a resource", "a word", "a process"])
def test_a_verification_of_something_else_is_a_finding(wrong: str) -> None:
    plan = Platform("shop")
    service = plan.namespace("space").add(Service("web", python("shop.web"), http=8000))
    given = {
        "a resource": (Redis("cache"), python("shop.check")),
        "a word": ("web", python("shop.check")),
        "a process": (service, "shop.check"),
    }[wrong]
    plan.verify(*given)
    assert [found.code for found in plan.sheet.findings] == ["GP106"]


def test_a_verification_is_kept_with_its_line() -> None:
    plan = Platform("shop")
    service = plan.namespace("space").add(Service("web", python("shop.web"), http=8000))
    plan.verify(service, python("shop.check"))
    (found,) = plan.verifications
    assert (found.service, found.process) == (service, python("shop.check"))
    assert "test_verify.py" in str(found.origin)
