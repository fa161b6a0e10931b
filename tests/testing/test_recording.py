"""The recording fixture: what happened is there to assert on, and a failure shows it."""

import asyncio
import textwrap

import pytest

import turnspan
from support.programs import PYTHON, program, run
from turnspan.testing import record


@turnspan.tool
def find_invoice(number):
    return f"invoice {number}"


@turnspan.tool
def refund(number, amount=1):
    return "ok"


@turnspan.turn(agent="billing")
def answer(prompt):
    with turnspan.model_call("gpt", provider="p") as call:
        call.usage = turnspan.Usage(input_tokens=10, output_tokens=2)
    find_invoice(number="7")
    refund(number="7", amount=5)
    turnspan.handoff("support", reason="done")
    turnspan.note("approval", {"by": "ann"})
    return "refunded"


def test_what_happened_is_listed(recording):
    """Tool calls, model calls, handoffs, notes, tokens, time: over all turns and sessions."""
    answer("refund 7")
    answer("again")
    assert [call.tool_name for call in recording.tool_calls] == ["find_invoice", "refund"] * 2
    assert [(call["model"], call["usage"]["input_tokens"]) for call in recording.model_calls] == [("gpt", 10)] * 2
    assert [(one.from_agent, one.to_agent) for one in recording.handoffs] == [("billing", "support")] * 2
    assert [(note["name"], note["data"]) for note in recording.notes] == [("approval", {"by": "ann"})] * 2
    assert [turn.tokens for turn in recording.turns] == [12, 12]
    assert (recording.tokens, recording.input_tokens, recording.output_tokens) == (24, 20, 4)
    assert 0 < recording.duration_s < 60
    assert (len(recording.turns), len(recording.sessions)) == (2, 2)


def test_calls_are_asserted_by_name_and_arguments(recording):
    """Arguments that are not named do not matter."""
    answer("refund 7")
    assert recording.assert_called("refund", number="7").arguments == {"number": "7", "amount": 5}
    assert recording.assert_called_once("refund").result == "ok"
    recording.assert_not_called("refund", number="8")
    recording.assert_not_called("delete")
    recording.assert_called_in_order("find_invoice", ("refund", {"number": "7"}))
    recording.assert_called_in_any_order("refund", "find_invoice")
    recording.assert_within(tokens=12, model_calls=1, tool_calls=2, duration_s=60)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            lambda r: r.assert_called("refund", number="8"),
            "refund(number=8) was not called; it was called with (number=7",
        ),
        (lambda r: r.assert_called("delete"), "delete() was not called"),
        (lambda r: r.assert_not_called("refund"), "refund() was called"),
        (lambda r: r.assert_called_in_order("refund", "find_invoice"), "find_invoice() was not called behind refund()"),
        (lambda r: r.assert_called_in_order("refund", "refund"), "refund() was not called behind refund()"),
        (lambda r: r.assert_called_in_any_order("refund", "refund"), "refund() was not called"),
        (
            lambda r: r.assert_within(tokens=11, tool_calls=2),
            "more was spent than the budget allows: 12 tokens, not 11",
        ),
        (lambda r: r.assert_within(duration_s=0), "seconds, not 0"),
    ],
)
def test_a_failure_says_what_was_expected_and_shows_the_tree(recording, wrong, says):
    """Nobody has to print anything to see what the agent did instead."""
    answer("refund 7")
    with pytest.raises(AssertionError) as caught:
        wrong(recording)
    first, _, tree = str(caught.value).partition("\n\n")
    assert says in first
    assert "turn billing: success  prompt=refund 7, response=refunded" in tree
    assert '    tool call refund: success  arguments={"number":"7","amount":5}, result=ok' in tree
    assert "model call gpt: success [10 + 2 tokens]" in tree


def test_two_turns_and_none_are_assertion_errors(recording):
    """With what there is, and how to record where there is nothing."""
    with pytest.raises(AssertionError, match=r"there is no turn: nothing was recorded.*turnspan\.instrument\(\)"):
        recording.turn
    with pytest.raises(AssertionError, match="there is no session"):
        recording.session
    answer("one")
    answer("two")
    with pytest.raises(AssertionError, match=r"(?s)there are 2 turns, not one; look at recording\.turns.*prompt=two"):
        recording.turn
    with pytest.raises(AssertionError, match="there are 2 sessions"):
        recording.session


