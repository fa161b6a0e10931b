"""(1) A turn through the whole machinery against the same six spans made by hand with the bare SDK.

Everything is on: spans to a no-op exporter behind the batch processor, log lines to a file, journal, SQLite. Rounds of
both alternate in one process; the figures are medians of rounds.
"""

import gc

from common import median, process_s, provider, say, temporary, thread_s
from opentelemetry import trace
from opentelemetry.trace import SpanKind, set_span_in_context

import turnspan
from turnspan.recording import runtime

ROUNDS, TURNS = 15, 200
IDENTITY = {"gen_ai.conversation.id": "bench", "session.id": "bench"}


IDS = [f"{n:032x}" for n in range(12)]


def bare(tracer, n: int) -> None:
    """The same six spans with the same attributes, set by hand."""
    turn_id = f"{n:032x}"
    with tracer.start_as_current_span(
        "invoke_agent triage",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            **IDENTITY,
            "turnspan.audit_event_id": IDS[0],
            "turnspan.turn.id": turn_id,
            "gen_ai.agent.name": "triage",
        },
    ) as turn:
        for call in range(2):
            with tracer.start_as_current_span(
                "chat gpt-5",
                kind=SpanKind.CLIENT,
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    **IDENTITY,
                    "turnspan.audit_event_id": IDS[call],
                    "turnspan.turn.id": turn_id,
                },
            ) as span:
                span.set_attributes(
                    {
                        "turnspan.audit_event_id.end": IDS[call],
                        "gen_ai.response.model": "gpt-5-2026",
                        "gen_ai.response.id": "r",
                        "gen_ai.usage.input_tokens": 100,
                        "gen_ai.usage.output_tokens": 20,
                        "gen_ai.response.finish_reasons": ["stop"],
                    }
                )
        for call in range(3):
            with tracer.start_as_current_span(
                "execute_tool search",
                attributes={
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "search",
                    "gen_ai.tool.type": "function",
                    "gen_ai.tool.call.id": f"c{call}",
                    **IDENTITY,
                    "turnspan.audit_event_id": IDS[call],
                    "turnspan.turn.id": turn_id,
                    "gen_ai.agent.name": "triage",
                },
            ) as span:
                span.set_attributes({"turnspan.audit_event_id.end": IDS[call]})
        turn.set_attributes(
            {
                "turnspan.audit_event_id.end": IDS[11],
                "turnspan.turn.status": "success",
                "turnspan.audit_event_count": 12,
                "turnspan.audit_event_ids": IDS,
            }
        )


QUESTION = [
    {"role": "user", "content": "Which invoices of customer 42 are open, and why was the last one not paid in time?"}
]
RESULT = {
    "rows": [{"id": 1, "amount": 42.5, "text": "invoice number one"}, {"id": 2, "amount": 13.0, "text": "number two"}]
}


def by_hand(n: int) -> None:
    """The same turn through the hand-written API."""
    with turnspan.turn(agent="triage", prompt="Which invoices are open?") as turn:
        for _ in range(2):
            with turnspan.model_call("gpt-5", provider="openai", messages=QUESTION) as call:
                call.output = [{"role": "assistant", "content": "Let me look that up for you."}]
                call.usage = turnspan.Usage(input_tokens=100, output_tokens=20)
                call.response_model, call.response_id, call.finish_reasons = "gpt-5-2026", "r", ["stop"]
        for _ in range(3):
            with turnspan.tool("search", query="open invoices", limit=20) as tool:
                tool.result = RESULT
        turn.response = "Invoices 1 and 2 are open."


def by_events(n: int, session_id: str = "bench") -> None:
    """The same turn as an adapter reports it."""
    from turnspan import events as e

    emit, ids = runtime.recorder().emit, {"session_id": session_id, "turn_id": e.new_id(), "agent_id": "triage"}
    emit(e.TurnStarted(**ids, prompt="Which invoices are open?"))
    for call in range(2):
        emit(e.ModelCallStarted(**ids, call_id=f"m{call}", provider="openai", model="gpt-5", messages=QUESTION))
        emit(
            e.ModelCallEnded(
                **ids,
                call_id=f"m{call}",
                output=[{"role": "assistant", "content": "Let me look that up for you."}],
                usage=e.Usage(input_tokens=100, output_tokens=20),
                response_model="gpt-5-2026",
                response_id="r",
                finish_reasons=["stop"],
            )
        )
    for call in range(3):
        emit(
            e.ToolCallStarted(
                **ids, call_id=f"c{call}", tool_name="search", arguments={"query": "open invoices", "limit": 20}
            )
        )
        emit(e.ToolCallEnded(**ids, call_id=f"c{call}", result=RESULT))
    emit(e.TurnEnded(**ids, response_content="Invoices 1 and 2 are open."))


def measured(run) -> tuple[float, float, float]:
    """Microseconds per turn: of the agent's thread (CPU), of the process (CPU, drained), and by the clock."""
    import time

    gc.collect()
    runtime.flush()
    trace.get_tracer_provider().force_flush()
    own, whole, clock = thread_s(), process_s(), time.perf_counter()
    for n in range(TURNS):
        run(n)
    own, clock = thread_s() - own, time.perf_counter() - clock
    runtime.flush(30)
    trace.get_tracer_provider().force_flush()
    return own / TURNS * 1e6, (process_s() - whole) / TURNS * 1e6, clock / TURNS * 1e6


def main() -> None:
    home = temporary()
    trace.set_tracer_provider(provider())
    tracer = trace.get_tracer("bench")
    turnspan.configure(home=home, telemetry=False)
    parent = set_span_in_context(trace.INVALID_SPAN)
    assert parent is not None
    runs = {"bare": lambda n: bare(tracer, n), "events": by_events, "hand": by_hand}
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in runs}
    with turnspan.session("bench"):
        for run in runs.values():
            measured(run)
        for _ in range(ROUNDS):
            for name, run in runs.items():
                figures[name].append(measured(run))
    floor = [median(f[i] for f in figures["bare"]) for i in range(3)]
    for name in ("events", "hand"):
        own, whole, clock = (median(f[i] for f in figures[name]) for i in range(3))
        title = "as an adapter reports it" if name == "events" else "through the hand-written API"
        say(
            f"(1) a turn with 2 model calls and 3 tool calls, {title}",
            {
                "bare spans: agent thread, process CPU, us": f"{floor[0]:.0f}, {floor[1]:.0f}",
                "turnspan: agent thread, process CPU, us": f"{own:.0f}, {whole:.0f}",
                "ratio in the agent's thread (at most 1.6)": round(own / floor[0], 2),
                "ratio of process CPU (at most 2.2)": round(whole / floor[1], 2),
                "ratio by the clock": round(clock / floor[2], 2),
            },
        )
    turnspan.shutdown()


if __name__ == "__main__":
    main()
