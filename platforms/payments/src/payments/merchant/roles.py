"""What a member may do on an account. What the platform's people may do is payments.auth's to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Role = Literal["owner", "admin", "developer", "viewer"]

_VIEW = frozenset(("read",))
_DEVELOP = _VIEW | {"keys"}
_ADMINISTER = _DEVELOP | {"update", "submit", "members", "audit"}

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "viewer": _VIEW,
    "developer": _DEVELOP,
    "admin": _ADMINISTER,
    "owner": _ADMINISTER | {"activate", "close", "owners"},
}
ROLES = tuple(PERMISSIONS)
INVITABLE = ("admin", "developer", "viewer")
"""An owner is made of a member, not of a mail address."""


def allowed(role: str, permission: str) -> bool:
    """Whether `role` has `permission`."""
    return permission in PERMISSIONS[role]
