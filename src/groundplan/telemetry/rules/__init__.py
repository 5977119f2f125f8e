"""When to wake somebody: one module a subject, each a list of groups.

An alert here says what its user notices or what will be noticed soon, and what to do first. Each brings an example
in which it fires and one in which it must not (`groundplan.shapes.alerts`); promtool runs both.
"""
