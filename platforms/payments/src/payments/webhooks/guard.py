"""Who may be called: nobody inside. Decided on the addresses that are then connected to, once, so that a name cannot
mean one thing to the check and another to the connection.

Ranges: IANA's special-purpose registries (RFC 6890, https://www.iana.org/assignments/iana-ipv4-special-registry,
…-ipv6-special-registry). For IPv6 the rule is turned round: only global unicast (2000::/3, RFC 4291) that is not
set aside for anything; so every form that carries an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo)
is refused, whatever it carries.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]

HTTPS = 443
_V4_REFUSED = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers and clouds
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's platform services answer here, though the address is public
            "169.254.0.0/16",  # link-local, with every cloud's metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_V6_ALLOWED = ipaddress.IPv6Network("2000::/3")
_V6_REFUSED = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)
# Names that mean something only inside.
_INNER = (".localhost", ".local", ".internal", ".svc", ".cluster.local", ".in-addr.arpa", ".ip6.arpa")


class Refused(Exception):
    """This target is not called; the message says why."""


class Target(NamedTuple):
    """A URL, taken apart."""

    secure: bool
    host: str
    port: int
    path: str
    authority: str
    """As the Host header says it."""


class Checked(NamedTuple):
    """A target with the addresses that were checked: connect to these and no others."""

    target: Target
    addresses: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Exemption:
    """One entry of WEBHOOK_TARGETS_ALLOW."""

    host: str
    network: Network | None
    port: int


def parse(url: str) -> Target:
    """`url` taken apart; raises `Refused` for what is no http(s) URL of a host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused(f"not a URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise Refused("not an http or https URL of a plain host")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise Refused("the URL's path must be percent-encoded")
    authority = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port in (None, HTTPS if secure else 80)
    chosen = port or (HTTPS if secure else 80)
    return Target(secure, _ascii(parts.hostname), chosen, path, authority if usual else f"{authority}:{chosen}")


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode() if not host.isascii() else host.lower().rstrip(".")
    except UnicodeError:
        raise Refused("the host's name is not a valid one") from None


def exemptions(listed: str) -> tuple[Exemption, ...]:
    """What WEBHOOK_TARGETS_ALLOW lists: ``host:port`` and ``CIDR:port``, comma between; raises ValueError."""
    return tuple(_exemption(entry.strip()) for entry in listed.split(",") if entry.strip())


def _exemption(entry: str) -> Exemption:
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdigit() or not host or int(port) > 65535:
        raise ValueError(f"{entry!r} is not like catcher.example:8026 or 127.0.0.0/8:8026")
    bare = host.strip("[]")
    try:
        return Exemption("", ipaddress.ip_network(bare, strict=False), int(port))
    except ValueError:
        return Exemption(bare.lower(), None, int(port))


async def resolve(host: str, port: int) -> list[str]:
    """Every address of `host`, as the system's resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclasses.dataclass(frozen=True)
class Guard:
    """`allowed` are the only exceptions; `refused` are ranges of the cluster beyond the private ones."""

    allowed: tuple[Exemption, ...] = ()
    refused: tuple[Network, ...] = ()
    resolve: Resolve = resolve

    async def check(self, url: str) -> Checked:
        """The target with its checked addresses; raises `Refused`. Resolves once; one bad address refuses them all."""
        target = parse(url)
        by_name = any(one.host == target.host and one.port == target.port for one in self.allowed if one.host)
        if not by_name:
            self._name(target)
        addresses = await self._addresses(target)
        if not by_name:
            for address in addresses:
                self._address(target, address)
        return Checked(target, tuple(map(str, addresses)))

    async def _addresses(self, target: Target) -> list[Address]:
        try:
            found = await self.resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise Refused(f"the name does not resolve: {error}") from None
        if not found:
            raise Refused("the name has no address")
        return [ipaddress.ip_address(one.split("%", 1)[0]) for one in found]

    def _name(self, target: Target) -> None:
        dotted = f".{target.host}"
        if dotted.endswith(_INNER):
            raise Refused(f"{target.host} is a name inside")
        # An address is a name without a dot, too: 2130706433 is 127.0.0.1. Those are refused by their address.

    def _address(self, target: Target, address: Address) -> None:
        if any(_within(address, one.network) and one.port == target.port for one in self.allowed):
            return
        why = self._why(address)
        if why:
            raise Refused(f"{target.host} is at {address}, {why}")
        if not target.secure or target.port != HTTPS:
            raise Refused("only https on port 443 is called")

    def _why(self, address: Address) -> str:
        if any(_within(address, one) for one in self.refused):
            return "which is inside the cluster"
        if isinstance(address, ipaddress.IPv4Address):
            return "which is not on the internet" if any(address in one for one in _V4_REFUSED) else ""
        special = address not in _V6_ALLOWED or any(address in one for one in _V6_REFUSED)
        return "which is not on the internet" if special else ""


def _within(address: Address, network: Network | None) -> bool:
    return network is not None and address.version == network.version and address in network
