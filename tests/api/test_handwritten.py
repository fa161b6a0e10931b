"""The hand-written API: each word is a context manager and a decorator, sync and async."""

import asyncio
import contextlib
import logging
import pickle
import threading

import pytest
import structlog
from opentelemetry import propagate, trace

import turnspan
from turnspan.testing import counting


def test_a_session_a_turn_and_a_tool(recording):
    """Nested blocks are one stored turn with its tool call, and each of its events is in record, trace and log."""
    with (
        turnspan.session("support-42", workspace_id="w", metadata={"k": 1}),
        turnspan.turn(agent="triage", prompt="q") as turn,
    ):
        with turnspan.tool("search", query="x") as call:
            call.result = ["a"]
        turn.response = "answer"
    session, stored = recording.session, recording.turn
    assert (session.session_id, session.workspace_id) == ("support-42", "w")
    assert session.metadata == {"k": 1, "turnspan": {"schema_version": 1, "session_id_from": "explicit"}}
    assert (stored.agent_id, stored.prompt, stored.response_content, stored.status) == (
        "triage",
        "q",
        "answer",
        "success",
    )
    (tool,) = stored.tool_calls
    assert (tool.tool_name, tool.arguments, tool.result, tool.status) == ("search", {"query": "x"}, ["a"], "success")
    assert recording.unresolved() == []


def test_the_link_is_the_same_in_all_three(recording):
    """One id: on the span, in the log line, in the record; the span knows its turn's ids and the record its span."""
    with turnspan.turn(agent="a"), turnspan.tool("t") as call:
        event_id = call.audit_event_id
    tool_span, turn_span = recording.spans
    own = recording.turn.tool_calls[0].metadata["turnspan"]
    assert tool_span.attributes["turnspan.audit_event_id"] == event_id == own["audit_event_ids"][0]
    assert tool_span.attributes["turnspan.audit_event_id.end"] == own["audit_event_ids"][1]
    assert f"{tool_span.context.span_id:016x}" == own["span_id"]
    (line,) = [line for line in recording.log if line["audit_event_id"] == event_id]
    assert (line["span_id"], line["trace_id"]) == (own["span_id"], own["trace_id"])
    assert list(turn_span.attributes["turnspan.audit_event_ids"]) == recording.turn.audit_event_ids
    assert turn_span.attributes["turnspan.audit_event_count"] == 4
    assert tool_span.parent.span_id == turn_span.context.span_id
    (row,) = [row for row in recording.store.audit_events(recording.session.session_id) if row.event_id == event_id]
    assert (row.trace_id, row.span_id, row.turn_id) == (own["trace_id"], own["span_id"], recording.turn.turn_id)


def test_decorators_take_arguments_and_results(recording):
    """A decorated function's arguments, defaults and return value are those of the call; a turn's prompt is its first
    argument.
    """

    @turnspan.tool
    def search(query, limit=3):
        """Find."""
        return [query] * limit

    @turnspan.turn(agent="triage")
    def answer(prompt):
        return f"{prompt}: {search(prompt, limit=1)}"

    assert answer("q") == "q: ['q']"
    assert search.__name__ == "search"
    assert search.__doc__ == "Find."
    turn = recording.turn
    assert (turn.prompt, turn.response_content) == ("q", "q: ['q']")
    assert turn.tool_calls[0].arguments == {"query": "q", "limit": 1}
    assert turn.tool_calls[0].result == ["q"]


def test_async_functions_and_async_with(recording):
    """Coroutines and ``async with`` are recorded like their plain siblings, also where several run at once."""

    @turnspan.tool("named")
    async def work(x):
        await asyncio.sleep(0)
        return x

    async def main():
        async with turnspan.session("s"), turnspan.turn(agent="a") as turn:
            await asyncio.gather(work(1), work(2))
            async with turnspan.model_call("gpt", provider="openai") as call:
                call.usage = turnspan.Usage(input_tokens=1)
            turn.response = "done"

    asyncio.run(main())
    assert sorted(call.result for call in recording.turn.tool_calls) == [1, 2]
    assert {call.tool_name for call in recording.turn.tool_calls} == {"named"}
    assert recording.turn.metadata["turnspan"]["model_calls"][0]["usage"] == {"input_tokens": 1}


