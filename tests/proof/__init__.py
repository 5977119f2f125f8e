"""What judges the proof: an evaluator written straight from the rules, specimens, random clusters, mutations.

Nothing here imports `groundplan.proof`, except the tests that hold the engine against it.
"""
