"""Histories that others kept become sessions, once; a session goes out in the shapes that others read."""

import asyncio
import json

import pytest

import turnspan
from support.programs import turnspan as command
from turnspan.interchange.importers import KINDS, Unreadable, read
from turnspan.model.records import SessionRecord, ToolCallRecord, TurnRecord
from turnspan.stores import open_store

AT = "2026-01-02T03:04:05+00:00"


def xerxes(folder):
    store = pytest.importorskip("xerxes.session.store").FileSessionStore(folder)
    models = pytest.importorskip("xerxes.session.models")
    call = models.ToolCallRecord("c1", "add", {"a": 1}, result=3, duration_ms=5)
    turn = models.TurnRecord(
        "t1", agent_id="triage", prompt="go", response_content="done", tool_calls=[call], started_at=AT, ended_at=AT
    )
    session = models.SessionRecord(
        "s-1", workspace_id="w", created_at=AT, updated_at=AT, agent_id="triage", turns=[turn]
    )
    session.agent_transitions.append(models.AgentTransitionRecord("triage", "billing", "money", "t1", AT))
    store.save_session(session)
    daemon = {
        "session_id": "s-2",
        "agent_id": "coder",
        "updated_at": AT,
        "messages": [
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c", "function": {"name": "ls", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "files"},
            {"role": "assistant", "content": "done"},
        ],
        "tool_executions": [{"tool_call_id": "c", "result": "files", "duration_ms": 7, "permitted": True}],
    }
    (folder / "daemon.json").write_text(json.dumps(daemon))
    return folder


def oats(folder):
    parts = [
        {"type": "text", "text": "done"},
        {"type": "tool_call", "tool_call_id": "c1", "tool_name": "add", "arguments": {"a": 1}},
        {"type": "tool_result", "tool_call_id": "c1", "output": "3"},
        {"type": "something new"},
    ]
    picture = {"type": "image", "media_type": "image/png", "data": "c2VjcmV0", "detail": "low"}
    session = {
        "info": {
            "id": "o-1",
            "project_dir": "/home/me/project",
            "root_session_id": "o-0",
            "title": "T",
            "time": {"created": "2026-01-02T03:04:05Z", "updated": "2026-01-02T03:04:06Z"},
        },
        "messages": [
            {
                "role": "user",
                "id": "u1",
                "created_at": "2026-01-02T03:04:05Z",
                "parts": [{"type": "text", "text": "go"}, picture],
            },
            {"role": "assistant", "id": "a1", "model": "m", "created_at": "2026-01-02T03:04:06Z", "parts": parts},
        ],
    }
    (folder / "o-1.json").write_text(json.dumps(session))
    return folder


