"""Public names: listed, importable, and nothing else is."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import turnspan

SOURCE = Path(turnspan.__file__).parent
PUBLIC = ["turnspan", "turnspan.adapter", "turnspan.events", "turnspan.stores", "turnspan.testing"]
PACKAGES = sorted(path.parent for path in SOURCE.glob("*/__init__.py"))


@pytest.mark.parametrize("name", PUBLIC)
def test_what_a_public_module_lists_can_be_imported_and_is_documented(name):
    """``__all__`` is true, and each class and function in it says what it is for."""
    module = importlib.import_module(name)
    for member in module.__all__:
        value = getattr(module, member)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{name}.{member}"


@pytest.mark.parametrize("name", PUBLIC)
def test_what_a_public_module_defines_or_imports_for_others_is_listed(name):
    """A public name that is not listed is an accident."""
    module = importlib.import_module(name)
    found = {
        member
        for member, value in vars(module).items()
        if not member.startswith("_")
        and not inspect.ismodule(value)
        and (inspect.isclass(value) or inspect.isfunction(value))
        and getattr(value, "__module__", "").startswith("turnspan" if hasattr(module, "__path__") else name)
    }
    assert found <= set(module.__all__), found - set(module.__all__)


def test_the_names_that_type_checkers_see_are_those_that_are_there():
    """The package imports its names when they are first used; what it shows to type checkers must be the same."""
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    shown = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert shown == {name: f"turnspan.{home}" for name, home in turnspan._HOME_OF.items()}
    assert set(turnspan.__all__) == set(shown) - {"__version__"}
    assert set(turnspan.__all__) <= set(dir(turnspan))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_other_package_says_that_it_is_private(package):
    """In its docstring, where a reader who jumped there looks."""
    doc = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    name = f"turnspan.{package.name}"
    assert ("\nPrivate: " in doc) == (name not in PUBLIC), f"{name}: {doc}"
