"""LangGraph and LangChain's agents, the real packages with a scripted model."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import turnspan
from turnspan.instrumentation.registry import Adapters
from turnspan.testing import record

USED = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12, "input_token_details": {"cache_read": 3}}


@pytest.fixture(autouse=True)
def adapter(recording):
    adapters = Adapters()
    adapters.watch("langgraph")
    assert adapters.installed() == ["langgraph"]
    yield adapters
    adapters.undo()


class Scripted(BaseChatModel):
    script: list[Any]

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        said = self.script.pop(0)
        if isinstance(said, BaseException):
            raise said
        return ChatResult(generations=[ChatGeneration(message=said)])


def says(text="", **calls):
    wanted = [
        {"name": name.rstrip("_"), "args": args, "id": f"c-{name}", "type": "tool_call"} for name, args in calls.items()
    ]
    meta = {"model_name": "scripted-1", "id": "resp-1", "finish_reason": "stop", "model_provider": "openai"}
    return AIMessage(text, tool_calls=wanted, usage_metadata=USED, response_metadata=meta)


@tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool
def boom(why: str) -> str:
    """Fail."""
    raise ValueError(f"boom: {why}")


begun = asyncio.Event()


@tool
async def slow() -> str:
    """Take forever."""
    begun.set()
    await asyncio.sleep(60)
    return "late"


def agent(*script, name="triage", **more):
    return create_agent(Scripted(script=list(script)), [add, boom, slow], name=name, **more)


def ask(text):
    return {"messages": [HumanMessage(text)]}


THREAD = {"configurable": {"thread_id": "t-1"}}


def test_a_turn_with_a_tool(recording):
    """A run of a graph is a turn of its thread's session, with its tool and model calls."""
    graph = agent(says(add={"a": 1, "b": 2}), says("three"))
    assert graph.invoke(ask("what is 1 + 2?"), THREAD)["messages"][-1].content == "three"
    turn = recording.turn
    assert recording.session.session_id == "t-1"
    assert (turn.agent_id, turn.prompt, turn.response_content, turn.status) == (
        "triage",
        "what is 1 + 2?",
        "three",
        "success",
    )
    (call,) = turn.tool_calls
    assert (call.call_id, call.tool_name, call.arguments, call.result, call.status) == (
        "c-add",
        "add",
        {"a": 1, "b": 2},
        "3",
        "success",
    )
    first, second = turn.metadata["turnspan"]["model_calls"]
    assert first["usage"] == {"input_tokens": 10, "output_tokens": 2, "cache_read_tokens": 3}
    assert (first["response_model"], first["response_id"], first["provider"], first["finish_reasons"]) == (
        "scripted-1",
        "resp-1",
        "openai",
        ["stop"],
    )
    assert first["messages"] == [{"role": "user", "content": "what is 1 + 2?"}]
    assert first["output"][0]["tool_calls"][0]["function"] == {"name": "add", "arguments": {"a": 1, "b": 2}}
    assert (second["history"], [message["role"] for message in second["messages"]]) == (2, ["tool"])
    assert sorted(span.name for span in recording.spans) == ["chat", "chat", "execute_tool add", "invoke_agent triage"]
    root = next(span for span in recording.spans if span.name == "invoke_agent triage")
    assert all(span.parent.span_id == root.context.span_id for span in recording.spans if span is not root)
    assert recording.unresolved() == []


def test_parallel_tools_of_which_one_raises(recording):
    """The program gets the error, turn and call are errors, and the other call keeps its result."""
    graph = agent(says(add={"a": 1, "b": 2}, boom={"why": "x"}))
    with pytest.raises(ValueError, match="boom: x"):
        graph.invoke(ask("go"), THREAD)
    turn = recording.turn
    assert (turn.status, turn.error) == ("error", "boom: x")
    by_name = {call.tool_name: call for call in turn.tool_calls}
    assert by_name["add"].status == "success"
    assert (by_name["boom"].status, by_name["boom"].error) == ("error", "boom: x")
    assert by_name["boom"].metadata["turnspan"]["error_type"] == "ValueError"


def test_two_turns_of_a_thread_are_one_session(recording):
    """Runs of one ``thread_id`` are turns of one session."""
    graph = agent(says("one"), says("two"), checkpointer=InMemorySaver())
    for text in ("first", "second"):
        graph.invoke(ask(text), THREAD)
    assert [(turn.prompt, turn.response_content) for turn in recording.session.turns] == [
        ("first", "one"),
        ("second", "two"),
    ]


@pytest.mark.parametrize("mode", ["values", "updates", ["values", "messages"], "messages"])
def test_streaming_to_the_end(recording, mode):
    """In each stream mode the turn is a success with its calls."""
    graph = agent(says(add={"a": 1, "b": 2}), says("three"))
    assert list(graph.stream(ask("go"), THREAD, stream_mode=mode))
    assert (recording.turn.status, len(recording.turn.tool_calls)) == ("success", 1)
    if mode != "messages":
        assert recording.turn.response_content == "three"


