"""The reader: what every face stands on."""

import pytest

import turnspan
from turnspan import InMemorySessionStore, Settings
from turnspan.errors import IdNotFoundError, NothingRecordedError, SessionNotFoundError
from turnspan.model.records import SessionRecord, TurnRecord
from turnspan.reading.pages import page_of
from turnspan.reading.reader import Reader
from turnspan.reading.tree import turn_tree
from turnspan.reading.waterfall import waterfall_of
from turnspan.stores.base import SessionFilter

AT = "2026-01-01T10:00:{:02}+00:00"


def session(name, number=0, **more):
    turns = [TurnRecord(f"turn-{name}", prompt=name, started_at=AT.format(number), ended_at=AT.format(number))]
    return SessionRecord(name, created_at=AT.format(number), updated_at=AT.format(number), turns=turns, **more)


@pytest.fixture
def reader(tmp_path):
    store = InMemorySessionStore()
    for number in range(5):
        store.save_session(session(f"s-{number}", number))
    return Reader(Settings.read(home=tmp_path), store)


def test_pages_follow_each_other_without_gap_or_repetition(reader):
    """Each page names the one behind it; the last one none, also where it is full."""
    seen, after = [], None
    while True:
        page = reader.sessions(SessionFilter(limit=2, after=after))
        seen += [one.session_id for one in page.sessions]
        if (after := page.next) is None:
            break
    assert seen == ["s-4", "s-3", "s-2", "s-1", "s-0"]
    assert page_of(reader.store, SessionFilter(limit=5)).next is None
    assert page_of(reader.store, SessionFilter(limit=4)).next == "s-1"


def test_a_session_is_found_by_whatever_names_it(reader):
    """Its id, `last`, and the id of something in it."""
    assert [reader.session(wanted).session_id for wanted in ("s-2", "last", "turn-s-3")] == ["s-2", "s-4", "s-3"]


def test_what_is_not_there_is_said_with_what_may_be_meant(reader, tmp_path):
    """Nothing, several things, and a mistyped one have errors of their own."""
    with pytest.raises(SessionNotFoundError, match="did you mean s-1"):
        reader.session("s-1x")
    with pytest.raises(SessionNotFoundError, match="did you mean last"):
        reader.session("lst")
    with pytest.raises(SessionNotFoundError, match="5 sessions match"):
        reader.session("s-")
    with pytest.raises(IdNotFoundError, match="equals or begins with"):
        reader.find("nothing")
    with pytest.raises(NothingRecordedError, match="run a program"):
        Reader.open(Settings.read(home=tmp_path / "none"))
    with pytest.raises(NothingRecordedError, match="No session is recorded yet"):
        Reader(Settings.read(), InMemorySessionStore()).session("last")
    assert not (tmp_path / "none").exists()


def test_children_are_the_sessions_that_name_it_as_their_parent(reader):
    """Sub-sessions, for a tree of sessions."""
    reader.store.save_session(session("child", 7, metadata={"turnspan": {"parent_session_id": "s-1"}}))
    assert [one.session_id for one in reader.children("s-1")] == ["child"]
    assert reader.children("s-2") == []


def test_a_waterfall_has_a_bar_for_everything_on_one_axis(recording):
    """Bars are nested as the tree is, none begins before its turn, and the axis is as long as the last of them."""
    with turnspan.session("s"), turnspan.turn(agent="boss", prompt="x") as turn:
        with turnspan.agent("helper"), turnspan.tool("look", place="shelf"):
            pass
        turn.note("approval", "granted")
    turnspan.flush()
    (root,) = Reader(Settings.read(), recording.store).tree(recording.session)
    found = waterfall_of(root)
    assert [(bar.depth, bar.node.kind) for bar in found.bars] == [
        (0, "turn"), (1, "agent"), (2, "tool call"), (1, "note")
    ]  # fmt: skip
    assert found.bars[0].offset_ms == 0 and all(bar.offset_ms >= 0 for bar in found.bars)
    assert found.total_ms == max(bar.end_ms for bar in found.bars) > 0


def test_a_turn_without_times_has_a_waterfall_of_no_length():
    """Nothing is guessed."""
    found = waterfall_of(turn_tree(TurnRecord("t")))
    assert (found.total_ms, len(found.bars)) == (0.0, 1)
