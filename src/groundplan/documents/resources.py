"""What everything asks for together, cluster by cluster, beside what was reckoned with before."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Iterator, Sequence

from groundplan import markdown
from groundplan.documents import workloads
from groundplan.documents import world as worlds
from groundplan.kubernetes import lower
from groundplan.model import namespace

_HEAD = ("namespace", "pods", "CPU", "CPU limit", "memory", "memory limit", "volumes")
_ZERO = decimal.Decimal()
_NOTHING = "–"


def page(world: worlds.World) -> str:
    return markdown.page(
        "Resources",
        "What is asked for at rest: every workload that always runs, at its fewest replicas. Jobs come on top while "
        "they run. The pods of charts are not counted: their charts say what they ask for.",
        *(part for one in world.lowered for part in _cluster(one, world)),
        *_estimates(world),
        "## By workload",
        *(part for one in world.lowered for part in _workloads(one, world)),
    )


def _cluster(one: lower.Lowered, world: worlds.World) -> Iterator[str]:
    yield f"## {markdown.text(one.environment)}"
    found = [each for each in workloads.of(one) if each.runs == "always"]
    spaces = sorted({each.namespace for each in found})
    rows = [(markdown.code(space), *_sums([each for each in found if each.namespace == space])) for space in spaces]
    yield markdown.table(_HEAD, [*rows, ("**all**", *_sums(found))])
    charts = [f"{markdown.code(each.component)} ({markdown.text(each.source.name)})" for each in one.releases]
    if charts:
        yield f"Not counted: {', '.join(charts)}."


def _sums(found: Sequence[workloads.Workload]) -> tuple[str, ...]:
    return (
        str(sum(each.least for each in found)),
        *(workloads.cores(_sum(found, name)) for name in ("cpu", "cpu_limit")),
        *(workloads.bytes_(_sum(found, name)) for name in ("memory", "memory_limit", "storage")),
    )


def _estimates(world: worlds.World) -> Iterator[str]:
    """Beside each estimate of the plan, what the namespace asks for, and what makes the difference."""
    spaces = sorted(world.plan.namespaces, key=lambda space: space.name)
    if not any(space.estimate for space in spaces):
        return
    yield "## Beside the estimate"
    yield "The plan says what was reckoned with before there was a plan; here is what came of it."
    names = [f"{name}: {what}" for name in (one.environment for one in world.lowered) for what in ("CPU", "memory")]
    head = ("namespace", "estimate: CPU", "estimate: memory", *map(markdown.text, names), "reckoned at")
    yield markdown.table(head, [*(_beside(space, world) for space in spaces), _altogether(spaces, world)])
    yield "### Why they differ"
    yield markdown.table(("namespace", "in", "estimate", "because"), _reasons(spaces, world))


def _beside(space: namespace.Namespace, world: worlds.World) -> tuple[str, ...]:
    cells = [cell for one in world.lowered for cell in _asked(space.name, one)]
    estimate = space.estimate
    if estimate is None:
        return (markdown.code(space.name), _NOTHING, _NOTHING, *cells, _NOTHING)
    reckoned = workloads.cores(estimate.cpu), workloads.bytes_(estimate.memory)
    return (markdown.code(space.name), *reckoned, *cells, world.line(estimate.origin))


def _asked(space: str, one: lower.Lowered) -> tuple[str, str]:
    if any(space == each.namespace for each in one.releases):
        return "the chart's", "the chart's"
    found = _standing(space, one)
    return (workloads.cores(_sum(found, "cpu")), workloads.bytes_(_sum(found, "memory"))) if found else ("–", "–")


def _altogether(spaces: Sequence[namespace.Namespace], world: worlds.World) -> tuple[str, ...]:
    estimates = [space.estimate for space in spaces if space.estimate]
    cells = [
        said
        for found in ([each for each in workloads.of(one) if each.runs == "always"] for one in world.lowered)
        for said in (workloads.cores(_sum(found, "cpu")), workloads.bytes_(_sum(found, "memory")))
    ]
    cpu, memory = sum((each.cpu for each in estimates), _ZERO), sum((each.memory for each in estimates), _ZERO)
    return ("**all**", workloads.cores(cpu), workloads.bytes_(memory), *cells, _NOTHING)


def _sum(found: Iterable[workloads.Workload], name: str) -> decimal.Decimal:
    return sum((each.least * getattr(each, name) for each in found), _ZERO)


def _standing(space: str, one: lower.Lowered) -> list[workloads.Workload]:
    return [each for each in workloads.of(one) if each.runs == "always" and each.namespace == space]


def _reasons(spaces: Iterable[namespace.Namespace], world: worlds.World) -> Iterator[tuple[str, ...]]:
    for space in spaces:
        found: dict[tuple[str, str], list[str]] = {}
        for one in world.lowered:
            reason = _reason(space, one)
            if reason:
                found.setdefault(reason, []).append(one.environment)
        for (reckoned, because), where in found.items():
            yield markdown.code(space.name), world.where(where), reckoned, because


def _reason(space: namespace.Namespace, one: lower.Lowered) -> tuple[str, str] | None:
    """What was reckoned with, and why something else came of it; None where it did not."""
    estimate, found = space.estimate, _standing(space.name, one)
    charts = [each.source.name for each in one.releases if each.namespace == space.name]
    if estimate is None:
        return (_NOTHING, f"not reckoned with: {_counted(found)}") if found else None
    reckoned = f"{estimate.pods} × {workloads.cores(estimate.each_cpu)}, {workloads.bytes_(estimate.each_memory)}"
    if charts:
        return reckoned, f"its pods are those of the chart {markdown.codes(charts)}, whose values decide"
    pods = sum(each.least for each in found)
    odd = [each for each in found if (each.cpu, each.memory) != (estimate.each_cpu, estimate.each_memory)]
    because = [f"pods: {pods}, not {estimate.pods} ({_counted(found)})"] if pods != estimate.pods else []
    because += [
        f"{markdown.code(each.name)} asks for {workloads.cores(each.cpu)}, {workloads.bytes_(each.memory)}"
        for each in odd
    ]
    return (reckoned, "; ".join(because)) if because else None


def _counted(found: Iterable[workloads.Workload]) -> str:
    return ", ".join(f"{each.least} × {markdown.code(each.name)}" for each in found) or "none"


def _workloads(one: lower.Lowered, world: worlds.World) -> Iterator[str]:
    yield f"### {markdown.text(one.environment)}, each"
    rows = [
        (
            markdown.code(f"{each.namespace}/{each.name}"),
            each.runs,
            str(each.least) if each.least == each.most else f"{each.least} to {each.most}",
            workloads.cores(each.cpu),
            workloads.bytes_(each.memory),
            workloads.bytes_(each.storage),
            world.line(each.origin),
        )
        for each in workloads.of(one)
    ]
    yield markdown.table(("workload", "runs", "replicas", "CPU each", "memory each", "volume each", "line"), rows)
