"""What secrets are made of: a public door for plan files. Where they are kept is the environment's choice."""

from groundplan.model.secrets import Generator, ed25519, keys, random, supplied

__all__ = ["Generator", "ed25519", "keys", "random", "supplied"]
