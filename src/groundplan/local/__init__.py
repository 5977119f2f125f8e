"""The platform on this machine: a plan of processes, and the supervisor that keeps them.

Belongs here: lowering a platform to processes and files (`plan`, pure), the state that views subscribe
to (`state`), and the effects: processes, probes, ports, the control socket (`supervise` and beside it).
Does not belong here: anything about Kubernetes (`groundplan.kubernetes`), or what a resource needs in
order to run here, which is that resource's own answer (`groundplan.resources`).
"""
