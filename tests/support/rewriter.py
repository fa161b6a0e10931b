"""Somebody who writes a whole home anew: store, journals, log and spans together, so that they agree."""

import copy
import json
from zlib import crc32

import msgspec

from support.breaker import opened, rows_of
from turnspan.events import (
    HandedOff,
    ModelCallEnded,
    Noted,
    SessionEnded,
    ToolCallEnded,
    ToolCallStarted,
    TurnEnded,
    TurnStarted,
    Usage,
)
from turnspan.journal.hash_chain import Line, SpanIds, decode, digest_of, head_of, line_hash
from turnspan.journal.recorded_events import RecordedEvent, span_of
from turnspan.journal.seals import seal_of
from turnspan.journal.segments import _FORMAT, _framed
from turnspan.model.ids import new_id
from turnspan.model.json_values import encode
from turnspan.otel_sdk.exporters import FileSpanExporter
from turnspan.otel_sdk.rehydration import spans_again
from turnspan.recording.ledger import Ledger
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.stores.rows import AuditRow
from turnspan.telemetry.log_lines import FileLog

OUTLETS = {"spans": ["file"], "log": ["file"]}


def chains_of(home):
    """Return the lines of each chain that a store has."""
    with opened(home) as db:
        rows = [AuditRow(**row) for row in rows_of(db, "audit_events", "1 order by journal, sequence")]
    chains = {}
    for row in rows:
        line = Line(row.sequence, row.previous_hash, row.hash, row.digest, span_of(row), row.payload.encode())
        chains.setdefault(row.journal, []).append(line)
    return chains


def told_in(lines):
    """Return what a chain says, each event with its span: all but its seals."""
    told = [(decode(line.payload), line.span) for line in lines]
    return [(event, span) for event, span in told if seal_of(event) is None]


def made_to_fit(journal, told, key, before=None):
    """Return the lines of a chain that says this, sealed and closed, and signed if there is a key."""
    lines, ledger = [], Ledger(journal)

    def add(event, span=None):
        payload = encode(event)
        previous, digest = lines[-1].hash if lines else "", digest_of(payload)
        own = line_hash(journal, head_of(len(lines) + 1, previous, digest, span), event)
        lines.append(Line(len(lines) + 1, previous, own, digest, span, payload))
        ledger.fold(lines[-1])

    for event, span in told:
        add(event, span)
    due = ledger.sessions.closing()
    for left, (session_id, seal) in zip(reversed(range(len(due))), due, strict=True):
        last = {} if left else {"line": len(lines) + 1, "previous": lines[-1].hash}
        add(seal.event(session_id, key, closed="the process ended", outlets=OUTLETS, before=before or {}, **last))
        before = {}
    return lines


def write_home(home, chains):
    """Write store, kept journals, log and spans, with these chains and nothing besides."""
    made = Settings.read(home=home)
    for path in [*home.glob("sessions.db*"), *home.glob("journal/*"), made.spans_path, made.log_path]:
        path.unlink(missing_ok=True)
    store, log, recorded = open_store(made.store_url), FileLog(made.log_path), {}
    for journal, lines in sorted(chains.items()):
        ledger = Ledger(journal)
        log.write([ledger.fold(line) for line in lines])
        store.apply(ledger.take())
        _write_journal(made, journal, lines)
        for line in lines:
            event = decode(line.payload)
            recorded.setdefault(event.session_id, []).append(RecordedEvent(journal, event, line.span, line.sequence))
    store.close()
    if spans := [span for events in recorded.values() for span in spans_again(events)]:
        FileSpanExporter(made.spans_path).export(spans)


def _write_journal(made, journal, lines):
    header = json.dumps({"format": _FORMAT, "journal": journal, "segment": 0, "store": made.store_url, "after": ""})
    body = [_framed(line.head, line.payload) for line in lines]
    first = b"#%08x %b\n" % (crc32(header.encode()), header.encode())
    (made.journal_path / f"{journal}.000000.kept").write_bytes(first + b"".join(body))


# Rewriting: each takes what the chains say, and changes it ---------------------------------------------------------


def change_a_value(dice, told, journal):
    """Change a field of an event, of any kind that has it."""
    at = dice.randrange(len(told[journal]))
    event, span = told[journal][at]
    changes = [
        {"at_ns": event.at_ns + dice.randrange(1, 10**6)},
        {"agent_id": f"mallory-{dice.random()}"},
        {"event_id": new_id()},
    ]
    new = f"something else {dice.random()}"
    match event:
        case TurnStarted():
            changes += [{"prompt": new}, {"metadata": {"approved_by": new}}]
        case TurnEnded():
            changes += [{"response_content": new}, {"status": "error", "error": new}]
        case ToolCallStarted():
            changes += [{"tool_name": new}, {"arguments": {"query": new}}]
        case ToolCallEnded():
            changes += [{"result": new}, {"status": "success", "error": None, "result": new}]
        case ModelCallEnded():
            usage = Usage(input_tokens=dice.randrange(10**9), cost_usd=dice.random())
            changes += [{"output": new}, {"usage": usage}, {"finish_reasons": [new]}]
        case HandedOff():
            changes += [{"to_agent": new}, {"reason": new}]
        case Noted():
            changes += [{"name": new}, {"data": {"by": new}}]
    told[journal][at] = msgspec.structs.replace(event, **dice.choice(changes)), span


