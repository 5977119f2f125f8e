"""Whatever talks to a running cluster, or to what runs in it.

Belongs here: clients of other people's servers, and plans of what to ask them. A plan is pure, and its client thin:
what is asked when is decided without a connection. Does not belong here: what the objects are
(`groundplan.kubernetes`), files that are committed (`groundplan.delivery`), this machine (`groundplan.local`).
"""
