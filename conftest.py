"""For every test of the workspace: property tests have no deadline, and an interrupt interrupts."""

from __future__ import annotations

import signal

import hypothesis

# Machines are shared and noisy.
hypothesis.settings.register_profile("workspace", deadline=None)
hypothesis.settings.load_profile("workspace")

# A shell starts what it puts into the background with SIGINT ignored, and children inherit that: tests that
# interrupt a process would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
