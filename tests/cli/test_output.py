"""What agents, models, tools and users say never moves a terminal."""

import ast
import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import turnspan
from support.programs import BIN, PYTHON, program, run
from turnspan.model.inert import inert, inert_json, inert_line

CLI = Path(turnspan.__file__).parent / "cli"
HOSTILE = (
    "\x1b]0;PWNED\x07\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b2J\u202e\u2066\r\x7f[bold]marked[/bold][link=http://evil]x[/link]"
)
ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
# What a terminal gets from rich itself: colours, bold, and links of ours
OURS = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b\x07]*\x1b\\|\r\n")


@given(st.text(st.characters(), max_size=50))
def test_inert_text_has_nothing_that_acts_and_loses_nothing(text):
    """Whatever a text holds, its inert form is printable, is stable, and keeps every harmless character."""
    shown = inert(text.replace("\r\n", "\n"))
    assert not ACTIVE.search(shown)
    shown.encode()
    assert inert(shown) == shown
    assert not re.search(r"[\n\t]", inert_line(text))
    harmless = [c for c in text if c.isprintable() and c != "\\"]
    assert [c for c in shown if c in harmless][: len(harmless)] or not harmless


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_inert_json_says_the_same(text):
    """JSON for programs is the same value, and moves no terminal that it is shown on."""
    shown = inert_json(json.dumps({"k": text}, ensure_ascii=False))
    assert json.loads(shown) == {"k": text}
    assert not ACTIVE.search(shown)


def test_only_one_module_of_the_command_line_prints():
    """A command that printed by itself would let through what the others do not."""
    for path in CLI.rglob("*.py"):
        if path.name == "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("print", "click.echo", "click.secho", "Console"), f"{path.name} prints by itself"
            assert not isinstance(node, ast.ImportFrom) or node.module != "rich.markup", (
                f"{path.name}: use output.escape"
            )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder in which an agent has recorded nothing but escape sequences, and a session was imported with some."""
    folder = tmp_path_factory.mktemp("hostile")
    text = f"""
import turnspan
turnspan.configure()
E = {HOSTILE!r}
with turnspan.session("s", metadata={{"k" + E: E}}), turnspan.turn(agent="a" + E, prompt="P" + E) as turn:
    with turnspan.tool("tool" + E, k=E) as call:
        call.result = E
    try:
        with turnspan.tool("fails"):
            raise ValueError(E)
    except ValueError:
        pass
    with turnspan.model_call("m" + E, provider="p" + E, messages=E) as call:
        call.output = E
    turn.note("n" + E, E)
    turn.handoff("b" + E, reason=E)
    turn.response = E
"""
    run(PYTHON, program(folder / "p.py", text), cwd=folder, check=True)
    session = turnspan.SessionRecord.from_dict(
        {
            "session_id": "imported", "created_at": HOSTILE, "updated_at": "2026-01-01T00:00:00+00:00",
            "metadata": {"turnspan": {"session_id_from": HOSTILE}},
            "turns": [{"turn_id": "t", "prompt": HOSTILE, "status": "success", "agent_id": HOSTILE}],
        }
    )  # fmt: skip
    (folder / "sessions.jsonl").write_text(json.dumps(session.to_dict()) + "\n")
    run(BIN / "turnspan", "import", "jsonl", "sessions.jsonl", cwd=folder, check=True)
    return folder


def on_a_terminal(*command, cwd):
    """Run a command with a terminal as its output, and return what the terminal got."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(part) for part in command], cwd=cwd, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    got = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
        if not piece:
            break
        got += piece
    os.close(ours)
    process.wait(60)
    return got.decode("utf-8", "surrogateescape")


COMMANDS = [
    "show s", "show s --json", "show imported", "sessions", "replay s", "replay s --by agent", "replay imported", "find s",
    "export s --format markdown", "export s --format openai", f"show {HOSTILE!r}",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[:40].encode("ascii", "replace").decode())
def test_no_command_lets_content_act_on_a_terminal(hostile, command):
    """Escape sequences, C1 and bidirectional controls and rich's markup in content are shown, never obeyed."""
    got = on_a_terminal(BIN / "turnspan", *command.split(" ", 3 if "show '" not in command else 1), cwd=hostile)
    assert len(got) > 20
    found = ACTIVE.search(OURS.sub("", got))
    assert found is None, f"{found and found[0]!r} in {got!r}"
    assert "]8;" not in got or "evil" not in got.replace("[link=http://evil]", "")
