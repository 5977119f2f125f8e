"""Vault (or OpenBao, which speaks the same API): where a cluster keeps its secrets.

Belongs here: the server and its storage, how secrets reach a pod, who is admitted to what, its backup. Does not belong
here: what a running one is asked to become what the plan says, which is `groundplan.live.vault`.
"""

from groundplan.resources.vault.server import Vault

__all__ = ["Vault"]
