"""For tests: a recording fixture, a clock and ids that count, and the conformance suites for stores and adapters.

The fixture ``recording`` is a pytest plugin and needs no import::

    def test_my_agent(recording):
        turnspan.instrument()  # joins the recording; not needed for code that uses turnspan by hand
        answer("refund invoice 7")
        recording.assert_called_in_order("find_invoice", ("refund", {"number": "7"}))
        recording.assert_within(tokens=2000, model_calls=3)
        assert recording.turn.status == "success"
        assert recording.unresolved() == []  # every audit event id is in record, trace and log
"""

from turnspan.testing.adapters import AdapterConformance
from turnspan.testing.appending_stores import AppendingStoreConformance, AuditedStoreConformance
from turnspan.testing.counting import CountingSource, counting
from turnspan.testing.drivers import LIMITS, TOKENS, TOOLS, Conversation, RuntimeDriver, ScriptedToolCall, Step
from turnspan.testing.recording import Recording, record
from turnspan.testing.stores import SessionStoreConformance

__all__ = [
    "LIMITS",
    "TOKENS",
    "TOOLS",
    "AdapterConformance",
    "AppendingStoreConformance",
    "AuditedStoreConformance",
    "Conversation",
    "CountingSource",
    "Recording",
    "RuntimeDriver",
    "ScriptedToolCall",
    "SessionStoreConformance",
    "Step",
    "counting",
    "record",
]
