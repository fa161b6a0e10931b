"""Why a step was taken: who asked for it, and where its values were said before, word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.strategies import ANY_SESSION, CONVERSATIONS, SAID
from turnspan import InMemorySessionStore, Settings
from turnspan.analysis.leaves import leaves, text_of_leaf
from turnspan.analysis.provenance import explain, explain_step
from turnspan.analysis.quoting import quotes
from turnspan.analysis.sessions import SteppedSession
from turnspan.analysis.steps import content_of, steps_of
from turnspan.errors import IdNotFoundError, UnreadableSessionError
from turnspan.model.records import SessionRecord, from_iso
from turnspan.reading.reader import Reader
from turnspan.reading.tree import session_tree


def taken_apart(data):
    session = SessionRecord.from_dict(data)
    return steps_of(session, session_tree(session))


def texts_in(value, path):
    """The text that stands at a path of a value."""
    (found,) = [leaf for own, leaf in leaves(value) if own == path]
    return text_of_leaf(found)


@given(CONVERSATIONS)
def test_what_is_quoted_stands_there_and_was_there_before(data):
    """Each quote is the same characters in the value and in each source, and no source is younger than the step."""
    turns = taken_apart(data)
    session = SteppedSession("s", turns)
    steps = [step for turn in turns for step in turn.walk()]
    by_events = {step.ref.call_id or step.ref.turn_id: step for step in steps}
    for step in (one for one in steps if one.ref.kind == "tool call"):
        for value in explain_step(session, step).values:
            text = text_of_leaf(value.value)
            assert texts_in(content_of(step.node)[value.part], value.path) == text
            for quote in value.quotes:
                assert text[quote.start : quote.end] == quote.text
                for source in quote.sources:
                    origin = by_events[source.step.call_id or source.step.turn_id]
                    whole = texts_in(content_of(origin.node)[source.part], source.path)
                    assert whole[source.start : source.end] == quote.text
                    assert whole[: source.start].endswith(source.before)
                    assert whole[source.end :].startswith(source.after)
                    assert from_iso(source.step.started_at) <= from_iso(step.ref.started_at)
                    assert origin is not step


@given(st.lists(SAID), st.lists(SAID))
def test_a_whole_value_that_stands_in_a_text_is_found_in_the_first_that_has_it(values, texts):
    """What a text has as whole words is quoted, from the first text on; quotes of a value do not overlap."""
    found = quotes(values, texts)
    for value, matches in zip(values, found, strict=True):
        assert all(one.end <= other.start for one, other in zip(matches, matches[1:], strict=False))
        having = [n for n, text in enumerate(texts) if f" {value} " in f" {text} "]
        if value and having and len(having) <= 8:
            (match,) = matches
            assert (match.start, match.end) == (0, len(value))
            assert match.sources[0].text == having[0]


@pytest.mark.parametrize(
    ("value", "text", "quoted"),
    [
        ("42", "it costs 42.00 EUR", []),
        ("7", "room 17", []),
        ("7", "room 7.", ["7"]),
        ("42.00 EUR", "amount: 42.00 EUR, paid", ["42.00 EUR"]),
        ("please refund INV-2041 now", "paid INV-2041 twice", ["INV-2041"]),
        ("the money", "the bank", []),
        ("we send the money to the bank today", "send the money to the bank", ["send the money to the bank"]),
        ("東京の天気", "明日の東京の天気は?", ["東京の天気"]),
        ("", "anything", []),
        ("!?", "!?", []),
    ],
)
def test_quotes_are_whole_words_that_say_something(value, text, quoted):
    """Numbers are not found inside of numbers, nor words in words; two common words are no quote."""
    (matches,) = quotes([value], [text])
    assert [value[one.start : one.end] for one in matches] == quoted


def test_what_is_short_and_everywhere_is_not_claimed():
    """A single digit that stands in many texts says nothing about where it is from; in few it is marked as short."""
    assert quotes(["1"], ["number 1"] * 20) == [[]]
    assert [one.short for one in quotes(["1"], ["number 1"])[0]] == [True]


def session(**more):
    """A turn in which a model asks for two calls at once, of which the second quotes the prompt, and a third later."""

    def call(number, name, arguments, result, second):
        ours = {
            "started_at": f"2026-01-01T00:00:{second:02}+00:00",
            "audit_event_ids": [f"start-{number}", f"end-{number}"],
        }
        ours["span_id"] = f"span-{number}"
        return {"call_id": f"c{number}", "tool_name": name, "arguments": arguments, "result": result,
                "duration_ms": 500, "metadata": {"turnspan": ours}}  # fmt: skip

    def model(second, output, **kept):
        return {"model": "m", "started_at": f"2026-01-01T00:00:{second:02}+00:00", "duration_ms": 500, "output": output,
                "audit_event_ids": [f"model-{second}"], **kept}  # fmt: skip

    asks = [
        {"type": "function_call", "call_id": f"c{n}", "name": "look", "arguments": '{"id": "INV-9"}'} for n in (1, 2)
    ]
    turn = {
        "turn_id": "t-1",
        "audit_event_ids": ["begin", *(f"{end}-{n}" for n in (1, 2, 3) for end in ("start", "end")), "model-1", "model-4"],
        "prompt": "Refund INV-9 please",
        "started_at": "2026-01-01T00:00:00+00:00",
        "ended_at": "2026-01-01T00:00:30+00:00",
        "tool_calls": [
            call(1, "look", {"id": "INV-9"}, {"iban": "DE-4711"}, 2),
            call(2, "look", {"id": "INV-9", "secret": "only-the-model-9"}, None, 2),
            call(3, "pay", {"to": "DE-4711"}, None, 5),
        ],
        "metadata": {"turnspan": {"model_calls": [
            model(1, asks, messages=[{"role": "user", "content": "Refund INV-9 please"}]),
            model(4, [{"role": "assistant", "content": "I pay."}]),
        ]}},
    }  # fmt: skip
    return {"session_id": "s-1", "turns": [turn | more]}


@pytest.fixture
def reader():
    store = InMemorySessionStore()
    store.save_session(SessionRecord.from_dict(session()))
    return Reader(Settings.read(), store)


def test_who_asked_is_said_with_what_says_so(reader):
    """By the id of the call where an answer names it; else the last model call before it, and that it is only that."""
    first, last = explain(reader, "start-1"), explain(reader, "span-3")
    assert (first.asked_by.step.audit_event_ids, first.asked_by.how) == (["model-1"], "call id")
    assert (last.asked_by.step.audit_event_ids, last.asked_by.how) == (["model-4"], "order")


def test_a_value_is_followed_to_where_it_was_said_first(reader):
    """Not to the messages that repeat the prompt, nor to a call that the same answer asked for; what is new has no source."""
    (value,) = explain(reader, "end-3").values
    assert [(one.part, one.path, one.step.call_id) for q in value.quotes for one in q.sources] == [
        ("result", ("iban",), "c1")
    ]
    known, new = explain(reader, "start-2").values
    assert [(one.part, one.step.kind) for q in known.quotes for one in q.sources] == [("prompt", "turn")]
    assert (new.where, new.quotes) == ("arguments.secret", [])


def test_what_is_printed_by_accident_has_no_content(reader):
    """As of records: ids, names and places."""
    shown = repr(explain(reader, "end-3"))
    assert "span-3" in shown and "arguments.to" in shown and "4711" not in shown


def test_any_text_can_be_followed(reader):
    """Up to the end of the step that is named."""
    (value,) = explain(reader, "c1", "DE-4711").values
    assert [one.part for q in value.quotes for one in q.sources] == ["result"]


def test_what_names_no_single_step_is_refused(reader):
    """A session, nothing, and an id that several steps have."""
    for wanted, says in (("s-1", "is a session"), ("nothing", "equals or begins with"), ("start", "3 ids match")):
        with pytest.raises(IdNotFoundError, match=says):
            explain(reader, wanted)
    again = session()
    again["turns"][0]["tool_calls"][2]["call_id"] = "c1"
    reader.store.save_session(SessionRecord.from_dict(again))
    with pytest.raises(IdNotFoundError, match=r"name one by its event \(start-1, start-3\)"):
        explain(reader, "c1")


@given(ANY_SESSION)
def test_whatever_stands_where_a_session_should_is_explained(data):
    """Other programs' records raise nothing."""
    try:
        turns = taken_apart(data)
    except (UnreadableSessionError, KeyError):
        return
    session = SteppedSession("s", turns)
    for step in (one for turn in turns for one in turn.walk()):
        explain_step(session, step)
