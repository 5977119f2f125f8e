"""For every test of the workspace: property tests have no deadline, since machines are shared and noisy."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("workspace", deadline=None)
hypothesis.settings.load_profile("workspace")
