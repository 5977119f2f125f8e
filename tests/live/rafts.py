"""The replicas of production's Vault on this machine: the real OpenBao, started as their pods start, by TLS.

What differs here: names are ports of the loopback, folders lie below one of ours. Who a replica expects behind an
address stays as it was emitted (``leader_tls_servername``), and so do the names in the certificate.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

import urllib3

from groundplan.kubernetes import lower
from groundplan.live import errors
from groundplan.live.vault import client, steps
from tests import authorities
from tests.kubernetes import worlds
from tests.live import openbaos


def production() -> lower.Lowered:
    return next(one for one in worlds.payments_lowered() if one.environment == "production")


def tree(one: lower.Lowered, kind: str, name: str) -> dict:
    return next(made.tree for made in one.objects if (made.key.kind, made.key.name) == (kind, name))


class Replica:
    """One of them; `ports` are those of all, API and cluster, by number."""

    def __init__(self, number: int, ports: list[tuple[int, int]], folder: pathlib.Path) -> None:
        self.name, self.folder = f"vault-{number}", folder / f"vault-{number}"
        self.port, self.cluster_port = ports[number]
        self.folder.mkdir()
        self._ports, self._root, self.process = ports, folder, None
        text = tree(production(), "ConfigMap", "vault-files")["data"]["files_vault.hcl"]
        self.config = folder / f"{self.name}.hcl"
        self.config.write_text(self._here(text))
        self.address = f"https://localhost:{self.port}"
        self.client = client.Client(self.address, str(folder / "authority" / "ca.crt"))

    def _here(self, text: str) -> str:
        for number, (api, cluster) in enumerate(self._ports):
            text = re.sub(rf"//vault-{number}\.vault-peers\.vault:8200", f"//localhost:{api}", text)
            text = re.sub(rf"//vault-{number}\.vault-peers\.vault:8201", f"//127.0.0.1:{cluster}", text)
        text = text.replace("0.0.0.0:8200", f"127.0.0.1:{self.port}")
        text = text.replace("0.0.0.0:8201", f"127.0.0.1:{self.cluster_port}")
        return text.replace('"/vault/data"', f'"{self.folder}"').replace("/certificate/", f"{self._root}/certificate/")

    def start(self) -> None:
        (container,) = tree(production(), "StatefulSet", "vault")["spec"]["template"]["spec"]["containers"]
        said: dict[str, str] = {}
        for each in container["env"]:
            value = each.get("value", self.name)  # the other is the name of its pod
            said[each["name"]] = self._here(value.replace("$(POD)", said.get("POD", "")))
        variables = {"PATH": os.environ["PATH"], **said, "HOME": str(self._root)}
        with (self._root / f"{self.name}.log").open("a") as log:
            command = [openbaos.binary(), "server", f"-config={self.config}"]
            self.process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)

    def answers(self) -> None:
        until(lambda: self.ask("GET", "sys/seal-status").status == 200, f"{self.name} answers")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)

    def stop(self) -> None:
        """As a kubelet does."""
        self.process.terminate()
        self.process.wait(timeout=30)

    def wipe(self) -> None:
        """Another volume, an empty one."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()

    def ask(self, method: str, path: str, body: dict | None = None, token: str = "") -> steps.Answer:
        return self.client.ask(steps.Request(method, path, body, token=token, repeatable=False))

    def probe(self, kind: str) -> int:
        """What a kubelet is answered."""
        (container,) = tree(production(), "StatefulSet", "vault")["spec"]["template"]["spec"]["containers"]
        pool = urllib3.PoolManager(ca_certs=str(self._root / "authority" / "ca.crt"), retries=False)
        return pool.request("GET", f"{self.address}{container[kind]['httpGet']['path']}", timeout=5).status

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def leads(self) -> bool:
        with contextlib.suppress(errors.LiveError):  # it is away, or sealed
            return bool(self.ask("GET", "sys/leader").body.get("is_self"))
        return False


class Cluster:
    """All of them, and what runs beside."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.authority = authorities.Authority(folder / "authority")
        self.authority.issue(tree(production(), "Certificate", "vault-tls")["spec"], folder / "certificate")
        ports = [(openbaos.free_port(), openbaos.free_port()) for _ in range(3)]
        self.replicas = [Replica(number, ports, folder) for number in range(3)]

    def start(self, *numbers: int) -> None:
        chosen = [self.replicas[number] for number in numbers or range(3)]
        for each in chosen:
            each.start()
        for each in chosen:
            each.answers()

    def kill(self) -> None:
        for each in self.replicas:
            each.kill()

    def leader(self) -> Replica:
        return next(each for each in self.replicas if each.runs and each.leads)

    def standby(self) -> Replica:
        return next(each for each in self.replicas if each.runs and not each.leads)

    def run(self, cronjob: str, server: Replica, **more: str) -> subprocess.CompletedProcess[str]:
        """The containers of one of staging's CronJobs in their order, until one fails; `server` is whom the Service
        leads them to."""
        staging = next(one for one in worlds.payments_lowered() if one.environment == "staging")
        spec = tree(staging, "CronJob", cronjob)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for container in (*spec["initContainers"], *spec["containers"]):
            words = [self._here(word, server) for word in container["command"]]
            words[0] = sys.executable
            done = subprocess.run(
                words, env={**os.environ, **more}, capture_output=True, text=True, timeout=120, check=False
            )
            if done.returncode:
                break
        return done

    def _here(self, word: str, server: Replica) -> str:
        word = word.replace("https://vault.vault:8200", server.address)
        word = re.sub(r"(?<![\w.-])/(backups|account|secrets)\b", rf"{self.folder}/\1", word)
        return re.sub(r"(?<![\w.-])/authority/", f"{self.folder}/authority/", word)


def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> float:
    """The seconds until `holds`; whatever breaks meanwhile is part of the waiting."""
    began = time.monotonic()
    last: object = None
    while time.monotonic() - began < seconds:
        try:
            if holds():
                return time.monotonic() - began
        except Exception as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s: {last}")
