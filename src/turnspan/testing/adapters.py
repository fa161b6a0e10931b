"""The conformance suite for adapters. Subclass it and give a fixture ``driver``::

    class MyRuntimeDriver(RuntimeDriver):
        adapter = "my-runtime"

        async def turn(self, conversation, prompt, script):
            return await Agent(model=Scripted(script), tools=TOOLS).run(prompt, thread=conversation.id)

    class TestMyRuntime(AdapterConformance):
        @pytest.fixture
        def driver(self):
            driver = MyRuntimeDriver()
            yield driver
            driver.close()

A driver (:class:`~turnspan.testing.drivers.RuntimeDriver`) runs turns in the real runtime, with a model that follows a
script: one of the runtime's own for tests, or the real client against a server. The adapter is found by its entry point.
What the adapter cannot observe, it declares in its ``CANNOT``; the cases then do not look for it.
"""

from __future__ import annotations

import asyncio
import gc
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from importlib.metadata import entry_points
from typing import Any
from unittest import SkipTest, mock

from turnspan.instrumentation import propagation
from turnspan.instrumentation.registry import GROUP, Adapters, name_of
from turnspan.telemetry import semconv
from turnspan.testing.drivers import (
    LIMITS,
    Conversation,
    RuntimeDriver,
    ScriptedToolCall,
    events_by_kind,
    leave_early,
    normalized,
    slow_tool_started,
    span_tree,
)
from turnspan.testing.plain import compare_programs
from turnspan.testing.recording import Recording, record

GOOD = [ScriptedToolCall("add", {"a": 1, "b": 2}, "c1"), ScriptedToolCall("shout", {"text": "hi"}, "c2")]
FAILING = [ScriptedToolCall("boom", {"why": "x"}, "c1")]
SLOW = [ScriptedToolCall("slow", {"seconds": 60}, "c1")]
ADD, SHOUT = ("add", [("a", 1), ("b", 2)], "3", "success"), ("shout", [("text", "hi")], "HI", "success")


@contextmanager
def recorded(driver: RuntimeDriver, *, strict: bool = True) -> Iterator[Recording]:
    """Record what a driver does with its adapter installed, as ``turnspan run`` installs it."""
    with record(strict=strict) as recording:
        adapters = Adapters()
        adapters.watch(driver.adapter)
        assert adapters.installed() == [driver.adapter], f"the adapter {driver.adapter} does not take this version"
        propagation.install()
        try:
            yield recording
        finally:
            propagation.uninstall()
            adapters.undo()


def cannot(driver: RuntimeDriver) -> set[str]:
    """Return what is declared as not observable."""
    (entry,) = (entry for entry in entry_points(group=GROUP) if name_of(entry) == driver.adapter)
    return {*entry.load().CANNOT, *driver.cannot} & LIMITS.keys()


def _expected(driver: RuntimeDriver, **more: Any) -> dict[str, Any]:
    """Return the normalized turn that any runtime has, with what is special to a case."""
    turn: dict[str, Any] = {
        "prompt": "go",
        "response": "done",
        "status": "success",
        "tools": [],
        "asked": 1,
        "agent": driver.agent,
        **more,
    }
    turn.setdefault("tokens", [(10, 2)] * turn["asked"])
    for limit, key in (("agents", "agent"), ("tokens", "tokens")):
        if limit in cannot(driver):
            del turn[key]
    return turn


def _turns(recording: Recording, driver: RuntimeDriver) -> list[dict[str, Any]]:
    return [normalized(turn, cannot(driver)) for turn in recording.session.turns]


def _nothing_is_open(recording: Recording) -> None:
    """See that every event is in all three places, and that nothing waits for an end that will not come."""
    assert recording.unresolved() == []
    assert [turn.status for session in recording.sessions for turn in session.turns if turn.status == "running"] == []


