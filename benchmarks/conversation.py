"""A long session as the writer stores it: turns of two model calls and two tool calls, ten events each."""

from turnspan.events import (
    ModelCallEnded,
    ModelCallStarted,
    SessionStarted,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.journal.live import Journal, Position
from turnspan.recording.ledger import Ledger

BEGUN = 1_767_261_600_000_000_000
EVENTS, STEPS = 10, 5
"""Events of a turn, and the steps that they make: the turn itself and its calls."""
BATCH = 300


def events_of(session_id, number, *, state="paid twice"):
    """Yield the events of a turn; one turn of fifty fails."""
    of = {"session_id": session_id, "turn_id": f"{session_id}-{number:06}", "agent_id": "triage"}
    begun = BEGUN + number * 4_000_000_000

    def at(ms):
        return {**of, "at_ns": begun + ms * 1_000_000}

    def model(call_id, from_ms, to_ms, messages, output):
        usage = Usage(input_tokens=1240 + number % 700, output_tokens=36)
        model = {"call_id": call_id, "provider": "openai", "model": "gpt-5-mini"}
        yield ModelCallStarted(**at(from_ms), **model, messages=messages)
        yield ModelCallEnded(**at(to_ms), call_id=call_id, output=output, usage=usage)

    def tool(call_id, from_ms, to_ms, name, result):
        arguments = {"number": number}
        yield ToolCallStarted(**at(from_ms), call_id=f"{call_id}-{number}", tool_name=name, arguments=arguments)
        yield ToolCallEnded(**at(to_ms), call_id=f"{call_id}-{number}", result=result)

    found = {"number": number, "amount": f"{number % 97}.00 EUR", "state": state}
    prompt = f"I paid invoice {number} twice, what now?"
    yield TurnStarted(**at(0), prompt=prompt)
    yield from model("m1", 1, 820, [{"role": "user", "content": prompt}], "Let me look at this for you.")
    yield from tool("a", 900, 1400, "find_invoice", found)
    yield from tool("b", 1500, 1800, "refund", "done")
    yield from model("m2", 1900, 2700, [{"role": "tool", "content": found}], "You get your money back tomorrow.")
    failed = number % 50 == 0
    yield TurnEnded(
        **at(3700),
        response_content=None if failed else f"You paid invoice {number} twice. You get your money back tomorrow.",
        status="error" if failed else "success",
        error="RateLimitError: try again later" if failed else None,
    )


def write(store, sessions, turns, *, state="paid twice"):
    """Write sessions of so many turns each through the ledger; return the ids of all events."""
    journal, ids, read = Journal(None), [], 0
    ledger = Ledger(journal.id)
    for session_id in sessions:
        journal.append(SessionStarted(session_id=session_id, agent_id="triage", at_ns=BEGUN), None)
        for number in range(turns):
            for event in events_of(session_id, number, state=state):
                journal.append(event, None)
                ids.append(event.event_id)
            if number % BATCH == BATCH - 1 or number == turns - 1:
                while lines := journal.read(Position(0, 0), read)[0]:  # a batch at a time
                    for line in lines:
                        ledger.fold(line)
                    read = lines[-1].sequence
                store.apply(ledger.take())
                ledger.sessions.due()  # as the writer does: it seals them
    return ids
