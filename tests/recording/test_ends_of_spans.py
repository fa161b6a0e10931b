"""Spans end by themselves and in time, whatever the store does and however busy the agents are."""

import threading
import time

import turnspan
from turnspan import InMemorySessionStore
from turnspan.events import TurnEnded, TurnStarted
from turnspan.model.records import from_iso
from turnspan.testing import record


def test_spans_end_by_themselves_and_keep_the_time_of_their_events(recording):
    """Nobody flushes: a thread behind ends them soon, and what waits does not pile up."""
    with turnspan.turn(agent="a"):
        pass
    deadline = time.monotonic() + 10
    while not recording._exporter.get_finished_spans() and time.monotonic() < deadline:
        time.sleep(0.02)
    (span,) = recording._exporter.get_finished_spans()
    assert not recording.recorder._spans._ended
    assert span.end_time < time.time_ns()
    ended = recording.turn.ended_at
    assert abs(from_iso(ended) - span.end_time) < 1000


class HangingStore(InMemorySessionStore):
    """Takes nothing until it is let."""

    def __init__(self):
        super().__init__()
        self.let = threading.Event()

    def apply(self, changes):
        self.let.wait(30)
        super().apply(changes)


def test_spans_end_in_time_whatever_the_store_does():
    """The store hangs in the middle of a batch; spans go to their exporter all the same."""
    store = HangingStore()
    with record(store=store) as recording:
        try:
            for _ in range(2):  # the second while the writer waits for the first
                with turnspan.turn(agent="a"):
                    pass
                before = len(recording._exporter.get_finished_spans())
                deadline = time.monotonic() + 20
                while len(recording._exporter.get_finished_spans()) == before and time.monotonic() < deadline:
                    time.sleep(0.02)
            assert len(recording._exporter.get_finished_spans()) == 2
        finally:
            store.let.set()


def test_spans_that_nobody_ends_behind_are_ended_by_the_agents(recording, monkeypatch):
    """A thread behind that cannot keep up costs the agents some time, and no memory, and no span."""
    monkeypatch.setattr(recording.recorder._spans, "_wake", lambda: None)
    for n in range(2000):
        recording.recorder.emit(TurnStarted(session_id="s", turn_id=f"t{n}"))
        recording.recorder.emit(TurnEnded(session_id="s", turn_id=f"t{n}"))
        assert len(recording.recorder._spans._ended) <= 1537
    assert len(recording.spans) == 2000
