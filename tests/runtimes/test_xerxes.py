"""Xerxes, the real package with a scripted model: its class runtime and its streaming loop."""

import asyncio
import gc
import threading

import pytest
import structlog

pytest.importorskip("xerxes")
from xerxes import Agent, Xerxes
from xerxes.audit import InMemoryCollector
from xerxes.runtime.features import RuntimeFeaturesConfig
from xerxes.session.store import InMemorySessionStore as TheirStore
from xerxes.streaming import loop
from xerxes.streaming.events import AgentState, TextChunk

import turnspan
from support.drivers.xerxes_runtime import Answer, Scripted
from turnspan.instrumentation.registry import Adapters

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class ScriptedLLM(Scripted):
    """Says (text, calls), from a list or by what is asked."""

    model = "fake-1"

    async def generate_completion(self, prompt, model=None, **_):
        step = self.script.pop(0) if isinstance(self.script, list) else self.script(prompt)
        if isinstance(step, Exception):
            raise step
        return Answer(step)

    async def astream_completion(self, response, agent=None):
        text, calls = response.step
        for word in text.split(" ") if text else []:
            yield {
                "content": word + " ",
                "buffered_content": text,
                "raw_chunk": None,
                "is_final": False,
                "function_calls": [],
            }
        yield {"content": "", "buffered_content": text, "raw_chunk": None, "is_final": True, "function_calls": calls}


def call(name, call_id, **arguments):
    return {"id": call_id, "name": name, "arguments": arguments}


def add(a: int, b: int) -> str:
    """Add."""
    structlog.get_logger().info("inside a sync tool")
    return str(a + b)


def broken(x: str) -> str:
    """Fail in a way that the runtime handles."""
    raise OSError(f"no {x}")


def fatal() -> str:
    """Fail in a way that the runtime does not handle."""
    raise ValueError("fatal")


async def slow() -> str:
    """Take forever."""
    await asyncio.sleep(60)


@pytest.fixture(autouse=True)
def adapter(recording, capfd):
    adapters = Adapters()
    adapters.watch("xerxes")
    from turnspan.instrumentation import propagation

    propagation.install()
    yield
    propagation.uninstall()
    adapters.undo()


def runtime(script, **features):
    helper = Agent(
        id="helper", name="helper", model="fake-1", functions=[add, broken, fatal, slow], max_function_retries=0
    )
    made = Xerxes(llm=ScriptedLLM(script), runtime_features=RuntimeFeaturesConfig(**features) if features else None)
    made.register_agent(helper)
    return made, helper


TWO_TOOLS = [("", [call("add", "c", a=1, b=2), call("broken", "c", x="disk")]), ("It is 3.", [])]


def ask(script, prompt="go", **features):
    made, helper = runtime(list(script), **features)
    return asyncio.run(made.create_response(prompt=prompt, agent_id=helper, stream=False))


def test_a_default_runtime_records_a_turn_with_its_tools(recording):
    """A runtime without any setting is recorded with its tools, their results and errors."""
    assert ask(TWO_TOOLS).content.strip() == "It is 3."
    turn = recording.turn
    assert (turn.agent_id, turn.prompt, turn.status) == ("helper", "go", "success")
    assert turn.response_content.strip() == "It is 3."
    good, bad = turn.tool_calls
    assert (good.call_id, good.tool_name, good.arguments, good.result, good.status) == (
        "c",
        "add",
        {"a": 1, "b": 2},
        "3",
        "success",
    )
    assert (bad.call_id, bad.status, bad.error) == ("c#2", "error", "no disk")
    assert good.duration_ms > 0
    models = turn.metadata["turnspan"]["model_calls"]
    assert [model["model"] for model in models] == ["fake-1", "fake-1"]
    assert models[0]["messages"][-1]["content"].strip().endswith("go")
    assert sorted(span.name for span in recording.spans) == [
        "chat fake-1",
        "chat fake-1",
        "execute_tool add",
        "execute_tool broken",
        "invoke_agent helper",
    ]
    assert recording.unresolved() == []


def test_turns_of_one_object_are_one_session(recording):
    """One runtime object is one session."""
    made, helper = runtime([("one", []), ("two", [])])
    for prompt in ("1", "2"):
        asyncio.run(made.create_response(prompt=prompt, agent_id=helper, stream=False))
    assert [turn.prompt for turn in recording.session.turns] == ["1", "2"]


