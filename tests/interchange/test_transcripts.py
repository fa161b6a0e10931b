"""Transcripts of coding agents: every message is on record once, after any order of import, follow and OTLP."""

import itertools
import json
import os
import random
import re
import signal
import subprocess
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import turnspan
from support.coding_agents import ClaudeCode, Codex, Gemini, codex_session, gemini_session
from support.outlines import outline
from support.programs import BIN
from support.programs import turnspan as turnspan_command
from support.transcripts import as_text, claude_events, claude_files, codex_rollout, gemini_chat
from turnspan import Settings, SqlSessionStore, verify
from turnspan.interchange.importers import read, store_history
from turnspan.interchange.importers.following import Follower
from turnspan.interchange.joining.joiner import Joiner
from turnspan.recording import runtime

pytest.importorskip("opentelemetry.proto")
from turnspan.receiver import otlp
from turnspan.receiver.dialects.assembly import LogAssembly, arrived_in
from turnspan.receiver.dialects.spool import LogSpool

_numbers = itertools.count()


class Record:
    """A home, with what receives, imports and follows: all of this process."""

    def __init__(self, home):
        self.home = home
        turnspan.configure(telemetry=False, home=home)
        self.recorder = runtime.recorder()
        self.store = self.recorder.pipeline.opened_store()
        self.expected = {}

    def receive(self, *events, agent=ClaudeCode):
        """Take log events, as ``turnspan serve`` does."""
        spool = LogSpool(self.home / "received-logs.db")
        request = otlp.parsed("logs", json.dumps(agent.request(*events)).encode(), otlp.JSON)
        spool.accept(list(arrived_in(request)))
        assembly = LogAssembly(spool, self.recorder)
        assembly.start()
        assembly.stop()
        spool.close()

    def load(self, folder, kind="claude-code"):
        """Import a folder."""
        return [*store_history(kind, read(kind, folder), self.store)][-1:]

    def follower(self, folder, kind="claude-code"):
        """Return a follower of a folder."""
        return Follower(kind, folder, Joiner(kind, self.store, self.recorder))

    def turns(self, of=""):
        """Return an outline of each turn, by session, without what makes ids those of one example."""
        found = {}
        for session_id in self.store.list_sessions():
            if session_id.endswith(of):
                text = (
                    outline([self.store.load_session(session_id)]).replace(of, "")
                    if of
                    else outline([self.store.load_session(session_id)])
                )
                found[session_id.removesuffix(of)] = sorted(text.split("\n  turn ")[1:])
        return found


@pytest.fixture
def record(tmp_path):
    """One for all examples of a test: each has sessions of its own; in the end all of them are verified."""
    made = Record(tmp_path / "home")
    yield made
    turnspan.shutdown()
    report = verify(settings=Settings(home=made.home))
    assert report.exit_code in (0, 1), report


class World:
    """A folder of transcripts that are written while somebody follows them, and what is sent meanwhile."""

    def __init__(self, record, folder, of):
        self.record, self.folder = record, folder
        folder.mkdir()
        self.left = {name: list(lines) for name, lines in claude_files(of).items()}
        self.events = claude_events(of)
        self.follower = record.follower(folder)
        self.is_cut = False

    def write(self, dice):
        """Add some lines to a file, some of them in pieces, and read them."""
        name = dice.choice([name for name, lines in self.left.items() if lines] or [None])
        if name is not None:
            count = dice.randint(1, 12)
            text, self.left[name] = as_text(self.left[name][:count]), self.left[name][count:]
            cut = dice.randint(0, len(text))
            for piece in (text[:cut], text[cut:]):
                with (self.folder / name).open("a") as file:
                    file.write(piece)
                list(self.follower.step())

    def destroy(self, dice):
        """Remove a file, empty it, or keep its last lines, as programs do with what they think they need no more."""
        self.is_cut = True
        files = [
            path for path in sorted(self.folder.glob("*.jsonl")) if "agent" not in path.name or not self.left[path.name]
        ]
        if files:
            file = dice.choice(files)
            lines = file.read_text().splitlines(keepends=True)
            dice.choice([file.unlink, lambda: file.write_text(""), lambda: file.write_text("".join(lines[-3:]))])()

    def load(self, _dice):
        """Import what is there."""
        self.record.load(self.folder)

    def send(self, dice):
        """Send some events, in any order, some of them again."""
        self.record.receive(*dice.sample(self.events, dice.randint(1, len(self.events))))

    def restart(self, _dice):
        """Follow anew, from the beginning; what was cut in the midst of a turn would be the end of one without a prompt."""
        if not self.is_cut:
            self.follower = self.record.follower(self.folder)

    def finish(self, dice):
        """Let all be written, read and sent."""
        while any(self.left.values()):
            self.write(dice)
        self.record.receive(*self.events)


