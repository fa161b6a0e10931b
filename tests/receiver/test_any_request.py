"""Whatever bytes are sent: a request, or a refusal; what a span says, however odd, costs that trace at most."""

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.otlp import agent, as_protobuf, chat, request, tool
from turnspan.receiver import otlp
from turnspan.receiver.limits import Limits
from turnspan.receiver.received import events_of
from turnspan.receiver.spool import Kept

WHOLE = request(agent(1, 1, session="s"), chat(1, 2, 1), tool(1, 3, 1, error="no"), agent(1, 4, 1, name="b"))
BODIES = {otlp.PROTOBUF: as_protobuf(WHOLE), otlp.JSON: json.dumps(WHOLE).encode()}
EXAMPLES = int(os.environ.get("SOAK_REQUESTS", "150"))
"""An hour of CPU is some millions."""
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def _read(body, content_type):
    """Do what the receiver does with a request, up to the record."""
    try:
        message = otlp.parsed("traces", body, content_type)
    except otlp.BadRequestError:
        return
    by_trace = {}
    for one in otlp.taken_of(message, Limits()).spans:
        by_trace.setdefault(one.trace_id, []).append(one)
    for spans in by_trace.values():
        events, _ = events_of([Kept(*one[:6], 0, None) for one in spans], {})
        for event, _ in events:
            assert event.session_id


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(), content_type=st.sampled_from(sorted(BODIES)), times=st.integers(1, 30))
def test_a_request_that_was_altered_is_read_or_refused(seed, content_type, times):
    """Bytes flipped, cut out, doubled: no exception but the refusal."""
    dice, body = random.Random(seed), bytearray(BODIES[content_type])
    for _ in range(times):
        at = dice.randrange(len(body) or 1)
        kind = dice.random()
        if kind < 0.7 and body:
            body[at] = dice.randrange(256)
        elif kind < 0.85:
            del body[at : at + dice.randrange(9)]
        else:
            body[at:at] = body[at : at + dice.randrange(40)]
    _read(bytes(body), content_type)


@settings(max_examples=EXAMPLES, deadline=None)
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
