"""The toy runtime of `examples/tinyagents`: an adapter that somebody else ships is found and proven like ours."""

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from support.programs import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "tinyagents"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Its wheel, built and unpacked as pip does it, without asking an index; return the environment that has it."""
    folder = tmp_path_factory.mktemp("tinyagents")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=EXAMPLE, check=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    shutil.copytree(EXAMPLE / "tests", folder / "tests")
    return {"PYTHONPATH": os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")])}, folder


@pytest.mark.slow
def test_an_adapter_of_somebody_elses_passes_conformance(installed):
    """Its own test, in a process where nothing but its entry point makes it known, passes every case."""
    env, folder = installed
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=folder, env=env)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_an_adapter_of_somebody_elses_is_seen_by_zero_code_and_by_doctor(installed):
    """A program that does not know of turnspan is recorded, and doctor says with which version."""
    env, folder = installed
    program = folder / "program.py"
    program.write_text(PROGRAM)
    env = env | {"TURNSPAN_HOME": str(folder / "home")}
    done = run(sys.executable, "-m", "turnspan", "run", program, env=env, check=True)
    assert done.stdout == "hello you\n"
    shown = run(sys.executable, "-m", "turnspan", "show", "t-1", env=env, check=True).stdout
    assert "turn greeter" in shown and "< hello you" in shown
    said = " ".join(run(sys.executable, "-m", "turnspan", "doctor", env=env).stdout.split())
    assert "turnspan-tinyagents ok tinyagents 1.0 is installed; tested with tinyagents>=1.0,<2" in said


PROGRAM = """
import asyncio
from tinyagents import Agent, Answer

class Greets:
    name = "greets"
    async def answer(self, messages):
        return Answer("hello you")

print(asyncio.run(Agent("greeter", Greets()).run("Hi", "t-1")))
"""