def test_methods_and_classmethods(recording):
    """A decorated method works as ever, and neither ``self`` nor ``cls`` is on record as an argument."""

    class Agent:
        @turnspan.tool
        def method(self, x):
            return x

        @classmethod
        @turnspan.tool
        def of_class(cls, x):
            return (cls.__name__, x)

    with turnspan.turn():
        assert Agent().method(1) == 1
        assert Agent.of_class(2) == ("Agent", 2)
    assert [call.arguments for call in recording.turn.tool_calls] == [{"x": 1}, {"x": 2}]


@turnspan.tool
def at_module_level(x):
    return x


def test_a_decorated_function_can_be_pickled():
    """What is decorated at module level can still go to a worker process."""
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level


@pytest.mark.parametrize(("take", "status", "result"), [(3, "success", "abc"), (1, "cancelled", "a")])
def test_a_stream_that_is_left_early_is_cancelled(recording, take, status, result):
    """A generator that is left early is a cancelled call with the items that were taken; one that is finished is a
    success.
    """

    @turnspan.tool
    def stream():
        yield from "abc"

    @turnspan.tool
    async def astream():
        for letter in "abc":
            yield letter

    async def consume():
        found = astream()
        for _ in range(take):
            await anext(found)
        if take == 3:
            with pytest.raises(StopAsyncIteration):
                await anext(found)
        await found.aclose()

    with turnspan.turn():
        found = stream()
        for _ in range(take):
            next(found)
        if take == 3:
            assert next(found, None) is None
        found.close()
        asyncio.run(consume())
    assert [(call.status, call.result) for call in recording.turn.tool_calls] == [(status, result)] * 2


def test_a_generator_stays_a_generator(recording):
    """send, throw and return values pass through, and what runs between the items is outside of the call."""

    @turnspan.tool
    def talk():
        got = yield 1
        try:
            yield got
        except KeyError:
            yield "thrown"
        return "returned"

    def outer():
        return (yield from talk())

    with turnspan.turn() as turn:
        running = outer()
        assert next(running) == 1
        assert turnspan.current_turn() == turn.id
        assert trace.get_current_span().name == "invoke_agent"
        assert running.send("sent") == "sent"
        assert running.throw(KeyError()) == "thrown"
        with pytest.raises(StopIteration) as stop:
            next(running)
        assert stop.value.value == "returned"
    assert recording.turn.tool_calls[0].status == "success"


def test_exceptions_pass_through_unchanged(recording):
    """The program gets the very exception that was raised, and call and turn are errors."""
    mine = ValueError("bad")

    @turnspan.tool
    def fail():
        raise mine

    with pytest.raises(ValueError, match="bad") as caught, turnspan.turn(agent="a"):
        fail()
    assert caught.value is mine
    turn = recording.turn
    assert (turn.status, turn.error, turn.metadata["turnspan"]["error_type"]) == ("error", "bad", "ValueError")
    assert (turn.tool_calls[0].status, turn.tool_calls[0].error) == ("error", "bad")
    tool_span, _ = recording.spans
    assert tool_span.status.status_code is trace.StatusCode.ERROR
    assert tool_span.attributes["error.type"] == "ValueError"


def test_a_timeout_and_a_skip_have_their_own_status(recording):
    """A TimeoutError is a timeout, and what a program says was skipped is skipped; neither is an error."""
    with turnspan.turn():
        with contextlib.suppress(TimeoutError), turnspan.tool("slow"):
            raise TimeoutError
        with turnspan.tool("not allowed") as call:
            call.status, call.error = "skipped", "denied by policy"
    assert [(call.status, call.error) for call in recording.turn.tool_calls] == [
        ("timeout", "TimeoutError"),
        ("skipped", "denied by policy"),
    ]


def test_a_cancelled_task_is_a_cancelled_turn(recording):
    """A cancelled task gets its CancelledError, and turn and call are cancelled."""

    async def main():
        async def work():
            with turnspan.turn(agent="a"), turnspan.tool("t"):
                await asyncio.sleep(60)

        task = asyncio.create_task(work())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (recording.turn.status, recording.turn.tool_calls[0].status) == ("cancelled", "cancelled")