class AdapterConformance:
    """What every adapter promises, whatever its runtime."""

    def test_two_good_tools_at_once(self, driver: RuntimeDriver) -> None:
        """A turn with its tools and model calls is in record, spans and log, nested as they were."""
        with recorded(driver) as recording:
            assert asyncio.run(driver.turn(Conversation("s"), "go", [GOOD, "done"])) == "done"
            assert _turns(recording, driver) == [_expected(driver, tools=[ADD, SHOUT], asked=2)]
            (root,) = span_tree(recording.spans, driver.spans_beside)
            assert root[0] == "invoke_agent"
            assert sorted(root[1]) == [("chat", []), ("chat", []), ("execute_tool add", []), ("execute_tool shout", [])]
            assert events_by_kind(line for line in recording.log if "turn_id" in line) == {
                "turn.started": 1,
                "turn.ended": 1,
                "model_call.started": 2,
                "model_call.ended": 2,
                "tool_call.started": 2,
                "tool_call.ended": 2,
            }
            _nothing_is_open(recording)

    def test_three_turns_are_one_session(self, driver: RuntimeDriver) -> None:
        """What the runtime calls a conversation is a session."""
        with recorded(driver) as recording:
            conversation = Conversation("s")
            for number, script in enumerate((["one"], [GOOD, "two"], ["three"])):
                asyncio.run(driver.turn(conversation, f"prompt {number}", script))  # type: ignore[arg-type]
            if "sessions" not in cannot(driver):
                assert [(t["prompt"], t["response"], len(t["tools"])) for t in _turns(recording, driver)] == [
                    ("prompt 0", "one", 0),
                    ("prompt 1", "two", 2),
                    ("prompt 2", "three", 0),
                ]
            _nothing_is_open(recording)

    def test_a_tool_that_raises(self, driver: RuntimeDriver) -> None:
        """A tool that failed says so, with the words of its exception."""
        fails = driver.a_failing_tool_fails_the_turn
        with recorded(driver) as recording:
            with _raises("boom: x") if fails else nullcontext():
                assert asyncio.run(driver.turn(Conversation("s"), "go", [FAILING, "done"])) == "done"
            turn = recording.turn
            (call,) = turn.tool_calls
            assert turn.status == ("error" if fails else "success")
            assert (call.tool_name, call.arguments) == ("boom", {"why": "x"})
            assert "boom: x" in f"{call.result} {call.error}"
            assert call.status == ("success" if "tool failures" in cannot(driver) else "error")
            _nothing_is_open(recording)

    def test_a_tool_that_times_out(self, driver: RuntimeDriver) -> None:
        """A tool that took too long says so."""
        if not driver.limits_tools:
            raise SkipTest("this runtime does not limit the time of tools")
        with recorded(driver) as recording:
            assert asyncio.run(driver.limited(Conversation("s"), "go", [SLOW, "done"])) == "done"
            (call,) = recording.turn.tool_calls
            assert (call.tool_name, call.status) == ("slow", "timeout")
            assert recording.turn.status == "success"
            _nothing_is_open(recording)

    def test_a_model_that_fails(self, driver: RuntimeDriver) -> None:
        """A model call that failed is on record with its error, and so is its turn."""
        with recorded(driver) as recording:
            with _raises(driver.a_failing_model_says):
                asyncio.run(driver.turn(Conversation("s"), "go", [ConnectionError("no network")]))
            turn = recording.turn
            assert (turn.status, turn.prompt) == ("error", "go")
            assert driver.a_failing_model_says in str(turn.error)
            call = turn.metadata["turnspan"]["model_calls"][0]
            assert call["status"] == "error"
            assert "no network" in call["error"]
            _nothing_is_open(recording)

    def test_a_turn_that_is_cancelled_in_a_tool(self, driver: RuntimeDriver) -> None:
        """A cancelled turn is not an error, and neither is the tool that it was in."""

        async def main() -> None:
            seen = slow_tool_started.count
            task = asyncio.create_task(driver.turn(Conversation("s"), "go", [SLOW]))
            await slow_tool_started.wait(seen + 1)
            await _cancel(task)

        with recorded(driver) as recording:
            asyncio.run(main())
            if "cancelled tools" not in cannot(driver):
                assert recording.turn.status == "cancelled"
                assert [call.status for call in recording.turn.tool_calls] == ["cancelled"]
                _nothing_is_open(recording)

    # Streams -----------------------------------------------------------------------------------------------------

    def test_a_stream_to_its_end(self, driver: RuntimeDriver) -> None:
        """A stream that was read is a turn with its whole answer."""
        _streams(driver)

        async def main() -> list[Any]:
            return [item async for item in driver.stream(Conversation("s"), "go", ["done and done"])]

        with recorded(driver) as recording:
            assert asyncio.run(main())
            (turn,) = _turns(recording, driver)
            assert (turn["status"], turn["response"], turn["asked"]) == ("success", "done and done", 1)
            _nothing_is_open(recording)

    def test_a_stream_that_is_left_early(self, driver: RuntimeDriver) -> None:
        """A stream that nobody reads on is cancelled, not lost."""
        _streams(driver)
        with recorded(driver) as recording:
            asyncio.run(leave_early(driver.stream(Conversation("s"), "go", ["done and done"])))
            left = "success" if "streams left early" in cannot(driver) else "cancelled"
            assert recording.turn.status == left
            _nothing_is_open(recording)

    def test_a_stream_that_is_cancelled(self, driver: RuntimeDriver) -> None:
        """A consumer that is cancelled in the middle of a stream cancels the turn."""
        _streams(driver)

        async def main() -> None:
            reads = asyncio.Event()

            async def consume() -> None:
                stream = driver.stream(Conversation("s"), "go", ["done and done"])
                try:
                    async for _ in stream:
                        reads.set()
                        await asyncio.sleep(60)
                finally:
                    with suppress(Exception, GeneratorExit):
                        await stream.aclose()  # type: ignore[attr-defined]

            task = asyncio.create_task(consume())
            await reads.wait()
            await _cancel(task)

        with recorded(driver) as recording:
            asyncio.run(main())
            left = "success" if "streams left early" in cannot(driver) else "cancelled"
            assert recording.turn.status == left
            _nothing_is_open(recording)

    # Several at once ---------------------------------------------------------------------------------------------

    def test_a_sub_agent(self, driver: RuntimeDriver) -> None:
        """An agent inside of a turn is a span inside of the turn's."""
        if "sub-agents" in cannot(driver):
            raise SkipTest(f"{driver.adapter} cannot observe it")
        with recorded(driver) as recording:
            assert asyncio.run(driver.sub_agent(Conversation("s"), "go")) == "done"
            (root,) = span_tree(recording.spans, driver.spans_beside)
            assert Counter(_operations(root))["invoke_agent"] == 2
            assert recording.turn.status == "success"
            names = {(span.attributes or {}).get(semconv.GEN_AI_AGENT_NAME) for span in recording.spans}
            assert {"triage", "helper"} <= names
            _nothing_is_open(recording)

    def test_twenty_at_once_in_one_loop(self, driver: RuntimeDriver) -> None:
        """Turns that run at the same time are kept apart."""

        async def main() -> list[str]:
            return await asyncio.gather(*(_concurrently(driver, n) for n in range(20)))

        with recorded(driver) as recording:
            assert asyncio.run(main()) == [f"answer {n}" for n in range(20)]
            _all_apart(driver, recording)

    def test_twenty_at_once_in_threads(self, driver: RuntimeDriver) -> None:
        """Also those in different threads."""
        if not driver.in_threads:
            raise SkipTest("this runtime runs in one loop")
        with recorded(driver) as recording:
            with ThreadPoolExecutor(5) as pool:
                answers = list(pool.map(lambda n: asyncio.run(_concurrently(driver, n)), range(20)))
            assert answers == [f"answer {n}" for n in range(20)]
            _all_apart(driver, recording)

    # The program -------------------------------------------------------------------------------------------------

    def test_the_program_sees_no_difference_and_nothing_is_left(self, driver: RuntimeDriver) -> None:
        """Results, exceptions with their tracebacks, chunks and callbacks are as without turnspan, and as after it."""
        plain = _everything(driver)
        with record() as recording:
            adapters = Adapters()
            adapters.watch(driver.adapter)
            watched = _everything(driver)
            reported = len(recording.log)
            adapters.undo()
            after = _everything(driver)
            assert watched == plain == after
            assert reported > 10
            assert len(recording.log) == reported, "nothing is reported after uninstrument()"
            assert not recording.problems

    def test_a_whole_program_runs_as_without_turnspan(self, driver: RuntimeDriver) -> None:
        """Output, exit code, warnings, the program's own tracer provider and what its exporter gets are the same."""
        plain, watched = compare_programs(driver)
        assert watched == plain

    def test_an_adapter_that_fails_inside_changes_nothing(self, driver: RuntimeDriver) -> None:
        """The program runs on whatever breaks in the adapter, which is reported; calls do not wait for their ends."""
        plain = _everything(driver)
        starts = [f"runs.{event}" for event in ("TurnStarted", "ModelCallStarted", "ToolCallStarted")]
        for event in (*starts, "calls.ModelCallEnded", "calls.ToolCallEnded"):
            with (
                recorded(driver, strict=False) as recording,
                mock.patch(f"turnspan.adapter.{event}", side_effect=RuntimeError("the adapter is broken")),
            ):
                assert _everything(driver) == plain, event
                assert recording.problems, event

    def test_an_adapter_keeps_nothing_of_a_finished_run(self, driver: RuntimeDriver) -> None:
        """A process does not grow with the turns that it has seen."""
        with recorded(driver) as recording:

            def run(times: int) -> None:
                for _ in range(times):
                    asyncio.run(driver.turn(Conversation("s"), "go", [GOOD, "done"]))
                driver.close()
                recording.recorder.flush()

            run(3)
            before = _held(driver)
            run(20)
            for _ in range(50):
                grown = {name for name, count in _held(driver).items() if count > before[name] + 10}
                # a loop may be gone on with at any time; so many are remembered and no more
                grown -= {"Conversation", "ResolvedSession"}
                if not grown:
                    break
                time.sleep(0.1)  # while another thread collects, `gc.collect()` returns at once and has done nothing
            assert grown == set()


