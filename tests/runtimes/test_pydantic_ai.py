"""Pydantic AI: what is special to a runtime that starts spans itself."""

import asyncio
import json

import pytest

pytest.importorskip("pydantic_ai")
from pydantic_ai import (
    Agent,
    ApprovalRequired,
    DeferredToolRequests,
    DeferredToolResults,
    RunContext,
    ToolDenied,
)
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.test import TestModel

from support.drivers.pydantic_agents import PydanticAI
from turnspan.instrumentation.registry import Adapters
from turnspan.testing import record
from turnspan.testing.adapters import GOOD
from turnspan.testing.drivers import Conversation


@pytest.fixture
def watched(recording):
    """A recording with the runtime watched."""
    adapters = Adapters()
    adapters.watch("pydantic-ai")
    yield recording
    adapters.undo()


def played(**settings):
    with record(**settings) as recording:
        adapters = Adapters()
        adapters.watch("pydantic-ai,otel")
        asyncio.run(PydanticAI().turn(Conversation("s"), "my key is sk-abcdefghijklmnopqrstuvwx", [GOOD, "done"]))
        adapters.undo()
        spans = [span for span in recording.spans if span.instrumentation_scope.name == "pydantic-ai"]
        return recording.turn, spans


def test_content_is_on_record_and_on_no_span():
    """The record has content that spans must not have."""
    turn, spans = played()
    assert turn.prompt.startswith("my key is")
    assert turn.tool_calls[0].arguments
    assert len(spans) == 5
    assert "my key" not in str([dict(span.attributes) for span in spans])
    assert "done" not in str([dict(span.attributes) for span in spans])


def test_content_that_telemetry_may_have_is_redacted_there_too():
    """Secrets are taken out of the runtime's own spans as well."""
    turn, spans = played(telemetry_content="SPAN_ONLY")
    root = next(span for span in spans if span.name.startswith("invoke_agent"))
    assert "my key is" in root.attributes["pydantic_ai.all_messages"]
    assert "sk-abc" not in str([dict(span.attributes) for span in spans])
    assert "sk-abc" not in json.dumps(turn.to_dict())
    assert root.attributes["final_result"] == "done"


def test_what_the_program_has_set_itself_wins(monkeypatch):
    """Instrumentation settings of the program stay in place."""
    own = InstrumentationSettings()
    monkeypatch.setattr(Agent, "_instrument_default", own)
    turn, spans = played()
    assert turn.response_content == "done"
    assert Agent._instrument_default is own
    assert "my key" in str([dict(span.attributes) for span in spans]), "its own choice"


def test_an_agent_that_is_not_to_be_instrumented_is_not(recording):
    """``instrument=False`` is obeyed."""
    adapters = Adapters()
    adapters.watch("pydantic-ai")
    stage = PydanticAI()
    agent = stage._agent(["done"])
    agent.instrument = False
    asyncio.run(agent.run("go"))
    adapters.undo()
    assert recording.sessions == []
    assert Agent._instrument_default is False


def test_the_outermost_conversation_is_the_session(recording):
    """A sub-agent's own conversation does not open a second session."""
    adapters = Adapters()
    adapters.watch("pydantic-ai")
    asyncio.run(PydanticAI().sub_agent(Conversation("s"), "go"))
    adapters.undo()
    spans = recording.spans
    assert {span.attributes["gen_ai.conversation.id"] for span in spans} == {recording.session.session_id}
    assert len(recording.session.turns) == 1


def test_content_stays_in_also_when_the_reader_fails(monkeypatch):
    """A failure while spans are read lets no content out."""
    import turnspan_integrations.otel as module

    monkeypatch.setattr(module, "what_of", lambda span: 1 / 0)
    with record(strict=False) as recording:
        adapters = Adapters()
        adapters.watch("pydantic-ai")
        asyncio.run(PydanticAI().turn(Conversation("s"), "my own words", [GOOD, "done"]))
        adapters.undo()
        assert recording.problems
        assert len(recording.spans) == 5
        assert "my own words" not in str([dict(span.attributes) for span in recording.spans])


def test_consent_to_tools_is_asked_given_and_refused_on_record(watched):
    """What waits is a call that was skipped, and so is what was denied; what was approved runs."""
    script = iter(
        [
            ModelResponse(parts=[ToolCallPart("clear", {"path": ".env"}, "c1"), ToolCallPart("drop", {}, "c2")]),
            ModelResponse(parts=[TextPart("done")]),
        ]
    )
    agent = Agent(FunctionModel(lambda _messages, _info: next(script)), output_type=[str, DeferredToolRequests])

    @agent.tool
    def clear(context: RunContext, path: str) -> str:
        """Clear a file."""
        if not context.tool_call_approved:
            raise ApprovalRequired
        return f"cleared {path}"

    @agent.tool_plain(requires_approval=True)
    def drop() -> str:
        """Drop everything."""
        return "dropped"

    asked = asyncio.run(agent.run("go"))
    results = DeferredToolResults(approvals={"c1": True, "c2": ToolDenied("never")})
    assert asyncio.run(agent.run(message_history=asked.all_messages(), deferred_tool_results=results)).output == "done"
    before, behind = watched.session.turns
    assert [(c.tool_name, c.status, c.error) for c in before.tool_calls] == [("clear", "skipped", "waits for approval")]
    calls = {c.tool_name: c for c in behind.tool_calls}
    assert (calls["clear"].status, calls["clear"].result) == ("success", "cleared .env")
    assert (calls["drop"].status, calls["drop"].error) == ("skipped", "never")
    notes = [(n["name"], n["data"].get("call_id"), n["data"].get("reason")) for n in watched.notes]
    assert notes == [
        ("approval.asked", "c1", None),
        ("approval.asked", "c2", None),
        ("approval.approved", "c1", None),
        ("approval.denied", "c2", "never"),
    ]
    assert watched.unresolved() == []


def test_a_list_of_objects_is_an_answer_also_when_it_is_streamed(watched):
    """A structured stream's last output is the turn's response."""
    agent = Agent(TestModel(custom_output_args=[1, 2]), output_type=list[int])

    async def main():
        async with agent.run_stream("go") as run:
            return [part async for part in run.stream_output(debounce_by=None)][-1]

    assert asyncio.run(main()) == [1, 2]
    assert watched.turn.response_content == "[1,2]"
