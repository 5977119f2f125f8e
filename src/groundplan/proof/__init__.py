"""The proof: who reaches whom, computed from manifests alone.

Belongs here: reading Kubernetes objects, exact reachability, plain claims and their comparison, what `check` finds.
Does not belong here: plans, and how objects come to be; nothing here imports any of that, so that the judge shares no
code with what it judges.
"""

from groundplan.proof.answers import Answer, Undecidable
from groundplan.proof.cluster import Cluster
from groundplan.proof.ends import UnknownEnd
from groundplan.proof.findings import Finding, Place, Unusable
from groundplan.proof.options import Options

__all__ = ["Answer", "Cluster", "Finding", "Options", "Place", "Undecidable", "UnknownEnd", "Unusable"]
