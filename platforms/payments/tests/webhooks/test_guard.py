"""Nobody inside is ever called, however the address is written."""

from __future__ import annotations

import ipaddress

import pytest

from payments.webhooks import guard

INSIDE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1")


def named(*addresses: str) -> guard.Resolve:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


@pytest.mark.parametrize("address", INSIDE)
async def test_an_inner_address_behind_a_name_is_refused(address: str) -> None:
    with pytest.raises(guard.Refused, match="not on the internet"):
        await guard.Guard(resolve=named(address)).check("https://hooks.example.com/")


@pytest.mark.parametrize("address", OUTSIDE)
async def test_an_outer_address_passes(address: str) -> None:
    checked = await guard.Guard(resolve=named(address)).check("https://hooks.example.com/x")
    assert checked.addresses == (str(ipaddress.ip_address(address)),)


async def test_one_inner_address_among_others_refuses_them_all() -> None:
    with pytest.raises(guard.Refused):
        await guard.Guard(resolve=named("8.8.8.8", "10.0.0.1")).check("https://hooks.example.com/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_every_spelling_of_loopback_is_refused(host: str) -> None:
    with pytest.raises(guard.Refused):
        await guard.Guard().check(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/", "https://metadata.google.internal/", "https://kubernetes.default.svc/",
        "https://api.services.svc.cluster.local/", "https://localhost./", "https://printer.local/",
    ],
)  # fmt: skip
async def test_inner_names_are_refused_wherever_they_lead(url: str) -> None:
    with pytest.raises(guard.Refused):
        await guard.Guard(resolve=named("8.8.8.8")).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "https://hooks.example.com:8443/", "http://hooks.example.com:443/",
        "ftp://hooks.example.com/", "https://user:password@hooks.example.com/", "https:///nowhere",
        "https://hooks.example.com/a b", "https://hooks.example.com/\r\nx: y", "https://hooks.example.com:99999/",
    ],
)  # fmt: skip
async def test_only_https_on_its_own_port_is_called(url: str) -> None:
    with pytest.raises(guard.Refused):
        await guard.Guard(resolve=named("8.8.8.8")).check(url)


async def test_exceptions_are_exact() -> None:
    wall = guard.Guard(guard.exemptions("catcher.example:8026, 127.0.0.0/8:9000,[::1/128]:9001"))
    inside = guard.Guard(wall.allowed, resolve=named("127.0.0.1"))
    assert (await inside.check("http://catcher.example:8026/x")).addresses == ("127.0.0.1",)
    assert (await inside.check("http://127.0.0.1:9000/")).target.port == 9000
    assert (await guard.Guard(wall.allowed, resolve=named("::1")).check("http://[::1]:9001/")).addresses == ("::1",)
    for url in ("http://catcher.example:8027/", "http://127.0.0.1:9001/", "http://other.example:8026/"):
        with pytest.raises(guard.Refused):
            await inside.check(url)


async def test_ranges_of_the_cluster_can_be_named() -> None:
    wall = guard.Guard(refused=(ipaddress.ip_network("44.0.0.0/8"),), resolve=named("44.1.2.3"))
    with pytest.raises(guard.Refused, match="inside the cluster"):
        await wall.check("https://hooks.example.com/")


@pytest.mark.parametrize("listed", ["nocolon", "host:", ":80", "host:port", "host:99999"])
def test_a_malformed_exception_is_refused(listed: str) -> None:
    with pytest.raises(ValueError, match="is not like"):
        guard.exemptions(listed)


async def test_a_name_without_address_is_refused() -> None:
    with pytest.raises(guard.Refused, match="no address"):
        await guard.Guard(resolve=named()).check("https://hooks.example.com/")
