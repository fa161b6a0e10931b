"""(6) Checking 70,000 events, and making their spans again, against reading them once as JSON.

The floor is what nobody could do without: each audit row read from the database and its payload parsed.
"""

import time

from common import provider, say, temporary
from opentelemetry import trace

from turnspan.events import (
    ModelCallEnded,
    ModelCallStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.journal.hash_chain import decode
from turnspan.journal.recorded_events import recorded_events
from turnspan.otel_sdk.rehydration import spans_again
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.stores.base import AuditFilter
from turnspan.verification import verify

TURNS, SESSIONS = 5840, 40  # 12 events each


def record(settings: Settings) -> None:
    recorder = Recorder(settings)
    emit = recorder.emit
    for n in range(TURNS):
        ids = {"session_id": f"s-{n % SESSIONS}", "turn_id": f"t-{n}"}
        emit(TurnStarted(**ids, agent_id="triage", prompt="I paid invoice 7 twice, can you look into it?"))
        for call in range(2):
            emit(ModelCallStarted(**ids, call_id=f"m{call}", provider="openai", model="gpt-5"))
            emit(
                ModelCallEnded(
                    **ids, call_id=f"m{call}", output="Let me look.", usage=Usage(input_tokens=100, output_tokens=20)
                )
            )
        for call in range(3):
            emit(ToolCallStarted(**ids, call_id=f"c{call}", tool_name="search", arguments={"query": "invoice 7"}))
            emit(ToolCallEnded(**ids, call_id=f"c{call}", result={"found": ["invoice 7", "paid twice"]}))
        emit(TurnEnded(**ids, response_content="You get your money back."))
        if n % 1000 == 0:
            recorder.flush(60)
    recorder.close(60)


def timed(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    settings = Settings.read(home=temporary() / "home")
    trace.set_tracer_provider(provider())
    record(settings)
    store = open_store(settings.store_url)

    def floor() -> None:
        for row in store.audit_rows(AuditFilter()):
            decode(row.payload.encode())

    def check() -> None:
        report = verify(settings=settings, spans="none", store=store)
        assert report.proven, report.findings[:3]

    def again() -> None:
        for session_id in store.list_sessions():
            for _ in spans_again(recorded_events(store.audit_events(session_id))):
                pass

    floor()
    base = min(timed(floor) for _ in range(3))
    checked, made = timed(check), timed(again)
    say(
        f"Proof of {TURNS * 12:,} events in {SESSIONS} sessions",
        {
            "reading and parsing each event once": f"{base:.1f} s",
            "verify: chains, seals, record folded again, log": f"{checked:.1f} s ({checked / base:.1f} x)",
            "spans made again": f"{made:.1f} s ({made / base:.1f} x)",
        },
    )


if __name__ == "__main__":
    main()
