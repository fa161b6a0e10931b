"""A store that is away for hours: the journal takes everything up to its limit, and drains in order."""

import pytest

from turnspan.errors import StoreUnavailableError
from turnspan.events import Noted, TurnEnded, TurnStarted
from turnspan.journal.live import Journal
from turnspan.journal.segments import segments_of
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify


class Away:
    """A store that can be unplugged."""

    def __init__(self, store):
        self.store, self.away, self.url = store, True, store.url

    def apply(self, changes):
        if self.away:
            raise StoreUnavailableError("unplugged")
        self.store.apply(changes)

    def __getattr__(self, name):
        return getattr(self.store, name)


def turns(recorder, first, last):
    for n in range(first, last):
        recorder.emit(TurnStarted(session_id="s", turn_id=f"t-{n}", prompt="x" * 2000))
        recorder.emit(TurnEnded(session_id="s", turn_id=f"t-{n}"))


@pytest.fixture
def away(tmp_path):
    return Away(open_store(f"sqlite:///{tmp_path}/s.db"))


def test_everything_is_there_in_order_and_once_when_the_store_is_back(tmp_path, away, caplog):
    """A store that was away for thousands of turns gets each once, in order."""
    made = Settings.read(home=tmp_path / "home")
    recorder = Recorder(made, away)
    turns(recorder, 0, 3000)
    assert not recorder.flush(0.3)
    assert caplog.text.count("turnspan store failed, the agent goes on") == 1
    away.away = False
    assert recorder.flush(30)
    turns(recorder, 3000, 3010)
    recorder.close()
    assert [turn.turn_id for turn in away.load_session("s").turns] == [f"t-{n}" for n in range(3010)]
    report = verify(settings=made, store=away.store, spans="none")
    assert report.proven, report.findings


def test_beyond_the_limit_events_are_dropped_loudly_counted_and_explained(tmp_path, away, caplog):
    """A journal that is full drops and counts, a warning names the setting, and verify explains the gap."""
    made = Settings.read(home=tmp_path / "home", journal_limit_mb=1)
    recorder = Recorder(made, away)
    turns(recorder, 0, 2000)
    assert "TURNSPAN_JOURNAL_LIMIT_MB" in caplog.text
    assert recorder.problems.counts["journal: OSError"] > 1000
    assert (
        sum(path.stat().st_size for path in segments_of(tmp_path / "home/journal", recorder.pipeline.journal.id))
        < 1.1 * 2**20
    )
    away.away = False
    assert recorder.flush(30)
    turns(recorder, 5000, 5010)
    recorder.close()
    stored = [turn.turn_id for turn in away.load_session("s").turns]
    assert stored[:100] == [f"t-{n}" for n in range(100)], "what fits is kept, from the first on"
    assert stored[-10:] == [f"t-{n}" for n in range(5000, 5010)], "there is room again"
    report = verify(settings=made, store=away.store, spans="none")
    assert report.counts["completeness"]["dropped"] == 1
    assert report.exit_code == 1, report.findings
    assert "events are lost" in caplog.text


def test_a_small_limit_has_small_segments(tmp_path):
    """A small limit is kept to, by segments that are smaller."""
    journal = Journal(tmp_path, limit_bytes=40_000)
    for _ in range(20):
        journal.append(Noted(session_id="s", name="n", data="x" * 1000), None)
    assert len(segments_of(tmp_path, journal.id)) > 1
