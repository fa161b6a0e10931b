"""How the command line is laid out: one command a file, none imports another, each cheap until it is used."""

import ast
import sys
from pathlib import Path

import click
import pytest

import turnspan.cli
from support.programs import PYTHON, run
from turnspan.cli import COMMANDS
from turnspan.cli import turnspan as command_line

FOLDER = Path(turnspan.cli.__file__).parent / "commands"
MODULES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")


def test_each_command_is_a_file():
    """What is listed is what there is."""
    assert {path.stem.rstrip("_") for path in MODULES} == COMMANDS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_command_imports_another(path):
    """What two commands need stands below them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("turnspan.cli.commands"), ast.unparse(node)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_and_option_says_what_it_is_for(name):
    """No option is without help, and no command without a sentence."""
    command = command_line.get_command(click.Context(command_line), name)
    assert command.help and command.help.strip()[0].isupper()
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def test_starting_a_program_loads_no_store():
    """`turnspan run` costs little: neither SQLAlchemy nor rich nor the SDK is imported for it."""
    heavy = ("sqlalchemy", "rich", "opentelemetry.sdk", "turnspan.stores.sql")
    code = f"import sys, turnspan.cli.commands.run; print([m for m in {heavy!r} if m in sys.modules])"
    assert run(PYTHON, "-c", code, check=True).stdout.strip() == "[]"
    assert sys.executable == PYTHON
