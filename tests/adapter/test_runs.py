"""The adapter contract: what its methods put on record, wherever the calling code runs."""

import pytest

import turnspan
from turnspan.adapter import Invocation, Outcome, StreamObserver, after_last_answer, notes, role_of
from turnspan.instrumentation.adapter_context import AdapterContext
from turnspan.testing import record


@pytest.fixture
def emit():
    made = AdapterContext("sample")
    yield made
    made.undo()


def _spans(recording):
    return [(span.name, span.status.status_code.name) for span in recording.spans]


def _notes(recording):
    return [(note["name"], note["data"]) for note in recording.turn.metadata["turnspan"]["notes"]]


def test_a_run_with_a_tool_a_model_and_a_handoff(emit, recording):
    """What happens behind a handoff is the new agent's; every id is found in all three places."""
    run = emit.begin(agent="triage", prompt="go", session="s-1")
    run.model_started(provider="openai", model="m", messages=[{"role": "user", "content": "go"}]).ended(output="hm")
    call = run.tool_started("add", {"a": 1}, "c1")
    call.ended(result=2)
    run.handoff("billing", "it is about money")
    run.tool_started("refund", {}, "c2").ended(Outcome.failed("no funds"))
    run.end(response="done")
    turn = recording.turn
    assert (turn.turn_id, turn.status, turn.response_content) == (run.turn_id, "success", "done")
    assert [(c.call_id, c.status, c.error) for c in turn.tool_calls] == [
        ("c1", "success", None),
        ("c2", "error", "no funds"),
    ]
    (handoff,) = recording.session.agent_transitions
    assert (handoff.from_agent, handoff.to_agent, handoff.reason) == ("triage", "billing", "it is about money")
    spans = {span.name: span for span in recording.spans}
    target = spans["invoke_agent billing"]
    assert spans["execute_tool refund"].parent.span_id == target.context.span_id
    assert target.parent.span_id == spans["invoke_agent triage"].context.span_id
    assert recording.unresolved() == []


def test_a_run_inside_a_turn_is_an_agent_in_it(emit, recording):
    """The same call begins a turn or, where one is running, an agent inside of it."""
    with turnspan.turn(agent="outer", prompt="go"), turnspan.tool("ask"):
        inner = emit.begin(agent="inner", prompt="sub")
        inner.end(response="helped")
    assert [name for name, _ in _spans(recording)] == ["invoke_agent inner", "execute_tool ask", "invoke_agent outer"]
    assert recording.turn.agent_id == "outer"


def test_the_current_run_is_found_wherever_code_is(emit, recording):
    """Code inside of a tool of a run finds that run, and what it starts is the tool's."""
    seen = []

    def inside(_call: Invocation):
        run = emit.current_run()
        seen.append(run)
        model = run.model_started(model="m")
        outcome = yield model
        model.ended(outcome, output="x")

    def tool(_call: Invocation):
        call = emit.current_run().tool_started("t", {}, "c1")
        outcome = yield call
        call.ended(outcome)

    def turn(_call: Invocation):
        seen.append(emit.begin(agent="a", prompt="go"))
        outcome = yield seen[0]
        seen[0].end(outcome)

    class Program:
        def run(self):
            return self.tool()

        def tool(self):
            return self.model()

        def model(self):
            return 3

    for name, observer in (("run", turn), ("tool", tool), ("model", inside)):
        emit.patch.wrap((Program, name), observer)
    assert Program().run() == 3
    assert seen[1] is seen[0]
    spans = {span.name: span for span in recording.spans}
    assert spans["chat m"].parent.span_id == spans["execute_tool t"].context.span_id
    assert emit.current_run() is None


def test_only_the_first_end_counts(emit, recording):
    """A runtime may say twice that something is over."""
    run = emit.begin(agent="a", prompt="go")
    call = run.tool_started("t")
    call.ended(result="first")
    call.ended(Outcome.failed("second"))
    run.end(response="first")
    run.end(Outcome.failed("second"))
    assert [(c.result, c.status) for c in recording.turn.tool_calls] == [("first", "success")]
    assert (recording.turn.status, recording.turn.response_content) == ("success", "first")


def test_what_is_open_ends_with_its_run(emit, recording):
    """A model that a failing run was waiting for failed; a tool was left."""
    with turnspan.turn(agent="outer"):
        run = emit.begin(agent="inner")
        run.model_started(model="m")
        run.tool_started("t")
        run.end(Outcome.failed(ConnectionError("gone")))
    (call,) = recording.turn.tool_calls
    assert (call.status, call.error) == ("cancelled", "its agent ended first")
    (model,) = recording.turn.metadata["turnspan"]["model_calls"]
    assert (model["status"], model["error"]) == ("error", "gone")
    assert recording.unresolved() == []