def openai_agents(folder):
    kept = pytest.importorskip("agents").SQLiteSession("a-1", folder / "agents.db")
    items = [
        {"role": "user", "content": "go"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "3"},
        {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
    ]
    asyncio.run(kept.add_items(items))
    kept.close()
    return folder / "agents.db"


def claude_code(folder):
    (folder / "-home-me-project").mkdir()
    used = {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3}
    lines = [
        {"type": "summary", "summary": "a talk"},
        {
            "type": "user",
            "uuid": "u1",
            "cwd": "/home/me",
            "timestamp": "2026-01-02T03:04:05Z",
            "message": {"role": "user", "content": "go"},
        },
        {
            "type": "assistant",
            "timestamp": "2026-01-02T03:04:06Z",
            "message": {
                "role": "assistant",
                "id": "m1",
                "model": "claude",
                "usage": used,
                "content": [{"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}],
            },
        },
        {
            "type": "user",
            "timestamp": "2026-01-02T03:04:08Z",
            "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "3"}]},
        },
        {
            "type": "assistant",
            "timestamp": "2026-01-02T03:04:09Z",
            "message": {
                "role": "assistant",
                "id": "m2",
                "model": "claude",
                "content": [{"type": "text", "text": "done"}],
            },
        },
    ]
    path = folder / "-home-me-project" / "cc-1.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n{torn")
    return folder


def codex(folder):
    line = "2026-01-02T03:04:{:02d}Z".format
    call = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]}
    lines = [
        {"timestamp": line(5), "type": "session_meta", "payload": {"id": "cx-1", "cwd": "/home/me/project"}},
        {"timestamp": line(5), "type": "event_msg", "payload": {"type": "user_message", "message": "go"}},
        {"timestamp": line(6), "type": "response_item", "payload": call},
        {"timestamp": line(7), "type": "response_item", "payload": {"type": "function_call_output", "call_id": "c1", "output": "3"}},
        {"timestamp": line(8), "type": "response_item", "payload": said},
    ]  # fmt: skip
    (folder / "rollout-1.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    return folder


def gemini_cli(folder):
    call = {
        "id": "c1",
        "name": "add",
        "args": {"a": 1},
        "status": "success",
        "result": [{"functionResponse": {"response": {"output": "3"}}}],
    }
    lines = [
        {"sessionId": "g-1", "projectHash": "abc", "startTime": AT},
        {"id": "m1", "timestamp": AT, "type": "user", "content": [{"text": "go"}]},
        {"id": "m2", "timestamp": AT, "type": "gemini", "content": "done", "toolCalls": [call]},
    ]  # fmt: skip
    (folder / "session-1.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    old = {
        "sessionId": "g-2",
        "projectHash": "abc",
        "messages": [line | {"id": line["id"] + "o"} for line in lines[1:]],
    }
    old["messages"][1] = {**old["messages"][1], "toolCalls": [call | {"id": "c2"}]}
    (folder / "session-2.json").write_text(json.dumps(old, indent=2))
    return folder


def jsonl(folder):
    turn = TurnRecord("t1", prompt="go", response_content="done", started_at=AT, ended_at=AT)
    turn.tool_calls.append(ToolCallRecord("c1", "add", {"a": 1}, "3"))
    talk = {"messages": [{"role": "user", "content": "go"}, {"role": "assistant", "content": "done"}]}
    lines = [SessionRecord("j-1", created_at=AT, turns=[turn]).to_dict(), talk]
    (folder / "all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + "not json\n")
    return folder / "all.jsonl"


MADE = {
    "xerxes": xerxes,
    "oats": oats,
    "openai-agents": openai_agents,
    "claude-code": claude_code,
    "codex": codex,
    "gemini-cli": gemini_cli,
    "jsonl": jsonl,
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_history_becomes_sessions_once(kind, tmp_path):
    """A dry run stores nothing, an import all of it, and a second one nothing more."""
    source = tmp_path / "source"
    source.mkdir()
    path = MADE[kind](source)
    home = ["--home", tmp_path / "home", "--json"]
    dry = json.loads(command("import", kind, path, "--dry-run", *home, check=True).stdout)
    assert dry["sessions"] >= 1
    nothing = command("sessions", *home)
    assert (nothing.returncode, json.loads(nothing.stdout)["error"]["kind"]) == (4, "nothing_recorded")
    done = json.loads(command("import", kind, path, *home, check=True).stdout)
    assert {**done, "dry_run": True} == dry
    again = json.loads(command("import", kind, path, *home, check=True).stdout)
    assert (again["sessions"], again["turns"], again["already"]) == (0, 0, done["turns"])
    store = open_store(f"sqlite:///{tmp_path / 'home' / 'sessions.db'}")
    kept = [store.load_session(session_id) for session_id in store.list_sessions()]
    assert len(kept) == done["sessions"]
    for session in kept:
        assert session.metadata["turnspan"]["imported"] == kind
        for turn in session.turns:
            assert (turn.prompt, turn.response_content, turn.status) == ("go", "done", "success")
            assert turn.audit_event_ids == [
                row.event_id for row in store.audit_events(session.session_id) if row.turn_id
            ]
            assert [(c.tool_name, c.arguments, str(c.result), c.status) for c in turn.tool_calls] in (
                [("add", {"a": 1}, "3", "success")],
                [("ls", {}, "files", "success")],
                [],
            )
            if kind != "openai-agents":  # which keeps the time of writing
                assert turn.started_at[:10] in ("2026-01-02", "") or session.session_id not in (
                    "s-1",
                    "o-1",
                    "cc-1",
                    "j-1",
                )
    verified = command("verify", *home)
    assert verified.returncode in (0, 1), verified.stdout + verified.stderr


def test_what_was_known_is_kept(tmp_path):
    """Parents, workspaces, models and usage of a history are in the session."""
    (tmp_path / "o").mkdir()
    (tmp_path / "c").mkdir()
    (session,) = read("oats", oats(tmp_path / "o"))
    assert (session.parent_session_id, session.root_session_id) == ("o-0", "o-0")
    from turnspan_integrations.oats_coder import workspace_of

    assert session.workspace_id == workspace_of("/home/me/project"), "the one that the adapter gives it"
    assert session.created_at.startswith("2026-01-02T03:04:05")
    assert session.turns[0].turn_id == "u1"
    assert session.turns[0].metadata["images"] == [{"media_type": "image/png", "url": None, "detail": "low"}]
    unreadable, session = read("claude-code", claude_code(tmp_path / "c"))
    assert unreadable.why.startswith("it is not valid JSON")
    first = session.turns[0].metadata["turnspan"]["model_calls"][0]
    assert first["usage"] == {"input_tokens": 7, "output_tokens": 3, "cache_read_tokens": 2}
    assert session.turns[0].tool_calls[0].duration_ms == 2000


def transcript_line(kind, number, content, session_id="s1", **message):
    return {
        "type": kind,
        "uuid": f"u{number}",
        "sessionId": session_id,
        "timestamp": f"2026-01-01T00:00:{number:02d}.000Z",
        "message": {"role": kind, "content": content, **message},
    }


def answer(number, block, output_tokens, message_id="m1", **more):
    used = {"input_tokens": 100, "cache_read_input_tokens": 50, "output_tokens": output_tokens}
    return transcript_line("assistant", number, [block], id=message_id, model="claude-x", usage=used, **more)


RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "a file"}
TRANSCRIPT = [
    transcript_line("user", 1, "please look"),
    answer(2, {"type": "thinking", "thinking": "hm"}, 1),
    answer(3, {"type": "text", "text": "I look"}, 1),
    answer(4, {"type": "tool_use", "id": "t1", "name": "Read", "input": {"f": 1}}, 20),
    transcript_line("user", 5, [RESULT]),
    answer(6, {"type": "text", "text": "It is a file"}, 5, "m2"),
]


def test_an_answer_on_three_lines_is_one_model_call(tmp_path):
    """Claude Code writes a line for each block of an answer, each with its usage so far: that is one call, counted once."""
    (tmp_path / "s1.jsonl").write_text("\n".join(map(json.dumps, TRANSCRIPT)))
    (session,) = read("claude-code", tmp_path)
    calls = session.turns[0].metadata["turnspan"]["model_calls"]
    assert [(call["response_id"], call["usage"]["output_tokens"]) for call in calls] == [("m1", 20), ("m2", 5)]
    assert session.turns[0].response_content == "It is a file"
    assert [call.result for call in session.turns[0].tool_calls] == ["a file"]


def test_a_resumed_copy_is_stored_once(tmp_path):
    """A resumed session's file begins with a copy of the first: only what is new is its own, and the first its parent."""
    more = [transcript_line("user", 7, "and now?"), answer(8, {"type": "text", "text": "done"}, 5, "m3")]
    copy = [{**line, "sessionId": "a-copy"} for line in [*TRANSCRIPT, *more]]
    (tmp_path / "s1.jsonl").write_text("\n".join(map(json.dumps, TRANSCRIPT)))
    (tmp_path / "a-copy.jsonl").write_text("\n".join(map(json.dumps, copy)))  # first by its name
    first, second = read("claude-code", tmp_path)
    assert (first.session_id, [turn.prompt for turn in first.turns]) == ("s1", ["please look"])
    assert (second.session_id, [turn.prompt for turn in second.turns]) == ("a-copy", ["and now?"])
    assert (second.parent_session_id, second.root_session_id) == ("s1", "s1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[1]",
        '{"session_id": 1}',
        '{"info": {"id": "../x"}, "messages": [1]}',
        '{"session_id": "x", "turns": 5}',
        '{"messages": 3}',
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_breaks(kind, content, tmp_path):
    """A broken file is named, and the others are read."""
    (tmp_path / "one.json").write_text(content)
    (tmp_path / "one.jsonl").write_text(content)
    path = tmp_path / "one.jsonl" if kind in ("jsonl", "openai-agents") else tmp_path
    for one in read(kind, path):
        assert isinstance(one, (Unreadable, SessionRecord))


def test_a_turn_without_times_has_those_of_its_session(tmp_path):
    """An imported turn is never of the time of the import."""
    talk = {"session_id": "j", "created_at": AT, "messages": [{"role": "user", "content": "go"}]}
    (tmp_path / "one.jsonl").write_text(json.dumps(talk))
    command("import", "jsonl", tmp_path / "one.jsonl", "--home", tmp_path / "home", check=True)
    page = json.loads(command("sessions", "--json", "--home", tmp_path / "home", check=True).stdout)
    (listed,) = page["sessions"]
    assert listed["updated_at"].startswith("2026-01-02T03:04:05")


def test_bad_input_is_named_plainly(tmp_path):
    """A wrong path or kind is one line."""
    missing = command("import", "oats", tmp_path / "nowhere")
    assert missing.returncode == 4
    assert "does not exist" in missing.stderr
    assert "is not one of" in command("import", "word", tmp_path).stderr
    (tmp_path / "x.json").write_text("{")
    broken = command("import", "xerxes", tmp_path, "--home", tmp_path / "home")
    assert broken.returncode == 1
    assert "it is not valid JSON" in broken.stdout


@pytest.fixture
def home(tmp_path):
    turnspan.configure(home=tmp_path / "h")
    with turnspan.session("s-1", workspace_id="w"), turnspan.turn(agent="triage", prompt="go") as turn:
        with turnspan.tool("add", a=1) as call:
            call.result = "```\n3\n```"
        turn.handoff("billing", "money")
        turn.response = "done"
    turnspan.shutdown()
    return ["--home", tmp_path / "h"]


def test_export_in_every_shape(home, tmp_path):
    """Each format has the turns, calls and notes of the session."""
    record = json.loads(command("export", "last", *home, check=True).stdout)
    assert record["turns"][0]["tool_calls"][0]["tool_name"] == "add"
    talk = json.loads(command("export", "s-1", "--format", "openai", *home, check=True).stdout)
    assert [message["role"] for message in talk["messages"]] == ["user", "assistant", "tool", "assistant"]
    text = command("export", "s-1", "--format", "markdown", *home, check=True).stdout
    assert "# Session s-1" in text
    assert "handoff from triage to billing: money" in text
    assert "  ````" in text, "content cannot end its own fence"
    spans = json.loads(command("export", "s-1", "--format", "otlp", *home, check=True).stdout)
    names = {s["name"] for r in spans["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]}
    assert {"invoke_agent triage", "execute_tool add"} <= names
    assert (
        "no session" in command("export", "nobody", *home).stderr.lower()
        or command("export", "nobody", *home).returncode
    )


def test_an_exported_session_comes_back_the_same(home, tmp_path):
    """What was exported can be imported without a loss."""
    out = tmp_path / "out.jsonl"
    command("export", "s-1", "--format", "jsonl", "-o", out, *home, check=True)
    command("import", "jsonl", out, "--home", tmp_path / "other", check=True)
    there = json.loads(command("export", "s-1", "--home", tmp_path / "other", check=True).stdout)
    here = json.loads(command("export", "s-1", *home, check=True).stdout)
    for name in ("prompt", "response_content", "status", "agent_id", "started_at", "ended_at"):
        assert there["turns"][0][name] == here["turns"][0][name]
    assert there["turns"][0]["tool_calls"][0]["result"] == here["turns"][0]["tool_calls"][0]["result"]
    assert (there["workspace_id"], there["created_at"]) == (here["workspace_id"], here["created_at"])
