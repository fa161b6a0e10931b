"""What is special to Google's ADK: spans of its own in two forms, agents that hand over, and branches at once."""

import asyncio
from unittest import mock

import pytest

pytest.importorskip("google.adk")

from google.adk.agents import BaseAgent, LlmAgent, ParallelAgent
from google.adk.events import Event
from google.adk.models.google_llm import Gemini
from google.genai import types

from support.drivers.google_adk_wire import GoogleAdkOverTheWire
from support.programs import example, turnspan
from turnspan.testing.adapters import GOOD, recorded
from turnspan.testing.drivers import MODEL, Conversation, ScriptedToolCall, span_tree
from turnspan_integrations.google_adk import _Adk


@pytest.fixture
def driver():
    made = GoogleAdkOverTheWire()
    yield made
    made.close()


@pytest.mark.parametrize("form", ["1", "2"], ids=["spans of 1.x", "spans of 2.x"])
def test_a_turn_stands_on_its_spans_whatever_their_form(driver, form, monkeypatch):
    """The program chooses between two forms of spans: the record is the same, none is doubled, and every id resolves."""
    monkeypatch.setenv("ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN", form)
    with recorded(driver) as recording:
        assert asyncio.run(driver.turn(Conversation("s"), "go", [GOOD, "done"])) == "done"
        (root,) = span_tree(recording.spans, driver.spans_beside)
        assert sorted(root[1]) == [("chat", []), ("chat", []), ("execute_tool add", []), ("execute_tool shout", [])]
        assert {span.instrumentation_scope.name for span in recording.spans} == {"gcp.vertex.agent"}
        assert recording.session.session_id == "s"
        assert recording.unresolved() == []


def test_a_transfer_is_linked_to_whom_it_went_to(driver):
    """Who handed over to whom is in the record, and the span of the next agent links to the handoff."""

    async def main():
        transfer = ScriptedToolCall("transfer_to_agent", {"agent_name": "billing"}, "c1")
        conversation = Conversation("s")
        client = driver.client(conversation, [[transfer], "paid"])
        model = Gemini(model=MODEL, client=client)
        billing = LlmAgent(name="billing", model=model, description="Handles bills.")
        triage = LlmAgent(name="triage", model=model, sub_agents=[billing])
        assert await driver._answer(conversation, "pay", triage, client) == "paid"
        client = driver.client(conversation, ["welcome"])
        billing.model = Gemini(model=MODEL, client=client)
        assert await driver._answer(conversation, "thanks", triage, client) == "welcome"

    with recorded(driver) as recording:
        asyncio.run(main())
        (handoff,) = recording.session.agent_transitions
        assert (handoff.from_agent, handoff.to_agent) == ("triage", "billing")
        assert [(turn.agent_id, turn.response_content) for turn in recording.session.turns] == [
            ("triage", "paid"),
            ("billing", "welcome"),
        ]
        assert recording.unresolved() == []
        (to_billing,) = (span for span in recording.spans if span.name == "execute_tool transfer_to_billing")
        billing, _ = (span for span in recording.spans if span.name == "invoke_agent billing")
        assert [link.context.span_id for link in billing.links] == [to_billing.context.span_id]


def test_branches_end_each_at_its_own_time(driver):
    """What is done at once is not ended together: the end of a branch is on record while the other still runs."""

    class Waits(BaseAgent):
        async def _run_async_impl(self, ctx):
            for _ in range(2000):
                if any(line["event"] == "agent.ended" for line in recording.log):
                    break
                await asyncio.sleep(0.01)
            yield _said(self, ctx)

    class Ready(BaseAgent):
        async def _run_async_impl(self, ctx):
            yield _said(self, ctx)

    async def main():
        conversation = Conversation("s")
        both = ParallelAgent(name="both", sub_agents=[Waits(name="slow"), Ready(name="fast")])
        await driver._answer(conversation, "go", both, driver.client(conversation, []))

    with recorded(driver) as recording, pytest.warns(DeprecationWarning, match="ParallelAgent"):
        asyncio.run(main())
        ended = [line["agent_id"] for line in recording.log if line["event"] == "agent.ended"]
        assert ended == ["fast", "slow"]
        assert recording.unresolved() == []


def _said(agent, ctx):
    content = types.Content(role="model", parts=[types.Part(text=agent.name)])
    return Event(invocation_id=ctx.invocation_id, author=agent.name, branch=ctx.branch, content=content)


def test_what_its_spans_say_by_default_stays_in_the_record(tmp_path):
    """The older form has prompts and answers on spans: nobody asked for that where turnspan alone exports them."""
    env = {"ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN": "1"}
    done = turnspan("run", example("google_adk_agent"), cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    spans = (tmp_path / ".turnspan" / "spans.jsonl").read_text()
    assert "generate_content" in spans and "paid" not in spans
    assert "paid twice" in turnspan("show", "last", "--json", cwd=tmp_path).stdout


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("hook", ["runs", "found", "agent", "model_found", "asks", "tool", "tool_itself", "read"])
def test_a_fault_in_a_hook_changes_nothing_in_the_program(driver, hook, late):
    """Whichever hook breaks, before what it watches or after it: the answer is the same, and the fault is reported."""

    def broken(*_):
        if late:
            yield None
        raise RuntimeError(f"{hook} is broken")
        yield

    with mock.patch.object(_Adk, hook, broken), recorded(driver, strict=False) as recording:
        assert asyncio.run(driver.turn(Conversation("s"), "go", [GOOD, "done"])) == "done"
        assert recording.problems