# What the cases have in common ---------------------------------------------------------------------------------------


@contextmanager
def _raises(words: str) -> Iterator[None]:
    said = None
    try:
        yield
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    assert said is not None, f"no exception says {words!r}"
    assert words in said


def _streams(driver: RuntimeDriver) -> None:
    if not driver.streams:
        raise SkipTest("this runtime does not stream")


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError("the program was not cancelled")


def _operations(node: Any) -> Iterator[str]:
    yield node[0].partition(" ")[0]
    for child in node[1]:
        yield from _operations(child)


async def _concurrently(driver: RuntimeDriver, number: int) -> str:
    return await driver.turn(Conversation(f"s-{number}"), f"prompt {number}", [GOOD, f"answer {number}"])


def _all_apart(driver: RuntimeDriver, recording: Recording) -> None:
    sessions = recording.sessions
    assert len(sessions) == 20
    assert {(s.turns[0].prompt, s.turns[0].response_content) for s in sessions} == {
        (f"prompt {n}", f"answer {n}") for n in range(20)
    }
    for session in sessions:
        (turn,) = (normalized(turn, cannot(driver)) for turn in session.turns)
        assert (turn["status"], turn["tools"], turn["asked"]) == ("success", [ADD, SHOUT], 2)
    _nothing_is_open(recording)


