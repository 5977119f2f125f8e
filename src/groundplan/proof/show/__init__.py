"""Answers in words and pictures: rows, tables, JSON, DOT, Mermaid, SVG.

Belongs here: how an answer looks. Does not belong here: what the answer is.
"""
