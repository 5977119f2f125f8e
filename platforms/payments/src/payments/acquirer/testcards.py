"""How each documented test card behaves (https://docs.stripe.com/testing); any other number is approved."""

from __future__ import annotations

import dataclasses
from typing import Literal

Challenge = Literal["never", "unless_set_up", "always"]


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """What the issuer of a card does."""

    decline: str = ""
    """The decline code of every authorization."""
    challenge: Challenge = "never"
    """When the holder must authenticate."""
    after_challenge: str = ""
    """The decline code of an authenticated authorization."""
    dispute: str = ""
    """The reason for which each captured payment is disputed."""
    refund_fails: bool = False


APPROVED = Behaviour()

_DECLINES = (
    ("4000000000000002", "generic_decline"),
    ("4000000000009995", "insufficient_funds"),
    ("4000000000009987", "lost_card"),
    ("4000000000009979", "stolen_card"),
    ("4000000000000069", "expired_card"),
    ("4000000000000127", "incorrect_cvc"),
    ("4000000000000119", "processing_error"),
    ("4000000000006975", "card_velocity_exceeded"),
    ("4100000000000019", "fraudulent"),
    # Attaches well, declines when charged.
    ("4000000000000341", "generic_decline"),
)

_OTHERS = (
    ("4000002500003155", Behaviour(challenge="unless_set_up")),
    ("4000002760003184", Behaviour(challenge="always")),
    ("4000000000003220", Behaviour(challenge="always")),
    ("4000003800000446", Behaviour(challenge="never")),
    ("4000008260003178", Behaviour(challenge="always", after_challenge="insufficient_funds")),
    ("4000008400001629", Behaviour(challenge="always", after_challenge="generic_decline")),
    ("4000000000000259", Behaviour(dispute="fraudulent")),
    ("4000000000002685", Behaviour(dispute="product_not_received")),
    ("4000000000001976", Behaviour(dispute="inquiry")),
    ("4000000000005423", Behaviour(dispute="fraudulent")),
    ("4000000000005126", Behaviour(refund_fails=True)),
)

BEHAVIOURS = {number: Behaviour(decline=code) for number, code in _DECLINES} | dict(_OTHERS)


def behaviour(number: str) -> Behaviour:
    return BEHAVIOURS.get(number, APPROVED)
