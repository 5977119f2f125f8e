"""The parts that random clusters are drawn from: one module a noun, few names, so that things meet.

Everything drawn is a plain dictionary as a YAML reader gives it, and valid: mutations are for the rest.
"""
