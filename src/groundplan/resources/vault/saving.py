"""Its backup: a snapshot by its own API, or, of files, a copy that counts only when nothing changed meanwhile."""

from __future__ import annotations

from groundplan.resources.vault import access
from groundplan.shapes import backups, processes, values
from groundplan_runtime import contract

_MODULE = ("python", "-m", "groundplan_runtime.backup")
BROUGHT = "token"
"""The file with the token that a restore is made with."""


def snapshots(name: str, namespace: str, version: str, work: str) -> backups.Procedures:
    """By ``sys/storage/raft/snapshot``. Whoever takes them may do nothing else; putting one back replaces everything
    that the Vault holds, its policies among it, so that no account of the cluster may do it: people bring a token.

    Source: https://developer.hashicorp.com/vault/api-docs/system/storage/raft
    """
    server = (
        values.text("--address={}://{}", values.encrypted(name, "https", "http"), values.Address(name, "api")),
        values.text("--authority={}", values.encrypted(name, values.Authority(), "")),
        f"--work={work}",
    )
    token = f"{contract.SECRETS_DIRECTORY}/{contract.TOKENS_DIRECTORY}/{access.AUDIENCE}"
    known = (f"--role={access.snapshots(name + backups.BACKUP)}", f"--account-token={token}")
    return backups.Procedures(
        reader=f"Vault {version}",
        save=backups.Work(
            run=processes.Run(argv=(*_MODULE, "vault", *server, *known)), on="port", audience=access.AUDIENCE
        ),
        restore=backups.Work(
            run=processes.Run(argv=(*_MODULE, "put-vault", *server, f"--token={backups.BY_HAND}/{BROUGHT}")),
            on="port",
            by_hand=(BROUGHT,),
        ),
        promise="A snapshot of one moment, encrypted by its seal, its checksums verified: only shares of the unseal "
        "key that was in force then open what it brings back.",
        people=_people(name, namespace),
    )


def _people(name: str, namespace: str) -> backups.Handwork:
    pod, kubectl = f"{name}-0", f"kubectl -n {namespace}"
    unseal = f"{kubectl} exec --stdin --tty {{pod}} -- vault operator unseal"
    return backups.Handwork(
        words="It takes the shares of the unseal key, and the tokens, of the Vault that the snapshot was taken from: "
        "those of the empty one end with the restore. The empty one is opened by a share of its own, which only "
        "`empty.json` holds. To go back in a Vault that is not lost, skip the emptying, and write a token of your own, "
        f"which may update `{access.SNAPSHOT}-force`, into the file `{BROUGHT}`; whichever replica is sealed after "
        "that is unsealed.",
        first=(
            "umask 077",
            f"{kubectl} exec {pod} -- vault operator init -key-shares=1 -key-threshold=1 -format=json > empty.json",
            unseal.format(pod=pod),
            f"""python3 -c 'import json; print(json.load(open("empty.json"))["root_token"], end="")' > {BROUGHT}""",
        ),
        then=(unseal.format(pod=pod), f"rm -f empty.json {BROUGHT}"),
        each=unseal,
    )


def copies(name: str, version: str, work: str) -> backups.Procedures:
    """File storage has no snapshots: HashiCorp says to stop the server, or to use integrated storage. Stopping it every
    night would stop every pod that starts meanwhile, so the copy proves that nothing changed under it."""
    paths = (f"--work={work}", values.text("--data={}", values.Folder(name)))
    return backups.Procedures(
        reader=f"Vault {version}",
        save=backups.Work(run=processes.Run(argv=(*_MODULE, "copy", *paths)), on="volume"),
        restore=backups.Work(run=processes.Run(argv=(*_MODULE, "put", *paths)), on="volume"),
        promise="Its files, encrypted by its seal, as they were at one moment: a copy counts only when nothing "
        "changed while it was made. Without the shares of the unseal key nobody can read it.",
    )
