"""The engines, for every test of the payments platform."""

from platforms.payments.tests.engines import postgres, valkey

__all__ = ["postgres", "valkey"]