def test_a_handoff_is_a_record_a_span_and_an_agent(recording):
    """After a handoff the work is the other agent's, in the record and below the handoff's span."""
    with turnspan.turn(agent="triage", prompt="q") as turn:
        turn.handoff("billing", reason="money")
        with turnspan.tool("look"):
            pass
        turn.response = "done"
    (transition,) = recording.session.agent_transitions
    assert (transition.from_agent, transition.to_agent, transition.reason) == ("triage", "billing", "money")
    assert transition.turn_id == recording.turn.turn_id
    spans = {span.name: span for span in recording.spans}
    assert set(spans) == {
        "execute_tool transfer_to_billing",
        "execute_tool look",
        "invoke_agent billing",
        "invoke_agent triage",
    }
    assert spans["execute_tool look"].parent.span_id == spans["invoke_agent billing"].context.span_id
    (link,) = spans["invoke_agent billing"].links
    assert link.context.span_id == spans["execute_tool transfer_to_billing"].context.span_id
    assert link.attributes["turnspan.link.kind"] == "handoff"
    assert recording.turn.tool_calls[0].metadata["turnspan"]["agent_id"] == "billing"
    assert recording.unresolved() == []


def test_a_turn_inside_a_turn_is_an_agent_inside_it(recording):
    """A decorated turn that is called by another is no turn of its own, but an agent below the call that asked for
    it.
    """

    @turnspan.turn(agent="helper")
    def help_(prompt):
        return "helped"

    with turnspan.turn(agent="boss"), turnspan.tool("ask_helper"):
        help_("please")
    (agent,) = recording.turn.metadata["turnspan"]["agents"]
    assert (agent["agent_id"], agent["response_content"]) == ("helper", "helped")
    assert agent["parent_id"] == recording.turn.tool_calls[0].call_id


def test_a_tool_outside_of_a_turn_is_not_lost(recording):
    """A tool that is called without a turn gets one around it."""
    assert at_module_level(5) == 5
    assert recording.turn.tool_calls[0].result == 5


def test_notes_are_audit_events(recording):
    """Notes of the turn object and of the module are kept with their turn, in order, each with an audit event id."""
    with turnspan.turn() as turn:
        turn.note("feedback", {"stars": 5})
        turnspan.note("approval", "granted")
    notes = recording.turn.metadata["turnspan"]["notes"]
    assert [(note["name"], note["data"]) for note in notes] == [("feedback", {"stars": 5}), ("approval", "granted")]
    assert recording.unresolved() == []


def test_turns_of_a_session_are_linked(recording):
    """Each turn is a trace of its own, with a link to the turn before it."""
    with turnspan.session("s"):
        for _ in range(2):
            with turnspan.turn(agent="a"):
                pass
    first, second = recording.spans
    assert second.links[0].context.span_id == first.context.span_id
    assert second.links[0].attributes["turnspan.link.kind"] == "previous_turn"
    assert first.context.trace_id != second.context.trace_id


def test_a_turn_below_an_active_span_is_its_child(recording):
    """A turn inside a request's span belongs to the request's trace."""
    with trace.get_tracer("user").start_as_current_span("request") as request, turnspan.turn(agent="a"):
        pass
    turn_span = next(span for span in recording.spans if span.name == "invoke_agent a")
    assert turn_span.parent.span_id == request.get_span_context().span_id


def test_spans_of_others_carry_the_session(recording):
    """Spans of other instrumentations inside a turn name its session."""
    with turnspan.session("s"), turnspan.turn(), trace.get_tracer("db").start_as_current_span("SELECT"):
        pass
    theirs = next(span for span in recording.spans if span.name == "SELECT")
    assert theirs.attributes["gen_ai.conversation.id"] == theirs.attributes["session.id"] == "s"


def test_the_session_travels_by_http_headers_and_environment(recording):
    """Whoever gets our headers or our environment variables is in the same session and trace."""
    with turnspan.session("s"), turnspan.turn(agent="client"):
        headers: dict = {}
        propagate.inject(headers)
        variables = turnspan.environment({})
    assert "session.id=s" in headers["baggage"]
    assert variables["TRACEPARENT"] == headers["traceparent"]
    from opentelemetry import context

    token = context.attach(propagate.extract(headers))
    with turnspan.turn(agent="server"):
        pass
    context.detach(token)
    client, server = recording.session.turns
    assert recording.session.session_id == "s"
    assert client.metadata["turnspan"]["trace_id"] == server.metadata["turnspan"]["trace_id"]


