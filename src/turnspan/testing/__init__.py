"""For tests: a recording fixture, a clock and ids that count, and the conformance suite for stores.

The fixture ``recording`` is a pytest plugin and needs no import::

    def test_my_agent(recording):
        answer("Hello")
        assert recording.turn.status == "success"
        assert [span.name for span in recording.spans] == ["invoke_agent triage"]
"""

from turnspan.testing.appending_stores import AppendingStoreConformance, AuditedStoreConformance
from turnspan.testing.counting import CountingSource, counting
from turnspan.testing.recording import Recording, record
from turnspan.testing.stores import SessionStoreConformance

__all__ = [
    "AppendingStoreConformance",
    "AuditedStoreConformance",
    "CountingSource",
    "Recording",
    "SessionStoreConformance",
    "counting",
    "record",
]
