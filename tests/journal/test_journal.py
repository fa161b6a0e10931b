"""The journal: nothing observed is lost from it, and nothing in it can be altered unseen."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnspan.events import Noted, ToolCallStarted, TurnStarted, end_of
from turnspan.journal.dead import dead_journals
from turnspan.journal.hash_chain import SpanIds, decode, line_hash
from turnspan.journal.live import Journal, Position
from turnspan.journal.segments import header_of, read_segment, segments_of
from turnspan.journal.unwritten import Losses
from turnspan.model.json_values import encode

SPAN = SpanIds("a" * 32, "b" * 16, 1)


def note(n, data=None):
    return Noted(session_id="s", name=f"n{n}", data=data)


def names(lines):
    return [decode(line.payload).name for line in lines]


def on_disk(journal):
    return [line for path in segments_of(journal.directory, journal.id) for line in read_segment(path, limit=10**9)[0]]


def test_a_line_is_on_disk_when_append_returns(tmp_path):
    """Events are on disk, with their spans, before the agent goes on."""
    journal = Journal(tmp_path)
    journal.append(note(1), SPAN)
    journal.append(note(2), None)
    lines = on_disk(journal)
    assert names(lines) == ["n1", "n2"]
    assert [line.span for line in lines] == [SPAN, None]


def test_lines_are_chained_by_number_and_hash(tmp_path):
    """Numbers and hashes go on across segments without a gap."""
    journal = Journal(tmp_path, segment_bytes=500)
    for n in range(10):
        journal.append(note(n), SPAN)
    lines = on_disk(journal)
    assert len(segments_of(tmp_path, journal.id)) > 2
    assert [line.sequence for line in lines] == list(range(1, 11))
    for before, after in zip(lines, lines[1:], strict=False):
        assert after.previous == line_hash(journal.id, before.head, decode(before.payload))
    assert lines[0].previous == ""


def test_reading_goes_on_where_it_stopped_from_memory_and_from_disk(tmp_path, monkeypatch):
    """The writer gets every line once and in order, whether it is still in memory or on disk only."""
    monkeypatch.setattr("turnspan.journal.live.MEMORY_LINES", 5)
    journal = Journal(tmp_path, segment_bytes=700)
    place, after, seen = Position(0, 0), 0, []
    for n in range(60):
        journal.append(note(n), SPAN)
        if n % 13 == 0:
            while True:
                lines, place = journal.read(place, after)
                if not lines:
                    break
                seen += names(lines)
                after = lines[-1].sequence
    while lines := (found := journal.read(place, after))[0]:
        place, after = found[1], lines[-1].sequence
        seen += names(lines)
    assert seen == [f"n{n}" for n in range(60)]


def test_a_line_longer_than_a_read_is_whole(tmp_path):
    """A line of megabytes is read back whole."""
    journal = Journal(tmp_path)
    journal.append(note(1, "x" * 3_000_000), None)
    assert len(decode(on_disk(journal)[0].payload).data) == 3_000_000


def test_what_a_full_disk_refuses_waits_in_memory_in_order(tmp_path, monkeypatch):
    """While the disk is full lines wait in memory; with room again they are written in order, and no half line is left."""
    journal = Journal(tmp_path)
    journal.append(note(1), None)
    real, full = os.write, True

    def write(fd, data):
        if full and data[:1] != b"#":
            return real(fd, data[: len(data) // 2])
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    journal.append(note(2), None)
    journal.append(note(3), None)
    assert journal.problem.errno == 28
    lines, place = journal.read(Position(0, 0), 0)
    assert names(lines) == ["n1", "n2", "n3"]
    full = False
    journal.append(note(4), None)
    assert names(journal.read(place, 3)[0]) == ["n4"]
    assert names(on_disk(journal)) == ["n1", "n2", "n3", "n4"], "no torn half of a line in between"
    assert journal.unwritten == 0


def test_lines_on_disk_are_read_before_those_that_it_had_no_room_for(tmp_path, monkeypatch):
    """A writer that is far behind when the disk fills gets every line once, in order: from disk, then from memory."""
    monkeypatch.setattr("turnspan.journal.live.MEMORY_LINES", 5)
    journal, real = Journal(tmp_path), os.write
    for n in range(20):
        journal.append(note(n), None)

    def refuse(fd, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    for n in range(20, 40):
        journal.append(note(n), None)
    place, after, seen = Position(0, 0), 0, []
    while lines := (found := journal.read(place, after))[0]:
        place, after = found[1], lines[-1].sequence
        seen += names(lines)
        if after == 40:
            monkeypatch.setattr(os, "write", real)
            journal.retry()  # what was read from memory already is on disk now, and is not read again
            journal.append(note(40), None)
    assert seen == [f"n{n}" for n in range(41)]
    assert names(on_disk(journal)) == seen


def test_what_neither_disk_nor_memory_takes_leaves_no_gap(tmp_path, monkeypatch):
    """Events beyond what memory may hold are counted, and have no place in the chain."""
    monkeypatch.setattr("turnspan.journal.unwritten.UNWRITTEN_BYTES", 1000)
    journal, real = Journal(tmp_path), os.write

    def refuse(fd, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    for n in range(30):
        journal.append(note(n, "x" * 100), None)
    assert journal.dropped > 10 and journal.sequence + journal.dropped == 30
    assert Losses.read(tmp_path / f"{journal.id}.lock") == (journal.sequence, journal.dropped)
    monkeypatch.setattr(os, "write", real)
    journal.append(note(30), None)
    lines = on_disk(journal)
    assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
    assert names(lines)[-1] == "n30"


def test_a_journal_whose_files_cannot_be_opened_is_written_as_soon_as_they_can(tmp_path):
    """A program closed every descriptor where nothing can be opened: lines wait in memory until it can, not until the exit."""
    folder = tmp_path / "journal"
    journal = Journal(folder)
    journal.append(note(1), None)
    folder.rename(tmp_path / "away")
    folder.write_text("no folder")
    os.close(journal._fd)
    os.close(journal._lock_fd)
    with (tmp_path / "own").open("w"):
        for n in range(2, 5):
            journal.append(note(n), None)
        journal.restore()
        assert (journal.unwritten, type(journal.problem)) == (3, FileExistsError)
        folder.unlink()
        journal.restore()
        journal.retry()
        journal.append(note(5), None)
    assert (tmp_path / "own").read_text() == ""
    assert names(on_disk(journal)) == ["n2", "n3", "n4", "n5"]
    assert [header_of(path)["after"] for path in segments_of(folder, journal.id)] == [on_disk(journal)[0].previous]
    journal.close(confirmed=True)
    journal.restore()
    assert list(folder.iterdir()) == [], "what is closed is not opened again"


def test_a_segment_says_which_line_it_begins_behind_also_where_lines_had_waited(tmp_path, monkeypatch):
    """It is the line before its first one, not the newest of those that wait for room on the disk."""
    journal, real = Journal(tmp_path, segment_bytes=700), os.write

    def refuse(fd, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    for n in range(12):
        journal.append(note(n), None)
    monkeypatch.setattr(os, "write", real)
    journal.retry()
    paths = segments_of(tmp_path, journal.id)
    assert len(paths) > 3
    for path in paths[:-1]:
        assert header_of(path)["after"] == read_segment(path)[0][0].previous


def test_confirmed_segments_are_dropped_or_kept(tmp_path):
    """What the store has confirmed is removed from disk, or renamed where journals are kept."""
    for keep, left in ((False, 0), (True, 3)):
        journal = Journal(tmp_path / str(keep), segment_bytes=300, keep=keep)
        for n in range(3):
            journal.append(note(n, "x" * 300), None)
        journal.drop_before(3)
        assert len(segments_of(journal.directory, journal.id)) == 1
        assert len(list(journal.directory.glob("*.kept"))) == left


def test_a_living_process_keeps_its_journal_and_a_dead_one_leaves_it(tmp_path):
    """A journal can be taken over when its process is dead, and not before."""
    text = f"""
