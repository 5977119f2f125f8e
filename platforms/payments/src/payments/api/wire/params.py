"""Typed parameters: a declaration of what a request may carry, and every refusal in Stripe's words.

::

    CREATE = Params(amount=integer(required=True, least=1), currency=currency(required=True), metadata=metadata())
    values = CREATE.read(tree)      # {"amount": 1000, …}; only what was sent is there

An empty value unsets: it reads as None where a parameter may be unset (`unset=True`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from payments.api.wire import errors
from payments.common import cards, money

Read = Callable[[Any, str], Any]
_INTEGER = re.compile(r"-?[0-9]{1,18}")


@dataclasses.dataclass(frozen=True)
class Param:
    """One parameter: how it is read, whether it must be there, whether an empty value unsets it."""

    read: Read
    required: bool = False
    unset: bool = False


class Params:
    """The parameters of one request."""

    def __init__(self, **params: Param) -> None:
        self._params = params
        self._required = tuple(name for name, one in params.items() if one.required)

    def read(self, tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        """The values that were sent; raises `errors.Error`: unknown first, then missing, then malformed."""
        unknown = [_named(prefix, name) for name in tree if name not in self._params]
        if unknown:
            _unknown(unknown)
        for name in self._required:
            if name not in tree:
                _missing(_named(prefix, name))
        return {name: _value(self._params[name], value, _named(prefix, name)) for name, value in tree.items()}

    def with_(self, **params: Param) -> Params:
        """These and others."""
        return Params(**(self._params | params))


def request(**named: Param) -> Params:
    """The parameters of a whole request: what it names, and ``expand[]``."""
    return Params(expand=many(text(most=100), most=20), **named)


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _unknown(names: list[str]) -> None:
    shown = ", ".join(_shown(name) for name in names)
    plural = "s" if len(names) > 1 else ""
    errors.refuse(f"Received unknown parameter{plural}: {shown}", param=_shown(names[0]), code="parameter_unknown")


def _shown(name: str) -> str:
    # A card number in the place of a name must not come back in an error.
    return "(hidden)" if sum(map(str.isdigit, name)) >= 12 else name[:100]


def _missing(name: str) -> None:
    errors.refuse(f"Missing required param: {name}.", param=name, code="parameter_missing")


def _value(param: Param, value: Any, name: str) -> Any:
    if value == "":
        if param.unset:
            return None
        said = (
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
            "value."
        )
        errors.refuse(said, param=name, code="parameter_invalid_empty")
    return param.read(value, name)


def _plain(value: Any, name: str, wanted: str) -> str:
    if not isinstance(value, str):
        errors.refuse(
            f"Invalid {wanted}: {name} must be a single value.", param=name, code=f"parameter_invalid_{wanted}"
        )
    return value


def integer(*, least: int | None = None, most: int | None = None, required: bool = False, unset: bool = False) -> Param:
    def read(value: Any, name: str) -> int:
        given = _plain(value, name, "integer")
        if not _INTEGER.fullmatch(given):
            errors.refuse(f"Invalid integer: {_shown(given)}", param=name, code="parameter_invalid_integer")
        number = int(given)
        if least is not None and number < least:
            errors.refuse(_too_small(least), param=name, code="parameter_invalid_integer")
        if most is not None and number > most:
            errors.refuse(
                f"This value must be less than or equal to {most}.", param=name, code="parameter_invalid_integer"
            )
        return number

    return Param(read, required, unset)


def _too_small(least: int) -> str:
    return "Invalid positive integer" if least == 1 else f"This value must be greater than or equal to {least}."


def amount(*, required: bool = False, zero: bool = False) -> Param:
    """Minor units; bounded as Stripe does."""
    return Param(_amount(0 if zero else 1), required)


def _amount(least: int) -> Read:
    def read(value: Any, name: str) -> int:
        number = int(integer().read(value, name))
        if number < least:
            said = "Invalid positive integer" if number < 1 else "Amount is too small."
            errors.refuse(said, param=name, code="parameter_invalid_integer")
        if number > money.MAX_AMOUNT:
            errors.refuse("Amount must be no more than 999,999,999.99", param=name, code="amount_too_large")
        return number

    return read


def text(*, most: int = 5000, required: bool = False, unset: bool = False) -> Param:
    def read(value: Any, name: str) -> str:
        given = _plain(value, name, "string")
        if len(given) > most:
            said = f"Invalid string: {name} must be at most {most} characters."
            errors.refuse(said, param=name, code="parameter_invalid_string_too_long")
        _no_card(given, name)
        return given

    return Param(read, required, unset)


_LONG = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}")


def _no_card(given: str, name: str) -> None:
    """A card number in a free text would be stored and shown: refused before it gets that far."""
    for found in _LONG.finditer(given):
        digits = cards.Number(re.sub(r"[ -]", "", found[0]))
        if (
            cards.brand(digits) is not cards.UNKNOWN
            and len(digits) in cards.brand(digits).lengths
            and cards.luhn(digits)
        ):
            errors.refuse(
                f"{name} seems to hold a card number: send it as payment_method_data[card][number].", param=name
            )


def choice(*words: str, required: bool = False, unset: bool = False) -> Param:
    def read(value: Any, name: str) -> str:
        given = _plain(value, name, "string")
        if given not in words:
            listed = words[0] if len(words) == 1 else f"one of {', '.join(words[:-1])}, or {words[-1]}"
            errors.refuse(f"Invalid {name}: must be {listed}", param=name)
        return given

    return Param(read, required, unset)


def boolean(*, required: bool = False) -> Param:
    def read(value: Any, name: str) -> bool:
        if value not in ("true", "false"):
            errors.refuse(f"Invalid boolean: {_shown(str(value))}", param=name)
        return bool(value == "true")

    return Param(read, required)


def currency(*, required: bool = False) -> Param:
    def read(value: Any, name: str) -> str:
        given = _plain(value, name, "string").lower()
        if given not in money.EXPONENTS:
            said = f"Invalid currency: {_shown(given)}. Use a three-letter ISO code in lowercase."
            errors.refuse(said, param=name, code="invalid_currency")
        return given

    return Param(read, required)


_URL_SCHEMES = ("http", "https")


def url(*, required: bool = False, https: bool = False, most: int = 2048) -> Param:
    def read(value: Any, name: str) -> str:
        given = str(text(most=most).read(value, name))
        parts = _split(given)
        if parts is None or parts.scheme not in _URL_SCHEMES or not parts.hostname or parts.username is not None:
            said = "Not a valid URL. URLs must start with http:// or https:// and hold a host, without user names."
            errors.refuse(said, param=name, code="url_invalid")
        elif https and parts.scheme != "https":
            errors.refuse("Invalid URL: in live mode URLs must begin with https.", param=name, code="url_invalid")
        return given

    return Param(read, required)


def _split(given: str) -> Any:
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError:
        return None
    return parts if given.isprintable() and " " not in given else None


def one(declared: Params, *, required: bool = False, unset: bool = False) -> Param:
    """A map with declared members."""

    def read(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            errors.refuse(f"Invalid object: {name} must be a map.", param=name, code="parameter_invalid_object")
        return declared.read(value, name)

    return Param(read, required, unset)


def many(item: Param, *, required: bool = False, unset: bool = False, most: int = 100) -> Param:
    """A list: ``a[]=x&a[]=y`` or ``a[0]=x&a[1]=y``."""

    def read(value: Any, name: str) -> list[Any]:
        entries = _entries(value, name)
        if len(entries) > most:
            errors.refuse(f"Invalid array: {name} may have {most} entries at most.", param=name)
        return [item.read(entry, f"{name}[{number}]") for number, entry in enumerate(entries)]

    return Param(read, required, unset)


def _entries(value: Any, name: str) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(key.isascii() and key.isdigit() and len(key) < 5 for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return errors.refuse("Invalid array", param=name, code="parameter_invalid_array")


MAX_METADATA = 50


def metadata() -> Param:
    """A map of texts; an empty map value deletes all, an empty text its key (see `merged`)."""

    def read(value: Any, name: str) -> dict[str, str]:
        if not isinstance(value, dict):
            errors.refuse("Invalid metadata: must be a map of texts.", param=name)
        return {_metadata_key(key): _metadata_value(key, given) for key, given in value.items()}

    return Param(read, unset=True)


def _metadata_key(key: str) -> str:
    if len(key) > 40:
        said = f"Metadata keys can have at most 40 characters, {_shown(key)[:60]}… is longer."
        errors.refuse(said, param=f"metadata[{_shown(key)[:40]}]")
    if _shown(key) != key:
        errors.refuse("Metadata keys must not hold card numbers.", param="metadata")
    return key


def _metadata_value(key: str, given: Any) -> str:
    # metadata[number] was wrapped as a card number by the form: most are order numbers.
    plain = given.reveal() if isinstance(given, (cards.Number, cards.Cvc)) else given
    name = f"metadata[{key}]"
    return str(text(most=500).read(plain, name)) if plain != "" else ""


def merged(old: dict[str, str], sent: dict[str, str] | None) -> dict[str, str]:
    """`old` with `sent` over it: empty values delete their key, None deletes all."""
    if sent is None:
        return {}
    both = {key: value for key, value in (old | sent).items() if value != ""}
    if len(both) > MAX_METADATA:
        errors.refuse(f"Metadata can have at most {MAX_METADATA} keys.", param="metadata")
    return both


def number() -> Param:
    """A card number, in its wrapping; the wall checks it."""

    def read(value: Any, name: str) -> cards.Number:
        if not isinstance(value, cards.Number):
            errors.refuse("Invalid card number: must be a single value.", param=name, code="invalid_number")
        return value

    return Param(read)


def cvc() -> Param:
    def read(value: Any, name: str) -> cards.Cvc:
        if not isinstance(value, cards.Cvc):
            errors.refuse("Invalid cvc: must be a single value.", param=name, code="invalid_cvc")
        return value

    return Param(read)


def moment() -> Param:
    """``created=…`` or ``created[gte]=…``: bounds in Unix seconds."""
    bound = integer(least=0)
    bounds = Params(gt=bound, gte=bound, lt=bound, lte=bound)

    def read(value: Any, name: str) -> dict[str, int]:
        if isinstance(value, dict):
            return bounds.read(value, name)
        exact = bound.read(value, name)
        return {"gte": exact, "lte": exact}

    return Param(read)
