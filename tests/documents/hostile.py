"""A platform whose author writes markup wherever an author may write words."""

from __future__ import annotations

from groundplan import Alert, Condition, Platform, Service, cpu, memory, python
from groundplan.model import platform
from groundplan.resources import IngressNginx, NoBackup, Postgres, PrometheusStack, Vault, daily
from groundplan.secrets import random

WORDS = (
    '<script>alert("x")</script> <img src=x onerror=alert(1)> `tick` ``two`` | pipe [link](javascript:alert(1)) '
    "![image](http://evil.example/x.png) **bold** _under_ 'single' #1; %% end --> --> ]]> &lt; \\ ~~gone~~ "
    "@somebody https://evil.example www.evil.example ü 漢字 \u202eright to left\n# heading\n```\n</style></svg></title>"
)


def plan() -> platform.Platform:
    made = Platform("hostile")
    space = made.namespace("space", privileged=WORDS)
    charts = made.namespace("charts")
    vault = space.add(Vault("vault"))
    postgres = space.add(Postgres("postgres", backup=daily(keep=2)))
    web = space.add(Service("web", python("web"), http=8000, resources=cpu("10m", "20m") & memory("32Mi")))
    other = space.add(Service("other", python("other"), grpc=9000, resources=cpu("10m", "20m") & memory("32Mi")))
    outside = made.external("outside", https=443)
    web.needs(
        other.grpc.methods(WORDS, "Ask"),
        postgres.database("data").read(WORDS),
        made.secret("app/key", random()),
        outside,
    )
    made.entry(charts.add(IngressNginx("ingress")), {"/": web.http})
    charts.add(PrometheusStack("prometheus"))
    made.watch(
        Alert("Hostile", (Condition("up", "<", 1),), "info", WORDS, WORDS, {"up": "0x60"}, {"up": "1x60"}),
    )
    env = made.environment(
        "production",
        host="hostile.example.com",
        registry="registry.example.com",
        secrets=vault,
        resources=cpu("10m", "20m") & memory("32Mi"),
        backups=NoBackup(WORDS),
    )
    env.set(outside, host="outside.example.com", wider_ok=WORDS)
    env.set(web, env={"WORDS": WORDS})
    return made
