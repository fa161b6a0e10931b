"""The OpenAI Agents SDK, the real package with its own scripted model."""

import asyncio

import pytest

pytest.importorskip("agents.testing", reason="older releases have no scripted model; the play brings its own")
from agents import Agent, RunConfig, RunHooks, Runner, SQLiteSession, function_tool, trace
from agents.exceptions import MaxTurnsExceeded
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agents.usage import Usage

from turnspan.instrumentation.registry import Adapters
from turnspan.testing import record


@function_tool
def add(a: int, b: int) -> str:
    """Add."""
    return str(a + b)


@function_tool
def boom(why: str) -> str:
    """Fail."""
    raise ValueError(f"boom: {why}")


@function_tool(failure_error_function=None)
def fatal() -> str:
    """Fail for good."""
    raise RuntimeError("fatal")


@function_tool
async def slow() -> str:
    """Take forever."""
    await asyncio.sleep(60)
    return "late"


def agent(steps, name="triage", **more):
    usage = Usage(requests=1, input_tokens=10, output_tokens=2, total_tokens=12)
    return Agent(
        name=name,
        instructions="Help.",
        model=ScriptedModel(steps, default_usage=usage, emit_traces=True),
        tools=[add, boom, fatal, slow],
        **more,
    )


def two_tools():
    calls = [function_call("add", {"a": 1, "b": 2}, call_id="c1"), function_call("boom", {"why": "x"}, call_id="c2")]
    return agent([calls, [assistant_message("done")]])


def run(*args, **kwargs):
    return asyncio.run(Runner.run(*args, **kwargs))


def test_a_turn_with_two_tools_of_which_one_fails(recording, config):
    """A run is a turn; its calls have arguments, results and the error text that the model was given."""
    assert run(two_tools(), "go", run_config=config).final_output == "done"
    turn = recording.turn
    assert (turn.agent_id, turn.prompt, turn.response_content, turn.status) == ("triage", "go", "done", "success")
    good, bad = turn.tool_calls
    assert (good.call_id, good.tool_name, good.arguments, good.result, good.status) == (
        "c1",
        "add",
        {"a": 1, "b": 2},
        "3",
        "success",
    )
    assert (bad.call_id, bad.status, bad.error) == ("c2", "error", "boom: x")
    assert bad.metadata["turnspan"]["error_type"] == "ValueError"
    first, second = turn.metadata["turnspan"]["model_calls"]
    assert first["usage"] == {"input_tokens": 10, "output_tokens": 2}
    assert first["messages"] == [{"role": "system", "content": "Help."}, {"role": "user", "content": "go"}]
    assert [item["call_id"] for item in first["output"]] == ["c1", "c2"]
    assert second["history"] == 1, "what was said before is kept once"
    assert second["output"] == [{"role": "assistant", "content": "done"}]
    names = sorted(span.name for span in recording.spans)
    assert names == ["chat", "chat", "execute_tool add", "execute_tool boom", "invoke_agent triage"]
    root = next(span for span in recording.spans if span.name == "invoke_agent triage")
    assert all(span.parent.span_id == root.context.span_id for span in recording.spans if span is not root)
    assert recording.unresolved() == []


@pytest.mark.parametrize("what", ["as a result", "in own words", "raised"])
def test_a_tool_that_times_out(recording, config, what):
    """However a time-out is answered, the call is a timeout."""
    more = {
        "as a result": {},
        "in own words": {"timeout_error_function": lambda context, error: "too slow"},
        "raised": {"timeout_behavior": "raise_exception"},
    }[what]
    limited = function_tool(_slow, timeout=0.05, **more)
    steps = [[function_call(limited.name, {}, call_id="c1")], [assistant_message("done")]]
    made = Agent(name="triage", model=ScriptedModel(steps, emit_traces=True), tools=[limited])
    if what == "raised":
        with pytest.raises(Exception, match="timed out"):
            run(made, "go", run_config=config)
    else:
        assert run(made, "go", run_config=config).final_output == "done"
    (call,) = recording.turn.tool_calls
    assert (call.status, "timed out" in call.error) == ("timeout", True)
    assert recording.turn.status == ("error" if what == "raised" else "success")
    assert recording.unresolved() == []


async def _slow() -> str:
    """Take forever."""
    await asyncio.sleep(60)


def test_streaming_to_the_end(recording, config):
    """A streamed run has the calls and the answer of one that is not."""

    async def main():
        result = Runner.run_streamed(two_tools(), "go", run_config=config)
        async for _ in result.stream_events():
            pass
        return result.final_output

    assert asyncio.run(main()) == "done"
    assert (recording.turn.status, recording.turn.response_content, len(recording.turn.tool_calls)) == (
        "success",
        "done",
        2,
    )
    assert recording.unresolved() == []


