"""For every test of the workspace: property tests have no deadline, and an interrupt interrupts."""

from __future__ import annotations

import os
import signal

import hypothesis

# Machines are shared and noisy.
hypothesis.settings.register_profile("workspace", deadline=None)
# What lands is judged by the change and not by chance; every other run draws new examples.
hypothesis.settings.register_profile("landing", deadline=None, derandomize=True)
hypothesis.settings.load_profile("landing" if "CI" in os.environ else "workspace")

# A shell starts what it puts into the background with SIGINT ignored, and children inherit that: tests that
# interrupt a process would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
