"""Who may reach whom, straight from the rules: as slow and as obvious as it can be.

`allowed` answers for one pair of ends and one port, from decoded documents alone. It shares nothing with
the engine it judges. What the sources leave open is `Undecidable`; what an API server would refuse, as far
as reachability reads it (names, labels, ports, policies), is `Invalid`.

A document set is the whole world: a namespace without a Namespace object carries its name as a label and
no other, and pods not written do not exist.

Sources: the NetworkPolicy concepts page (kubernetes.io/docs/concepts/services-networking/network-policies)
and v1 API reference; for the other kinds, see the module that reads them.
"""

from __future__ import annotations

from tests.proof.naive.evaluator import PodName as PodName
from tests.proof.naive.evaluator import Question as Question
from tests.proof.naive.evaluator import allowed as allowed
from tests.proof.naive.evaluator import pods as pods
from tests.proof.naive.evaluator import verdicts as verdicts
from tests.proof.naive.refusals import Invalid as Invalid
from tests.proof.naive.refusals import Undecidable as Undecidable
