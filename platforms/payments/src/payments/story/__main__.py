"""A merchant registers, takes a payment and gives part of it back; then the books are looked at."""

from __future__ import annotations

import os
import secrets

import stripe

from payments.story import onboarding, paying, steps, world


def main() -> None:
    tell, outside = steps.Teller("GROUNDPLAN_JSON" in os.environ), world.World()
    key = _become_a_merchant(tell, outside)
    shop = paying.Shop(outside, key)
    hook = tell.step("the shop registers a webhook endpoint", shop.listen, lambda each: each.id)
    card = tell.step("a card is tokenized (over gRPC, behind the wall)", shop.card, _card)
    order = secrets.token_hex(8)
    intent = tell.step("a payment of 42.00 EUR is created", lambda: shop.create(4200, order), _state)
    again = tell.step("the same request again has no second effect", lambda: shop.create(4200, order), lambda it: it.id)
    tell.step("one key, one effect", lambda: paying.same(intent, again))
    tell.step("it is confirmed: the acquirer holds the money", lambda: shop.confirm(intent.id, card.id), _state)
    tell.step("it is captured into the double-entry ledger", lambda: shop.capture(intent.id), _state)
    tell.step("12.50 EUR are refunded", lambda: shop.refund(intent.id, 1250), lambda it: f"{it.id} {it.status}")
    tell.step("a declined card says why", lambda: shop.declined(1000), lambda it: it)
    tell.step(
        "signed webhooks arrive; Stripe's own verifier accepts them",
        lambda: shop.verified_events(hook.secret, intent.id),
        lambda kinds: ", ".join(kinds),
    )
    tell.step("a tampered webhook is refused", lambda: shop.tampered(hook.secret))
    tell.step("the ledger sums to zero in every currency", lambda: shop.trial_balance(outside), lambda it: it)
    tell.end()
    if "GROUNDPLAN_KEEP" in os.environ:
        tell.line(
            {"url": outside.public, "key": key},
            f"\nUse it: Stripe's client with the base {outside.public} and the key {key}",
        )


def _become_a_merchant(tell: steps.Teller, outside: world.World) -> str:
    owner = onboarding.person("owner")
    tell.step("an owner registers", lambda: onboarding.register(outside, owner, "Olga Owner"), lambda _: owner.email)
    tell.step("the mail arrives and its link is followed", lambda: onboarding.verify(outside, owner), lambda it: it)
    tell.step("she logs in", lambda: onboarding.log_in(outside, owner), lambda it: f"{it[:16]}…")
    account = tell.step("she submits a merchant", lambda: onboarding.make_merchant(outside, owner), lambda it: it)
    reviewer = tell.step("an operator makes a reviewer", lambda: onboarding.make_reviewer(outside), lambda it: it.email)
    tell.step("the reviewer approves", lambda: onboarding.approve(outside, reviewer, account), lambda it: it)
    made = lambda: onboarding.make_key(outside, owner, account)  # noqa: E731  (a step's act)
    return tell.step("the owner makes an API key", made, lambda it: f"{it[:12]}…")


def _card(method: stripe.PaymentMethod) -> str:
    return f"{method.id} {method.card.brand} …{method.card.last4}" if method.card else method.id


def _state(intent: stripe.PaymentIntent) -> str:
    return f"{intent.id} {intent.status}"


if __name__ == "__main__":
    main()
