"""From what all components tell of themselves: what to scrape, when to wake somebody, what to look at.

Belongs here: everything that reads a platform's metrics, pure and the same for a laptop and a cluster. Does not
belong here: which metrics there are (`Resource.signals`, ``exports=`` of services), and how a backend brings
targets, rules and boards to its Prometheus (`groundplan.kubernetes.monitors`, `groundplan.local.plan.monitoring`).
A query that names a metric which nobody exports is a finding, so that no panel stays empty and no alert sleeps.
"""
