"""Running programs as a user does, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
PATIENCE_S = 300
"""How long to wait for what will come: no promise is about how fast something is, and a machine may be busy."""
EXAMPLES = Path(__file__).parents[2] / "examples"
PYTHON = sys.executable


def run(*command, env=None, timeout=PATIENCE_S, check=False, cwd=None, **more):
    found = subprocess.run(
        [str(part) for part in command],
        # however busy the machine is, the program brings everything to the store before it ends
        env={"TURNSPAN_EXIT_TIMEOUT": "60", **os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        check=False,
        **more,
    )
    if check:
        assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
    return found


def example(name):
    """Return an example's path; where its runtime is not installed the test is skipped.

    Xerxes claims no Python newer than 3.13, and oats goes with nothing else: it has an environment of its own.
    """
    for part, package in {"xerxes": "xerxes", "oats": "oats"}.items():
        if part in name:
            pytest.importorskip(package)
    return EXAMPLES / f"{name}.py"


def turnspan(*arguments, **more):
    return run(BIN / "turnspan", *arguments, **more)


def program(path, text):
    path.write_text(text)
    return path
