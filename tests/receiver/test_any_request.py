"""Whatever bytes are sent: a request, or a refusal; what a span says, however odd, costs that trace at most."""

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.mutations import mutated_bytes, mutated_json
from support.otlp import agent, as_protobuf, chat, request, span, tool
from turnspan import Settings
from turnspan.receiver import otlp
from turnspan.receiver.limits import Limits
from turnspan.receiver.received import events_of
from turnspan.receiver.spool import Kept
from turnspan.recording.recorder import Recorder

OPENINFERENCE = request(
    span(2, 1, name="agent", ms=90, **{"openinference.span.kind": "AGENT", "session.id": "s2", "input.value": '{"a": [1]}'}),
    span(2, 2, 1, name="llm", **{"openinference.span.kind": "LLM", "llm.model_name": "m", "llm.token_count.prompt": 3,
         "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hi"}),
    span(2, 3, 1, name="tool", **{"openinference.span.kind": "TOOL", "tool.name": "t", "output.value": "[[1], 2]"}),
)  # fmt: skip
OPENLLMETRY = request(
    span(3, 1, name="flow.workflow", ms=90, **{"traceloop.span.kind": "workflow", "traceloop.entity.name": "flow"}),
    span(3, 2, 1, name="chat", **{"llm.request.type": "chat", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "x"}),
    span(3, 3, 1, name="t.tool", **{"traceloop.span.kind": "tool", "traceloop.entity.input": '{"args": []}'}),
)  # fmt: skip
WHOLE = request(agent(1, 1, session="s"), chat(1, 2, 1), tool(1, 3, 1, error="no"), agent(1, 4, 1, name="b"))
BODIES = {otlp.PROTOBUF: as_protobuf(WHOLE), otlp.JSON: json.dumps(WHOLE).encode()}
DOCUMENTS = [WHOLE, OPENINFERENCE, OPENLLMETRY]
EXAMPLES = int(os.environ.get("SOAK_REQUESTS", "150"))
"""``make soak`` takes more; an hour of CPU is about a million."""
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def _read(body, content_type):
    """Do what the receiver does with a request, up to the record; return the events of each trace."""
    try:
        message = otlp.parsed("traces", body, content_type)
    except otlp.BadRequestError:
        return []
    by_trace = {}
    for one in otlp.taken_of(message, Limits()).spans:
        by_trace.setdefault(one.trace_id, {}).setdefault(one.span_id, Kept(*one[:6], 0, None))
    made = [events_of(list(spans.values()), {})[0] for spans in by_trace.values()]
    assert all(event.session_id for events in made for event, _ in events)
    return made


@pytest.fixture(scope="module")
def recorder(tmp_path_factory):
    """What is read goes on record."""
    settings_ = Settings.read(home=tmp_path_factory.mktemp("home"), log="off")
    made = Recorder(settings_, recovers=False)
    yield made
    made.close(30)


def test_requests_that_were_altered_are_read_or_refused(recorder):
    """Bytes and values flipped, cut out, doubled, moved: no exception but the refusal, nothing grows, all goes on record."""
    dice, half_mib = random.Random(int(os.environ.get("SOAK_SEED", "1"))), 0.0
    for number in range(EXAMPLES):
        document = dice.choice(DOCUMENTS)
        if dice.random() < 0.5:
            body, content_type = mutated_bytes(as_protobuf(document), dice), otlp.PROTOBUF
        else:
            body, content_type = mutated_json(document, dice), otlp.JSON
        try:
            for events in _read(body, content_type):
                assert recorder.receive(events)
        except Exception as error:
            raise AssertionError(f"request {number}: {body!r}") from error
        if number % 500 == 499:
            recorder.flush(30)
            assert all(one.startswith("event") for one in recorder.problems.counts), recorder.problems.counts
        if number == EXAMPLES // 2:
            half_mib = _rss_mib()
    assert _rss_mib() < half_mib + 150


def _rss_mib():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@settings(max_examples=min(EXAMPLES, 5000), deadline=None)
@given(document=JSON, path=st.sampled_from(["top", "resource", "span", "attribute"]))
def test_any_json_is_read_or_refused(document, path):
    """In place of the request, or of a part of it."""
    made = json.loads(BODIES[otlp.JSON])
    spans = made["resourceSpans"][0]["scopeSpans"][0]["spans"]
    if path == "top":
        made = document
    elif path == "resource":
        made["resourceSpans"][0]["resource"] = document
    elif path == "span":
        spans[1] = document
    else:
        spans[0]["attributes"][0]["value"] = document
    _read(json.dumps(made).encode(), otlp.JSON)


@pytest.mark.parametrize(
    "odd",
    [
        {"gen_ai.input.messages": '[{"role": "user", "parts": 3}]'},
        {"gen_ai.input.messages": "[[[", "gen_ai.output.messages": "{}"},
        {"gen_ai.input.messages": "[" * 100_000 + "]" * 100_000},
        {"gen_ai.usage.input_tokens": "many", "gen_ai.operation.name": "chat"},
        {"gen_ai.conversation.id": "x" * 10_000, "gen_ai.agent.name": "\x00\ud800".encode("utf-8", "replace").decode()},
    ],
)
def test_odd_attributes_are_read(odd):
    """What an instrumentation puts where the conventions want something else."""
    _read(as_protobuf(request(agent(1, 1, **odd), chat(1, 2, 1, **odd))), otlp.PROTOBUF)
