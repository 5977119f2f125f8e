"""The bank's rules: what each request does to the book. Every method runs inside one transaction of the store."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from payments.acquirer import faults, store, testcards, wire

_encode = msgspec.json.Encoder().encode
replace = msgspec.structs.replace
Answer = TypeVar("Answer")


class Bank:
    """The acquirer; `page` gives the address where the holder of a challenge authenticates."""

    def __init__(self, book: store.Store, wrongs: faults.Faults, page: Callable[[str], str]) -> None:
        self._book = book
        self._faults = wrongs
        self._page = page

    def authorize(self, request: wire.Authorize) -> wire.Authorization:
        asked = self._asked(request)
        with self._book:
            known = self._book.by_key(request.key)
            if known is not None:
                return _same(known.asked, asked, known.authorization)
            if self._book.reversal(request.key) is not None:
                raise wire.Refused(409, "reversed", "this key was reversed before it arrived; use a new key")
            return self._decide(request, asked)

    def capture(self, authorization_id: str, request: wire.Capture) -> wire.Operation:
        def apply(kept: store.Kept) -> wire.Operation:
            one = kept.authorization
            if one.status not in ("authorized", "captured") or request.amount > one.held:
                raise wire.Refused(402, "amount_too_large", f"{one.held} can be captured, not {request.amount}")
            held = 0 if request.final else one.held - request.amount
            changed = replace(one, captured=one.captured + request.amount, held=held, status="captured")
            self._dispute(changed, kept.dispute, request.amount)
            return self._changed(request.key, "capture", request.amount, changed)

        return self._once(authorization_id, request, apply)

    def void(self, authorization_id: str, request: wire.Void) -> wire.Operation:
        def apply(kept: store.Kept) -> wire.Operation:
            one = kept.authorization
            if one.status not in ("authorized", "captured", "voided"):
                raise wire.Refused(402, "not_voidable", f"nothing is held: the authorization is {one.status}")
            changed = replace(one, held=0, status="captured" if one.captured else "voided")
            return self._changed(request.key, "void", one.held, changed)

        return self._once(authorization_id, request, apply)

    def refund(self, authorization_id: str, request: wire.Refund) -> wire.Operation:
        def apply(kept: store.Kept) -> wire.Operation:
            one = kept.authorization
            left = one.captured - one.refunded
            if request.amount > left:
                raise wire.Refused(402, "amount_too_large", f"{left} can be refunded, not {request.amount}")
            if kept.refund_fails:
                return self._operation(request.key, "refund", request.amount, one, "failed")
            changed = replace(one, refunded=one.refunded + request.amount)
            return self._changed(request.key, "refund", request.amount, changed)

        return self._once(authorization_id, request, apply)

    def reverse(self, request: wire.Reversal) -> wire.Reversed:
        """Undoes the authorization of a key, and keeps it undone should it arrive later."""
        with self._book:
            known = self._book.reversal(request.key)
            if known is not None:
                return known
            kept = self._book.by_key(request.key)
            answer = wire.Reversed("reversed" if kept and self._undo(kept.authorization) else "nothing")
            self._book.add_reversal(request.key, answer)
            return answer

    def by_key(self, key: str) -> wire.Authorization:
        return _found(self._book.by_key(key), "unknown_key", "no authorization came with this key")

    def by_id(self, authorization_id: str) -> wire.Authorization:
        return _found(self._book.by_id(authorization_id), "unknown_authorization", "there is no such authorization")

    def authenticate(self, authentication_id: str, *, approved: bool) -> None:
        """The card holder's answer; the first one counts."""
        with self._book:
            self._book.settle_authentication(authentication_id, "open", "succeeded" if approved else "failed")

    def _decide(self, request: wire.Authorize, asked: bytes) -> wire.Authorization:
        fingerprint = self._book.fingerprint(request.card.number)
        behaviour = testcards.behaviour(request.card.number)
        decline = behaviour.decline or self._challenged(request, fingerprint, behaviour)
        answer = self._challenge(request, fingerprint) if decline == _CHALLENGE else _outcome(request, decline)
        self._book.add(store.Kept(answer, fingerprint, asked, behaviour.dispute, behaviour.refund_fails))
        self._dispute(answer, behaviour.dispute, answer.captured)
        return answer

    def _challenged(self, request: wire.Authorize, fingerprint: bytes, behaviour: testcards.Behaviour) -> str:
        """Empty where the card may be charged now, a decline code, or `_CHALLENGE`."""
        if request.authentication:
            return self._authenticated(request, fingerprint) or behaviour.after_challenge
        set_up = behaviour.challenge == "unless_set_up" and self._book.is_set_up(fingerprint)
        if behaviour.challenge == "never" or set_up:
            return ""
        # Nobody is there to authenticate: the issuer declines and says why.
        return "authentication_required" if request.off_session else _CHALLENGE

    def _authenticated(self, request: wire.Authorize, fingerprint: bytes) -> str:
        proof = self._book.authentication(request.authentication)
        fits = proof and (proof.fingerprint, proof.amount, proof.currency) == (
            fingerprint, request.amount, request.currency)  # fmt: skip
        if not fits or not self._book.settle_authentication(request.authentication, "succeeded", "used"):
            return "authentication_failed"
        # An authenticated payment or verification sets the card up for later ones.
        self._book.set_up(fingerprint)
        return ""

    def _challenge(self, request: wire.Authorize, fingerprint: bytes) -> wire.Authorization:
        challenge = store.Authentication(_id("auth"), fingerprint, request.amount, request.currency, "open")
        self._book.add_authentication(challenge)
        answer = _authorization(request, "requires_action")
        return replace(answer, authentication=challenge.id, authentication_url=self._page(challenge.id))

    def _once(
        self, authorization_id: str, request: wire.Capture | wire.Void | wire.Refund,
        apply: Callable[[store.Kept], wire.Operation],
    ) -> wire.Operation:  # fmt: skip
        asked = _encode((authorization_id, type(request).__name__, request))
        with self._book:
            known = self._book.answered(request.key)
            if known is not None:
                return _same(known[0], asked, known[1])
            kept = self._book.by_id(authorization_id)
            if kept is None:
                raise wire.Refused(404, "unknown_authorization", "there is no such authorization")
            operation = apply(kept)
            self._book.answer(asked, operation)
            return operation

    def _changed(self, key: str, kind: wire.Kind, amount: int, changed: wire.Authorization) -> wire.Operation:
        self._book.change(changed)
        return self._operation(key, kind, amount, changed, "succeeded")

    @staticmethod
    def _operation(
        key: str, kind: wire.Kind, amount: int, one: wire.Authorization, status: wire.Outcome
    ) -> wire.Operation:
        return wire.Operation(id=_id("acop"), key=key, kind=kind, status=status, amount=amount, authorization=one)

    def _undo(self, one: wire.Authorization) -> bool:
        """Whether there was something to undo: a reversal wipes an authorization out, it is no refund."""
        if one.status not in ("authorized", "captured"):
            return False
        self._book.change(replace(one, held=0, captured=0, refunded=0, status="voided"))
        return True

    def _dispute(self, one: wire.Authorization, reason: str, amount: int) -> None:
        if not reason or not amount:
            return
        event = wire.Event(_id("acev"), 0, "dispute.opened", one.id, one.key, amount, reason)
        for _ in range(2 if self._faults.duplicates() else 1):
            self._book.add_event(event)

    def _asked(self, request: wire.Authorize) -> bytes:
        """What makes two requests the same; without the CVC, which a caller may send only once."""
        card = self._book.fingerprint(request.card.number).hex()
        return _encode((request.amount, request.currency, card, request.capture, request.authentication))


