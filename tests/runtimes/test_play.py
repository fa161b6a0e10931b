"""The play, on every stage: the same record, spans and log from every runtime, but for what it declares it cannot tell."""

import asyncio
import gc
import importlib
import os
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from turnspan.instrumentation import propagation
from turnspan.instrumentation.registry import Adapters
from turnspan.testing import record
from turnspan.testing.play import TELLS, Conversation, Wanted, begun, kinds, left_early, normalised, tree

THE_PROGRAM = ("tests/support/drivers/", "testing/play.py")
FOLDER = Path(__file__).parents[1] / "support" / "drivers"
GOOD = [Wanted("add", {"a": 1, "b": 2}, "c1"), Wanted("shout", {"text": "hi"}, "c2")]


def _stages():
    for path in sorted(FOLDER.glob("[!_]*.py")):
        try:
            module = importlib.import_module(f"support.drivers.{path.stem}")
        except ModuleNotFoundError as missing:  # each runtime has an environment of its own, too
            yield pytest.param(path.stem, marks=pytest.mark.skip(f"{missing.name} is not installed"), id=path.stem)
            continue
        for stage in module.stages:
            yield pytest.param(stage, id=stage.__name__)


STAGES = list(_stages())


@pytest.fixture(params=STAGES)
def stage(request):
    made = request.param()
    if (reason := getattr(made, "known_failures", {}).get(request.node.originalname)) is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    yield made
    made.close()


@pytest.fixture
def adapter(stage, recording):
    adapters = Adapters()
    adapters.watch(stage.adapter)
    assert adapters.installed() == [stage.adapter]
    propagation.install()  # as `turnspan run` does
    yield adapters
    propagation.uninstall()
    adapters.undo()


def cannot(stage):
    """Return what the stage's adapter declares that it cannot tell."""
    module = importlib.import_module("turnspan_integrations." + stage.adapter.replace("-", "_"))
    return {**module.CANNOT, **getattr(stage, "cannot", {})}.keys() & TELLS.keys()


def expected(stage, **more):
    """Return the normalised turn that any runtime has, with what is special to a scene."""
    turn = {
        "prompt": "go",
        "response": "done",
        "status": "success",
        "tools": [],
        "asked": 1,
        "agent": stage.agent,
        **more,
    }
    turn.setdefault("tokens", [(10, 2)] * turn["asked"])
    for tell, key in (("agents", "agent"), ("tokens", "tokens")):
        if tell in cannot(stage):
            del turn[key]
    return turn


def tool(name, arguments, result, status="success"):
    return (name, sorted(arguments.items()), result, status)


ADD, SHOUT = tool("add", {"a": 1, "b": 2}, "3"), tool("shout", {"text": "hi"}, "HI")
CALLS = [("chat", []), ("execute_tool add", []), ("execute_tool shout", []), ("chat", [])]


def turns(recording, stage):
    return [normalised(turn, cannot(stage)) for turn in recording.session.turns]


def test_the_runtime_of_this_environment_is_on_stage():
    """A new release may move what a stage imports: then it must not be passed over as not installed."""
    plays = os.environ.get("PLAYS")
    if plays in (None, "mcp", "otel"):
        pytest.skip("no environment for one runtime" if plays is None else "it has tests of its own")
    there = {param.values[0].adapter for param in STAGES if not isinstance(param.values[0], str)}
    assert plays.replace("_", "-") in there, [mark.kwargs or mark.args for p in STAGES for mark in p.marks]


def test_two_good_tools_at_once(stage, adapter, recording):
    assert asyncio.run(stage.turn(Conversation("s"), "go", [GOOD, "done"])) == "done"
    assert turns(recording, stage) == [expected(stage, tools=[ADD, SHOUT], asked=2)]
    (root,) = tree(recording.spans)
    assert root[0] == "invoke_agent"
    assert sorted(root[1]) == sorted(CALLS), [(s.name, s.instrumentation_scope.name) for s in recording.spans]
    assert kinds(line for line in recording.log if "turn_id" in line) == Counter(
        {
            "turn.started": 1,
            "turn.ended": 1,
            "model_call.started": 2,
            "model_call.ended": 2,
            "tool_call.started": 2,
            "tool_call.ended": 2,
        }
    )
    assert recording.unresolved() == []