def _everything(driver: RuntimeDriver) -> list[Any]:
    """Return what a program sees: results, exceptions, chunks, and what its own callbacks see."""
    seen: list[Any] = []
    before = len(driver.callbacks)
    scripts: tuple[Any, ...] = (["one"], [GOOD, "two"], [FAILING, "three"], [ConnectionError("gone")])
    files = {__file__, type(driver).turn.__code__.co_filename, type(driver).stream.__code__.co_filename}
    for script in scripts:
        try:
            seen.append(asyncio.run(driver.turn(Conversation("s"), "go", script)))
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            seen.append((type(error), str(error), [(f.name, f.lineno) for f in frames if f.filename in files]))

    async def streamed() -> list[type]:
        return [type(item) async for item in driver.stream(Conversation("s"), "go", ["done and done"])]

    if driver.streams:
        seen.append(asyncio.run(streamed()))
    return [*seen, list(driver.callbacks[before:])]


def _held(driver: RuntimeDriver) -> Counter[str]:
    """Return how many objects of the adapter there are, by their classes."""
    gc.collect()
    (entry,) = (entry for entry in entry_points(group=GROUP) if name_of(entry) == driver.adapter)
    package = entry.module.partition(".")[0]
    kinds = (type(one) for one in gc.get_objects())
    return Counter(kind.__name__ for kind in kinds if str(kind.__module__).startswith((package, "turnspan.adapter")))
