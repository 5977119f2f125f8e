"""Reasons: where a thing comes from and why it is so, once the plan is known.

Belongs here: what a word means (`subjects`), and what is told of it: an object, a variable, a service. Does not belong
here: connections (`groundplan.proof.explain`), and how any of it is printed.
"""
