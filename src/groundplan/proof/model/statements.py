"""What policies of kinds beside NetworkPolicy v1 say, in one vocabulary.

A statement is for subjects, about peers, on ports, with an action. Kinds differ only in how statements are ordered,
which is `groundplan.proof.reach.layers`.
"""

from __future__ import annotations

import msgspec

from groundplan.proof import connections, intervals
from groundplan.proof.manifests import documents
from groundplan.proof.model import selectors

ALLOW, DENY, PASS = "allow", "deny", "pass"
ADMIN, CILIUM, BASELINE = "admin", "cilium", "baseline"


class Pods(msgspec.Struct, frozen=True):
    """Pods of selected namespaces; by a service account too, which no label tells."""

    namespaces: selectors.Selector = ()
    pods: selectors.Selector = ()
    unsure: bool = False
    """Only some of them may be meant."""


class Networks(msgspec.Struct, frozen=True):
    """Addresses; of pods too where the kind has it so."""

    covers: intervals.Intervals
    pods: bool = False
    unsure: bool = False


class Everywhere(msgspec.Struct, frozen=True):
    """All pods, nodes and addresses."""


class Nodes(msgspec.Struct, frozen=True):
    """Some node or other."""

    all: bool = False
    """Every node, surely."""
    known: bool = False
    """Only those that are known to be nodes; otherwise any address outside may be one, where no range is given."""


Peer = Pods | Networks | Everywhere | Nodes


class Ports(msgspec.Struct, frozen=True):
    """Numbers, and names with the protocols that they may have."""

    numbers: intervals.Intervals = connections.ALL
    names: tuple[tuple[str, str], ...] = ()


class Statement(msgspec.Struct, frozen=True):
    """One rule."""

    direction: str
    action: str
    peers: tuple[Peer, ...]
    ports: Ports
    path: tuple[str | int, ...] = ()
    conditional: bool = False
    """Layer 7, or something else decides, connection by connection."""


class Policy(msgspec.Struct, frozen=True, eq=False):
    """Statements in order, for one set of subjects."""

    layer: str
    priority: int
    subjects: Pods
    statements: tuple[Statement, ...]
    isolates: tuple[str, ...]
    """Directions in which its subjects are closed but for what is allowed."""
    document: documents.Document

    @property
    def older(self) -> bool:
        """Whether it is spelled as v1alpha1 had it: how those are ordered among newer ones, no source says."""
        return self.document.kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")

    @property
    def title(self) -> str:
        """Kind and name."""
        where = f"{self.document.metadata['namespace']}/" if self.document.metadata.get("namespace") else ""
        return f"{self.document.kind} {where}{self.document.name}"
