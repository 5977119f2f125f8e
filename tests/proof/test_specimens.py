"""The naive evaluator says of every specimen what its author, reading the rules, wrote down."""

from __future__ import annotations

import pytest

from tests.proof import naive, specimens

SPECIMENS = specimens.load()


def said(specimen: specimens.Specimen, asked: specimens.Expectation) -> tuple[str, str]:
    """The verdict, and the reason where there is one."""
    ends = (asked.source, asked.destination, asked.protocol, asked.port)
    try:
        allowed = naive.allowed(list(specimen.documents), *ends, **specimen.options)
    except naive.Undecidable as error:
        return "undecidable", str(error)
    except naive.Invalid as error:
        return "invalid", str(error)
    return ("allowed" if allowed else "denied"), ""


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.name)
def test_the_naive_evaluator_agrees_with_the_specimen(specimen: specimens.Specimen) -> None:
    answers = [(asked, said(specimen, asked)) for asked in specimen.expectations]
    assert [(asked, answer) for asked, answer in answers if answer[0] != asked.verdict] == []


def test_there_are_specimens_of_every_verdict() -> None:
    verdicts = {asked.verdict for specimen in SPECIMENS for asked in specimen.expectations}
    assert verdicts == set(specimens.VERDICTS)


def test_specimens_make_claims_of_their_own() -> None:
    assert len({specimen.claim for specimen in SPECIMENS}) == len(SPECIMENS)
