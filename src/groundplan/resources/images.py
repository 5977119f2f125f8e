"""The images of the engines and the charts of others: every pin, and nowhere else.

Images are tags until `images lock` has seen a registry. The version of a chart is one that its publisher
announced, on the page beside it.
"""

from __future__ import annotations

from groundplan.shapes import workloads


def postgres(version: int) -> str:
    """The official image, made of Alpine."""
    return f"docker.io/library/postgres:{version}-alpine"


def redis(version: int) -> str:
    """The official image, made of Alpine."""
    return f"docker.io/library/redis:{version}-alpine"


def postgres_exporter() -> str:
    """Prometheus' community's, in the version that Debian 13 has, so that it is the one that the tests run.

    Source: https://github.com/prometheus-community/postgres_exporter/releases/tag/v0.17.1 (0.17 knows PostgreSQL 17)
    """
    return "quay.io/prometheuscommunity/postgres-exporter:v0.17.1"


def redis_exporter() -> str:
    """Its author's, in the version that Debian 13 has, so that it is the one that the tests run.

    Source: https://github.com/oliver006/redis_exporter/releases/tag/v1.69.0
    """
    return "docker.io/oliver006/redis_exporter:v1.69.0"


def vault(version: str) -> str:
    """HashiCorp's image: the server, and the agent that fetches secrets."""
    return f"docker.io/hashicorp/vault:{version}"


def python(version: str) -> str:
    """The official image of Debian's smaller set of packages: what a platform's own image is made on."""
    return f"docker.io/library/python:{version}-slim-bookworm"


def otel_collector(version: str) -> str:
    """OpenTelemetry's core distribution, as its own user 10001.

    Source: https://github.com/open-telemetry/opentelemetry-collector-releases
    """
    return f"docker.io/otel/opentelemetry-collector:{version}"


# helm-chart-4.11.1.md and so on, in https://github.com/kubernetes/ingress-nginx/tree/main/charts/ingress-nginx/changelog
INGRESS_NGINX = {"1.11.1": "4.11.1", "1.11.5": "4.11.5", "1.13.5": "4.13.5", "1.14.1": "4.14.1"}
"""The chart of each version of the controller."""


def ingress_nginx(version: str) -> workloads.Source:
    """The chart that installs this version of the controller; raises KeyError for one that is not in the list."""
    return workloads.Source("https://kubernetes.github.io/ingress-nginx", "ingress-nginx", INGRESS_NGINX[version])


# https://gitlab.com/gitlab-org/charts/gitlab/-/merge_requests/5234 (with the release notes of v1.21.1)
CERT_MANAGER = workloads.Source("https://charts.jetstack.io", "cert-manager", "v1.21.1")

# https://github.com/external-secrets/external-secrets/pull/5981
EXTERNAL_SECRETS = workloads.Source("https://charts.external-secrets.io", "external-secrets", "2.0.1")

# https://github.com/bitnami/sealed-secrets/blob/5347cf7222545e89bef6cc374bc83960aaec8654/helm/sealed-secrets/Chart.yaml
# Before 0.40 its controller answered strangers who guessed at what is sealed (pull/2049); the charts' old address
# answers nobody (issues/1982).
SEALED_SECRETS = workloads.Source("https://bitnami.github.io/sealed-secrets", "sealed-secrets", "2.20.0")

# https://github.com/prometheus-community/helm-charts/releases/tag/kube-prometheus-stack-86.2.0
PROMETHEUS_STACK = workloads.Source(
    "https://prometheus-community.github.io/helm-charts", "kube-prometheus-stack", "86.2.0"
)