import os, sys, time
sys.path[:0] = {sys.path!r}
from pathlib import Path
from turnspan.journal.live import Journal
from turnspan.events import Noted
journal = Journal(Path({str(tmp_path)!r}), store="sqlite:///x")
journal.append(Noted(session_id="s", name="n1"), None)
print(os.getpid(), flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    assert list(dead_journals(tmp_path)) == []
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (dead,) = dead_journals(tmp_path)
    assert names(dead.lines) == ["n1"]
    assert dead.store == "sqlite:///x"
    assert list(dead_journals(tmp_path)) == [], "only one recovers it"
    dead.close(confirmed=True)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_single_bit_change_and_truncation_is_noticed(tmp_path_factory, data):
    """Reading stops at the first line that is not what was written; it never gives another one."""
    journal = Journal(tmp_path_factory.mktemp("j"))
    for n in range(4):
        journal.append(note(n), SPAN)
    (path,) = segments_of(journal.directory, journal.id)
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    at = data.draw(st.integers(start, len(whole) - 1))
    if data.draw(st.booleans()):
        altered = bytearray(whole)
        altered[at] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(altered)
    else:
        path.write_bytes(whole[:at])
    found = names(read_segment(path)[0])
    assert found == [f"n{n}" for n in range(len(found))]
    assert len(found) < 4
    journal.close(confirmed=True)


def test_the_segments_header_says_where_it_belongs(tmp_path):
    """A segment names its journal, store and process, and a header that was damaged is not believed."""
    journal = Journal(tmp_path, store="sqlite:///s.db")
    (segment,) = segments_of(tmp_path, journal.id)
    header = header_of(segment)
    assert (header["journal"], header["store"], header["pid"]) == (journal.id, "sqlite:///s.db", os.getpid())
    segment.write_bytes(segment.read_bytes().replace(b"s.db", b"x.db"))
    assert header_of(segment) is None


def test_files_are_for_their_owner_only(tmp_path):
    """Nobody else on the machine can read a journal."""
    journal = Journal(tmp_path / "j")
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o700
    assert segments_of(tmp_path / "j", journal.id)[0].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fsync", [False, True])
def test_both_durabilities_write(tmp_path, fsync):
    """With and without fsync a line is on disk."""
    journal = Journal(tmp_path, fsync=fsync)
    journal.append(TurnStarted(session_id="s", turn_id="t"), None)
    assert len(on_disk(journal)) == 1


def batch(n):
    turn = TurnStarted(session_id="s", turn_id=f"t{n}", prompt="x" * 200, borrowed="received")
    call = ToolCallStarted(session_id="s", turn_id=f"t{n}", call_id="c", tool_name="f", borrowed="received")
    events = [
        turn,
        call,
        end_of(call, call.at_ns, "", status="success"),
        end_of(turn, turn.at_ns, "", status="success"),
    ]
    return [(event, SPAN, encode(event)) for event in events]


def test_lines_that_belong_together_are_whole_or_taken_away(tmp_path):
    """Wherever a death in the middle of a write cuts it: what came before stays, and the chain goes on from there."""
    journal = Journal(tmp_path / "live", segment_bytes=4_000, limit_bytes=10**9)
    for n in range(3):
        assert journal.append_whole(batch(n))
    journal.append(note(9), None)
    lines = on_disk(journal)
    assert [line.sequence for line in lines] == list(range(1, 14))
    for before, after in zip(lines, lines[1:], strict=False):
        assert after.previous == line_hash(journal.id, before.head, decode(before.payload))
    place, read = journal.beginning, []
    while len(read) < 13:
        found, place = journal.read(place, len(read))
        read += [line.sequence for line in found]
    assert read == list(range(1, 14))

    one = Journal(tmp_path / "one")
    one.append(note(1), None)
    assert one.append_whole(batch(1))
    (path,) = segments_of(one.directory, one.id)
    whole = path.read_bytes()
    cuts = range(whole.find(b"turn.started"), len(whole), 97)
    assert len(cuts) > 10
    for cut in cuts:
        folder = tmp_path / f"cut-{cut}"
        dead = dead_of(folder, path.name, whole[:cut], one.id)
        dead.drop_torn_batch()
        assert names(dead.lines) == ["n1"], cut
        dead.complete([(note(2), None)])
        assert [decode(line.payload).name for line in read_segment(folder / path.name, limit=10**9)[0]] == ["n1", "n2"]
        dead.close(confirmed=False)
    full = dead_of(tmp_path / "full", path.name, whole, one.id)
    assert full.drop_torn_batch() == 0
    assert len(full.lines) == 5
    full.close(confirmed=False)


def dead_of(folder, name, content, journal_id):
    folder.mkdir()
    (folder / name).write_bytes(content)
    (folder / f"{journal_id}.lock").touch()
    (dead,) = dead_journals(folder)
    return dead


def test_lines_that_belong_together_are_not_taken_where_the_disk_has_no_room(tmp_path):
    """All or none: who has them still is told so, and the chain has no gap."""
    journal = Journal(tmp_path, limit_bytes=2_000)
    while journal.append_whole(batch(1)):
        pass
    number = journal.sequence
    assert number % 4 == 0 and journal.dropped == 0
    assert [line.sequence for line in on_disk(journal)] == list(range(1, number + 1))
