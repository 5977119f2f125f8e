"""Carrying out a plan of requests: each step in its turn, whatever came of it sent back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from groundplan.live import errors
from groundplan.live.vault import client, steps, tokens

T = TypeVar("T")


class Keeper(Protocol):
    """Where keys are kept."""

    def reserve(self) -> None: ...
    def keep(self, keys: steps.Keys) -> None: ...


@dataclasses.dataclass(frozen=True)
class Hands:
    """What a plan can be carried out with."""

    vault: client.Client
    keeper: Keeper
    supplies: Mapping[str, str]
    """What people brought, by the secret's path."""
    prompt: Callable[[str], str] | None
    """Asks somebody for something that nobody else may see; None where nobody is there."""
    tell: Callable[[str], None]
    others: Sequence[client.Client] = ()
    """Its other servers, where it has several."""

    def carry_out(self, plan: steps.Plan[T]) -> T:
        """What the plan comes to; raises errors.LiveError."""
        heard: object = None
        while True:
            try:
                step = plan.send(heard)
            except StopIteration as ended:
                value: T = ended.value
                return value
            heard = self._do(step)

    def _do(self, step: steps.Step) -> object:
        match step:
            case steps.Request():
                return (self.vault, *self.others)[step.server].ask(step)
            case steps.Pause():
                self.vault.pause(step.seconds)
            case steps.Reserve():
                self.keeper.reserve()
            case steps.Keep():
                self.keeper.keep(step.keys)
            case steps.Share():
                return self._share(step)
            case steps.Supply():
                return self._supply(step)
            case steps.Tell():
                self.tell(step.text)
        return None

    def _share(self, step: steps.Share) -> str:
        if self.prompt is None:
            what = f"Vault is sealed, and needs share {step.number} of {step.threshold}"
            raise errors.Waiting(
                what, why="there is nobody to ask", fix="run it at a terminal, or with the file of keys"
            )
        return self.prompt(f"Share {step.number} of the {step.threshold} that are needed")

    def _supply(self, step: steps.Supply) -> dict[str, str]:
        missing = [path for path in step.paths if path not in self.supplies]
        if missing and self.prompt is None:
            why = "people bring these, and nothing in the plan can make them"
            raise errors.Waiting(f"not supplied: {', '.join(missing)}", why=why, fix=f"add {_options(missing)}")
        asked = {path: self.prompt(f"Secret {path}") for path in missing if self.prompt}
        return {path: self.supplies[path] if path in self.supplies else asked[path] for path in step.paths}


def _options(missing: list[str]) -> str:
    words = [f"--supply {path}=@FILE" for path in missing if path not in tokens.PATHS]
    asked = any(path in tokens.PATHS for path in missing)
    return " ".join([*words, *(["--context NAME (or --token-issuer FILE --token-keys FILE)"] if asked else [])])