def test_a_stream_that_is_left_early_is_cancelled(recording):
    """A stream that is closed early is a cancelled turn."""
    stream = agent(says(add={"a": 1, "b": 2}), says("three")).stream(ask("go"), THREAD, stream_mode="updates")
    next(stream)
    stream.close()
    assert recording.turn.status == "cancelled"


def test_streamed_tokens_tell_when_the_first_came(recording):
    """A streamed model call says how long the first token took."""
    model = GenericFakeChatModel(messages=iter([AIMessage("a b c d")]))

    def node(state):
        return {"messages": ["".join(chunk.content for chunk in model.stream(state["messages"]))]}

    graph = StateGraph(MessagesState).add_node("n", node).add_edge(START, "n").compile()
    graph.invoke(ask("go"))
    (call,) = recording.turn.metadata["turnspan"]["model_calls"]
    assert call["first_chunk_ms"] >= 0


def test_a_cancelled_run(recording):
    """The program's cancellation comes through, and turn and call are cancelled."""

    async def main():
        begun.clear()
        task = asyncio.create_task(agent(says(slow={})).ainvoke(ask("go"), THREAD))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert recording.turn.status == "cancelled"
    assert [call.status for call in recording.turn.tool_calls] == ["cancelled"]


def test_a_model_error(recording):
    """The model's own error reaches the program, and is on turn and call."""
    with pytest.raises(ConnectionError, match="no network"):
        agent(ConnectionError("no network")).invoke(ask("go"), THREAD)
    assert (recording.turn.status, recording.turn.error) == ("error", "no network")
    (call,) = recording.turn.metadata["turnspan"]["model_calls"]
    assert (call["status"], call["error"], call["error_type"]) == ("error", "no network", "ConnectionError")


def test_an_agent_as_a_tool_is_an_agent_inside_the_turn(recording):
    """A graph inside a tool is an agent below the call."""
    helper = agent(says("helped"), name="helper")

    @tool
    def ask_helper(question: str) -> str:
        """Ask."""
        return helper.invoke(ask(question))["messages"][-1].content

    boss = create_agent(Scripted(script=[says(ask_helper={"question": "q"}), says("done")]), [ask_helper], name="boss")
    boss.invoke(ask("go"), THREAD)
    turn = recording.turn
    (inner,) = turn.metadata["turnspan"]["agents"]
    assert (inner["agent_id"], inner["parent_id"], inner["response_content"]) == ("helper", "c-ask_helper", "helped")
    models = turn.metadata["turnspan"]["model_calls"]
    assert [model["agent_id"] for model in models] == ["boss", "helper", "boss"]
    spans = {span.name: span for span in recording.spans}
    assert spans["invoke_agent helper"].parent.span_id == spans["execute_tool ask_helper"].context.span_id
    assert len(recording.session.turns) == 1


def test_what_the_users_tool_does_is_inside_its_call(recording):
    """Notes and spans of a tool's code are inside of its call."""

    @tool
    def noted() -> str:
        """Note something."""
        turnspan.note("seen", {"in": "tool"})
        return "ok"

    create_agent(Scripted(script=[says(noted={}), says("done")]), [noted]).invoke(ask("go"), THREAD)
    span = next(span for span in recording.spans if span.name == "execute_tool noted")
    assert [event.name for event in span.events] == ["seen"]


def test_a_handoff_to_an_agent_of_the_parent_graph(recording):
    """A Command to the parent graph is a handoff, and the tool that returned it is no error."""

    @tool
    def to_billing() -> Command:
        """Hand over."""
        return Command(
            goto="billing", graph=Command.PARENT, update={"messages": [ToolMessage("ok", tool_call_id="c-to_billing")]}
        )

    triage = create_agent(Scripted(script=[says(to_billing={})]), [to_billing], name="triage")
    billing = create_agent(Scripted(script=[says("refunded")]), [], name="billing")
    graph = (
        StateGraph(MessagesState)
        .add_node("triage", triage, destinations=("billing",))
        .add_node("billing", billing)
        .add_edge(START, "triage")
        .add_edge("billing", END)
        .compile(name="support")
    )
    assert graph.invoke(ask("money"), THREAD)["messages"][-1].content == "refunded"
    (transition,) = recording.session.agent_transitions
    assert (transition.from_agent, transition.to_agent) == ("triage", "billing")
    turn = recording.turn
    assert (turn.status, turn.agent_id) == ("success", "support")
    assert [(one["agent_id"], one["status"]) for one in turn.metadata["turnspan"]["agents"]] == [
        ("triage", "success"),
        ("billing", "success"),
    ]


