"""Setting up Vault (or OpenBao) for an environment: unsealed, with policies, roles and every secret in place.

`wanted` says what it must hold, `bootstrap` decides what to ask next, `run` asks it. Nothing is ever overwritten.
"""