def test_a_stream_that_is_cancelled(recording, config):
    """A cancelled stream is a cancelled turn with a cancelled call."""

    async def main():
        result = Runner.run_streamed(agent([[function_call("slow", {}, call_id="c")]]), "go", run_config=config)
        async for event in result.stream_events():
            if event.type == "run_item_stream_event" and event.name == "tool_called":
                await asyncio.sleep(0.05)
                result.cancel()

    asyncio.run(main())
    assert recording.turn.status == "cancelled"
    assert [call.status for call in recording.turn.tool_calls] == ["cancelled"]


@pytest.mark.filterwarnings("ignore:.*event_loop_policy:DeprecationWarning")  # by Python 3.14, in the SDK
def test_run_sync(recording, config):
    """The synchronous entry is recorded like the asynchronous one."""
    loop = asyncio.new_event_loop()  # the SDK would leave one unclosed
    asyncio.set_event_loop(loop)
    assert Runner.run_sync(two_tools(), "go", run_config=config).final_output == "done"
    loop.close()
    asyncio.set_event_loop(None)
    assert len(recording.turn.tool_calls) == 2


def journal_of(recording):
    return b"".join(path.read_bytes() for path in recording.home.glob("journal/*.journal"))


def test_a_cancelled_run(recording, config):
    """The program's cancellation comes through, and turn and call are cancelled."""

    async def main():
        task = asyncio.create_task(
            Runner.run(agent([[function_call("slow", {}, call_id="c")]]), "go", run_config=config)
        )
        while b"tool_call.started" not in journal_of(recording):  # noqa: ASYNC110  a file has no event
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (recording.turn.status, recording.turn.tool_calls[0].status) == ("cancelled", "cancelled")
    assert recording.unresolved() == []


def test_a_fatal_tool_and_a_model_error(recording, config):
    """A tool that ends the run is an error of call and turn."""
    with pytest.raises(Exception, match="fatal"):
        run(agent([[function_call("fatal", {}, call_id="c")]]), "go", run_config=config)
    turn = recording.turn
    assert (turn.status, turn.tool_calls[0].status, turn.tool_calls[0].error) == ("error", "error", "fatal")


def test_a_model_error(recording, config):
    """The model's own error reaches the program, and is on turn and call."""
    with pytest.raises(ConnectionError, match="no model"):
        run(agent([ModelStep.raise_error(ConnectionError("no model"))]), "go", run_config=config)
    turn = recording.turn
    assert (turn.status, turn.error) == ("error", "no model")
    assert turn.metadata["turnspan"]["model_calls"][0]["status"] == "error"


def test_too_many_turns(recording, config):
    """Running out of turns is the turn's error, with the SDK's own type."""
    steps = [[function_call("add", {"a": 1, "b": n}, call_id=f"c{n}")] for n in range(5)]
    with pytest.raises(MaxTurnsExceeded):
        run(agent(steps), "go", max_turns=2, run_config=config)
    assert recording.turn.status == "error"
    assert recording.turn.metadata["turnspan"]["error_type"] == "agents.exceptions.MaxTurnsExceeded"


def test_a_handoff(recording, config):
    """Behind a handoff calls and answer are the other agent's."""
    billing = agent(
        [[function_call("add", {"a": 1, "b": 1}, call_id="c")], [assistant_message("paid")]], name="billing"
    )
    triage = agent([[function_call("transfer_to_billing", {}, call_id="h")]], handoffs=[billing])
    assert run(triage, "go", run_config=config).final_output == "paid"
    (transition,) = recording.session.agent_transitions
    assert (transition.from_agent, transition.to_agent) == ("triage", "billing")
    assert recording.turn.agent_id == "triage"
    assert recording.turn.tool_calls[0].metadata["turnspan"]["agent_id"] == "billing"
    spans = {span.name: span for span in recording.spans}
    assert spans["execute_tool add"].parent.span_id == spans["invoke_agent billing"].context.span_id
    assert (
        spans["invoke_agent billing"].links[0].context.span_id
        == spans["execute_tool transfer_to_billing"].context.span_id
    )
    assert recording.unresolved() == []


