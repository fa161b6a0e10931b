"""Content may be anything: it costs what it must, it is asked once, and neither agent nor record breaks on it."""

import json
import time
from collections import Counter

import pytest

import turnspan
from support.programs import BIN, program, run
from support.receiver import Receiver
from turnspan.events import HandedOff, ToolCallEnded, TurnStarted
from turnspan.journal.hash_chain import decode
from turnspan.recording.redaction import Redactor
from turnspan.testing import record

asked: Counter = Counter()


class Raises:
    """Raises on whatever is asked of it."""

    def __init__(self, error):
        self.error = error

    def __repr__(self):
        raise self.error

    __bool__ = __eq__ = __len__ = __iter__ = __str__ = __hash__ = __repr__


class Counted:
    """Counts how often it is asked what it is."""

    def __repr__(self):
        asked[id(self)] += 1
        return "counted"


class BadInt(int):
    def __int__(self):
        raise RuntimeError

    __repr__ = __index__ = __int__


class BadText(str):
    __slots__ = ()

    def encode(self, *_):
        raise RuntimeError

    __str__ = __repr__ = encode


class BadDict(dict):
    def items(self):
        raise RuntimeError

    keys = values = __iter__ = items


def nested(depth, leaf):
    for _ in range(depth):
        leaf = [leaf]
    return leaf


