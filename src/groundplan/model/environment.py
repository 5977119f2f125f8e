"""Environments: where the platform runs, and what differs there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol

from groundplan.model import component, findings, names
from groundplan.model import origin as origins


class Settable(Protocol):
    """What an environment may set something for."""

    name: str

    def settings(self) -> dict[str, type | tuple[type, ...]]: ...


@dataclasses.dataclass(frozen=True)
class Setting:
    """One value that an environment gives."""

    value: object
    origin: origins.Origin


class Environment:
    """A place to run: the laptop is one (`local`), each cluster another."""

    def __init__(self, name: str, *, local: bool, defaults: Mapping[str, object]) -> None:
        self.origin = origins.here()
        self.name = component.checked_name(name, "environment", self.origin)
        self.local = local
        self.defaults = dict(defaults)
        self._settings: dict[tuple[str, str], Setting] = {}

    def set(self, thing: Settable, **settings: object) -> None:
        """Gives `thing` other values here than the plan gives everywhere."""
        known = thing.settings() if hasattr(thing, "settings") else None
        if known is None:
            findings.report(
                "GP301", f"{self.name}: {thing!r} cannot be set", remedy="name a service, resource or external"
            )
            return
        for name, value in settings.items():
            self._set(thing, name, value, known)

    def overriding(self, **values: object) -> Environment:
        """This environment with `values` for everything, whatever was set before."""
        made = Environment(self.name, local=self.local, defaults={**self.defaults, **values})
        made.origin = self.origin
        made._settings = {key: setting for key, setting in self._settings.items() if key[1] not in values}
        return made

    def _set(self, thing: Settable, name: str, value: object, known: dict[str, type | tuple[type, ...]]) -> None:
        subject = f"{self.name}: {name} of {thing.name}"
        if name not in known:
            findings.report(
                "GP301", subject, why=f"{thing.name} has no setting {name}", remedy=names.meant(name, known)
            )
        elif not isinstance(value, known[name]) or isinstance(value, bool) != (known[name] is bool):
            kinds = known[name] if isinstance(known[name], tuple) else (known[name],)
            wanted = " or ".join(kind.__name__ for kind in kinds)  # type: ignore[union-attr]
            why = f"{value!r} is {type(value).__name__}, not {wanted}"
            findings.report("GP302", subject, why=why, remedy=f"give {name}=<{wanted}>")
        else:
            self._settings[thing.name, name] = Setting(value, origins.here())

    @property
    def certificates(self) -> object | None:
        """The resource whose certificates engines speak TLS with; None where they speak in the clear."""
        return self.defaults.get("certificates")

    def own(self, thing: Settable, name: str) -> Setting | None:
        """What is set for `thing` itself here, with its line; what is set for everything does not count."""
        return self._settings.get((thing.name, name))

    def setting(self, thing: Settable, name: str, otherwise: object = None) -> object:
        """What is set for `thing` here, or what is set for everything here, or `otherwise`."""
        found = self._settings.get((thing.name, name))
        if found is not None:
            return found.value
        return self.defaults.get(name, otherwise)
