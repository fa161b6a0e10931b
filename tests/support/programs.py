"""Running programs as a user does, in processes of their own."""

import ast
import importlib.util
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
    """Return an example's path; where what it imports is not installed, the test is skipped."""
    for node in ast.parse((EXAMPLES / f"{name}.py").read_text()).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            for module in modules:
                if not _is_installed(*module.split(".")):
                    pytest.skip(f"{module} is not installed")
    return EXAMPLES / f"{name}.py"


def _is_installed(name, *inner):
    """Return whether there is such a package; several may share a name that is none's alone, such as ``google``."""
    spec = importlib.util.find_spec(name)
    shared = spec is not None and spec.origin is None and inner
    return _is_installed(f"{name}.{inner[0]}", *inner[1:]) if shared else spec is not None


def turnspan(*arguments, **more):
    return run(BIN / "turnspan", *arguments, **more)


def program(path, text):
    path.write_text(text)
    return path