def test_instructions_are_kept_once_for_each_agent(emit, recording):
    """A system prompt is on record where its agent first asks, not again with every call."""
    run = emit.begin(agent="triage", prompt="go")
    messages = [{"role": "user", "content": "go"}]
    for agent in ("triage", "triage", "billing"):
        if agent != run.agent:
            run.handoff(agent)
        run.model_started(messages=messages, instructions=f"You are {agent}").ended(output="ok")
        messages = [*messages, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "and?"}]
    run.end()
    models = recording.turn.metadata["turnspan"]["model_calls"]
    assert [len(m["input"]) if "input" in m else len(m["messages"]) for m in models] == [2, 1, 2]


def test_notes_have_one_vocabulary(emit, recording):
    """Approvals, guardrails, rejected arguments, retries and interrupts are called the same on every runtime."""
    run = emit.begin(agent="a", prompt="go")
    run.approval_asked("refund", "c1", arguments={"n": 7}, reason="more than 5")
    run.approval_decided("refund", "c1", approved=False, by="ana", reason="too much")
    run.tool_refused("refund", {"n": 7}, "c1", reason="too much")
    run.approval_decided("refund", "c2", approved=True)
    run.guardrail("no secrets", stage="tool_output", tripped=True, verdict={"found": 1}, call_id="c3")
    run.arguments_rejected("refund", "c4", arguments="{", error=ValueError("no JSON"))
    run.retried("model", 2, error="overloaded")
    run.interrupted({"ask": "sure?"}, interrupt_id="i1")
    run.end()
    assert _notes(recording) == [
        (
            notes.APPROVAL_ASKED,
            {"tool_name": "refund", "call_id": "c1", "arguments": {"n": 7}, "reason": "more than 5"},
        ),
        (notes.APPROVAL_DENIED, {"tool_name": "refund", "call_id": "c1", "by": "ana", "reason": "too much"}),
        (notes.APPROVAL_APPROVED, {"tool_name": "refund", "call_id": "c2"}),
        (
            notes.GUARDRAIL,
            {
                "guardrail": "no secrets",
                "stage": "tool_output",
                "tripped": True,
                "verdict": {"found": 1},
                "call_id": "c3",
            },
        ),
        (
            notes.ARGUMENTS_REJECTED,
            {"tool_name": "refund", "call_id": "c4", "arguments": "{", "error": "no JSON"},
        ),
        (notes.RETRY, {"of": "model", "attempt": 2, "error": "overloaded"}),
        (notes.INTERRUPT, {"value": {"ask": "sure?"}, "interrupt_id": "i1"}),
    ]
    (call,) = recording.turn.tool_calls
    assert (call.call_id, call.status, call.error) == ("c1", "skipped", "too much")
    assert recording.unresolved() == []


@pytest.mark.parametrize("where", ["after the result", "at an item"])
def test_a_failure_of_ours_leaves_nothing_open(where):
    """An observer that fails ends what it was to end, and says that it did not see the end; the program goes on."""
    with record(strict=False) as recording:
        emit = AdapterContext("sample")

        def observer(_call: Invocation):
            run = emit.begin(agent="a", prompt="go")

            def item(_item):
                if where == "at an item":
                    raise KeyError("ours")

            yield StreamObserver(run, item)
            raise KeyError("ours")

        class Program:
            def run(self):
                yield from (1, 2)

        emit.patch.wrap((Program, "run"), observer)
        assert list(Program().run()) == [1, 2]
        assert (recording.turn.status, recording.turn.error) == ("error", "not observed")
        assert recording.problems
        emit.undo()


def test_a_guarded_callback_that_fails_ends_what_it_was_to_end():
    """The same for callbacks that a runtime calls."""
    with record(strict=False) as recording:
        emit = AdapterContext("sample")
        run = emit.begin(agent="a", prompt="go")
        call = run.tool_started("t", {}, "c1")

        def ended(_result):
            raise KeyError("ours")

        assert emit.patch.guard(ended, call)("result") is None
        run.end(response="done")
        assert [(c.status, c.error) for c in recording.turn.tool_calls] == [("error", "not observed")]
        assert recording.turn.status == "success"


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (Outcome(), "success", None),
        (Outcome(error=TimeoutError("late")), "timeout", "late"),
        (Outcome.timed_out("took 5 s"), "timeout", "took 5 s"),
        (Outcome.skipped("denied"), "skipped", "denied"),
        (Outcome(cancelled=True), "cancelled", None),
        (Outcome.failed(ValueError("no")), "error", "no"),
    ],
)
def test_outcomes(emit, recording, outcome, status, error):
    """An outcome is one of the statuses that a tool call has."""
    run = emit.begin(agent="a", prompt="go")
    run.tool_started("t").ended(outcome)
    run.end(outcome)
    (call,) = recording.turn.tool_calls
    assert (call.status, call.error) == (status, error)
    assert recording.turn.status == (status if status in ("success", "cancelled") else "error")


def test_new_messages_are_those_behind_the_last_answer():
    """Whatever a client's messages look like."""

    class Message:
        def __init__(self, type_):
            self.type = type_

    conversation = [{"role": "user"}, ("ai", "hello"), Message("human"), {"type": "tool"}]
    assert [role_of(message) for message in conversation] == ["user", "assistant", "user", "tool"]
    assert after_last_answer(conversation) == (2, conversation[2:])
    assert after_last_answer([]) == (0, [])
