"""The layout: packages in one order, and no import that climbs.

Every import statement is read from the syntax tree, also those inside of functions: a lazy import may spare time at the
start, it may not point upwards.
"""

import ast
import importlib
import re
import statistics
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "turnspan"
ADAPTERS = Path(__file__).parents[1] / "integrations" / "turnspan_integrations"
LAYERS = """
_version errors settings model events adapter stores journal telemetry reading analysis recording otel_sdk instrumentation api
verification maintenance interchange viewer receiver cli testing __main__
""".split()
"""From the bottom to the top: a package imports itself and what stands before it."""


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, by their whole names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(path: Path) -> str:
    """Return the package at the top that a file is in."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


PACKAGES = "adapter analysis api cli instrumentation interchange journal maintenance model otel_sdk reading recording testing viewer".split()
NAMED = re.compile(rf"(turnspan\.({'|'.join(PACKAGES)})|turnspan_integrations)\.[\w.]+")
"""What in a string is the name of a module of ours, and not of an attribute, a metric or a group of entry points."""


FILES = sorted(
    path for path in SOURCE.rglob("*.py") if path.name != "demo_program.py" and path != SOURCE / "__init__.py"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_import_climbs(path):
    """A module imports only from its own package and from those below it; nothing imports the public facade."""
    own = LAYERS.index(layer_of(path))
    for name in imports(path):
        if name.split(".")[0] != "turnspan":
            continue
        target = name.split(".")[1]
        assert target in LAYERS, f"{name}: the facade is for users; import the module that has it"
        assert LAYERS.index(target) <= own, f"{path.name} imports {name}, which is above it"


def test_only_one_package_imports_the_sdk():
    """OpenTelemetry's SDK stands behind one fence: everything else speaks to the API."""
    found = {
        str(path.relative_to(SOURCE))
        for path in FILES
        if layer_of(path) not in ("otel_sdk", "testing")
        and any(n.startswith("opentelemetry.sdk") for n in imports(path))
    }
    assert not found


@pytest.mark.parametrize("path", sorted(ADAPTERS.glob("*.py")), ids=lambda path: path.name)
def test_adapters_import_only_the_contract(path):
    """An adapter sees the events and the adapter contract, its runtime, and nothing else of turnspan or OpenTelemetry."""
    for name in imports(path):
        if name.split(".")[0] == "turnspan":
            assert name.startswith(("turnspan.adapter.", "turnspan.events.")), name
        if path.stem != "pydantic_ai":  # a runtime that speaks it itself
            assert not name.startswith("opentelemetry"), name


def strings(path: Path) -> Iterator[str]:
    """Yield the strings of a file that name a module of ours."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAMED.fullmatch(node.value):
            yield node.value


@pytest.mark.parametrize(
    "name",
    sorted(
        {name for path in [*FILES, SOURCE / "__init__.py", *ADAPTERS.glob("*.py")] for name in strings(path)}
        | {entry.value.replace(":", ".") for entry in distribution("turnspan").entry_points}
    ),
)
def test_modules_that_are_named_in_strings_are_there(name):
    """A name in a string, in code or among the entry points, breaks in silence when its module moves."""
    parts = name.rstrip(".").split(".")
    for length in range(len(parts), 0, -1):
        with suppress(ModuleNotFoundError):
            found = importlib.import_module(".".join(parts[:length]))
            break
    for attribute in parts[length:]:
        found = getattr(found, attribute)


# Sizes -------------------------------------------------------------------------------------------------------------

SHIPPED = [*FILES, *sorted(ADAPTERS.glob("*.py"))]
ROOT = SOURCE.parents[1]
OTHERS = [
    path
    for folder in ("scripts", "benchmarks", "integrations", "examples", "tests", "docs")
    for path in (ROOT / folder).rglob("*.py")
]
MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_MEDIAN, MOST_AT_THE_TOP = 500, 60, 150, 25
MOST_LINES_OF_AN_ADAPTER = 200


def test_files_and_functions_are_read_in_one_sitting():
    """No file is above 500 lines and no function above 60, in the package and beside it; half of its files are up to 150."""
    long = {}
    for path in {*SHIPPED, *OTHERS}:
        text = path.read_text()
        if (lines := len(text.splitlines())) > MOST_LINES:
            long[str(path.relative_to(ROOT))] = lines
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = node.end_lineno - node.lineno + 1
                if length > MOST_LINES_OF_A_FUNCTION:
                    long[f"{path.relative_to(ROOT)}:{node.name}"] = length
    assert long == {}
    assert statistics.median(len(path.read_text().splitlines()) for path in SHIPPED) <= MOST_MEDIAN


@pytest.mark.parametrize("path", sorted(ADAPTERS.glob("*.py")), ids=lambda path: path.name)
def test_an_adapter_reads_in_one_sitting_or_says_why_not(path):
    """An adapter has up to 200 lines; the docstring of one that has more ends with the reason, and only of such a one."""
    text = path.read_text()
    said = " ".join(ast.get_docstring(ast.parse(text)).split())
    reason, lines = "It is over 200 lines because ", len(text.splitlines())
    assert (reason in said) is (lines > MOST_LINES_OF_AN_ADAPTER), (
        f"{lines} lines; the docstring's last sentence: {reason}"
    )


def test_the_house_has_few_rooms_at_the_top():
    """A newcomer sees at most 25 packages and modules, and all of them stand in the order of layers."""
    rooms = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert len(rooms - {"__init__"}) <= MOST_AT_THE_TOP
    assert rooms - {"__init__"} <= set(LAYERS)
