"""The known ways to break manifests, each of which a proof must notice.

`MUTATIONS` is a tuple of `(name, mutation, notice)`: `mutation(documents, random)` returns broken documents and leaves
those it was given as they were, or returns None where there is nothing to break in that way. `notice` says how it
shows: "invalid" and "undecidable" for certain; "reach" where some connection is allowed, denied or left open that was
not, unless something else in the documents makes up for it.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.proof.breaking import finding, pods, policies, rules


class Named(NamedTuple):
    """One way to break manifests."""

    name: str
    mutation: finding.Mutation
    notice: str


MUTATIONS = (
    Named("drop a policy", finding.changing(policies.drop), "reach"),
    Named("apply an object twice", finding.changing(policies.duplicate), "invalid"),
    Named("rename a policy over another", finding.changing(policies.rename_over_another), "invalid"),
    Named("retarget a policy", finding.changing(policies.retarget), "reach"),
    Named("let a policy select nothing", finding.changing(policies.select_nothing), "reach"),
    Named("move a policy to another namespace", finding.changing(policies.move), "reach"),
    Named("lose a policy's namespace", finding.changing(policies.lose_namespace), "undecidable"),
    Named("write a policy in a removed version", finding.changing(policies.old_version), "invalid"),
    Named("add a policy that allows everything", finding.changing(policies.allow_everything), "reach"),
    Named("add an admin policy that accepts everything", finding.changing(policies.add_admin_policy), "reach"),
    Named("add a Cilium policy that denies everything", finding.changing(policies.add_cilium_deny), "reach"),
    Named("add a policy kind that is not understood", finding.changing(policies.add_unread_kind), "undecidable"),
    Named("write a policy type in the wrong case", finding.changing(rules.wrong_case_type), "invalid"),
    Named("drop a policy type", finding.changing(rules.drop_type), "reach"),
    Named("drop a rule", finding.changing(rules.drop_rule), "reach"),
    Named("drop all peers of a rule", finding.changing(rules.drop_peers), "reach"),
    Named("drop one peer of several", finding.changing(rules.drop_peer), "reach"),
    Named("leave a peer empty", finding.changing(rules.empty_peer), "invalid"),
    Named("one dash more: AND becomes OR", finding.changing(rules.one_dash_more), "reach"),
    Named("one dash less: OR becomes AND", finding.changing(rules.one_dash_less), "reach"),
    Named("flip an operator", finding.changing(rules.flip_operator), "reach or invalid"),
    Named("misspell a selector's field", finding.changing(rules.misspell_selector), "invalid"),
    Named("leave a selector's boolean unquoted", finding.changing(rules.unquoted_boolean), "invalid"),
    Named("widen a block", finding.changing(rules.widen_block), "reach"),
    Named("drop an except", finding.changing(rules.drop_except), "reach"),
    Named("put an except outside its block", finding.changing(rules.except_outside), "invalid"),
    Named("drop a rule's ports", finding.changing(rules.drop_ports), "reach"),
    Named("shift a port", finding.changing(rules.shift_port), "reach"),
    Named("stretch a range", finding.changing(rules.stretch_range), "reach"),
    Named("turn a range round", finding.changing(rules.turn_range), "invalid"),
    Named("write a port in quotes", finding.changing(rules.quote_port), "invalid"),
    Named("swap a protocol", finding.changing(rules.swap_protocol), "reach"),
    Named("write a protocol in lower case", finding.changing(rules.lower_case_protocol), "invalid"),
    Named("forget a protocol", finding.changing(rules.forget_protocol), "reach"),
    Named("mislabel a pod", finding.changing(pods.mislabel_pod), "reach"),
    Named("drop a pod's label", finding.changing(pods.unlabel_pod), "reach"),
    Named("mislabel a namespace", finding.changing(pods.mislabel_namespace), "reach"),
    Named("rename a namespace", finding.changing(pods.rename_namespace), "reach"),
    Named("put a pod on the host's network", finding.changing(pods.add_host_network), "reach"),
    Named("change a named port", finding.changing(pods.change_named_port), "reach"),
    Named("rename a port", finding.changing(pods.rename_port), "reach"),
    Named("leave a label's number unquoted", finding.changing(pods.label_by_number), "invalid"),
)
