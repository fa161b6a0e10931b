"""Sessions that are kept between one question and the next: never older than what is stored."""

from turnspan import InMemorySessionStore, Settings
from turnspan.analysis.comparison import Places, compare, compare_from
from turnspan.analysis.provenance import explain
from turnspan.analysis.sessions import SteppedSessions
from turnspan.model.records import SessionRecord, ToolCallRecord, TurnRecord
from turnspan.reading.reader import Reader


def turn(number, prompt):
    call = ToolCallRecord(f"c{number}", "refund", {"invoice": "INV-7700"}, "done")
    at = f"2026-01-01T00:00:0{number}+00:00"
    return TurnRecord(f"turn-{number}", "triage", prompt, "Done.", [call], at, at, "success")


def reader_of(*turns, used="2026-01-01T00:00:09+00:00"):
    store = InMemorySessionStore()
    store.save_session(SessionRecord("s", updated_at=used, turns=list(turns)))
    return Reader(Settings.read(home="."), store)


def test_a_kept_session_is_read_again_as_soon_as_it_has_changed():
    """What is asked twice is read once; what was erased or added meanwhile is not answered from memory."""
    reader = reader_of(turn(1, "Please refund INV-7700"))
    kept = SteppedSessions(reader, most=2)
    assert kept.of("s") is kept.of("s")
    assert explain(kept, "c1").values[0].quotes[0].sources[0].part == "prompt"

    reader.store.save_session(SessionRecord("s", updated_at="2026-01-01T00:01:00+00:00", turns=[turn(1, "")]))
    assert explain(kept, "c1").values[0].quotes == []


def test_no_more_sessions_are_kept_than_was_said():
    """The oldest goes: a long session takes room."""
    reader = reader_of(turn(1, "one"))
    for name in ("a", "b"):
        reader.store.save_session(SessionRecord(name, turns=[turn(1, name)]))
    kept = SteppedSessions(reader, most=2)
    first = kept.of("s")
    kept.of("a"), kept.of("b")
    assert kept.of("s") is not first


def test_a_turn_that_is_compared_alone_is_the_same_as_in_its_session():
    """Only two turns are read to compare two; their numbers are those of the session."""
    reader = reader_of(turn(1, "one"), turn(2, "two"), turn(3, "three"))
    found = compare(reader, "turn-2", "turn-3")
    assert [(step.a.turn, step.b.turn) for step in found.steps] == [(2, 3), (2, 3)]
    assert found.steps[0].differences[0].where == "prompt"
    assert SteppedSessions(reader).turn("turn-") is None, "the beginning of several"
    assert SteppedSessions(reader).turn("s") is None, "a session"


def test_long_sessions_are_compared_in_windows(monkeypatch):
    """From one window to the next it is what the whole comparison says: nothing is left out and nothing said twice."""
    monkeypatch.setattr("turnspan.analysis.comparison.WINDOW", 20)
    store = InMemorySessionStore()
    prompts = [f"question {number}" for number in range(47)]
    others = [
        *prompts[:9],
        "one more",
        "and more",
        *prompts[9:30],
        *prompts[31:40],
        "another",
        *prompts[41:],
        "the end",
    ]
    for name, said in (("a", prompts), ("b", others), ("none", [])):
        turns = [
            TurnRecord(f"{name}-{n}", prompt=text, started_at=f"2026-01-01T00:00:{n:02}") for n, text in enumerate(said)
        ]
        store.save_session(SessionRecord(name, turns=turns))
    kept = SteppedSessions(Reader(Settings.read(), store), most=2)
    for a, b, least in (("a", "b", 3), ("b", "a", 3), ("a", "none", 1), ("none", "none", 1), ("a", "a", 3)):
        found, place, windows = [], Places(), 0
        while place is not None:
            compared, place = compare_from(kept, a, b, place)
            found += compared.steps
            windows += 1
        assert found == compare(kept, a, b).steps and windows >= least
        assert [step.a.turn for step in found if step.a] == list(range(1, compared.a.turns + 1))
    assert compare_from(kept, "a-3", "b-3", Places())[1] is None, "turns are compared whole"
    assert compare_from(kept, "a", "b", Places(999, 999))[0].steps == []
