"""A platform as pages for people: what the plan says and what its clusters hold, as Markdown, a drawing, and HTML.

Belongs here: one module a page, each pure, from the plan and its lowered environments to text; every fact with the
plan's line. Does not belong here: what is computed only for a page but is a fact of the platform (that goes where the
fact is made: `groundplan.kubernetes`, `groundplan.telemetry`, `groundplan.backup`), and writing files
(`groundplan.delivery.tree`).
"""
