"""How often, in cron's words. Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"""

from __future__ import annotations

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def cron(every: float) -> str | None:
    """Every so many seconds as five fields, or None where cron has no words for it."""
    if every % _MINUTE == 0 and every < _HOUR and _HOUR % every == 0:
        return f"*/{int(every) // _MINUTE} * * * *" if every > _MINUTE else "* * * * *"
    if every % _HOUR == 0 and every < _DAY and _DAY % every == 0:
        return f"0 */{int(every) // _HOUR} * * *" if every > _HOUR else "0 * * * *"
    return "0 0 * * *" if every == _DAY else None
