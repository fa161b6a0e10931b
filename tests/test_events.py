"""Ids and times."""

import os

import turnspan
from turnspan.events import KINDS, Noted
from turnspan.model import ids
from turnspan.model.ids import derived_id, new_id
from turnspan.testing import counting


def test_ids_sort_by_time_and_are_unique():
    """Ids are UUIDs of version 7, in the order in which they were made."""
    ids = [new_id() for _ in range(50_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(len(i) == 32 and int(i, 16) and i[12] == "7" and i[16] in "89ab" for i in ids[:100])


def test_ids_stay_in_order_when_the_clock_goes_back(monkeypatch):
    """A clock that is set back does not change the order."""
    first = new_id()
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000_000)
    assert new_id() > first


def test_a_forked_child_makes_other_ids(tmp_path):
    """Parent and child of a fork have no id in common."""
    pid = os.fork()
    if pid == 0:
        (tmp_path / "child").write_text(" ".join(new_id()[13:] for _ in range(100)))
        os._exit(0)
    own = {new_id()[13:] for _ in range(100)}
    os.waitpid(pid, 0)
    assert not own & set((tmp_path / "child").read_text().split())


def test_derived_ids_are_the_same_each_time_and_sort_by_time():
    """An import that is run again gives the same ids."""
    assert derived_id("s", "t", 1) == derived_id("s", "t", 1) != derived_id("s", "t", 2)
    assert derived_id("x", at_ns=2 * 10**9) > derived_id("a", at_ns=10**9)
    assert len(derived_id("x")) == 32


def test_the_clock_and_the_ids_of_tests_count():
    """With ``counting`` ids and times are predictable, and the real source is back behind it."""
    with counting():
        first, second = Noted(session_id="s", name="a"), Noted(session_id="s", name="b")
    assert [first.event_id, second.event_id] == [f"{n:032x}" for n in (1, 2)]
    assert second.at_ns - first.at_ns == 10**9
    assert type(ids.source) is ids.Source


def test_events_are_frozen_and_keyword_only():
    """An event cannot be changed, nor made by position."""
    event = Noted(session_id="s", name="n")
    for attempt in (lambda: setattr(event, "name", "x"), lambda: Noted("s")):
        try:
            attempt()
        except (AttributeError, TypeError):
            continue
        raise AssertionError("it should not work")


def test_every_public_name_can_be_imported():
    """Each name of ``__all__`` is there."""
    assert turnspan.__all__ == sorted(turnspan.__all__)
    for name in turnspan.__all__:
        assert getattr(turnspan, name) is not None


def test_the_vocabulary_is_that_of_the_design():
    """No kind of event is added or lost unseen."""
    assert set(KINDS) == {
        "session.started",
        "session.ended",
        "turn.started",
        "turn.ended",
        "agent.started",
        "agent.ended",
        "model_call.started",
        "model_call.ended",
        "tool_call.started",
        "tool_call.ended",
        "handed_off",
        "noted",
    }