def test_an_agent_as_a_tool(recording, config):
    """An agent that is used as a tool is an agent below that call."""
    inner = agent([[function_call("add", {"a": 1, "b": 1}, call_id="i")], [assistant_message("2")]], name="inner")
    outer = agent([[function_call("ask", {"input": "1+1"}, call_id="o")], [assistant_message("two")]], name="outer")
    outer.tools = [inner.as_tool("ask", "Ask.")]
    assert run(outer, "go", run_config=config).final_output == "two"
    turn = recording.turn
    (nested,) = turn.metadata["turnspan"]["agents"]
    assert (nested["agent_id"], nested["parent_id"], nested["response_content"]) == ("inner", "o", "2")
    calls = {call.tool_name: call for call in turn.tool_calls}
    assert set(calls) == {"ask", "add"}
    assert calls["add"].metadata["turnspan"]["parent_id"] == nested["call_id"]
    assert recording.unresolved() == []


def test_twenty_runs_at_once_do_not_mix(recording, config):
    """Runs in one loop keep to their own sessions."""

    async def main():
        await asyncio.gather(
            *(
                Runner.run(
                    two_tools(),
                    str(n),
                    run_config=RunConfig(tracing_disabled=config.tracing_disabled, group_id=f"g{n}"),
                )
                for n in range(20)
            )
        )

    asyncio.run(main())
    assert {session.session_id for session in recording.sessions} == {f"g{n}" for n in range(20)}
    for session in recording.sessions:
        (turn,) = session.turns
        assert session.session_id == f"g{turn.prompt}"
        assert [call.call_id for call in turn.tool_calls] == ["c1", "c2"]
    assert recording.unresolved() == []


def test_the_session_is_the_runtimes_own(recording, config, tmp_path):
    """The SDK's session id is the session's."""
    one = agent([[assistant_message(str(n))] for n in range(3)])
    session = SQLiteSession("conversation-7")
    for n in range(3):
        run(one, str(n), session=session, run_config=config)
    session.close()
    assert recording.session.session_id == "conversation-7"
    assert recording.session.metadata["turnspan"]["session_id_from"] == "runtime"
    assert [turn.prompt for turn in recording.session.turns] == ["0", "1", "2"]


def test_runs_that_continue_a_history_stay_in_its_session(recording, config):
    """Without a session, a run that is given the last one's output goes on in its session."""
    one = agent([[assistant_message(str(n))] for n in range(4)])
    first = run(one, "hello", run_config=config)
    second = run(one, [*first.to_input_list(), {"role": "user", "content": "again"}], run_config=config)
    run(one, [*second.to_input_list(), {"role": "user", "content": "and again"}], run_config=config)
    run(one, "somebody else", run_config=config)
    assert sorted([turn.prompt for turn in session.turns] for session in recording.sessions) == [
        ["hello", "again", "and again"],
        ["somebody else"],
    ]


def test_runs_inside_a_trace_are_of_one_session(recording):
    """Runs in one ``trace()`` are of the session that its group names."""

    async def main():
        one = agent([[assistant_message("a")], [assistant_message("b")]])
        with trace("workflow", group_id="group"):
            await Runner.run(one, "1")
            await Runner.run(one, "2")

    asyncio.run(main())
    assert recording.session.session_id == "group"
    assert len(recording.session.turns) == 2


def test_the_users_own_hooks_are_called_as_ever(recording, config):
    """Run hooks are called in the same order as without turnspan."""
    heard = []

    class Mine(RunHooks):
        async def on_agent_start(self, context, agent):
            heard.append("agent_start")

        async def on_tool_end(self, context, agent, tool, result):
            heard.append((tool.name, result))

        async def on_llm_start(self, context, agent, system_prompt, input_items):
            heard.append("llm_start")

    run(two_tools(), "go", hooks=Mine(), run_config=config)
    assert heard[:2] == ["agent_start", "llm_start"]
    assert ("add", "3") in heard

    class Raising(RunHooks):
        async def on_tool_start(self, context, agent, tool):
            raise LookupError("mine")

    with pytest.raises(Exception, match="mine"):
        run(two_tools(), "go", hooks=Raising(), run_config=config)
    with pytest.raises(TypeError):
        run(two_tools(), "go", hooks="no hooks", run_config=config)


def test_sensitive_data_that_may_not_be_traced_is_not_recorded(recording, config):
    """The SDK's own switch for sensitive data is obeyed."""
    config.trace_include_sensitive_data = False
    run(two_tools(), "the secret prompt", run_config=config)
    assert "secret" not in str(recording.session.to_dict())
    assert recording.turn.tool_calls[0].arguments == {}
    assert len(recording.turn.tool_calls) == 2


