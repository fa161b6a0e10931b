"""The documentation: its programs run, its generated pages are current, and every public thing is in it."""

import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from support.programs import PYTHON, program, run
from turnspan.cli import COMMANDS
from turnspan.events import KINDS
from turnspan.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SNIPPETS = [
    pytest.param(page, code, id=f"{page.relative_to(ROOT / 'docs')}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL), 1)
]
GENERATED = ["cli_reference", "json_reference", "settings_reference", "events_reference", "content_reference"]


@pytest.mark.parametrize(("page", "code"), SNIPPETS)
def test_each_program_of_the_documentation_runs(page, code, tmp_path):
    """What a page shows as Python runs as it stands, and warns of nothing."""
    done = run(PYTHON, program(tmp_path / "snippet.py", code))
    assert (done.returncode, done.stderr) == (0, ""), f"{page}: {done.stderr}"


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_current(name, monkeypatch):
    """A page that is made from the code says what the code says."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    module = __import__(f"generate_{name}")
    sys.modules.pop(f"generate_{name}")
    assert module.TARGET.read_text() == module.generated(), f"run scripts/generate_{name}.py, or make docs"


def test_each_command_setting_and_event_has_its_place_in_the_reference():
    """Nothing that a user can name is missing from the reference."""
    said = {page.stem: page.read_text() for page in PAGES}
    assert not [name for name in COMMANDS if f"## turnspan {name}\n" not in said["cli"]]
    assert not [f.name for f in fields(Settings) if f.metadata["variable"] not in said["settings"]]
    assert not [kind for kind in KINDS if f"## `{kind}`" not in said["events"]]


def test_each_page_is_reachable():
    """Every page stands in the table of contents."""
    index = (ROOT / "docs" / "index.md").read_text()
    assert not [p for p in PAGES if p.name != "index.md" and str(p.relative_to(ROOT / "docs"))[:-3] not in index]
