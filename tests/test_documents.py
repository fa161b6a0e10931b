"""README, examples, settings and conventions: what is written is true, and what there is is written."""

import json
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from programs import EXAMPLES, PYTHON, program, run, turnspan
from turnspan.cli import COMMANDS
from turnspan.events import KINDS
from turnspan.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
OWN_STORE = {"sessions_in_a_shelf"}
"""Examples whose sessions are not in home."""
NEEDS = {"oats_session": "oats"}
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_each_python_snippet_of_the_readme_runs(number, tmp_path):
    done = run(PYTHON, program(tmp_path / "snippet.py", SNIPPETS[number]))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_each_example_runs_as_ever_under_turnspan_run(path, tmp_path):
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem])  # in an environment of its own: make runtimes
    plain, ours = run(PYTHON, path), turnspan("run", path)
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout) and plain.returncode == 0
    assert not [line for line in ours.stderr.splitlines() if line.startswith("turnspan")]
    if path.stem not in OWN_STORE:
        shown = json.loads(turnspan("show", "last", "--json", check=True).stdout)
        assert shown["turns"]
        verified = turnspan("verify")
        assert verified.returncode == 0, verified.stdout


def test_each_command_setting_and_event_is_documented():
    for name in COMMANDS:
        assert f"turnspan {name}" in README, name
    for setting in fields(Settings):
        assert setting.metadata["variable"] in README, setting.metadata["variable"]
    for kind in KINDS:
        assert f"`{kind}`" in README, kind


def test_the_table_of_runtimes_is_made_of_what_the_adapters_declare():
    sys.path.insert(0, str(ROOT / "tests/adapters"))
    from table import table

    assert table() in README, "run tests/adapters/table.py"


def test_the_names_module_is_made_of_the_conventions():
    sys.path.insert(0, str(ROOT / "tests/semconv"))
    from generate import TARGET, generated

    assert TARGET.read_text() == generated(), "run tests/semconv/generate.py"


def test_no_attribute_name_stands_outside_of_the_names_module():
    for path in (ROOT / "src/turnspan").rglob("*.py"):
        if path.name == "semconv.py":
            continue
        found = re.findall(r"""["'](gen_ai\.[a-z_.]+|turnspan\.[a-z_]+\.[a-z_]+|session\.id)["']""", path.read_text())
        assert not [name for name in found if not name.endswith(".jsonl")], f"{path}: {found}"


def test_rooms_import_only_from_rooms_below():
    """The picture in the design: cli, adapters, front, observed, recorder, outlets, memory, words."""
    rooms = [
        ["errors", "content", "files", "events", "records", "settings", "semconv", "redaction", "chain", "seals"],
        ["stores", "ledger", "manager", "timeline", "lookup", "asynchronous"],
        ["spans", "late_spans", "journal", "logs", "metrics", "writer"],
        ["open_turns", "keeper", "recorder", "recovery", "rehydrate", "delivery"],
        ["process", "observed"],
        ["proof", "histories", "export"],
        [
            "watch",
            "carry",
            "others",
            "hooks",
            "adapters",
            "telemetry",
            "pieces",
            "api",
            "autoinstrument",
            "instrumentor",
            "links",
        ],
        ["cli", "testing", "bootstrap"],
    ]
    level = {name: n for n, names in enumerate(rooms) for name in names}
    for path in (ROOT / "src/turnspan").rglob("*.py"):
        own = path.relative_to(ROOT / "src/turnspan").parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for line in path.read_text().splitlines():
            if found := re.match(r"from turnspan\.(\w+)", line):
                assert level[found[1]] <= level[own], f"{path.name} imports {found[1]}, which is above it"


def test_adapters_import_only_events_and_their_runtime():
    for path in (ROOT / "integrations/turnspan_integrations").glob("*.py"):
        imports = set(re.findall(r"^\s*(?:from|import) (turnspan[\w.]*)", path.read_text(), re.MULTILINE))
        assert {name for name in imports if not name.startswith("turnspan_integrations.")} <= {"turnspan.events"}, path
        if path.stem != "pydantic_ai":  # a runtime that speaks it itself
            assert not re.search(r"^\s*(?:from|import) opentelemetry", path.read_text(), re.MULTILINE), path