def test_a_fault_in_the_adapter_changes_nothing(config, caplog, monkeypatch):
    """What fails in the adapter never reaches the program, and what it was to end says that it was not observed."""
    import turnspan_integrations.openai_agents as module

    faults = [(module._Running, name) for name in ("model_started", "model_ended", "tool_started", "tool_ended")]
    for owner, name in [*faults, (module._Runs, "_begin")]:
        with record(strict=False) as recording:
            monkeypatch.setattr(owner, name, lambda *_, **__: 1 / 0)
            adapters = Adapters()
            adapters.watch("openai-agents")
            assert run(two_tools(), "go", run_config=config).final_output == "done"
            adapters.undo()
            monkeypatch.undo()
            assert sum(recording.problems.values()) >= 1, name
            if name == "tool_ended":
                assert ("error", "not observed") in {(c.status, c.error) for c in recording.turn.tool_calls}
            if name == "model_ended":
                models = recording.turn.metadata["turnspan"]["model_calls"]
                assert ("error", "not observed") in {(m["status"], m.get("error")) for m in models}


@pytest.mark.slow
def test_nothing_is_kept_of_a_finished_run(recording, config):
    """A long-lived process does not grow with the runs that it has made."""
    import gc

    from turnspan_integrations.openai_agents import _Running

    for _ in range(20):
        run(two_tools(), "go", run_config=config)
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, _Running)]


def test_a_tool_that_ran_at_the_provider_is_on_record(recording, config):
    """A hosted tool has no hook; its call is in the model's answer, and one record for it in the turn."""
    from openai.types.responses import ResponseFunctionWebSearch
    from openai.types.responses.response_function_web_search import ActionSearch

    action = ActionSearch(type="search", query="weather")
    searched = ResponseFunctionWebSearch(id="ws_1", type="web_search_call", status="completed", action=action)
    asked = Agent(name="a", model=ScriptedModel([[searched, assistant_message("sunny")]]))
    assert run(asked, "weather?", run_config=config).final_output == "sunny"
    (call,) = recording.turn.tool_calls
    assert (call.call_id, call.tool_name, call.status) == ("ws_1", "web_search", "success")
    assert call.arguments["query"] == "weather"
    assert call.metadata["turnspan"]["type"] == "extension"
    assert recording.unresolved() == []


# Which model, given what ---------------------------------------------------------------------------------------------


def test_instructions_of_each_agent_are_kept_once(recording, config):
    """An auditor finds what each agent was told, also the one that was handed to."""
    billing = Agent(name="billing", instructions="NEVER REFUND", model=ScriptedModel([[assistant_message("no")]]))
    steps = [[function_call("transfer_to_billing", {}, call_id="h1")]]
    triage = Agent(name="triage", instructions="You are triage", model=ScriptedModel(steps), handoffs=[billing])
    run(triage, "I paid twice", run_config=config)
    stored = str(recording.session.to_dict())
    assert stored.count("NEVER REFUND") == stored.count("You are triage") == 1


def test_the_model_that_is_asked_is_named(recording, config, monkeypatch):
    """The run's model wins over the agent's; without either it is the SDK's default."""
    from agents.models.default_models import get_default_model

    from turnspan_integrations.openai_agents_values import model_of

    plain = Agent(name="a")
    assert model_of(plain, config) == ("openai", get_default_model())
    assert model_of(Agent(name="a", model="gpt-4o"), config) == ("openai", "gpt-4o")
    config.model = "litellm/anthropic/claude"
    assert model_of(Agent(name="a", model="gpt-4o"), config) == ("anthropic", "litellm/anthropic/claude")


def test_a_model_call_behind_a_handoff_is_one(recording, config):
    """The client that the SDK calls is watched, too: it must not count the same call again."""
    from agents import OpenAIChatCompletionsModel
    from openai import AsyncOpenAI

    from support.drivers._wire import TLS
    from support.model_server import ModelServer
    from turnspan.testing.drivers import ScriptedToolCall

    clients = Adapters()
    clients.watch("openai")
    server = ModelServer()
    try:
        played = server.play([[ScriptedToolCall("transfer_to_billing", {}, "h1")], "You get it back."], key="handoff")

        async def main():
            import openai

            http = openai.DefaultAsyncHttpxClient(verify=TLS)
            client = AsyncOpenAI(base_url=server.url + "/v1", api_key=played.key, http_client=http)
            async with client:
                model = OpenAIChatCompletionsModel(model="m", openai_client=client)
                billing = Agent(name="billing", model=model)
                return await Runner.run(Agent(name="triage", model=model, handoffs=[billing]), "go", run_config=config)

        assert asyncio.run(main()).final_output == "You get it back."
    finally:
        clients.undo()
        server.close()
    assert len(recording.turn.metadata["turnspan"]["model_calls"]) == 2
