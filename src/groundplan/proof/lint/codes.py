"""The codes of lints: severity, and what they stand for."""

from __future__ import annotations

from groundplan.proof import findings

ERROR, WARNING, NOTE = findings.SEVERITIES
CODES: dict[str, tuple[str, str]] = {
    **findings.CODES,
    "GP420": (WARNING, "a workload that every address and every pod may connect to"),
    "GP421": (WARNING, "a workload that may connect anywhere"),
    "GP422": (WARNING, "a policy that selects no pod"),
    "GP423": (WARNING, "a peer that selects no pod"),
    "GP424": (WARNING, "two peers where one was probably meant: any of them matches, not both together"),
    "GP425": (NOTE, "a rule that allows nothing which another does not"),
    "GP426": (WARNING, "egress to the whole internet"),
    "GP427": (WARNING, "a workload that reaches the cloud's metadata address"),
    "GP428": (ERROR, "a workload that cannot look up names"),
    "GP429": (ERROR, "a port that outside traffic is led to and that no policy lets it into"),
    "GP430": (WARNING, "a port name in a rule that no selected pod has"),
    "GP510": (WARNING, "a service that selects no pod"),
    "GP511": (ERROR, "a service port that leads to no port of its pods"),
    "GP512": (ERROR, "a route to a service or port that does not exist"),
    "GP513": (ERROR, "a reference to an object that is not there"),
    "GP514": (ERROR, "a workload whose selector does not select its own pods"),
    "GP515": (ERROR, "two workloads that select the same pods"),
    "GP516": (WARNING, "a stateful set without its headless service"),
    "GP517": (ERROR, "an autoscaler that cannot work"),
    "GP518": (ERROR, "one name twice in a list"),
    "GP519": (ERROR, "one host and path twice"),
    "GP521": (ERROR, "not allowed by Pod Security baseline"),
    "GP522": (WARNING, "not allowed by Pod Security restricted"),
    "GP523": (WARNING, "a file system that can be written to"),
    "GP531": (WARNING, "no readiness probe on a workload that a service leads to"),
    "GP532": (ERROR, "a probe of a port that does not exist"),
    "GP533": (WARNING, "readiness and liveness ask the same question"),
    "GP534": (WARNING, "a disruption budget that blocks every drain"),
    "GP535": (WARNING, "two disruption budgets for one pod"),
    "GP536": (ERROR, "a rolling update that cannot progress"),
    "GP537": (NOTE, "one replica behind a service"),
    "GP538": (WARNING, "a disruption budget that selects no pod"),
    "GP541": (WARNING, "no memory limit or no requests"),
    "GP542": (ERROR, "a request above its limit"),
    "GP543": (WARNING, "an image that may change under its name"),
    "GP551": (ERROR, "a secret in plain text"),
    "GP552": (WARNING, "a token of the API server that nothing uses"),
    "GP553": (WARNING, "rights that are as good as all"),
    "GP554": (ERROR, "a role binding to a role that is not there"),
    "GP555": (ERROR, "a socket of the container runtime"),
    "GP571": (ERROR, "a suppression without a reason"),
    "GP572": (NOTE, "a suppression that suppresses nothing"),
}
"""Every code."""
