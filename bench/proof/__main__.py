"""``python bench/proof``: each figure beside its target, and growth as an exponent. Everything on one core.

The least of a few runs is printed, in a process of its own for each: a colder, busier machine shows only slower.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
SIZES = (100, 400, 2000)
RUNS = 3


def yaml_cold(folder: str) -> dict[str, float]:
    """From the start of reading to every rectangle."""
    from groundplan import proof

    begin = time.perf_counter()
    cluster = proof.Cluster.read(folder)
    read = time.perf_counter()
    count = len(cluster.reach().rectangles)
    return {"read": read - begin, "all": time.perf_counter() - begin, "rectangles": count}


def yaml_cached(folder: str) -> dict[str, float]:
    """The same, with the file decoded before."""
    from groundplan import proof

    kept = pathlib.Path(folder, ".kept")
    proof.Cluster.read(folder, cache=kept)
    begin = time.perf_counter()
    count = len(proof.Cluster.read(folder, cache=kept).reach().rectangles)
    return {"all": time.perf_counter() - begin, "rectangles": count}


def yaml_rows(folder: str) -> dict[str, float]:
    """And every row of the list, as `groundplan reach` shows it."""
    from groundplan import proof
    from groundplan.proof.show import rows

    begin = time.perf_counter()
    cluster = proof.Cluster.read(folder)
    count = sum(1 for _ in rows.rows(cluster.model, cluster.reach()))
    return {"all": time.perf_counter() - begin, "rows": count}


def checked(folder: str) -> dict[str, float]:
    """And everything that `groundplan check` asks besides."""
    from groundplan import proof
    from groundplan.proof import verdict

    begin = time.perf_counter()
    cluster = proof.Cluster.read(folder)
    cluster.reach()
    read = time.perf_counter()
    count = len(verdict.check(cluster).findings)
    return {"all": time.perf_counter() - begin, "lints": time.perf_counter() - read, "findings": count}


def rechecked(size: str) -> dict[str, float]:
    """The certificate of so many workloads, checked by the separate program."""
    import worlds

    from groundplan import proof
    from groundplan.proof import certificate, recheck

    made = worlds.manifests(int(size))
    found = json.loads(json.dumps(certificate.certificate(proof.Cluster.of(made))))
    begin = time.perf_counter()
    recheck.check(found, made)
    return {"all": time.perf_counter() - begin}


def large(size: str) -> dict[str, float]:
    """A hundred thousand pods and ten thousand policies, from decoded objects."""
    import worlds

    from groundplan import proof

    pods, policies = (int(each) for each in size.split("x"))
    made = worlds.objects(pods, policies)
    begin = time.perf_counter()
    cluster = proof.Cluster.of(made)
    model = time.perf_counter()
    count = len(cluster.reach().rectangles)
    done = time.perf_counter()
    found = {"model": model - begin, "reach": done - model, "all": done - begin, "rectangles": count}
    return {**found, **_asked(cluster, made), "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2}


def _asked(cluster: Any, made: list[dict[str, Any]]) -> dict[str, float]:
    from groundplan.proof import ends
    from groundplan.proof.explain import pairs

    policy = json.loads(json.dumps(made[-1]))
    policy["spec"]["ingress"][1]["ports"] = [{"port": "http"}]
    title = f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"
    change = _least(lambda: cluster.changed(policy, instead_of=title))
    source, destination = (ends.End(each) for each in (cluster.model.workloads[7], cluster.model.workloads[107]))
    return {"change": change, "explain": _least(lambda: pairs.explain(cluster, source, destination, None))}


def _least(ask: Callable[[], Any]) -> float:
    found = []
    for _ in range(5):
        begin = time.perf_counter()
        ask()
        found.append(time.perf_counter() - begin)
    return min(found)


TASKS: dict[str, Callable[[str], dict[str, float]]] = {
    "cold": yaml_cold,
    "cached": yaml_cached,
    "rows": yaml_rows,
    "checked": checked,
    "rechecked": rechecked,
    "large": large,
}


def measured(task: str, argument: str) -> dict[str, float]:
    """The run with the least time in all, each in a process of its own, on one core."""
    runs = [_run(task, argument) for _ in range(RUNS)]
    return min(runs, key=lambda found: found["all"])


def _run(task: str, argument: str) -> dict[str, float]:
    command = [sys.executable, str(HERE), task, argument]
    core = {min(os.sched_getaffinity(0))}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def line(what: str, seconds: float, target: float | None = None, more: str = "") -> None:
    """One figure; with a target, how many times it fits into it."""
    ratio = f"target {target * 1000:6.0f} ms, {target / seconds:5.1f}× within" if target else ""
    print(f"{what:<58} {seconds * 1000:9.1f} ms  {ratio:<32} {more}".rstrip())


def main() -> None:
    """Everything."""
    import worlds
    import yaml

    times = []
    with tempfile.TemporaryDirectory() as top:
        for size in SIZES:
            folder = pathlib.Path(top, str(size))
            folder.mkdir()
            text = yaml.dump_all(worlds.manifests(size), Dumper=yaml.CSafeDumper)
            (folder / "all.yaml").write_text(text)
            found, rows = measured("cold", str(folder)), measured("rows", str(folder))
            times.append(found["all"])
            parts = f"read {found['read'] * 1000:.0f} ms of it, {len(text) / 1e6:.1f} MB"
            line(f"{size} workloads from YAML, cold", found["all"], 2.0 if size == 2000 else None, parts)
            line(f"{size} workloads from YAML, decoded before", measured("cached", str(folder))["all"])
            all_ = measured("checked", str(folder))
            more = f"schemas and lints {all_['lints'] * 1000:.0f} ms of it, {all_['findings']:.0f} findings"
            line(f"{size} workloads, and every check", all_["all"], None, more)
            line(f"{size} workloads, and every row of the list", rows["all"], None, f"{rows['rows']:.0f} rows")
    print(f"{'growth from 100 to 2,000 workloads':<58} n^{exponent(SIZES, times):.2f}")
    again = [measured("rechecked", str(size))["all"] for size in SIZES[:2]]
    for size, seconds in zip(SIZES, again, strict=False):
        line(f"{size} workloads, their certificate checked again", seconds)
    print(f"{'growth of the two':<58} n^{exponent(SIZES[:2], again):.2f}")
    small, big = measured("large", "10000x1000"), measured("large", "100000x10000")
    line("10,000 pods × 1,000 policies from objects", small["all"])
    line("100,000 pods × 10,000 policies, decoded objects checked", big["model"])
    line(
        "100,000 pods × 10,000 policies, reachability from these",
        big["reach"],
        2.0,
        f"{big['rectangles']:.0f} rectangles",
    )
    line("100,000 pods × 10,000 policies, both", big["all"], 2.0)
    print(f"{'growth of the two':<58} n^{exponent((1, 10), [small['all'], big['all']]):.2f}")
    line("one changed policy among them", big["change"], 0.05)
    line("one explanation among them", big["explain"], 0.01)
    print(f"{'memory, the objects included':<58} {big['memory']:9.2f} GiB  target   2.00 GiB")


def exponent(sizes: tuple[int, ...], times: list[float]) -> float:
    """By which power time grows with size."""
    return math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(TASKS[sys.argv[1]](sys.argv[2])))
    else:
        main()
