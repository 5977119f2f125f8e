"""cdk8s for Python on the objects of a JSON file; run by a Python that has it: ``python theirs.py objects.json``.

Prints the seconds from objects to YAML on disk; its import, which starts a Node process, is not counted.
"""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile
import time

import cdk8s  # type: ignore[import-not-found]

KNOWN = ("apiVersion", "kind", "metadata")


def main() -> None:
    trees = json.loads(pathlib.Path(sys.argv[1]).read_text())
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        app = cdk8s.App(outdir=folder)
        chart = cdk8s.Chart(app, "all")
        for number, tree in enumerate(trees):
            metadata = cdk8s.ApiObjectMetadata(**tree["metadata"])
            made = cdk8s.ApiObject(
                chart, f"object-{number}", api_version=tree["apiVersion"], kind=tree["kind"], metadata=metadata
            )
            made.add_json_patch(*(cdk8s.JsonPatch.add(f"/{key}", tree[key]) for key in tree if key not in KNOWN))
        app.synth()
        print(time.perf_counter() - began)


main()
