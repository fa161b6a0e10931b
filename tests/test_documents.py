"""README, examples, settings and conventions: what is written is true, and what there is is written."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from support.programs import EXAMPLES, PYTHON, example, program, run, turnspan

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
OWN_STORE = {"sessions_in_a_shelf"}
"""Examples whose sessions are not in home."""
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_each_python_snippet_of_the_readme_runs(number, tmp_path):
    """What stands in the README runs as it is, without a warning."""
    done = run(PYTHON, program(tmp_path / "snippet.py", SNIPPETS[number]))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_each_example_runs_as_ever_under_turnspan_run(path, tmp_path):
    """Output and exit code of an example are unchanged, and its record is proven."""
    example(path.stem)
    plain, ours = run(PYTHON, path), turnspan("run", path)
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout) and plain.returncode == 0
    assert not [line for line in ours.stderr.splitlines() if line.startswith("turnspan")]
    if path.stem not in OWN_STORE:
        shown = json.loads(turnspan("show", "last", "--json", check=True).stdout)
        assert shown["turns"]
        verified = turnspan("verify")
        assert verified.returncode == 0, verified.stdout


def test_the_table_of_runtimes_is_made_of_what_the_adapters_declare():
    """The page of adapters says what their code says."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from generate_runtimes_table import table

    assert table() in (ROOT / "docs/adapters/index.md").read_text(), "run scripts/generate_runtimes_table.py"


def test_the_readme_is_read_in_a_few_minutes():
    """The README sells and links; what is long is in docs/."""
    assert len(README.encode()) <= 8 * 1024
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_names_module_is_made_of_the_conventions():
    """Attribute names are generated from the conventions, not written by hand."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from generate_semconv import TARGET, generated

    assert TARGET.read_text() == generated(), "run scripts/generate_semconv.py"


def test_no_attribute_name_stands_outside_of_the_names_module():
    """A renamed attribute is changed in one place."""
    for path in (ROOT / "src/turnspan").rglob("*.py"):
        if path.name == "semconv.py":
            continue
        found = re.findall(r"""["'](gen_ai\.[a-z_.]+|turnspan\.[a-z_]+\.[a-z_]+|session\.id)["']""", path.read_text())
        modules = {f"turnspan.{folder.name}." for folder in (ROOT / "src/turnspan").iterdir() if folder.is_dir()}
        names = [name for name in found if not name.endswith(".jsonl") and not name.startswith(tuple(modules))]
        assert not names, f"{path}: {names}"


def test_each_test_says_the_promise_that_it_holds_the_code_to():
    """A reader learns from docstrings what is promised; a name alone is no sentence."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
        if not ast.get_docstring(node)
    ]
    assert silent == []
