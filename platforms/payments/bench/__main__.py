"""The figures of the payments platform on this machine: ``python platforms/payments/bench [SECONDS]``.

Start and stop on an empty data directory, memory with one replica each and with two, payments a second with a lean
client and with Stripe's own, and where the time goes. Machines are noisy: read ratios, not seconds.
"""

from __future__ import annotations

import sys

import pace
import throughput

from payments.story import stage


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print("start and stop, empty data directory")
    for replicas in (1, 2):
        with stage.Stage(replicas=replicas) as platform:
            print(f"  {replicas} replica(s) each: healthy after {platform.up_seconds:.1f} s, {platform.memory()}")
        print(f"  {'':>17} down after {platform.down_seconds:.2f} s")
    with stage.Stage(replicas=1) as platform:
        throughput.report(platform, seconds)
    pace.baseline(seconds / 5)


if __name__ == "__main__":
    main()
