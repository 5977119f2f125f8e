"""Every path and method that the platform answers, and how. What is not in this table does not exist.

``{id}`` is one segment of letters, digits, ``_`` and ``-``; ``{path...}`` is any rest.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Literal

Backend = Literal["auth", "merchant", "payment", "gateway"]
Access = Literal["none", "jwt", "api_key"]
Rate = Literal["public", "sign_in", "management", "api"]

SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    method: str
    path: str
    backend: Backend
    access: Access
    rate: Rate
    summary: str
    publishable: bool = False
    """Whether a publishable key suffices: what a browser or app may do, with a client secret where one exists."""
    segments: tuple[str, ...] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.path[1:].split("/")))


def _public(method: str, path: str, backend: Backend, summary: str, rate: Rate = "public") -> Route:
    return Route(method, path, backend, "none", rate, summary)


def _signed_in(method: str, path: str, backend: Backend, summary: str) -> Route:
    return Route(method, path, backend, "jwt", "management", summary)


def _v1(method: str, path: str, summary: str, publishable: bool = False) -> Route:
    return Route(method, f"/v1/{path}", "payment", "api_key", "api", summary, publishable)


_GATEWAY = (
    _public("GET", "/health", "gateway", "How the platform is."),
    _public("GET", "/openapi.json", "gateway", "This document."),
)

_AUTH = (
    _public("GET", "/.well-known/jwks.json", "auth", "The keys that verify access tokens."),
    _public("POST", "/auth/register", "auth", "Ask for an account; a mail follows.", "sign_in"),
    _public("GET", "/auth/verify", "auth", "The page behind the mail's link."),
    _public("POST", "/auth/verify", "auth", "Confirm an address.", "sign_in"),
    _public("POST", "/auth/login", "auth", "Sign in.", "sign_in"),
    _public("POST", "/auth/refresh", "auth", "Exchange a refresh token, once.", "sign_in"),
    _public("POST", "/auth/logout", "auth", "End the session of a refresh token.", "sign_in"),
    _public("POST", "/auth/password/forgot", "auth", "Ask for a new password; a mail may follow.", "sign_in"),
    _public("GET", "/auth/password/reset", "auth", "The page behind the mail's link."),
    _public("POST", "/auth/password/reset", "auth", "Set a new password.", "sign_in"),
    _signed_in("POST", "/auth/logout-all", "auth", "End all sessions."),
    _signed_in("POST", "/auth/totp/setup", "auth", "Begin to use one-time codes."),
    _signed_in("POST", "/auth/totp/enable", "auth", "Show that the app has the secret."),
    _signed_in("POST", "/auth/totp/disable", "auth", "Stop to use one-time codes."),
    _signed_in("GET", "/auth/sessions", "auth", "List sessions."),
    _signed_in("DELETE", "/auth/sessions/{id}", "auth", "End a session."),
    _signed_in("GET", "/auth/me", "auth", "Who is signed in."),
)

_MERCHANT = (
    _signed_in("POST", "/merchants", "merchant", "Open a merchant account as a draft."),
    _signed_in("GET", "/merchants", "merchant", "List merchant accounts."),
    _signed_in("GET", "/merchants/{id}", "merchant", "Retrieve a merchant account."),
    _signed_in("PATCH", "/merchants/{id}", "merchant", "Change a merchant account."),
    _signed_in("POST", "/merchants/{id}/submit", "merchant", "Submit it for approval."),
    _signed_in("POST", "/merchants/{id}/approve", "merchant", "Approve it (platform role)."),
    _signed_in("POST", "/merchants/{id}/reject", "merchant", "Reject it (platform role)."),
    _signed_in("POST", "/merchants/{id}/activate", "merchant", "Activate it once it is verified."),
    _signed_in("POST", "/merchants/{id}/suspend", "merchant", "Suspend it (platform role)."),
    _signed_in("POST", "/merchants/{id}/reinstate", "merchant", "Reinstate it (platform role)."),
    _signed_in("POST", "/merchants/{id}/close", "merchant", "Close it."),
    _signed_in("GET", "/merchants/{id}/branding", "merchant", "Retrieve the branding of the hosted page."),
    _signed_in("PUT", "/merchants/{id}/branding", "merchant", "Set the branding of the hosted page."),
    _signed_in("GET", "/merchants/{id}/members", "merchant", "List members."),
    _signed_in("PATCH", "/merchants/{id}/members/{user}", "merchant", "Change a member's role."),
    _signed_in("DELETE", "/merchants/{id}/members/{user}", "merchant", "Remove a member."),
    _signed_in("POST", "/merchants/{id}/invitations", "merchant", "Invite somebody by mail."),
    _signed_in("GET", "/merchants/{id}/invitations", "merchant", "List open invitations."),
    _signed_in("DELETE", "/merchants/{id}/invitations/{invitation}", "merchant", "Withdraw an invitation."),
    _signed_in("POST", "/merchants/invitations/accept", "merchant", "Accept an invitation."),
    _signed_in("POST", "/merchants/{id}/api-keys", "merchant", "Issue an API key."),
    _signed_in("GET", "/merchants/{id}/api-keys", "merchant", "List API keys."),
    _signed_in("DELETE", "/merchants/{id}/api-keys/{key}", "merchant", "Revoke an API key."),
    _signed_in("POST", "/merchants/{id}/api-keys/{key}/roll", "merchant", "Roll an API key with overlap."),
    _signed_in("GET", "/merchants/{id}/audit", "merchant", "List the audit log."),
    _signed_in("GET", "/merchants/{id}/audit/verify", "merchant", "Verify the audit log's chain."),
)

_CHECKOUT = (
    _public("GET", "/checkout/{path...}", "payment", "Hosted payment pages."),
    _public("POST", "/checkout/{path...}", "payment", "What hosted payment pages send."),
)

_V1 = (
    _v1("POST", "payment_intents", "Create a PaymentIntent."),
    _v1("GET", "payment_intents", "List PaymentIntents."),
    _v1("GET", "payment_intents/{id}", "Retrieve a PaymentIntent.", publishable=True),
    _v1("POST", "payment_intents/{id}", "Update a PaymentIntent."),
    _v1("POST", "payment_intents/{id}/confirm", "Confirm a PaymentIntent.", publishable=True),
    _v1("POST", "payment_intents/{id}/capture", "Capture a PaymentIntent."),
    _v1("POST", "payment_intents/{id}/cancel", "Cancel a PaymentIntent."),
    _v1("GET", "charges", "List charges."),
    _v1("GET", "charges/{id}", "Retrieve a charge."),
    _v1("POST", "charges/{id}", "Update a charge."),
    _v1("POST", "charges/{id}/refund", "Refund a charge."),
    _v1("GET", "charges/{id}/refunds", "List a charge's refunds."),
    _v1("POST", "refunds", "Create a refund."),
    _v1("GET", "refunds", "List refunds."),
    _v1("GET", "refunds/{id}", "Retrieve a refund."),
    _v1("POST", "refunds/{id}", "Update a refund."),
    _v1("POST", "customers", "Create a customer."),
    _v1("GET", "customers", "List customers."),
    _v1("GET", "customers/{id}", "Retrieve a customer."),
    _v1("POST", "customers/{id}", "Update a customer."),
    _v1("DELETE", "customers/{id}", "Delete a customer."),
    _v1("GET", "customers/{id}/payment_methods", "List a customer's payment methods."),
    _v1("POST", "payment_methods", "Create a payment method.", publishable=True),
    _v1("GET", "payment_methods", "List payment methods."),
    _v1("GET", "payment_methods/{id}", "Retrieve a payment method."),
    _v1("POST", "payment_methods/{id}", "Update a payment method."),
    _v1("POST", "payment_methods/{id}/attach", "Attach a payment method to a customer."),
    _v1("POST", "payment_methods/{id}/detach", "Detach a payment method."),
    _v1("POST", "setup_intents", "Create a SetupIntent."),
    _v1("GET", "setup_intents", "List SetupIntents."),
    _v1("GET", "setup_intents/{id}", "Retrieve a SetupIntent.", publishable=True),
    _v1("POST", "setup_intents/{id}", "Update a SetupIntent."),
    _v1("POST", "setup_intents/{id}/confirm", "Confirm a SetupIntent.", publishable=True),
    _v1("POST", "setup_intents/{id}/cancel", "Cancel a SetupIntent."),
    _v1("POST", "tokens", "Create a token.", publishable=True),
    _v1("GET", "tokens/{id}", "Retrieve a token.", publishable=True),
    _v1("POST", "checkout/sessions", "Create a Checkout Session."),
    _v1("GET", "checkout/sessions", "List Checkout Sessions."),
    _v1("GET", "checkout/sessions/{id}", "Retrieve a Checkout Session."),
    _v1("POST", "checkout/sessions/{id}", "Update a Checkout Session."),
    _v1("POST", "checkout/sessions/{id}/expire", "Expire a Checkout Session."),
    _v1("GET", "checkout/sessions/{id}/line_items", "List a Checkout Session's line items."),
    _v1("POST", "webhook_endpoints", "Create a webhook endpoint."),
    _v1("GET", "webhook_endpoints", "List webhook endpoints."),
    _v1("GET", "webhook_endpoints/{id}", "Retrieve a webhook endpoint."),
    _v1("POST", "webhook_endpoints/{id}", "Update a webhook endpoint."),
    _v1("DELETE", "webhook_endpoints/{id}", "Delete a webhook endpoint."),
    _v1(
        "POST", "webhook_endpoints/{id}/roll_secret", "Roll a webhook endpoint's secret (an addition to Stripe's API)."
    ),
    _v1(
        "GET", "webhook_endpoints/{id}/attempts", "List deliveries to a webhook endpoint (an addition to Stripe's API)."
    ),
    _v1("GET", "events", "List events."),
    _v1("GET", "events/{id}", "Retrieve an event."),
    _v1("GET", "events/{id}/attempts", "List an event's delivery attempts (an addition to Stripe's API)."),
    _v1("POST", "events/{id}/retry", "Deliver an event again (an addition to Stripe's API)."),
    _v1("GET", "balance", "Retrieve the balance."),
    _v1("GET", "balance_transactions", "List balance transactions."),
    _v1("GET", "balance_transactions/{id}", "Retrieve a balance transaction."),
)

ROUTES = (*_GATEWAY, *_AUTH, *_MERCHANT, *_CHECKOUT, *_V1)
