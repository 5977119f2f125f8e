"""Tokenizing and opening: what happens to a number between the wire and the rows."""

from __future__ import annotations

import dataclasses
import datetime

from payments.common import cards, ids
from payments.tokenization import checks, codes, envelope, store

_RACES = 5
"""How often a lost race (insert against insert, insert against delete) is tried again."""


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What may be shown of a token."""

    token: store.Token
    holder_name: str
    has_cvc: bool


@dataclasses.dataclass(frozen=True)
class Opened:
    """A card in the clear, for the acquirer."""

    number: cards.Number
    exp_month: int
    exp_year: int
    cvc: cards.Cvc
    holder_name: str


class Contended(Exception):
    """The same card was created and deleted again and again while we tried."""


class Vault:
    """Cards behind the wall."""

    def __init__(self, rows: store.Store, keyring: envelope.Keyring, fingerprints: bytes, kept: codes.Codes) -> None:
        self._rows = rows
        self._keyring = keyring
        self._fingerprints = fingerprints
        self._codes = kept

    async def tokenize(self, account_id: str, card: checks.Card) -> Metadata:
        """A new token; its card row is shared with every other token of this number in the account."""
        fingerprint = envelope.fingerprint(self._fingerprints, account_id, card.number)
        for _ in range(_RACES):
            row, key = await self._card(account_id, fingerprint, card)
            token_id = ids.new("card")
            holder = key.seal(card.holder_name, *_holder_binding(token_id, row, card.exp_month, card.exp_year))
            created = await self._rows.add_token(token_id, row, card.exp_month, card.exp_year, holder)
            if created is not None:
                token = store.Token(token_id, account_id, row, card.exp_month, card.exp_year, holder, created)
                return Metadata(token, card.holder_name, await self._keep(token, key, card.cvc))
        raise Contended

    async def metadata(self, account_id: str, token_id: str) -> Metadata | None:
        token = await self._rows.find_token(account_id, token_id)
        if token is None:
            return None
        return Metadata(token, self._holder(token, self._key(token.card)), await self._codes.has(token_id))

    async def open(self, access: store.Access) -> Opened | None:
        """The card in the clear, audited; the CVC only where `access` asks for it, and then once."""
        token = await self._rows.open(access)
        if token is None:
            return None
        try:
            return await self._opened(token, consume=access.cvc)
        except envelope.Unreadable:
            await self._rows.unreadable(access)
            raise

    async def delete(self, account_id: str, token_id: str) -> bool:
        deleted = await self._rows.delete(account_id, token_id)
        if deleted:
            await self._codes.forget(token_id)
        return deleted

    async def rotate(self, batch: int) -> tuple[int, int, int]:
        """Rewrapped now, remaining, and the version in use."""
        rewrapped, remaining = await self._rows.rewrap(self._keyring, batch)
        return rewrapped, remaining, self._keyring.active

    async def _card(self, account_id: str, fingerprint: str, card: checks.Card) -> tuple[store.Card, envelope.DataKey]:
        """The one row of this number, made if need be; whoever loses the insert race takes the winner's."""
        for _ in range(_RACES):
            known = await self._rows.find_card(account_id, fingerprint)
            if known is not None:
                return known, self._key(known)
            fresh, key = self._sealed(account_id, fingerprint, card)
            if await self._rows.add_card(fresh):
                return fresh, key
        raise Contended

    def _sealed(self, account_id: str, fingerprint: str, card: checks.Card) -> tuple[store.Card, envelope.DataKey]:
        card_id, number = ids.new("pan"), card.number
        key, wrapped = self._keyring.new_data_key(card_id, account_id)
        sealed = key.seal(number.reveal(), "number", card_id, account_id)
        shown = (card.brand.name, number.last4, number.bin, cards.funding(number))
        return store.Card(card_id, account_id, fingerprint, *shown, sealed, wrapped), key

    async def _opened(self, token: store.Token, *, consume: bool) -> Opened:
        key = self._key(token.card)
        number = key.open(token.card.number, "number", token.card.id, token.account_id)
        holder = self._holder(token, key)
        sealed = await self._codes.take(token.id) if consume else None
        cvc = key.open(sealed, *_cvc_binding(token)) if sealed else ""
        return Opened(cards.Number(number), token.exp_month, token.exp_year, cards.Cvc(cvc), holder)

    async def _keep(self, token: store.Token, key: envelope.DataKey, cvc: cards.Cvc) -> bool:
        return bool(cvc) and await self._codes.keep(token.id, key.seal(cvc.reveal(), *_cvc_binding(token)))

    def _key(self, card: store.Card) -> envelope.DataKey:
        return self._keyring.unwrap(card.wrapped, card.id, card.account_id)

    @staticmethod
    def _holder(token: store.Token, key: envelope.DataKey) -> str:
        return key.open(token.holder, *_holder_binding(token.id, token.card, token.exp_month, token.exp_year))


def _holder_binding(token_id: str, card: store.Card, exp_month: int, exp_year: int) -> tuple[str, ...]:
    return "holder", token_id, card.id, card.account_id, f"{exp_year}-{exp_month}"


def _cvc_binding(token: store.Token) -> tuple[str, ...]:
    return "cvc", token.id, token.card.id, token.account_id


def today() -> datetime.date:
    """The date where it is latest yesterday on Earth (UTC-12): a card is good to the end of its month there too."""
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=12)).date()