def test_an_interrupt_and_its_resume_are_one_session_and_no_error(recording):
    """An interrupt ends the turn without error, and the resumed run is the next turn of the session."""

    def approve(state):
        return {"messages": [AIMessage(f"you said {interrupt('may I?')}")]}

    graph = (
        StateGraph(MessagesState)
        .add_node("approve", approve)
        .add_edge(START, "approve")
        .compile(checkpointer=InMemorySaver())
    )
    graph.invoke(ask("pay"), THREAD)
    graph.invoke(Command(resume="yes"), THREAD)
    asked, resumed = recording.session.turns
    assert (asked.status, resumed.status, resumed.prompt, resumed.response_content) == (
        "success",
        "success",
        "yes",
        "you said yes",
    )
    (note,) = asked.metadata["turnspan"]["notes"]
    assert (note["name"], note["data"]["value"]) == ("interrupt", "may I?")


@pytest.mark.parametrize("how", ["loop", "threads"])
def test_twenty_runs_at_once_do_not_mix(recording, how):
    """Runs in one loop or in threads keep to their own sessions."""

    def one(n):
        return (
            agent(says(add={"a": n, "b": 0}), says(f"done {n}")),
            ask(str(n)),
            {"configurable": {"thread_id": f"t-{n}"}},
        )

    if how == "loop":

        async def main():
            await asyncio.gather(*(graph.ainvoke(given, config) for graph, given, config in map(one, range(20))))

        asyncio.run(main())
    else:
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda made: made[0].invoke(*made[1:]), map(one, range(20))))
    turnspan.flush()
    for n in range(20):
        (turn,) = recording.store.load_session(f"t-{n}").turns
        assert (turn.prompt, turn.response_content, [call.arguments["a"] for call in turn.tool_calls]) == (
            str(n),
            f"done {n}",
            [n],
        )
        assert len(turn.metadata["turnspan"]["model_calls"]) == 2
    assert recording.unresolved() == []


def test_without_a_thread_each_run_is_a_session(recording):
    """Runs that name no thread have nothing to do with each other."""
    agent(says("one")).invoke(ask("q"))
    agent(says("two")).invoke(ask("q"))
    turnspan.flush()
    assert len(recording.store.list_sessions()) == 2


class Heard(BaseCallbackHandler):
    def __init__(self):
        self.events = []

    def on_chain_start(self, serialized, inputs, **more):
        self.events.append(("chain", more.get("name")))

    def on_chain_error(self, error, **more):
        self.events.append(("error", type(error).__name__))

    def on_tool_start(self, serialized, input_str, **more):
        self.events.append(("tool", serialized["name"]))


def played():
    """Return what a program sees of a run: results, its own callbacks, exceptions with their tracebacks."""
    heard = Heard()
    config = {**THREAD, "callbacks": [heard]}
    chunks = [
        repr(sorted(chunk))
        for chunk in agent(says(add={"a": 1, "b": 2}), says("three")).stream(ask("go"), config, stream_mode="updates")
    ]
    try:
        agent(says(boom={"why": "x"})).invoke(ask("go"), config)
    except ValueError as error:
        frames, trace = [], error.__traceback__
        while trace is not None:
            frames.append(trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        raised = (str(error), [name for name in frames if "langgraph" in name or "test_langgraph" in name])
    return chunks, heard.events, raised


def test_behaviour_is_the_same_and_uninstrumented_it_leaves_no_trace(recording, adapter):
    """Results are equal with and without turnspan, and undone nothing is recorded."""
    watched = played()
    turnspan.flush()
    count = len(recording.session.turns)
    adapter.undo()
    assert played() == watched
    turnspan.flush()
    assert len(recording.session.turns) == count == 2


@pytest.mark.parametrize(
    "broken", ["_prompt_of", "_thread_of", "_look", "_answer_in", "_arguments", "_result_of", "_plain", "_usage"]
)
def test_a_fault_in_the_adapter_changes_nothing(broken, monkeypatch, adapter):
    """An adapter that raises is reported, and the graph's result is as ever."""
    from turnspan_integrations import langgraph

    adapter.undo()
    monkeypatch.setattr(langgraph, broken, lambda *_, **__: 1 / 0)
    with record(strict=False) as recording:
        adapters = Adapters()
        adapters.watch("langgraph")
        graph = agent(says(add={"a": 1, "b": 2}), says("three"))
        assert graph.invoke(ask("go"), THREAD)["messages"][-1].content == "three"
        adapters.undo()
        assert sum(recording.problems.values()) >= 1


def test_nothing_is_kept_of_a_finished_run(recording):
    """Neither hooks nor runs add up."""
    from langchain_core.tracers import context

    for n in range(5):
        agent(says(add={"a": n, "b": 1}), says("x")).invoke(ask("q"), THREAD)
    handlers = [hook[0].get() for hook in context._configure_hooks if type(hook[0].get()).__name__ == "TurnspanHandler"]
    assert [(handler.models._running, handler.models._heard) for handler in handlers] == [({}, {})]
