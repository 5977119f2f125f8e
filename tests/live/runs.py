"""Deploys of tests: what is told, kept."""

from __future__ import annotations

from groundplan.live import applying, deploy, errors, inventory
from groundplan.shapes import objects
from tests.live import server


class Told:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.waves: list[int] = []
        self.waiting: list[str] = []
        self.errors: list[errors.LiveError] = []
        self.outcomes: list[applying.Outcome] = []

    def wave(self, number: int, objects: int) -> None:
        self.waves.append(number)

    def did(self, outcome: applying.Outcome) -> None:
        self.outcomes.append(outcome)

    def waits(self, subject: str, why: str) -> None:
        self.waiting.append(f"{subject}: {why}")

    def failed(self, error: errors.LiveError) -> None:
        self.errors.append(error)


OWN = inventory.Inventory("shop", "production", "default")


def run(to: server.Server, wanted, own=OWN, told: Told | None = None, clock=None, **options) -> deploy.Report:
    client = server.connected(to, clock)
    return deploy.Deploy(client, own, list(wanted), deploy.Options(**options), told or Told()).run()


def verbs(report: deploy.Report) -> dict[str, str]:
    return {str(each.key): each.verb for each in report.outcomes}


def made(kind: str, name: str, namespace: str = "shop", wave: int | None = None, **body) -> objects.Object:
    """An object: ``made("apps/v1 Deployment", "web", spec={…})``."""
    api, _, plain = kind.rpartition(" ")
    metadata: dict = {"name": name, "labels": {"app.kubernetes.io/name": name}}
    if namespace:
        metadata["namespace"] = namespace
    if wave is not None:
        metadata["annotations"] = {"argocd.argoproj.io/sync-wave": str(wave)}
    return objects.Object({"apiVersion": api, "kind": plain, "metadata": metadata, **body}, "plan.py:7", "workloads")


def pods(name: str, image: str = "web:1") -> dict:
    labels = {"app.kubernetes.io/name": name}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}


def deployment(name: str, image: str = "web:1", replicas: int | None = 2, wave: int | None = None) -> objects.Object:
    spec = {"selector": {"matchLabels": {"app.kubernetes.io/name": name}}, "template": pods(name, image)}
    number = {} if replicas is None else {"replicas": replicas}
    return made("apps/v1 Deployment", name, wave=wave, spec={**number, **spec})


def job(name: str, image: str = "web:1", suspend: bool = False, wave: int | None = None) -> objects.Object:
    spec = {**({"suspend": True} if suspend else {}), "template": pods(name, image)}
    return made("batch/v1 Job", name, wave=wave, spec=spec)


NAMESPACE = made("v1 Namespace", "shop", namespace="")


def settings(**data: str) -> objects.Object:
    return made("v1 ConfigMap", "settings", data=data)