def test_three_turns_are_one_session(stage, adapter, recording):
    conversation = Conversation("s")
    for number, script in enumerate((["one"], [GOOD, "two"], ["three"])):
        asyncio.run(stage.turn(conversation, f"prompt {number}", script))
    if "sessions" in cannot(stage):
        return
    assert [(turn["prompt"], turn["response"], len(turn["tools"])) for turn in turns(recording, stage)] == [
        ("prompt 0", "one", 0),
        ("prompt 1", "two", 2),
        ("prompt 2", "three", 0),
    ]
    assert recording.unresolved() == []


def test_a_tool_that_raises(stage, adapter, recording):
    calls = [Wanted("boom", {"why": "x"}, "c1")]
    if stage.a_failing_tool_fails_the_turn:
        with pytest.raises(Exception, match="boom: x"):
            asyncio.run(stage.turn(Conversation("s"), "go", [calls, "done"]))
    else:
        assert asyncio.run(stage.turn(Conversation("s"), "go", [calls, "done"])) == "done"
    turn = recording.turn
    (call,) = turn.tool_calls
    assert turn.status == ("error" if stage.a_failing_tool_fails_the_turn else "success")
    assert (call.tool_name, call.arguments) == ("boom", {"why": "x"})
    assert "boom: x" in f"{call.result} {call.error}"
    assert call.status == ("success" if "tool failures" in cannot(stage) else "error")
    assert recording.unresolved() == []


def test_a_tool_that_times_out(stage, adapter, recording):
    if not stage.limits_tools:
        pytest.skip("this runtime does not limit the time of tools")
    script = [[Wanted("slow", {"seconds": 60}, "c1")], "done"]
    assert asyncio.run(stage.limited(Conversation("s"), "go", script)) == "done"
    (call,) = recording.turn.tool_calls
    assert (call.tool_name, call.status) == ("slow", "timeout")
    assert recording.turn.status == "success"
    assert recording.unresolved() == []


def test_a_model_that_fails(stage, adapter, recording):
    with pytest.raises(Exception, match=stage.a_failing_model_says):
        asyncio.run(stage.turn(Conversation("s"), "go", [ConnectionError("no network")]))
    turn = recording.turn
    assert (turn.status, turn.prompt) == ("error", "go")
    assert stage.a_failing_model_says in turn.error
    call = turn.metadata["turnspan"]["model_calls"][0]
    assert call["status"] == "error"
    assert "no network" in call["error"]
    assert recording.unresolved() == []


def test_a_turn_that_is_cancelled_in_a_tool(stage, adapter, recording):
    async def main():
        seen = begun.count
        task = asyncio.create_task(stage.turn(Conversation("s"), "go", [[Wanted("slow", {"seconds": 60}, "c1")]]))
        await begun.wait(seen + 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    if "cancelled tools" in cannot(stage):
        return
    assert recording.turn.status == "cancelled"
    assert [call.status for call in recording.turn.tool_calls] == ["cancelled"]
    assert recording.unresolved() == []


def test_a_stream_to_its_end(stage, adapter, recording):
    if not stage.streams:
        pytest.skip("this runtime does not stream")

    async def main():
        return [item async for item in stage.stream(Conversation("s"), "go", ["done and done"])]

    assert asyncio.run(main())
    (turn,) = turns(recording, stage)
    assert (turn["status"], turn["response"]) == ("success", "done and done")
    assert turn["asked"] == 1
    assert recording.unresolved() == []


def test_a_stream_that_is_left_early(stage, adapter, recording):
    if not stage.streams:
        pytest.skip("this runtime does not stream")
    asyncio.run(left_early(stage.stream(Conversation("s"), "go", ["done and done"])))
    expected_status = "success" if "streams left early" in cannot(stage) else "cancelled"
    assert recording.turn.status == expected_status
    assert recording.unresolved() == []


def test_a_stream_that_is_cancelled(stage, adapter, recording):
    if not stage.streams:
        pytest.skip("this runtime does not stream")

    async def main():
        reads = asyncio.Event()

        async def consumer():
            stream = stage.stream(Conversation("s"), "go", ["done and done"])
            try:
                async for _ in stream:
                    reads.set()
                    await asyncio.sleep(60)
            finally:
                with suppress(Exception, GeneratorExit):
                    await stream.aclose()

        task = asyncio.create_task(consumer())
        await reads.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert recording.turn.status == ("success" if "streams left early" in cannot(stage) else "cancelled")
    assert recording.unresolved() == []


def test_a_sub_agent(stage, adapter, recording):
    if "sub-agents" in cannot(stage):
        pytest.skip(f"{stage.adapter} cannot tell")
    assert asyncio.run(stage.sub_agent(Conversation("s"), "go")) == "done"
    (root,) = tree(recording.spans)

    def operations(node):
        yield node[0].partition(" ")[0]
        for child in node[1]:
            yield from operations(child)

    assert Counter(operations(root))["invoke_agent"] == 2
    assert recording.turn.status == "success"
    names = {span.attributes.get("gen_ai.agent.name") for span in recording.spans}
    assert {"triage", "helper"} <= names
    assert recording.unresolved() == []


def _concurrently(stage, number):
    return stage.turn(Conversation(f"s-{number}"), f"prompt {number}", [GOOD, f"answer {number}"])


def _all_apart(stage, recording):
    sessions = recording.sessions
    assert len(sessions) == 20
    assert {(s.turns[0].prompt, s.turns[0].response_content) for s in sessions} == {
        (f"prompt {n}", f"answer {n}") for n in range(20)
    }
    for session in sessions:
        (turn,) = (normalised(turn, cannot(stage)) for turn in session.turns)
        assert (turn["status"], turn["tools"], turn["asked"]) == ("success", [ADD, SHOUT], 2)
    assert recording.unresolved() == []


def test_twenty_at_once_in_one_loop(stage, adapter, recording):
    async def main():
        return await asyncio.gather(*(_concurrently(stage, n) for n in range(20)))

    assert asyncio.run(main()) == [f"answer {n}" for n in range(20)]
    _all_apart(stage, recording)


def test_twenty_at_once_in_threads(stage, adapter, recording):
    if not stage.in_threads:
        pytest.skip("this runtime runs in one loop")
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda n: asyncio.run(_concurrently(stage, n)), range(20)))
    assert answers == [f"answer {n}" for n in range(20)]
    _all_apart(stage, recording)


