"""``turnspan why`` and ``turnspan diff``: what people and programs get to see of the analysis."""

import json

import msgspec
import pytest

import turnspan
from support.commands import document, invoke, problem
from turnspan.cli import documents

HOSTILE = "\x1b]0;pwned\x07 \u202eevil <script>"
KEY = "sk-proj-" + "a1B2c3D4" * 6


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A home with a session of a lookup that a refund quotes, and a second in which the refund failed first."""
    folder = tmp_path_factory.mktemp("why") / "home"
    turnspan.configure(home=folder, session_id="", redact="none")
    for name, failing in (("first", False), ("second", True)):
        with turnspan.session(name), turnspan.turn(agent="desk", prompt=f"Refund INV-2041 {HOSTILE}"):
            with turnspan.model_call("m") as call:
                call.output = [
                    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"id":"INV-2041"}'}
                ]
            with turnspan.tool("look", id="INV-2041") as call:
                call.result = {"amount": "42.00 EUR", "note": f"{HOSTILE} with {KEY} in it"}
            for attempt in range(1 + failing):
                try:
                    with turnspan.tool("refund", amount="42.00 EUR", key=KEY, note=HOSTILE):
                        if failing and not attempt:
                            raise OSError("the bank did not answer")
                except OSError:
                    pass
    turnspan.shutdown()
    return folder


@pytest.fixture(autouse=True)
def in_home(home, monkeypatch):
    monkeypatch.setenv("TURNSPAN_HOME", str(home))


def refund():
    """The refund's record in the first session."""
    return document("show", "first")["turns"][0]["tool_calls"][1]


def test_why_says_who_asked_and_where_each_value_is_from():
    """By the id of its span, call or event, or the beginning of one; ids whole, the quote marked."""
    call = refund()
    ours = call["metadata"]["turnspan"]
    shown = invoke("why", ours["audit_event_ids"][0])
    assert invoke("why", ours["span_id"]) == shown == invoke("why", call["call_id"])
    assert all(id_ in shown for id_ in (call["call_id"], ours["span_id"], ours["audit_event_ids"][0]))
    assert "asked for by model call m" in shown and "the last model call before it" in shown
    assert "first in the result (amount) of tool call look" in shown and "«42.00 EUR»" in shown
    look = document("show", "first")["turns"][0]["tool_calls"][0]
    assert "Refund «INV-2041»" in invoke("why", look["call_id"])


def test_why_as_json_is_what_its_type_says():
    """A program gets whole ids, paths, and where in which text each quote stands."""
    text = invoke("why", refund()["call_id"], "--json")
    found = msgspec.json.decode(text, type=documents.WhyDocument)
    assert json.loads(msgspec.json.encode(found)) == json.loads(text), "a field that the type does not have"
    amount = next(value for value in found.values if value.where == "arguments.amount")
    assert [(one.part, one.path, one.start) for one in amount.quotes[0].sources] == [("result", ("amount",), 0)]


def test_why_follows_any_text():
    """What is asked for by --text, to where it was said first."""
    assert "first in the prompt of turn desk" in invoke("why", refund()["call_id"], "--text", "INV-2041")


def test_diff_says_what_was_tried_again_and_exits_with_1():
    """1 where something differs, 0 where nothing does, 4 where it could not be said."""
    shown = invoke("diff", "first", "second", exit_code=1)
    assert "retried in B, where it failed: ERROR" in shown and "1 retried" in shown
    assert "retried in A" in invoke("diff", "second", "first", exit_code=1)
    assert "Nothing differs" in invoke("diff", "first", "first")
    turns = [document("show", name)["turns"][0]["turn_id"] for name in ("first", "second")]
    assert document("diff", *turns, exit_code=1)["counts"]["retried"] == 1
    assert "no session" in problem("diff", "first", "nothing")
    assert "is a session" in problem("why", "first")


def test_all_steps_and_their_ids_can_be_shown():
    """--all has the steps that are the same, --ids the events of both sides."""
    shown = invoke("diff", "first", "second", "--all", "--ids", exit_code=1)
    ours = refund()["metadata"]["turnspan"]
    assert "tool call look" in shown and all(id_ in shown for id_ in ours["audit_event_ids"])


def test_what_agents_said_moves_no_terminal_and_secrets_are_hidden():
    """Escape sequences, turned text and keys are shown as text, in excerpts and differences as everywhere."""
    turn_ids = [document("show", name)["turns"][0]["turn_id"] for name in ("first", "second")]
    for shown in (
        invoke("why", refund()["call_id"]),
        invoke("why", refund()["call_id"], "--text", HOSTILE.strip()),
        invoke("why", turn_ids[0]),
        invoke("diff", *turn_ids, "--times", "--all", exit_code=1),
    ):
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)
        assert KEY not in shown
    assert "[redacted" in invoke("why", refund()["call_id"])


def test_a_program_gets_the_same(home):
    """``turnspan.why`` and ``turnspan.diff`` return what the commands print."""
    call_id = refund()["call_id"]
    explained = turnspan.why(call_id, home=home)
    assert json.loads(msgspec.json.encode(explained.values)) == document("why", call_id)["values"]
    compared = turnspan.diff("first", "second", home=home)
    assert compared.counts == document("diff", "first", "second", exit_code=1)["counts"] and not compared.same
    assert turnspan.diff("first", "first", home=home).same
