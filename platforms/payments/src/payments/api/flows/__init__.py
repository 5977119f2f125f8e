"""What takes more than one step, each step one atomic change: write a promise down, ask outside, write the answer down.

Between the steps no transaction is open and nothing is held in memory that matters: who dies leaves a promise that is
overdue after a while, and the settler (`settling`) keeps it. Asking twice is harmless (the request id is the same),
writing an answer twice is impossible (the promise is gone, the version moved).
"""