def _everything(stage):
    """Return what a program sees of each scene: results, exceptions, chunks."""
    seen = []
    for script in (["one"], [GOOD, "two"], [[Wanted("boom", {"why": "x"}, "c1")], "three"], [ConnectionError("gone")]):
        try:
            seen.append(asyncio.run(stage.turn(Conversation("s"), "go", script)))
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            theirs = [(f.name, f.lineno) for f in frames if any(name in f.filename for name in THE_PROGRAM)]
            seen.append((type(error), str(error), theirs))

    async def streamed():
        return [type(item) async for item in stage.stream(Conversation("s"), "go", ["done and done"])]

    if stage.streams:
        seen.append(asyncio.run(streamed()))
    return seen


def test_the_program_sees_no_difference_and_nothing_is_left(stage, recording):
    plain = _everything(stage)
    adapters = Adapters()
    adapters.watch(stage.adapter)
    watched = _everything(stage)
    told = len(recording.log)
    adapters.undo()
    after = _everything(stage)
    assert watched == plain == after
    assert told > 10
    assert len(recording.log) == told, "nothing is told after uninstrument()"
    assert not recording.problems


def test_an_adapter_that_fails_inside_changes_nothing(stage, monkeypatch):
    plain = _everything(stage)
    for where in ("TurnStarted", "ModelCallStarted", "ToolCallStarted", "ModelCallEnded", "ToolCallEnded", "TurnEnded"):
        with record(strict=False) as recording, monkeypatch.context() as patch:
            patch.setattr(f"turnspan.adapter.runs.{where}", _broken)
            adapters = Adapters()
            adapters.watch(stage.adapter)
            try:
                assert _everything(stage) == plain, where
            finally:
                adapters.undo()
            assert recording.problems, where


def _broken(*args, **kwargs):
    raise RuntimeError("the adapter is broken")


def test_an_adapter_keeps_nothing_of_a_finished_run(stage, adapter, recording):
    def held():
        gc.collect()
        kinds = (type(o) for o in gc.get_objects())
        return Counter(kind.__name__ for kind in kinds if str(kind.__module__).startswith("turnspan_integrations"))

    def run(times):
        for _ in range(times):
            asyncio.run(stage.turn(Conversation("s"), "go", [GOOD, "done"]))
        stage.close()
        recording.recorder.flush()

    run(3)
    before = held()
    run(20)
    grown = {name: count - before[name] for name, count in held().items() if count > before[name] + 1}
    grown.pop("Conversation", None)  # a loop may be gone on with at any time; so many are remembered and no more
    assert grown == {}