def test_the_users_own_records_and_audit_get_the_ids(recording):
    """Xerxes' own session store and audit have the ids that turnspan gave."""
    store, collector = TheirStore(), InMemoryCollector()
    ask(TWO_TOOLS, enabled=True, session_store=store, audit_collector=collector)
    (theirs,) = store.load_session(store.list_sessions()[0]).turns
    ours = recording.turn
    assert theirs.turn_id == ours.turn_id
    assert theirs.audit_event_ids == ours.audit_event_ids != []
    assert theirs.metadata["turnspan"]["trace_id"] == ours.metadata["turnspan"]["trace_id"]
    assert recording.session.session_id == store.list_sessions()[0]
    noted = {note["name"] for note in ours.metadata["turnspan"]["notes"]}
    assert "xerxes.tool_policy_decision" in noted
    ids = {event.metadata["event_id"] for event in collector.get_events() if "event_id" in event.metadata}
    assert ids and ids <= set(ours.audit_event_ids)
    assert recording.unresolved() == []


def test_a_stream_to_the_end_and_left_early(recording):
    """A stream that ends is a success, one that is left is cancelled."""

    async def main(take):
        made, helper = runtime([("one two three four", [])])
        stream = await made.create_response(prompt=str(take), agent_id=helper, stream=True)
        got = 0
        async for _ in stream:
            got += 1
            if got == take:
                await stream.aclose()
                break

    asyncio.run(main(0))
    asyncio.run(main(2))
    turns = {turn.prompt: turn for session in recording.sessions for turn in session.turns}
    assert (turns["0"].status, turns["0"].response_content.strip()) == ("success", "one two three four")
    assert turns["2"].status == "cancelled"


def test_run_in_its_own_thread_keeps_the_context(recording):
    """The thread that Xerxes runs in belongs to the session around it."""
    made, helper = runtime(list(TWO_TOOLS))
    with structlog.testing.capture_logs(processors=[turnspan.add_turn]) as lines, turnspan.session("mine"):
        made.run(prompt="go", agent_id=helper, stream=False)
    assert recording.session.session_id == "mine"
    assert recording.session.metadata["turnspan"]["session_id_from"] == "explicit"
    turn = recording.turn
    inside = next(line for line in lines if line["event"] == "inside a sync tool")
    assert inside["turn_id"] == turn.turn_id
    assert inside["span_id"] == turn.tool_calls[0].metadata["turnspan"]["span_id"]


def test_a_fatal_tool(recording):
    """A tool that ends the turn is an error of call and turn."""
    with pytest.raises(ValueError, match="fatal"):
        ask([("", [call("add", "1", a=1, b=1), call("fatal", "2")])])
    turn = recording.turn
    assert (turn.status, turn.error) == ("error", "fatal")
    assert [(c.tool_name, c.status) for c in turn.tool_calls] == [("add", "success"), ("fatal", "error")], (
        "Xerxes loses both"
    )


def test_a_model_error(recording):
    """The model's own error reaches the program, and is on turn and call."""
    with pytest.raises(RuntimeError, match="no model"):
        ask([RuntimeError("no model")])
    assert (recording.turn.status, recording.turn.error) == ("error", "no model")
    assert recording.turn.metadata["turnspan"]["model_calls"][0]["status"] == "error"


def test_a_cancelled_turn(recording):
    """The program's cancellation comes through, and turn and call are cancelled."""

    async def main():
        made, helper = runtime([("", [call("slow", "1")])])
        task = asyncio.create_task(made.create_response(prompt="go", agent_id=helper, stream=False))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (recording.turn.status, recording.turn.tool_calls[0].status) == ("cancelled", "cancelled")


def test_a_switch_of_agents_is_a_handoff(recording):
    """A switch of agents is a handoff, and the answer is the second agent's."""
    made, helper = runtime([("", [call("hand_over", "1")]), ("done", [])])
    made.register_agent(Agent(id="billing", name="billing", model="fake-1"))

    def hand_over() -> str:
        """Give it to billing."""
        made.orchestrator.switch_agent("billing", "it is about money")
        return "handed over"

    made.orchestrator.function_registry.register(hand_over, "helper", helper)
    helper.functions.append(hand_over)
    asyncio.run(made.create_response(prompt="go", agent_id=helper, stream=False))
    (transition,) = recording.session.agent_transitions
    assert (transition.from_agent, transition.to_agent, transition.reason) == ("helper", "billing", "it is about money")
    assert "invoke_agent billing" in [span.name for span in recording.spans]
    assert recording.unresolved() == []


