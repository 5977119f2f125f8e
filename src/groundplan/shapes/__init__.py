"""Plain frozen data: what components and resources are described in, and what resources answer in.

Belongs here: quantities, ports, probes, late-bound values, processes to run here, backups. Shapes refer
to each other by the author's names and import nothing of ours. Does not belong here: anything that
knows a platform (`groundplan.model`) or that acts (`groundplan.local`, `groundplan.delivery`).
"""
