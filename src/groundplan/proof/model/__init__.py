"""What documents mean: namespaces, workloads, services and policies as plain frozen data.

Belongs here: reading one kind of object, and what the API server would refuse about it. Does not belong here:
who reaches whom (`groundplan.proof.reach`).
"""