_CHALLENGE = "requires_action"


def _outcome(request: wire.Authorize, decline: str) -> wire.Authorization:
    if decline:
        return replace(_authorization(request, "declined"), decline_code=decline)
    network = _id("ntx")
    if request.capture:
        answer = _authorization(request, "captured")
        return replace(answer, captured=request.amount, network_transaction_id=network)
    return replace(_authorization(request, "authorized"), held=request.amount, network_transaction_id=network)


def _authorization(request: wire.Authorize, status: wire.Status) -> wire.Authorization:
    return wire.Authorization(
        id=_id("aut"), key=request.key, status=status, amount=request.amount, captured=0, refunded=0, held=0,
        currency=request.currency, last4=request.card.number[-4:], created=int(time.time()),
    )  # fmt: skip


def _found(kept: store.Kept | None, code: str, message: str) -> wire.Authorization:
    if kept is None:
        raise wire.Refused(404, code, message)
    return kept.authorization


def _same(asked_then: bytes, asked_now: bytes, answer: Answer) -> Answer:
    if asked_then != asked_now:
        raise wire.Refused(409, "key_reused", "this key came before with other parameters")
    return answer


def _id(prefix: str) -> str:
    # Letters only: digits now and then look like a card number to those who search for them.
    return f"{prefix}_{secrets.token_hex(12).translate(_LETTERS)}"


_LETTERS = str.maketrans("0123456789", "ghijkmnpqr")
