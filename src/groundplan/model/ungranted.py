"""A right that its target does not grant, asked for by name: found at the author's line, and then ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplan.model import findings, needable

if TYPE_CHECKING:
    from groundplan.model import rights


class Ungranted(needable.Needable):
    """Stands for nothing; `needs` passes over it."""

    def __call__(self, *_: object, **__: object) -> Ungranted:
        return self

    def as_right(self) -> rights.Right:
        raise TypeError("a right that was not granted carries nothing")

    def named(self, variable: str) -> Ungranted:  # type: ignore[override]
        return self

    def before_start(self) -> Ungranted:  # type: ignore[override]
        return self


class Granting:
    """What grants rights by methods: an unknown one is a finding, not an AttributeError."""

    name: str
    grants: str

    if not TYPE_CHECKING:  # the type checker shall still see that there is no such method

        def __getattr__(self, attribute: str) -> Ungranted:
            if attribute.startswith("_"):
                raise AttributeError(attribute)
            findings.report(
                "GP202",
                f"{self.name}.{attribute}(…)",
                why=f"{self.name} grants {self.grants}",
                remedy="ask for one of these",
            )
            return Ungranted()
