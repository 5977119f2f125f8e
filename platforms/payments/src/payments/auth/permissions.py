"""What a platform role may do. Roles inside one merchant account are payments.merchant's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

USER, PLATFORM_ADMIN = "user", "platform_admin"

PERMISSIONS: Mapping[str, frozenset[str]] = {
    USER: frozenset(("merchant.create",)),
    PLATFORM_ADMIN: frozenset(
        (
            "merchant.create",
            "merchant.read",
            "merchant.approve",
            "merchant.reject",
            "merchant.suspend",
            "merchant.reinstate",
            "merchant.close",
            "merchant.audit",
        )
    ),
}
ROLES = tuple(PERMISSIONS)


def allowed(roles: Iterable[str], permission: str) -> bool:
    """Whether one of `roles` has `permission`; an unknown role has none."""
    return any(permission in PERMISSIONS.get(role, ()) for role in roles)
