"""One running payments platform for all tests of this folder, and a merchant with an API key on it."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator

import pytest
import stripe

from payments.story import onboarding, stage, world


@dataclasses.dataclass
class Live:
    """A platform, the world around it, and a merchant's key."""

    stage: stage.Stage
    world: world.World
    url: str
    key: str

    @property
    def data(self) -> pathlib.Path:
        return self.stage.data

    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient(self.key, base_addresses={"api": self.url}, max_network_retries=0)

    def dsn(self, service: str) -> str:
        """The database role of a service, as it is handed to it."""
        return (self.data / "files" / service / "secrets" / "database-dsn").read_text()


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    with stage.Stage(replicas=2) as platform:
        known = platform.world()
        outside = world.World(known)
        yield Live(platform, outside, known["PUBLIC_URL"], onboarding.onboard(outside))
