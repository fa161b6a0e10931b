"""Running programs as a user does, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
EXAMPLES = Path(__file__).parents[2] / "examples"
PYTHON = sys.executable


def run(*command, env=None, timeout=90, check=False, cwd=None, **more):
    found = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(env or {})},
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


def turnspan(*arguments, **more):
    return run(BIN / "turnspan", *arguments, **more)


def program(path, text):
    path.write_text(text)
    return path