STEPS = st.lists(st.sampled_from(["write", "write", "write", "destroy", "load", "send", "restart"]), max_size=8)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS, dice=st.integers(0, 1000).map(random.Random))
def test_every_message_is_on_record_once(record, tmp_path_factory, steps, dice):
    """After compaction, rewind, fork, sub-agents, interruption and removal, in any order of import, follow and OTLP."""
    of = f"-{next(_numbers)}-"
    world = World(record, tmp_path_factory.mktemp("world") / "claude", of)
    for step in steps:
        getattr(world, step)(dice)
    world.finish(dice)
    assert rewinds_apart(record.turns(of)) == rewinds_apart(expected(record, tmp_path_factory))


def rewinds_apart(turns):
    """Return outlines without the notes of rewinds: one is noted where the line that it goes back to was seen."""
    return {name: [re.sub(r"\n *note conversation.rewound.*", "", one) for one in of] for name, of in turns.items()}


def expected(record, tmp_path_factory):
    """Return what is on record of the corpus after one import of it, and everything sent once, in order."""
    if not record.expected:
        folder = tmp_path_factory.mktemp("whole")
        for name, lines in claude_files("-once-").items():
            (folder / name).write_text(as_text(lines))
        record.load(folder)
        record.receive(*claude_events("-once-"))
        record.expected = record.turns("-once-")
    return record.expected


CODEX = """
codex ERROR unavailable
    > Go↵[image]
    model gpt-6-codex ERROR unavailable
---
codex CANCELLED interrupted by the user
    > Fix it
    model gpt-6-codex 900+50 cache_read 800 reasoning 20
    tool shell(command=["ls"]) = a.py
    note approval.approved {"tool_name": "shell", "call_id": "call_1", "by": "user", "source": "approved"}
    model gpt-6-codex
    tool apply_patch(text=*** Begin Patch) = rejected by user SKIPPED denied by the user
    note approval.denied {"tool_name": "apply_patch", "call_id": "call_2", "by": "user", "source": "denied"}
    note codex.sandbox_outcome {"tool_name": "shell", "call_id": "call_1", "outcome": "escalated"}
    note conversation.compacted {"summary": "They wanted it fixed."}
    note turn.interrupted {"by": "user", "reason": "interrupted"}
    < I list, and fix.
"""
GEMINI = """
gemini
    > Look again
---
gemini ERROR quota
    > Look around
    model gemini-3-pro 705+42 cache_read 500 reasoning 12
    tool read_file(path=a.py) = import os
    tool run_shell_command(command=rm a.py) SKIPPED denied by the user
    note approval.denied {"tool_name": "run_shell_command", "call_id": "(id)", "by": "user", "source": "reject"}
    tool search(q=x) ERROR no server
    note approval.approved {"tool_name": "search", "call_id": "(id)", "by": "user", "source": "accept"}
    note conversation.compacted {"tokens_before": 90000, "tokens_after": 8000}
    note hook {"hook_event_name": "AfterTool", "success": true}
    agent codebase_investigator ERROR TIMEOUT
    model gemini-3-pro ERROR quota
    note gemini_cli.error {"text": "quota"}
    note conversation.rewound {"to": "m1"}
    < Here is what I see.
"""