def test_log_lines_of_the_user_are_stamped(recording, caplog):
    """Lines of structlog and logging name session, turn and trace inside a turn, and nothing outside of it."""
    caplog.handler.addFilter(turnspan.TurnFilter())
    with structlog.testing.capture_logs(processors=[turnspan.add_turn]) as lines:
        with turnspan.session("s"), turnspan.turn() as turn:
            structlog.get_logger().info("inside")
            logging.getLogger("user").warning("inside")
        structlog.get_logger().info("outside")
    record = caplog.records[-1]
    trace_id = recording.turn.metadata["turnspan"]["trace_id"]
    assert (record.session_id, record.turn_id, record.trace_id) == ("s", turn.id, trace_id)
    assert (lines[0]["session_id"], lines[0]["turn_id"], lines[0]["trace_id"]) == ("s", turn.id, trace_id)
    assert "turn_id" not in lines[1]


def test_lines_of_loguru_are_stamped(recording):
    """Lines of loguru name session and turn inside a turn, and nothing outside of it."""
    from loguru import logger

    lines = []
    number = logger.add(lambda message: lines.append(message.record["extra"]))
    logger.configure(patcher=turnspan.add_turn_to_loguru)
    try:
        with turnspan.session("s"), turnspan.turn() as turn:
            logger.info("inside")
        logger.info("outside")
    finally:
        logger.configure(patcher=lambda record: None)
        logger.remove(number)
    assert (lines[0]["session_id"], lines[0]["turn_id"]) == ("s", turn.id)
    assert lines[0]["trace_id"] == recording.turn.metadata["turnspan"]["trace_id"]
    assert lines[1] == {}


def test_twenty_turns_at_once_in_one_loop_and_in_threads_do_not_mix(recording):
    """Each call is in its own turn and session, however many run at once."""

    async def one(n):
        with turnspan.session(f"s{n}"), turnspan.turn(agent=f"a{n}", prompt=str(n)) as turn:
            await asyncio.sleep(0.001 * (n % 3))
            with turnspan.tool("t", n=n) as call:
                await asyncio.sleep(0)
                call.result = n
            turn.response = n

    async def all_of_them():
        await asyncio.gather(*(one(n) for n in range(20)))

    asyncio.run(all_of_them())
    threads = [threading.Thread(target=lambda n=n: asyncio.run(one(n))) for n in range(20, 40)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(recording.sessions) == 40
    for session in recording.sessions:
        (turn,) = session.turns
        assert session.session_id == f"s{turn.prompt}"
        assert turn.tool_calls[0].arguments == {"n": int(turn.prompt)}
        assert turn.response_content == turn.prompt
    assert recording.unresolved() == []


def test_with_counting_ids_a_whole_record_can_be_compared(recording):
    """With ids and a clock that count, a test can compare a whole stored turn."""
    with counting(), turnspan.session("s"), turnspan.turn(agent="a", prompt="p", turn_id="t") as turn:
        turn.response = "r"
    data = recording.turn.to_dict()
    data["metadata"]["turnspan"].pop("trace_id")
    data["metadata"]["turnspan"].pop("span_id")
    assert data == {
        "turn_id": "t",
        "agent_id": "a",
        "prompt": "p",
        "response_content": "r",
        "tool_calls": [],
        "status": "success",
        "error": None,
        "started_at": "2023-11-14T22:13:22.000000+00:00",
        "ended_at": "2023-11-14T22:13:23.000000+00:00",
        "audit_event_ids": [f"{n:032x}" for n in (2, 3)],
        "metadata": {"turnspan": {}},
    }


@pytest.mark.parametrize("bad", ["x" * 300, "nul\x00", "line\nbreak"])
def test_an_id_that_cannot_be_stored_is_replaced_and_reported(recording, bad, caplog):
    """A session id that no store can keep is replaced, the given one is kept beside it, and a warning says so."""
    with turnspan.session(bad), turnspan.turn():
        pass
    assert recording.session.session_id != bad
    assert recording.session.metadata["turnspan"]["session_id_given"]
    assert "it is kept as" in caplog.text


def test_disabled_means_nothing_happens(tmp_path, monkeypatch):
    """With TURNSPAN_DISABLED blocks and decorators do nothing, and the program does not notice."""
    from turnspan.recording import runtime

    monkeypatch.setenv("TURNSPAN_DISABLED", "1")
    before = runtime.use(None)
    try:
        with turnspan.session("s"), turnspan.turn() as turn, turnspan.tool("t") as call:
            call.result = 1
            turn.response = 2
            turn.note("n")
            turn.handoff("x")
        assert at_module_level(1) == 1
    finally:
        made = runtime.use(before)
        if made is not None:
            made.close()
    assert not list(tmp_path.rglob("*.db"))
