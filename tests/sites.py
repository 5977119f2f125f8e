"""A machine made up for tests: ports in a row, secrets that name themselves, engines that are said to be there."""

from __future__ import annotations

import json
import pathlib

from groundplan.local import prepare
from groundplan.local.plan import demands, site
from groundplan.model import platform


def imagined(plan: platform.Platform) -> site.Site:
    """The same for equal plans."""
    env = prepare.local_environment(plan)
    names = sorted(name for name, _ in demands.ports(plan, env))
    return site.Site(
        plan=plan,
        environment=env,
        root=pathlib.Path("/root-of-data"),
        plan_folder=pathlib.Path("/plan"),
        python="/python",
        ports={name: 10000 + number for number, name in enumerate(names)},
        secrets={path: f"<secret {path}>" for path in plan.kept},
        tokens={(caller, callee): f"<token {caller} {callee}>" for caller, callee in demands.tokens(plan)},
        issuer="groundplan:test",
        jwks=json.dumps({"keys": []}),
        programs={
            name: site.Found(
                wanted, {each: f"/bin/{each}" for each in wanted.programs}, wanted.product, "1.2", "nowhere"
            )
            for name, wanted in demands.binaries(plan)
        },
        sources={},
    )