@pytest.mark.parametrize("order", ["transcript first", "transcript last"])
def test_codex_and_gemini_cli(record, tmp_path, order):
    """Their events have no ids in common with their transcripts but those of calls, or none at all: they are joined still."""
    of = order.replace(" ", "-")
    codex, gemini = f"codex-{of}", f"gemini-{of}"
    (tmp_path / f"rollout-{of}.jsonl").write_text(as_text(codex_rollout(codex)))
    (tmp_path / f"session-{of}.jsonl").write_text(as_text(gemini_chat(gemini)))
    steps = [
        lambda: list(record.follower(tmp_path, "codex").step()),
        lambda: record.load(tmp_path, "gemini-cli"),
        lambda: record.receive(*codex_session(codex), agent=Codex),
        lambda: record.receive(*gemini_session(gemini), agent=Gemini),
    ]
    for step in steps if order == "transcript first" else reversed(steps):
        step()
    assert record.turns(of) == {
        "codex-": sorted(CODEX.strip().split("\n---\n")),
        "gemini-": sorted(GEMINI.strip().split("\n---\n")),
    }


def test_follow_by_command(tmp_path):
    """The command finds the transcripts by itself, says what it puts on record, and ends when it is told to."""
    folder, home = tmp_path / "claude" / "projects" / "-home-me-project", tmp_path / "home"
    command = [BIN / "turnspan", "import", "claude-code", "--follow", "--home", home]
    env = {**os.environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # shells ignore it for what runs behind them
    ) as follower:
        assert str(tmp_path / "claude" / "projects") in follower.stderr.readline()
        folder.mkdir(parents=True)  # none of it is there yet
        lines = claude_files()["main.jsonl"]
        (folder / "main.jsonl").write_text(as_text(lines[:3]))
        assert "session main: 1 new turn" in follower.stdout.readline()
        (folder / "main.jsonl").unlink()
        follower.send_signal(signal.SIGINT)
        assert follower.wait(60) == 0
    (session,) = [SqlSessionStore(f"sqlite:///{home / 'sessions.db'}").load_session("main")]
    assert (session.workspace_id, session.turns[0].response_content) == ("-home-me-project", "I look.")
    refused = turnspan_command("import", "xerxes", tmp_path, "--follow")
    assert "--follow is for claude-code, codex, gemini-cli" in refused.stderr
    assert "Missing argument 'PATH'" in turnspan_command("import", "oats").stderr


def test_what_was_erased_does_not_come_back(tmp_path):
    """A transcript that is there still is read again, and events sent again: erased turns stay bare, new ones are recorded."""
    folder, home = tmp_path / "projects", tmp_path / "home"
    folder.mkdir()
    lines = claude_files()["main.jsonl"]
    (folder / "main.jsonl").write_text(as_text(lines[:7]))
    Record(home).load(folder)
    turnspan.shutdown()
    turnspan_command("erase", "main", "--yes", "--home", home, check=True)
    (folder / "main.jsonl").write_text(as_text(lines))
    record = Record(home)
    record.load(folder)
    record.receive(*claude_events()[:6])
    first, second, *_ = record.store.load_session("main").turns
    assert (first.prompt, first.response_content, second.prompt) == ("", None, "Have it reviewed")
    turnspan.shutdown()
    report = verify(settings=Settings(home=home))
    assert report.exit_code in (0, 1), report


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(tmp_path, record, tmp_path_factory):
    """SIGKILL while it follows, again and again: the next one reads it anew, and each message is on record once."""
    folder, home, of = tmp_path / "projects", tmp_path / "killed", "-once-"
    folder.mkdir()
    wanted = expected(record, tmp_path_factory)
    command = [BIN / "turnspan", "import", "claude-code", folder, "--follow", "--home", home]
    dice = random.Random(3)
    for name, lines in claude_files(of).items():
        for part in (lines[:9], lines[9:]):
            with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follower:
                follower.stderr.readline()
                with (folder / name).open("a") as file:
                    file.write(as_text(part))
                time.sleep(dice.uniform(0.9, 1.3))
                follower.kill()
    turnspan.shutdown()
    last = Record(home)
    last.load(folder)
    last.receive(*claude_events(of))
    assert last.turns(of) == wanted
    turnspan.shutdown()
    report = verify(settings=Settings(home=home))
    assert report.exit_code in (0, 1), report


