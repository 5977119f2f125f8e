"""Money: integers in the minor unit of a lower-case ISO 4217 currency, and how many decimals each has."""

from __future__ import annotations

MAX_AMOUNT = 99_999_999_999
"""The most one payment may move, in minor units: what Stripe accepts for currencies with the smallest units."""

_TWO = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc
cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd
kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php
pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs
wst xcd yer zar zmw
"""
_ZERO = "bif clp djf gnf isk jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
_THREE = "bhd jod kwd omr tnd"

EXPONENTS = {code: places for codes, places in ((_TWO, 2), (_ZERO, 0), (_THREE, 3)) for code in codes.split()}
"""Decimals of the minor unit by currency (ISO 4217): jpy 0, usd 2, kwd 3."""


class UnknownCurrency(ValueError):
    """Not a lower-case ISO 4217 code that we carry."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"unknown currency {currency!r}: use a lower-case ISO 4217 code such as 'usd' or 'jpy'")


def exponent(currency: str) -> int:
    """How many decimals the minor unit of `currency` has."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


def decimal(amount: int, currency: str) -> str:
    """`amount` minor units in words for people: ``decimal(1050, "usd")`` → ``10.50``."""
    places = exponent(currency)
    if places == 0:
        return str(amount)
    whole, part = divmod(abs(amount), 10**places)
    return f"{'-' if amount < 0 else ''}{whole}.{part:0{places}d}"
