"""What runs here, as plain data: pure functions from a platform to units, no effects.

`units` is the vocabulary that the supervisor understands; it knows nothing of platforms.
"""