cycle: list = []
cycle.append(cycle)
HOSTILE = {
    **{error.__name__: Raises(error) for error in (RuntimeError, SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError)},
    "int": BadInt(5), "text": BadText("x\ud800"), "dict": BadDict(a=1), "deep": nested(10_000, 1), "deep hostile": nested(5_000, Raises(SystemExit)),
    "cycle": cycle, "huge number": 10**5000, "huge key": {10**5000: 1}, "surrogates": {"\ud800": "\udc00"}, "nul": "a\0b", "range": range(10**12),
    "class": int, "module": json, "function": len, "keys": {1: 1, (1, 2): 2, None: 3, b"x": 4}, "bytes": b"\xff" * 100,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_breaks_neither_the_agent_nor_its_record(name):
    """Whatever a prompt, argument, result, note, name or reason is, the turn is on record and the agent goes on."""
    value = HOSTILE[name]
    with record(strict=False) as recording:
        with turnspan.turn(agent=value, prompt=value, metadata={"k": value}) as turn:
            with turnspan.tool("t", x=value) as call:
                call.result = value
            with turnspan.model_call("m", provider="p", messages=value) as call:
                call.output = value
            turn.note("n", value)
            turn.handoff(value, reason=value)
            turn.response = value
        assert recording.turn.status == "success"
        assert [call.status for call in recording.turn.tool_calls] == ["success"]
        json.dumps(recording.session.to_dict(), allow_nan=False).encode()
        assert recording.recorder.problems.counts == {}


def test_an_object_is_asked_once_in_each_event_that_it_is_in():
    """A slow ``__repr__`` is waited for once an event, and the span, the log line and the record have what it said."""
    thing = Counted()
    with (
        record() as recording,
        turnspan.turn(agent="a", prompt="p"),
        turnspan.tool("t", x=[thing, float("nan")]) as call,
    ):
        call.result = "r"
    assert asked[id(thing)] == 1
    assert recording.turn.tool_calls[0].arguments["x"] == ["counted", "nan"]


def test_what_a_turn_was_given_is_asked_at_its_start_only():
    """Prompt and metadata are not asked again at its end, unless the block has set or added to them."""
    asked.clear()  # an earlier object may have had the id of one of these
    prompt, first, other, added = Counted(), Counted(), Counted(), []
    given = {"a": first, "b": "b", "c": added}
    with record() as recording, turnspan.turn(agent="a", prompt=prompt, metadata=given) as turn:
        turn.metadata["b"] = other
        added.append("added")
    assert [asked[id(one)] for one in (prompt, first, other)] == [1, 1, 1]
    kept = recording.turn.metadata
    assert (recording.turn.prompt, kept["a"], kept["b"], kept["c"]) == ("counted", "counted", "counted", ["added"])


@pytest.mark.parametrize("content", [
    "x" * 10_000_000, "The customer asked why invoice 2026-11 was paid twice. " * 180_000,
    [{"id": n, "name": f"product {n}", "price": n * 1.5, "tags": ["a", "b"]} for n in range(150_000)],
], ids=["one letter", "prose", "rows"])  # fmt: skip
def test_large_content_costs_little_more_than_its_encoding(content):
    """Ten megabytes are looked at in a small multiple of the time that it takes to make JSON of them."""
    event = ToolCallEnded(session_id="s", result=content)
    redactor, plain = Redactor(), Redactor("none")

    def cost(one):
        began = time.thread_time()
        one.take(event)
        return time.thread_time() - began

    assert min(cost(redactor) for _ in range(3)) < 40 * min(cost(plain) for _ in range(3))


@pytest.mark.parametrize("name", ["\ud83e", "a\0b", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"])
def test_names_are_cleaned_like_content(name):
    """A name is text that every reader takes, without secrets, the same on each event that it is on."""
    redactor = Redactor()
    first, payload = redactor.take(TurnStarted(session_id="s", turn_id="t", agent_id=name))
    again, _ = redactor.take(HandedOff(session_id="s", turn_id="t", agent_id=name, from_agent=name, to_agent=name))
    assert first.agent_id == again.agent_id == again.from_agent == again.to_agent != name
    assert decode(payload) == first
    first.agent_id.encode()
    assert "\0" not in first.agent_id
    assert "sk-proj-a" not in first.agent_id


PROGRAM = """
import turnspan
c = "half \\ud83e pair \\0 nul"
for n in range(3):
    bad = c if n == 1 else ""
    with turnspan.session(f"S-{n}"), turnspan.turn(agent="agent " + bad, prompt="p" + bad) as turn:
        try:
            with turnspan.tool("tool " + bad, x=bad):
                raise ValueError("no file called " + bad)
        except ValueError:
            pass
        with turnspan.model_call("model " + bad, messages=[{"role": "user", "content": bad}]) as call:
            call.output = bad
        turn.note("note " + bad, bad)
        turn.handoff("other " + bad, reason=bad)
        turn.response = "r" + bad
"""


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_AND_EVENT"])
def test_text_that_is_none_for_others_loses_nothing(tmp_path, content):
    """A lone surrogate or NUL in any name, error or content reaches record, span and log escaped alike; the batch arrives."""
    with Receiver() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": content,
        }
        run(BIN / "turnspan", "run", program(tmp_path / "p.py", PROGRAM), cwd=tmp_path, env=env, check=True)
        names = Counter(span.name for span in receiver.spans)
    assert sum(names.values()) == 15
    assert names["invoke_agent agent half \\ud83e pair \\u0000 nul"] == 1
    assert names["execute_tool tool half \\ud83e pair \\u0000 nul"] == 1
    shown = json.loads(run(BIN / "turnspan", "show", "S-1", "--json", cwd=tmp_path, check=True).stdout)
    assert shown["turns"][0]["agent_id"] == "agent half \\ud83e pair \\u0000 nul"
    assert run(BIN / "turnspan", "verify", cwd=tmp_path).returncode == 0


def test_a_rule_of_ones_own_that_exits_withholds_content(monkeypatch):
    """A redactor that raises ``SystemExit`` ends neither the agent nor lets content through."""
    monkeypatch.setattr(
        "turnspan.recording.redaction._imported", lambda _: lambda _: (_ for _ in ()).throw(SystemExit(3))
    )
    with record(redact="m:f", strict=False) as recording:
        with turnspan.turn(agent="a", prompt="I am Alice") as turn:
            turn.response = "Hi Alice"
        assert "Alice" not in json.dumps(recording.session.to_dict())
