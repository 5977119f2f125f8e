"""The runbook of an environment: what is kept, and the way back, command by command. Pure: a page of Markdown.

Every block of commands says in its first line what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from groundplan import markdown
from groundplan.backup import commands, estimates, items
from groundplan.model import autoscale, environment, platform, processes, service, store
from groundplan.shapes import backups, workloads

GOAL = 600.0
"""Seconds in which the whole platform shall be back."""
_CLUSTER = "# needs: kubectl, the cluster"
_LIMITS = """\
## What a backup does not promise

- **A moment, not every moment.** What was committed since the last backup is lost with the engine: at most a day. To go
  back to any moment takes the write-ahead log, archived all the time (pgBackRest, or CloudNativePG); this does not.
- **Each database at a moment of its own.** A server's databases are dumped one after the other, callers before those
  whom they call: what a caller wrote down after an answer is never without what it answers to. What was under way in
  between is settled by the services themselves, as after a crash; what others did meanwhile (a bank, a webhook's
  receiver) they still know, and a reconciliation shows it.
- **No secrecy of its own.** Dumps are as readable as what they are of: encryption at rest is the place's to do.
- **Damage, not forgery.** Every file has its SHA-256 and its size in a manifest, which is written last; a restore
  refuses what differs. Whoever may write to the place may also forge a manifest, and a restore runs what a dump says
  as the engine's administrator: keep the place's rights narrow, and its objects locked or versioned."""
_ONLINE = """\
{name} runs meanwhile; each database changes over in one transaction, or not at all."""
_OFFLINE = "{name} is stopped, and its volume written meanwhile."
_LOST = "Only where its volume is lost or broken: what is on it goes, and an empty one takes its place."
_EMPTY = "Databases and roles are made by the delivery; then stop the services once more."
_BY_HAND = """\
It hands out no secret yet, so the account of the object store comes by hand, from a file of this form:
`{"access_key_id": "…", "secret_access_key": "…"}`."""
_BROUGHT = "What only people may do takes what only people have:"
_OTHERS = """\
Then the others, each empty: it takes what it lacks from the first. Until it has found that one, some seconds after its
start, it says that it is not initialized."""
_UNSEAL = """\
It starts sealed: those who hold shares of the key unseal it. Its backup should not be older than the databases': what
was encrypted with a key that it does not hold cannot be read."""
_TIMES = """\
On paper, from these assumptions: {start:.0f} s for a pod with its secrets, {fetch:g} MiB/s from the place,
{load:g} MiB/s into the engine (a fifth of what was measured), {services:.0f} s for services to be ready, and
{unseal:.0f} s for people to unseal a store. Resources are restored side by side, a store of secrets before them. So the
whole platform is back in {goal:.0f} minutes with up to {most:.1f} GiB in its largest engine; beyond that, measure your
own."""


def page(plan: platform.Platform, env: environment.Environment) -> str:
    """The runbook of `env`, a cluster."""
    place = env.defaults.get("backups")
    kept = list(items.of(plan)) if isinstance(place, backups.Volume | backups.ObjectStore) else []
    parts = [
        f"# Backup and recovery: {plan.name} in {env.name}",
        "Written from the plan by `groundplan runbook`. Every block of commands says what it needs.",
        "## What is kept",
        *_kept(plan, env, place, kept),
        _LIMITS,
    ]
    if kept:
        parts += ["## A backup now", *(_run(item, backups.BACKUP) for item in kept)]
        parts += [*_before(plan), *_restores(plan, env, place, kept), *_after(plan, env)]
        parts += ["## How long it takes", *_times(kept)]
    parts += ["## A service is lost", *_service(plan, env), "## On a laptop", _laptop(plan)]
    return "\n\n".join(parts) + "\n"


def _kept(
    plan: platform.Platform, env: environment.Environment, place: object, kept: Sequence[items.Item]
) -> Iterator[str]:
    rows = [(each.resource.name, *_schedule(each), _where(plan, env, place, each)) for each in kept]
    reasons = {found.name: reason for found, reason in items.without(plan)}
    if isinstance(place, backups.NoBackup):
        reasons |= {each.resource.name: place.reason for each in items.of(plan)}
    rows += [(name, "never", "–", markdown.text(reason)) for name, reason in reasons.items()]
    yield markdown.table(("resource", "when", "kept", "where"), rows)
    for each in kept:
        yield f"**{each.resource.name}.** {each.procedures(plan, '').promise}"


def _schedule(item: items.Item) -> tuple[str, str]:
    return f"daily at {item.schedule.at} UTC", f"the last {item.schedule.keep}"


def _where(plan: platform.Platform, env: environment.Environment, place: object, item: items.Item) -> str:
    name = item.resource.name
    if isinstance(place, backups.ObjectStore):
        words = commands.bucket(place, plan.name, env.name, "")
        return f"`{words[0].removeprefix('--place=')}/{name}/`"
    return f"PersistentVolumeClaim `{name}-backups` in `{item.resource.namespace}`: lost with the cluster"


def _run(item: items.Item, suffix: str) -> str:
    """A job made of a CronJob, and waited for."""
    space, name = item.resource.namespace, f"{item.resource.name}{suffix}"
    return _block(
        _CLUSTER,
        f"kubectl -n {space} create job --from=cronjob/{name} {name}-now",
        f"kubectl -n {space} wait --for=condition=complete --timeout=4h job/{name}-now",
        f"kubectl -n {space} logs job/{name}-now --all-containers",
    )


def _before(plan: platform.Platform) -> Iterator[str]:
    yield "## Before a restore"
    yield "Nothing may undo the next steps (Argo CD would), and nothing may write meanwhile."
    yield _block(
        "# needs: argocd, logged in; only where Argo CD delivers",
        "argocd app list",
        "argocd app set APPLICATION --sync-policy none",
    )
    names: dict[str, list[str]] = {}
    for each in plan.programs:
        if not isinstance(each, service.Job):
            names.setdefault(each.namespace or "", []).append(each.name)
    yield _block(
        _CLUSTER,
        *(f"kubectl -n {space} scale deployment --replicas=0 {' '.join(names[space])}" for space in sorted(names)),
        *(_suspended(job, "true") for job in _jobs(plan)),
    )


def _jobs(plan: platform.Platform) -> list[service.Job]:
    return [each for each in plan.programs if isinstance(each, service.Job)]


def _suspended(job: service.Job, said: str) -> str:
    return f"""kubectl -n {job.namespace} patch cronjob {job.name} -p '{{"spec":{{"suspend":{said}}}}}'"""


def _restores(
    plan: platform.Platform, env: environment.Environment, place: object, kept: Sequence[items.Item]
) -> Iterator[str]:
    # Whoever hands out secrets comes first here: nobody else gets a password without it.
    for item in sorted(kept, key=lambda item: not _keeps_secrets(item, env)):
        yield f"## Restore {item.resource.name}"
        yield from _restore(plan, env, place, item)


def _keeps_secrets(item: items.Item, env: environment.Environment) -> bool:
    kept = env.defaults.get("secrets")
    return isinstance(kept, store.Store) and kept.server is not None and kept.server[0] is item.resource


def _restore(plan: platform.Platform, env: environment.Environment, place: object, item: items.Item) -> Iterator[str]:
    name, space = item.resource.name, item.resource.namespace
    found = item.procedures(plan, "")
    replicas, stopped = _replicas(plan, env, item), found.restore.on == "volume"
    if found.people:
        yield found.people.words
    else:
        yield (_OFFLINE if stopped else _ONLINE).format(name=name)
    yield from _lost(plan, env, item, replicas)
    if stopped:
        yield _block(_CLUSTER, _scaled(item, 0))
    if found.people:
        yield _block(_CLUSTER, *found.people.first)
    brought = [*(["object-store.json"] if _is_by_hand(place, item, env) else ()), *found.restore.by_hand]
    account = f"{name}{backups.RESTORE}{backups.ACCOUNT}"
    if brought:
        yield (_BY_HAND if "object-store.json" in brought else _BROUGHT)
        files = " ".join(f"--from-file={each}" for each in brought)
        yield _block(_CLUSTER, f"kubectl -n {space} create secret generic {account} {files}")
    yield _run(item, backups.RESTORE)
    yield "An older backup than the newest: in place of the first line,"
    job = f"{name}{backups.RESTORE}"
    yield _block(
        _CLUSTER,
        f"kubectl -n {space} create job --from=cronjob/{job} {job}-now --dry-run=client -o yaml \\",
        f"  | kubectl set env --local -f - {commands.AT}=2026-11-21T03:00Z -o yaml | kubectl create -f -",
    )
    gone = [f"kubectl -n {space} delete secret {account}"] if brought else []
    yield from _opened(item, env, found, replicas, gone)


def _opened(
    item: items.Item, env: environment.Environment, found: backups.Procedures, replicas: int, gone: list[str]
) -> Iterator[str]:
    """It runs again, and whoever must open it does."""
    name, space = item.resource.name, item.resource.namespace
    if found.restore.on == "volume":
        yield _block(_CLUSTER, _scaled(item, replicas))
    if found.people:
        yield _UNSEAL
        # It still reckons with what the empty one was opened by, until it starts anew.
        again = f"kubectl -n {space} delete pod {name}-0"
        yield _block(_CLUSTER, *gone, again, _running(item), *found.people.then)
        if replicas > 1:
            others = [found.people.each.format(pod=f"{name}-{number}") for number in range(1, replicas)]
            yield _OTHERS
            yield _block(_CLUSTER, _scaled(item, replicas), *others)
    elif _keeps_secrets(item, env):
        yield _UNSEAL
        yield _block(_CLUSTER, f"kubectl -n {space} exec --stdin --tty {name}-0 -- vault operator unseal", *gone)


def _replicas(plan: platform.Platform, env: environment.Environment, item: items.Item) -> int:
    answer = item.resource.objects(env, plan.edges_to(item.resource))
    return answer.replicas if isinstance(answer, workloads.Stateful) else 1


def _is_by_hand(place: object, item: items.Item, env: environment.Environment) -> bool:
    return _keeps_secrets(item, env) and isinstance(place, backups.ObjectStore)


def _scaled(item: items.Item, replicas: int) -> str:
    return f"kubectl -n {item.resource.namespace} scale statefulset {item.resource.name} --replicas={replicas}"


def _lost(plan: platform.Platform, env: environment.Environment, item: items.Item, replicas: int) -> Iterator[str]:
    name, space = item.resource.name, item.resource.namespace
    found = item.procedures(plan, "")
    yield _LOST
    claims = " ".join(f"data-{name}-{number}" for number in range(replicas))
    emptied = (_scaled(item, 0), f"kubectl -n {space} delete pvc {claims}", _scaled(item, 1))
    yield _block(_CLUSTER, *emptied, *([_running(item)] if found.people else ()))
    if found.restore.on == "port" and not found.people:
        yield _EMPTY
        yield _deliver(plan, env)


def _running(item: items.Item) -> str:
    """Waits for what `kubectl wait` cannot: a pod that may not be there yet, and will not be ready by itself."""
    return f"until kubectl -n {item.resource.namespace} exec {item.resource.name}-0 -- true; do sleep 2; done"


def _deliver(plan: platform.Platform, env: environment.Environment) -> str:
    command = f"groundplan deploy {plan.name} --environment {env.name} --force-conflicts"
    return _block("# needs: the repository, the cluster", command)


def _after(plan: platform.Platform, env: environment.Environment) -> Iterator[str]:
    yield "## After a restore"
    yield "Deliver once more: migrations newer than the backup run, and services get their replicas again."
    yield _deliver(plan, env)
    yield _block(
        "# needs: argocd, logged in; in place of that, where Argo CD delivers",
        "argocd app set APPLICATION --sync-policy automated",
        "argocd app sync APPLICATION",
    )
    by_load = _autoscaled(plan, env)
    if by_load:
        yield "An autoscaler leaves what is at 0 alone:"
        lines = (f"kubectl -n {each.namespace} scale deployment --replicas={n} {each.name}" for each, n in by_load)
        yield _block(_CLUSTER, *lines)
    if plan.verifications:
        yield "What must hold now, asked where the service runs; each exits 0:"
        yield _block(_CLUSTER, *(_asked(each) for each in plan.verifications))
    if _jobs(plan):
        yield "Jobs that compare or clean up run at once, not at their next hour:"
        yield _block(
            _CLUSTER,
            *(_suspended(job, "false") for job in _jobs(plan)),
            *(f"kubectl -n {job.namespace} create job --from=cronjob/{job.name} {job.name}-now" for job in _jobs(plan)),
        )


def _autoscaled(plan: platform.Platform, env: environment.Environment) -> list[tuple[service.Program, int]]:
    """Programs whose replicas follow their load, and the least of each."""
    wanted = ((each, env.setting(each, "replicas", each.replicas)) for each in plan.programs)
    return [(each, said.least) for each, said in wanted if isinstance(said, autoscale.Autoscale)]


def _asked(check: platform.Verification) -> str:
    words = processes.words(check.process)
    return f"kubectl -n {check.service.namespace} exec deploy/{check.service.name} -- {' '.join(words)}"


def _service(plan: platform.Platform, env: environment.Environment) -> Iterator[str]:
    first = next((each for each in plan.programs if isinstance(each, service.Service)), None)
    if first is None:
        yield "This platform has none."
        return
    yield "Services keep nothing: what is deleted is delivered again."
    yield _block(
        "# needs: kubectl, the cluster, the repository",
        f"kubectl -n {first.namespace} delete deployment {first.name}",
        f"groundplan deploy {plan.name} --environment {env.name}",
        f"kubectl -n {first.namespace} rollout status deployment/{first.name}",
    )


def _times(kept: Sequence[items.Item]) -> Iterator[str]:
    rates = estimates.Rates()
    sealed = any(isinstance(item.resource, store.Store) for item in kept)
    spent = estimates.SERVICES + (estimates.UNSEAL + estimates.START if sealed else 0)
    rows = [(f"{size} GiB", f"{estimates.restore(size * 1024) / 60:.0f} min") for size in (1, 2, 5, 20, 100)]
    yield markdown.table(("data in one resource", "its restore"), rows)
    yield _TIMES.format(
        start=estimates.START,
        fetch=rates.fetch,
        load=rates.load,
        services=estimates.SERVICES,
        unseal=estimates.UNSEAL,
        goal=GOAL / 60,
        most=estimates.fits(GOAL - spent) / 1024,
    )


def _laptop(plan: platform.Platform) -> str:
    return _block(
        "# needs: a platform that `groundplan up` started",
        f"groundplan backup {plan.name}",
        f"groundplan restore {plan.name} --replace",
    )


def _block(*lines: str) -> str:
    return "\n".join(["```sh", *lines, "```"])
