"""What may stand in ``service.needs(…)``."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundplan.model import rights


class Needable(abc.ABC):
    """A right, or something that stands for the plain right to it: an endpoint, a secret, an external."""

    @abc.abstractmethod
    def as_right(self) -> rights.Right:
        """The right it stands for."""

    def named(self, variable: str) -> rights.Right:
        """The right to it, with its value in `variable` instead of the usual name."""
        return self.as_right().renamed(variable)

    def before_start(self) -> rights.Right:
        """The right to it, and it must be ready before its holder starts."""
        return self.as_right().gated()
