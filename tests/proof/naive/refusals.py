"""The two ways of not answering."""

from __future__ import annotations


class Invalid(Exception):
    """An API server would refuse a document; the message says which and why."""


class Undecidable(Exception):
    """The rules do not decide; the message says what they leave open."""