def test_a_snapshot_is_the_same_every_time():
    """Without ids and times; what ran at the same time comes in the order of what it is."""

    async def look(name, seconds):
        async with turnspan.tool("look", name=name):
            await asyncio.sleep(seconds)

    async def parallel(first, second):
        async with turnspan.turn(agent="a", prompt="both"):
            await asyncio.gather(look(*first), look(*second))

    snapshots = []
    for order in ((("x", 0.05), ("y", 0.01)), (("y", 0.05), ("x", 0.05))):
        with record() as recording:
            answer("refund 7")
            asyncio.run(parallel(*order))
            snapshots.append(recording.snapshot())
    assert snapshots[0] == snapshots[1]
    assert snapshots[0][1] == {
        "turns": [
            {
                "kind": "turn",
                "name": "a",
                "status": "success",
                "prompt": "both",
                "inside": [
                    {"kind": "tool call", "name": "look", "status": "success", "arguments": {"name": name}}
                    for name in ("x", "y")
                ],
            }
        ]
    }


def test_a_recording_shows_counts_and_no_content(recording):
    """Its ``repr`` may stand in any log; ``print`` shows the tree."""
    answer("a secret")
    assert repr(recording) == "Recording(sessions=1, turns=1, tool_calls=2)"
    assert "a secret" in str(recording)


def test_what_is_configured_inside_of_a_recording_joins_it(recording, tmp_path):
    """A program under test may configure turnspan, or watch its runtimes: the test sees all of it, and no file is made."""
    turnspan.configure(home=tmp_path / "elsewhere")
    answer("one")
    turnspan.instrument(adapters="openai")
    answer("two")
    turnspan.uninstrument()
    turnspan.shutdown()
    answer("three")
    assert [turn.prompt for turn in recording.turns] == ["one", "two", "three"]
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(turnspan.SettingsError):
        turnspan.configure(durability="maybe")


def test_what_a_recording_has_watched_is_watched_no_longer_behind_it():
    """One test's runtimes are not the next one's."""
    from turnspan.instrumentation import zero_code

    with pytest.raises(AssertionError, match="failed"), record():
        turnspan.instrument(adapters="openai")
        assert zero_code.is_on()
        raise AssertionError("a test that failed")
    assert not zero_code.is_on()


CASE = """
    import pytest, turnspan
    {at_import}
    from agents import Agent, Runner, function_tool
    from agents.testing import ScriptedModel, assistant_message, function_call

    @function_tool
    def find_invoice(number: str) -> str:
        return f"invoice {{number}}"

    @function_tool
    def refund(number: str) -> str:
        return "ok"

    def run():
        steps = [function_call("find_invoice", {{"number": "7"}}, call_id="c1")], [function_call("refund", {{"number": "7"}}, call_id="c2")]
        model = ScriptedModel([*steps, [assistant_message("done")]])
        return Runner.run_sync(Agent(name="billing", tools=[find_invoice, refund], model=model), "refund 7")

    def test_order(recording):
        {in_test}
        run()
        recording.assert_called_in_order("find_invoice", ("refund", {{"number": "7"}}))
        assert [call.tool_name for call in recording.tool_calls] == ["find_invoice", "refund"]
        assert recording.turn.tool_calls[0].result == "invoice 7"
        assert recording.unresolved() == []

    def test_two_turns(recording):
        {in_test}
        run()
        run()
        with pytest.raises(AssertionError, match="there are 2 turns"):
            recording.turn
"""


@pytest.mark.parametrize("where", ["at_import", "in_test"])
def test_a_test_file_may_instrument_where_it_likes(where, tmp_path):
    """At its top, before the runtime is imported, or in each test: the recording has it."""
    pytest.importorskip("agents")
    places = {"at_import": "", "in_test": "", where: "turnspan.instrument()"}
    path = program(tmp_path / "test_agent.py", textwrap.dedent(CASE.format(**places)))
    done = run(PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", path)
    assert "2 passed" in done.stdout, done.stdout
    assert not (tmp_path / ".turnspan").exists()