def leave_out_an_event(dice, told, journal):
    """Leave out one event."""
    del told[journal][dice.randrange(len(told[journal]))]


def leave_out_a_turn(dice, told, journal):
    """Leave out a turn with all that is in it."""
    turn = dice.choice([event.turn_id for event, _ in told[journal] if event.turn_id] or [None])
    told[journal] = [one for one in told[journal] if one[0].turn_id != turn]


def leave_out_a_session(dice, told, journal):
    """Leave out a session, from all chains."""
    session = dice.choice(told[journal])[0].session_id
    for name in told:
        told[name] = [one for one in told[name] if one[0].session_id != session]


def rename_a_session(dice, told, journal):
    """Say that somebody else's session it was."""
    session, new = dice.choice(told[journal])[0].session_id, f"renamed-{dice.random()}"
    for name in told:
        told[name] = [
            (msgspec.structs.replace(event, session_id=new) if event.session_id == session else event, span)
            for event, span in told[name]
        ]


def add_a_turn(dice, told, journal):
    """Have a turn that never was, anywhere."""
    ids = {"session_id": dice.choice(told[journal])[0].session_id, "turn_id": new_id(), "agent_id": "mallory"}
    trace = new_id()
    span, inner = SpanIds(trace, new_id()[16:], 1), new_id()[16:]
    at = dice.randrange(len(told[journal]) + 1)
    told[journal][at:at] = [
        (TurnStarted(**ids, prompt="?"), span),
        (ToolCallStarted(**ids, call_id="c", tool_name="pay"), SpanIds(trace, inner, 1, span.span_id)),
        (ToolCallEnded(**ids, call_id="c", result=dice.random()), SpanIds(trace, inner, 1, span.span_id)),
        (TurnEnded(**ids, response_content="!"), span),
    ]


def end_a_session(dice, told, journal):
    """Have a session end."""
    told[journal].append((SessionEnded(session_id=dice.choice(told[journal])[0].session_id), None))


def swap_two_turns(dice, told, journal):
    """Have two turns in the other order."""
    turns = list(dict.fromkeys(event.turn_id for event, _ in told[journal] if event.turn_id))
    if len(turns) > 1:
        one, two = dice.sample(turns, 2)
        rank = {one: turns.index(two), two: turns.index(one)}
        places = {turn: rank.get(turn, n) for n, turn in enumerate(turns)}
        told[journal].sort(key=lambda pair: places.get(pair[0].turn_id, -1))


def move_a_turn(dice, told, journal):
    """Have a turn in another process."""
    turn = dice.choice([event.turn_id for event, _ in told[journal] if event.turn_id] or [None])
    moved = [one for one in told[journal] if one[0].turn_id == turn]
    told[journal] = [one for one in told[journal] if one[0].turn_id != turn]
    told[dice.choice(sorted(told))] += moved


def cut_the_end(dice, told, journal):
    """Leave out all behind some event."""
    del told[journal][dice.randrange(len(told[journal])) :]


def rename_a_chain(dice, told, journal):
    """Say that it was another process."""
    del dice
    told[new_id()] = told.pop(journal)


def remove_a_chain(dice, told, journal):
    """Say that there was no such process."""
    del dice, told[journal]


def swap_two_chains(dice, told, journal):
    """Say that each of two processes did what the other did."""
    other = dice.choice(sorted(told))
    told[journal], told[other] = told[other], told[journal]


def empty(dice, told, journal):
    """Say that there was nothing."""
    del dice, journal
    told.clear()


EDITS = [
    change_a_value, change_a_value, change_a_value, leave_out_an_event, leave_out_a_turn, leave_out_a_session,
    rename_a_session, add_a_turn, end_a_session, swap_two_turns, move_a_turn, cut_the_end, rename_a_chain,
    remove_a_chain, swap_two_chains, empty,
]  # fmt: skip
"""What is done to what chains say; changing a value is most of what there is to do."""


def rewritten(dice, chains, others, key):
    """Return chains that say something else, made to fit, and the names of what was done.

    Args:
        dice: Chooses.
        chains: Those that there are.
        others: Those of another store.
        key: What seals are signed with; None: nothing.

    """
    way = dice.random()
    if way < 0.1:  # cut back, as it was signed: to any line of any chain
        journal = dice.choice(sorted(chains))
        return {**chains, journal: chains[journal][: dice.randrange(len(chains[journal]))]}, ["cut back"]
    if way < 0.2:  # another store, as it was signed: beside this one, in its place, or in that of a chain
        where = dice.choice(["beside", "instead", "in the place of a chain"])
        if where == "beside":
            return chains | others, [where]
        if where == "instead":
            return dict(others), [where]
        journal = dice.choice(sorted(chains))
        return {**chains, journal: dice.choice(list(others.values()))}, [where]
    said = {journal: told_in(lines) for journal, lines in chains.items()}
    told = copy.copy({journal: list(one) for journal, one in said.items()})
    done = []
    for _ in range(dice.randrange(1, 4)):
        if possible := sorted(journal for journal, one in told.items() if one):
            edit = dice.choice(EDITS)
            edit(dice, told, dice.choice(possible))
            done.append(edit.__name__)
    return {
        journal: chains[journal] if one == said.get(journal) else made_to_fit(journal, one, key)
        for journal, one in told.items()
        if one
    }, done
