"""The command line in this process: quick, for what needs neither a terminal nor a program of its own."""

import json

from click.testing import CliRunner

from turnspan.cli import turnspan

RUNNER = CliRunner()


def invoke(*arguments, exit_code=0, **more):
    """Run a command; return what it printed on standard output."""
    done = RUNNER.invoke(turnspan, [str(argument) for argument in arguments], **more)
    assert done.exit_code == exit_code, f"{arguments}: {done.exit_code}\n{done.stdout}\n{done.stderr}\n{done.exception}"
    return done.stdout


def document(*arguments, **more):
    """Run a command with ``--json``; return its document."""
    return json.loads(invoke(*arguments, "--json", **more))


def problem(*arguments, **more):
    """Run a command that could not do what it was asked; return what it said on standard error."""
    done = RUNNER.invoke(turnspan, [str(argument) for argument in arguments], **more)
    assert (done.exit_code, done.stdout) == (4, ""), f"{arguments}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stderr
