"""How a merchant gets from nothing to an API key, through the front door."""

from __future__ import annotations

import dataclasses
import re
import secrets

from payments.story import world


@dataclasses.dataclass
class Person:
    """Somebody with an account."""

    email: str
    password: str
    token: str = ""


def person(name: str) -> Person:
    """Somebody nobody has seen before."""
    return Person(f"{name}-{secrets.token_hex(4)}@shop.example.com", f"a long password {secrets.token_hex(8)}")


def register(outside: world.World, who: Person, name: str) -> None:
    outside.call("POST", "/auth/register", {"email": who.email, "password": who.password, "name": name})


def verify(outside: world.World, who: Person) -> str:
    """Follows the link in the mail; returns the beginning of its token."""
    text = outside.mail_to(who.email, "verify")
    found = re.search(r"token=(\S+)", text)
    if found is None:
        raise world.Refused(f"the mail to {who.email} has no link: {text}")
    outside.call("POST", "/auth/verify", {"token": found[1]})
    return f"token {found[1][:8]}…"


def log_in(outside: world.World, who: Person) -> str:
    """Signs in and keeps the access token."""
    who.token = outside.call("POST", "/auth/login", {"email": who.email, "password": who.password})["access_token"]
    return who.token


def make_reviewer(outside: world.World) -> Person:
    """A person of the platform, who may approve merchants; an operator grants that."""
    reviewer = person("reviewer")
    register(outside, reviewer, "Rita Reviewer")
    verify(outside, reviewer)
    outside.operator("auth-service", "python", "-m", "payments.auth.grant", reviewer.email, "platform_admin")
    log_in(outside, reviewer)
    return reviewer


def make_merchant(outside: world.World, owner: Person) -> str:
    """A draft, submitted for review; returns its account id."""
    papers = {
        "name": "Honey & Tea",
        "email": owner.email,
        "country": "FR",
        "business_type": "company",
        "website": "https://honey-and-tea.example.com",
    }
    merchant = outside.call("POST", "/merchants", papers, owner.token)
    outside.call("POST", f"/merchants/{merchant['id']}/submit", {}, owner.token)
    return str(merchant["id"])


def approve(outside: world.World, reviewer: Person, account: str) -> str:
    """The reviewer's decision; returns the merchant's state."""
    decided = outside.call("POST", f"/merchants/{account}/approve", {"reason": "papers checked"}, reviewer.token)
    return str(decided["state"])


def make_key(outside: world.World, owner: Person, account: str) -> str:
    """A secret test key, shown this once."""
    made = outside.call("POST", f"/merchants/{account}/api-keys", {"kind": "secret", "name": "story"}, owner.token)
    return str(made["secret"])


def onboard(outside: world.World) -> str:
    """All of it at once; returns the key."""
    owner = person("owner")
    register(outside, owner, "Olga Owner")
    verify(outside, owner)
    log_in(outside, owner)
    account = make_merchant(outside, owner)
    approve(outside, make_reviewer(outside), account)
    return make_key(outside, owner, account)
