"""Command lines of stand-ins: each argument is required, and is an address or a directory."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def parse(names: Sequence[str]) -> argparse.Namespace:
    """The values of ``--NAME=…`` for each name; exits 2 with usage when one is missing."""
    parser = argparse.ArgumentParser()
    for name in names:
        parser.add_argument(f"--{name}", required=True, metavar="DIR" if name == "data" else "HOST:PORT")
    return parser.parse_args()
