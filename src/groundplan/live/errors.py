"""What can go wrong with a running cluster, as one small tree.

LiveError
├── NoAccess           no kubeconfig, no such context, an entry that cannot be used
├── Unreachable        nobody answers, not in time, not in full, or nobody whose certificate is trusted
├── Unauthenticated    the API server does not know who asks (401), or a credential plugin failed
├── Forbidden          it knows, and refuses (403)
├── Missing            no such object (404)
│   └── UnknownKinds   kinds that the cluster does not serve
├── Conflict           somebody else's field, or a change at the same moment (409)
├── Refused            the object is wrong, or admission says no (400, 413, 422, 403 by admission)
├── Unexpected         an answer that makes no sense from whom it should be
├── Waiting            people must do or bring something first
├── Unavailable        it could not answer now, however often it was asked (429, 5xx)
├── Locked             another deploy is at work
├── Foreign            objects that were made by others, or for another environment
└── Unfinished         a rollout that failed or did not end in time
"""

from __future__ import annotations


class LiveError(Exception):
    """Says what failed, why, and what to do about it."""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        said = (self.why, self.fix and f"fix: {self.fix}")
        return "\n".join([self.what, *(f"      {line}" for each in said for line in each.splitlines())])

    def message(self) -> dict[str, str]:
        """The same, as data."""
        return {"kind": type(self).__name__, "what": self.what, "why": self.why, "fix": self.fix}


class NoAccess(LiveError): ...


class Unreachable(LiveError): ...


class Unauthenticated(LiveError): ...


class Forbidden(LiveError): ...


class Missing(LiveError): ...


class UnknownKinds(Missing): ...


class Refused(LiveError):
    """`fields` are the paths that the API server names, as in ``spec.template``."""

    def __init__(self, what: str, *, why: str = "", fix: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(what, why=why, fix=fix)
        self.fields = fields


class Conflict(LiveError):
    """`owners` are the other managers with their fields; none where only the moment was wrong."""

    def __init__(self, what: str, *, why: str = "", fix: str = "", owners: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(what, why=why, fix=fix)
        self.owners = owners


class Unexpected(LiveError): ...


class Waiting(LiveError): ...


class Unavailable(LiveError): ...


class Locked(LiveError): ...


class Foreign(LiveError): ...


class Unfinished(LiveError): ...
