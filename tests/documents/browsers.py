"""A real Chromium, out of an npm package that brings it with its libraries: neither root nor a desktop is needed."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Any

from tests import npms

PACKAGES = ("@sparticuz/chromium@147.0.0", "playwright-core@1.65.1", "mermaid@11.17.2")
_DRIVER = pathlib.Path(__file__).parent / "look.mjs"


def look(pages: dict[str, pathlib.Path], pictures: list[str]) -> dict[str, Any]:
    """What a browser finds on `pages`, and what Mermaid makes of `pictures`."""
    home = npms.installed("browser", *PACKAGES)
    asked = {
        "modules": str(home / "node_modules"),
        "pages": {name: path.as_uri() for name, path in pages.items()},
        "pictures": pictures,
    }
    unpacked = home / "unpacked"
    unpacked.mkdir(exist_ok=True)
    # With this the package brings the libraries that a machine without a desktop has not.
    around = {**os.environ, "TMPDIR": str(unpacked), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x"}
    with npms.alone():
        done = subprocess.run(
            [npms.node(), _DRIVER],
            input=json.dumps(asked),
            env=around,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
