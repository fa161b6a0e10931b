"""Approvals and guardrails of the OpenAI Agents SDK: who was asked, what was refused, and what ran all the same."""

import asyncio

import pytest

pytest.importorskip("agents.testing", reason="older releases have no scripted model; the play brings its own")
from agents import Agent, Runner, function_tool
from agents.testing import ScriptedModel, assistant_message, function_call


def run(*args, **kwargs):
    return asyncio.run(Runner.run(*args, **kwargs))


def _notes(turn):
    return [(note["name"], note["data"]) for note in turn.metadata["turnspan"].get("notes", [])]


def _asking(steps):
    @function_tool(needs_approval=True)
    def delete(what: str) -> str:
        return "gone"

    return Agent(name="cleaner", model=ScriptedModel(steps), tools=[delete])


@pytest.mark.parametrize("approved", [True, False])
def test_a_call_that_waits_for_approval(recording, config, approved):
    """Asked and decided are on record, in one session; a call that was denied is skipped, and says why."""
    asked = _asking([[function_call("delete", {"what": "all"}, call_id="c1")], [assistant_message("ok")]])
    waiting = run(asked, "Delete everything", run_config=config)
    state = waiting.to_state()
    if approved:
        state.approve(waiting.interruptions[0])
    else:
        state.reject(waiting.interruptions[0], rejection_message="too much")
    assert run(asked, state, run_config=config).final_output == "ok"
    first, second = recording.session.turns
    assert _notes(first) == [("approval.asked", {"tool_name": "delete", "call_id": "c1", "arguments": {"what": "all"}})]
    assert not first.tool_calls
    (call,) = second.tool_calls
    assert (call.call_id, call.arguments) == ("c1", {"what": "all"})
    decided = {"tool_name": "delete", "call_id": "c1"}
    if approved:
        assert _notes(second) == [("approval.approved", decided)]
        assert (call.status, call.result) == ("success", "gone")
    else:
        assert _notes(second) == [("approval.denied", {**decided, "reason": "too much"})]
        assert (call.status, call.error) == ("skipped", "too much")
    assert second.prompt == "Delete everything"
    assert recording.unresolved() == []


def test_a_call_that_a_guardrail_refuses(recording, config):
    """A call that never started is on record with the guardrail that refused it."""
    from agents import ToolGuardrailFunctionOutput, tool_input_guardrail

    @tool_input_guardrail
    def no_acme(_data):
        return ToolGuardrailFunctionOutput.reject_content(message="blocked: ACME", output_info={"word": "ACME"})

    @function_tool
    def send(body: str) -> str:
        return "sent"

    send.tool_input_guardrails = [no_acme]
    steps = [[function_call("send", {"body": "ACME"}, call_id="c1")], [assistant_message("no")]]
    assert (
        run(Agent(name="a", model=ScriptedModel(steps), tools=[send]), "mail", run_config=config).final_output == "no"
    )
    (call,) = recording.turn.tool_calls
    assert (call.call_id, call.status, call.error) == ("c1", "skipped", "blocked: ACME")
    ((name, said),) = _notes(recording.turn)
    assert (name, said["guardrail"], said["stage"], said["tripped"]) == ("guardrail", "no_acme", "tool_input", True)
    assert said["verdict"]["output_info"] == {"word": "ACME"}
    assert recording.unresolved() == []


def test_a_result_that_a_guardrail_stops(recording, config):
    """The tool ran, so its result is on record, whatever the guardrail made of it."""
    from agents import ToolGuardrailFunctionOutput, tool_output_guardrail
    from agents.exceptions import ToolOutputGuardrailTripwireTriggered

    @tool_output_guardrail
    def no_ssn(_data):
        return ToolGuardrailFunctionOutput.raise_exception(output_info={"pattern": "SSN"})

    @function_tool
    def get_user(number: str) -> str:
        return "ssn 123"

    get_user.tool_output_guardrails = [no_ssn]
    steps = [[function_call("get_user", {"number": "7"}, call_id="c1")]]
    with pytest.raises(ToolOutputGuardrailTripwireTriggered):
        run(Agent(name="a", model=ScriptedModel(steps), tools=[get_user]), "user 7", run_config=config)
    (call,) = recording.turn.tool_calls
    assert (call.status, call.result, recording.turn.status) == ("success", "ssn 123", "error")
    ((_, said),) = _notes(recording.turn)
    assert (said["guardrail"], said["stage"], said["tripped"]) == ("no_ssn", "tool_output", True)


@pytest.mark.parametrize("stage", ["input", "output"])
def test_guardrails_of_an_agent(recording, config, stage):
    """Guardrails around the whole run, tripped or not."""
    from agents import GuardrailFunctionOutput, input_guardrail, output_guardrail

    def look(_context, _agent, _what):
        return GuardrailFunctionOutput(output_info={"topic": "homework"}, tripwire_triggered=stage == "input")

    made = {f"{stage}_guardrails": [(input_guardrail if stage == "input" else output_guardrail)(look)]}
    asked = Agent(name="a", model=ScriptedModel([[assistant_message("x = 4")]]), **made)
    try:
        run(asked, "solve it", run_config=config)
    except Exception as error:
        assert type(error).__name__ == "InputGuardrailTripwireTriggered"
    ((name, said),) = _notes(recording.turn)
    assert (name, said["stage"], said["tripped"]) == ("guardrail", stage, stage == "input")
    assert said["verdict"] == {"topic": "homework"}