def test_the_corpus(record, tmp_path_factory):
    """Each message is there once, in its turn, with what OTLP says of it beside it; the picture is a word."""
    found = expected(record, tmp_path_factory)
    assert found["main"] == sorted(MAIN.strip().split("\n---\n"))
    assert found["fork"] == [FORK.strip()]
    kept = [record.store.load_session(f"{name}-once-") for name in found]
    turns = [turn for session in kept for turn in session.turns]
    outputs = [one["output"] for turn in turns for one in turn.metadata["turnspan"]["model_calls"] if "output" in one]
    assert sorted(outputs) == sorted(ANSWERS)
    (reviewed,) = (turn for turn in turns if turn.prompt == "Have it reviewed")
    (agent,) = reviewed.metadata["turnspan"]["agents"]
    assert (agent["description"], agent["agent_id"]) == ("Review", "reviewer")
    assert kept[1].parent_session_id == kept[0].session_id


ANSWERS = [
    "I look.",
    "One is an a.",
    "Reviewed.",
    "I deploy",
    "Done with b.",
    "It is fine, says the reviewer.",
    "It is a letter.",
]
MAIN = """
claude
    > What is in these?↵[image/png]
    model claude-sonnet-5 2103+40 cache_read 2000 cache_write 100 cost_usd 0.0125
    tool Read(file_path=b) = <error>no such file</error> ERROR <error>no such file</error>
    tool Read(file_path=a) = an a↵[image/png]
    note approval.approved {"tool_name": "Read", "call_id": "toolu_1", "by": "config", "source": "config"}
    note approval.approved {"tool_name": "Read", "call_id": "toolu_2", "by": "config", "source": "config"}
    model claude-sonnet-5 2103+12 cache_read 2000 cache_write 100 cost_usd 0.0125
    < One is an a.
---
claude
    > Have it reviewed
    model claude-sonnet-5 2103+40 cache_read 2000 cache_write 100
    tool Task(subagent_type=reviewer, prompt=Review) = It is fine.
      agent reviewer
        model claude-sonnet-5 2103+40 cache_read 2000 cache_write 100
        tool Grep(pattern=TODO) = nothing
        model claude-sonnet-5 2103+8 cache_read 2000 cache_write 100 cost_usd 0.0125
    note approval.approved {"tool_name": "Grep", "call_id": "toolu_4", "by": "config", "source": "config"}
    model claude-sonnet-5 2103+9 cache_read 2000 cache_write 100
    < Reviewed.
---
claude CANCELLED interrupted by the user
    > Now deploy
    model claude-sonnet-5 2103+5 cache_read 2000 cache_write 100
    note turn.interrupted {"by": "user"}
    note conversation.compacted {"tokens_before": 150000, "summary": "They looked at a, and reviewed.", "trigger": "manual", "tokens_after": 4000}
    < I deploy
---
claude
    > Remove it all
    model claude-sonnet-5 2103+40 cache_read 2000 cache_write 100
    tool Bash(command=rm -rf /) SKIPPED denied by the user
    note approval.denied {"tool_name": "Bash", "call_id": "toolu_5", "by": "user", "source": "user_reject"}
---
claude
    > Rather the b
    note conversation.rewound {"to": "a4"}
    model claude-sonnet-5 ERROR Overloaded
    model claude-sonnet-5 2103+6 cache_read 2000 cache_write 100
    < Done with b.
"""
FORK = """
claude
    > And in English?
    model claude-sonnet-5 2103+4 cache_read 2000 cache_write 100
    < It is a letter.
"""
