"""How a program is started so that it is recorded from its first line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

BOOTSTRAP = Path(__file__).parents[1] / "instrumentation" / "bootstrap"
"""The folder whose ``sitecustomize`` starts recording."""


def with_bootstrap(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a Python records what its agents do."""
    paths = filter(None, [str(BOOTSTRAP), environment.get("PYTHONPATH", "")])
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}