def test_twenty_at_once_in_one_loop_and_in_threads(recording):
    """Turns at once keep to their own sessions."""

    def script(prompt):
        asked = [m["content"] for m in prompt if m["role"] == "user"][-1].strip()
        if any(m["role"] == "tool" for m in prompt):
            return ("done", [])
        return ("", [call("add", "call", a=int(asked), b=0)]) if asked.isdigit() else ("done", [])

    made, helper = runtime(script)

    async def one(n):
        await made.create_response(prompt=str(n), agent_id=helper, stream=False)

    async def loop_of_them():
        await asyncio.gather(*(one(n) for n in range(20)))

    asyncio.run(loop_of_them())
    threads = [threading.Thread(target=lambda n=n: asyncio.run(one(n))) for n in range(20, 40)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    turns = recording.session.turns
    assert sorted(int(turn.prompt) for turn in turns) == list(range(40))
    for turn in turns:
        assert [c.result for c in turn.tool_calls[:1]] == [turn.prompt]
    assert recording.unresolved() == []


def test_the_loop_runtime(recording, monkeypatch):
    """The streaming loop is recorded like the runtime."""
    scripts = [
        [
            TextChunk("Let me see. "),
            {
                "tool_calls": [
                    {"id": "t1", "name": "add", "input": {"a": 1}},
                    {"id": "t2", "name": "boom", "input": {}},
                ],
                "in_tokens": 5,
                "out_tokens": 2,
            },
        ],
        [TextChunk("Done."), {"tool_calls": [], "in_tokens": 9, "out_tokens": 3}],
    ]

    def fake(*_args, **_kwargs):
        yield from scripts.pop(0)

    # The fake model takes the place of the one that is watched, so it is put below the watch.
    monkeypatch.setattr(loop._stream_llm, "__wrapped__", fake)

    def execute(name, inputs):
        if name == "boom":
            raise RuntimeError("boom")
        return "3"

    state = AgentState()
    events = list(
        loop.run("go", state, {"model": "fake-1", "permission_mode": "accept-all"}, "system", tool_executor=execute)
    )
    assert events
    turn = recording.turn
    assert (turn.prompt, turn.status, turn.response_content) == ("go", "success", "Let me see. Done.")
    assert [(c.call_id, c.tool_name, c.status) for c in turn.tool_calls] == [
        ("t1", "add", "success"),
        ("t2", "boom", "error"),
    ]
    assert [model["usage"] for model in turn.metadata["turnspan"]["model_calls"]] == [
        {"input_tokens": 5, "output_tokens": 2},
        {"input_tokens": 9, "output_tokens": 3},
    ]
    assert recording.unresolved() == []


def test_nothing_is_kept_of_a_finished_turn(recording):
    """Finished turns are let go of."""
    from turnspan_integrations.xerxes import _Turn

    for _ in range(10):
        ask(TWO_TOOLS)
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, _Turn)]


@pytest.mark.parametrize("granted", [True, False])
def test_a_tool_that_somebody_is_asked_about(recording, monkeypatch, granted):
    """Asked and decided are notes with the words of all runtimes; a tool that was denied is skipped."""
    scripts = [
        [{"tool_calls": [{"id": "t1", "name": "WriteFile", "input": {"path": "x"}}], "in_tokens": 5, "out_tokens": 2}],
        [TextChunk("Done."), {"tool_calls": [], "in_tokens": 9, "out_tokens": 3}],
    ]
    monkeypatch.setattr(loop._stream_llm, "__wrapped__", lambda *_args, **_kwargs: (yield from scripts.pop(0)))
    config = {"model": "fake-1", "permission_mode": "auto"}
    for event in loop.run("go", AgentState(), config, "system", tool_executor=lambda _name, _inputs: "written"):
        if type(event).__name__ == "PermissionRequest":
            event.granted = granted
    turn = recording.turn
    notes = [(note["name"], note["data"]["tool_name"]) for note in turn.metadata["turnspan"]["notes"]]
    decided = "approval.approved" if granted else "approval.denied"
    assert notes == [("approval.asked", "WriteFile"), (decided, "WriteFile")]
    assert [call.status for call in turn.tool_calls] == ["success" if granted else "skipped"]
    assert recording.unresolved() == []
