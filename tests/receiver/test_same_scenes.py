"""Any scene, recorded in its process and received over OTLP, gives the same record, up to what the guide says."""

import asyncio
import importlib
import random
from contextlib import suppress

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.common")
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from support.outlines import outline
from turnspan.instrumentation import propagation
from turnspan.instrumentation.registry import Adapters
from turnspan.receiver import otlp
from turnspan.receiver.limits import Limits
from turnspan.receiver.received import events_of
from turnspan.receiver.spool import Kept
from turnspan.recording.ledger import Ledger
from turnspan.stores.merging import merge
from turnspan.testing import record
from turnspan.testing.drivers import Conversation, ScriptedToolCall

DRIVERS = [
    "openai_agents",
    "langgraph_agents",
    "openai_chat",
    "anthropic_messages",
    "openai_responses",
    "xerxes_runtime",
    "pydantic_agents",
]
SCENES = 5


def received(spans):
    """Return the sessions that are made of spans which come over the wire, in any order, a trace at a time."""
    request = otlp.parsed("traces", encode_spans(spans).SerializeToString(), otlp.PROTOBUF)
    traces = {}
    for one in otlp.taken_of(request, Limits()).spans:
        traces.setdefault(one.trace_id, []).append(one)
    ledger, number = Ledger("received"), 0
    for trace in sorted(traces.values(), key=lambda trace: min(one.start_ns for one in trace)):
        kept = [Kept(*one[:6], 0, None) for one in sorted(trace, key=lambda one: one.start_ns)]
        for event, ids in events_of(kept, {})[0]:
            number += 1
            ledger.fold_event(event, ids, number)
    changes = ledger.take()
    return [merge(None, changes.of(session_id)) for session_id in changes.session_ids()]


def scene(dice):
    """Return what is asked and answered in some turns: tools at once and one after the other, one that fails."""
    turns, number = [], 0
    for n in range(dice.randint(1, 3)):
        script = []
        for _ in range(dice.randint(0, 3)):
            calls = []
            for _ in range(dice.randint(1, 3)):
                number += 1
                name, arguments = dice.choice(
                    [
                        ("add", {"a": dice.randint(-9, 9), "b": dice.randint(0, 10**6)}),
                        ("shout", {"text": dice.choice(["hi", "", "ä\n€ 😀", '{"a": 1}', "[1", "7", "null"])}),
                        ("boom", {"why": dice.choice(["x", "no\nway"])}),
                    ]
                )
                calls.append(ScriptedToolCall(name, arguments, f"c{number}"))
            script.append(calls)
        turns.append(
            (
                f"question {n} {dice.choice(['', '[1]', 'ö'])}",
                [*script, dice.choice(["done", "42", "ja €", '{"x": 1}'])],
            )
        )
    return turns


@pytest.mark.parametrize("name", DRIVERS)
def test_a_scene_gives_the_same_record_over_otlp(name):
    """Sessions, turns, prompts, answers, calls with what they were given and gave, tokens, statuses, nesting."""
    try:
        (make, *_) = importlib.import_module(f"support.drivers.{name}").drivers
    except ImportError as error:
        pytest.skip(str(error))
    for seed in range(SCENES):
        turns = scene(random.Random(f"{name}{seed}"))
        with record(strict=False, telemetry_content="span_only") as recording:
            adapters, driver = Adapters(), make()
            adapters.watch(driver.adapter)
            propagation.install()
            conversation = Conversation(f"s-{seed}")

            async def play(driver=driver, conversation=conversation, turns=turns):
                for prompt, script in turns:
                    with suppress(ValueError):  # in some runtimes a failing tool ends the turn
                        await driver.turn(conversation, prompt, script)

            try:
                asyncio.run(play())
            finally:
                propagation.uninstall()
                adapters.undo()
                driver.close()
            assert recording.sessions
            assert outline(received(recording.spans)) == outline(recording.sessions), turns
