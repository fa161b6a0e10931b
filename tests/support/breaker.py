"""What somebody can do who can write to a store and its files, and does not have the key."""

import contextlib
import json
import sqlite3
from pathlib import Path

import msgspec

from turnspan.events import KIND_OF, Noted
from turnspan.journal.hash_chain import SpanIds, digest_of, hash_of, head_of
from turnspan.journal.seals import Seal
from turnspan.model.ids import new_id
from turnspan.model.json_values import encode
from turnspan.model.records import iso

TABLES = ("sessions", "turns", "tool_calls", "model_calls", "agent_transitions", "audit_events")
RECORD = ("turns", "tool_calls", "model_calls", "agent_transitions")


@contextlib.contextmanager
def opened(home: Path):
    """Open the database of a home."""
    with contextlib.closing(sqlite3.connect(home / "sessions.db")) as db:
        db.row_factory = sqlite3.Row
        yield db
        db.commit()


def rows_of(db, table, where="1", *values):
    return [dict(row) for row in db.execute(f"select * from {table} where {where}", values)]


def insert(db, table, row):
    names = ",".join(f'"{name}"' for name in row)
    db.execute(f"insert into {table} ({names}) values ({','.join('?' * len(row))})", list(row.values()))


def columns_of(db, table):
    """Return the columns that can be written, with their types."""
    return [(row[1], row[2]) for row in db.execute(f"pragma table_xinfo({table})") if row[6] == 0]


def append(db, events, journal=None):
    """Append events to a chain with the right hashes, which needs no key; return journal, and (line, hash, event) each."""
    journal = journal or db.execute("select max(journal) from audit_events").fetchone()[0]
    last = db.execute(
        "select sequence, hash from audit_events where journal = ? order by sequence desc limit 1", (journal,)
    ).fetchone()
    sequence, own = tuple(last) if last else (0, "")
    added = []
    for event in events:
        row = row_of(journal, sequence + 1, own, event)
        insert(db, "audit_events", row)
        sequence, own = row["sequence"], row["hash"]
        added.append((sequence, own, event))
    return journal, added


def row_of(journal, sequence, previous, event):
    payload = encode(event)
    row = {
        "event_id": event.event_id,
        "journal": journal,
        "sequence": sequence,
        "kind": KIND_OF[type(event)],
        "session_id": event.session_id,
        "turn_id": event.turn_id,
        "call_id": event.call_id,
        "at": iso(event.at_ns),
        "at_ns": event.at_ns,
        "trace_id": None,
        "span_id": None,
        "trace_flags": None,
        "parent_span_id": None,
        "digest": digest_of(payload),
        "previous_hash": previous,
        "payload": payload.decode(),
    }
    return row | {"hash": own_hash(row)}


def own_hash(row):
    span = None
    if row["trace_id"] is not None:
        span = SpanIds(row["trace_id"], row["span_id"] or "", row["trace_flags"] or 0, row["parent_span_id"] or "")
    head = head_of(row["sequence"], row["previous_hash"], row["digest"], span)
    names = ("kind", "event_id", "at_ns", "session_id", "turn_id", "call_id")
    return hash_of(row["journal"], head, *(row[name] for name in names))


def rechain(db, journal):
    """Give every line of a chain the digest, the number and the hashes that it should have, whatever is in it now."""
    sequence, previous = 0, ""
    rows = rows_of(db, "audit_events", "journal = ? order by sequence", journal)
    db.execute("delete from audit_events where journal = ?", (journal,))
    for row in rows:
        sequence += 1
        row |= {"sequence": sequence, "previous_hash": previous, "digest": digest_of((row["payload"] or "").encode())}
        row["hash"] = previous = own_hash(row)
        insert(db, "audit_events", row)


def seal_for(journal, added, session_id, key=None, **more):
    """Return the event of a seal that somebody makes, signed with a key of their own if there is one."""
    sequence, own, event = added[-1]
    seal = Seal(
        journal=journal,
        after=0,
        sequence=sequence,
        head=own,
        events=len(added),
        turns=0,
        at=iso(event.at_ns),
        **({"closed": "the process ended", "line": sequence + 1, "previous": own} | more),
    )
    return seal.event(session_id, key)


def put_seal_in_metadata(db, session_id, journal, seal):
    (text,) = db.execute("select metadata from sessions where session_id = ?", (session_id,)).fetchone()
    metadata = json.loads(text)
    metadata.setdefault("turnspan", {}).setdefault("seals", {})[journal] = seal
    db.execute("update sessions set metadata = ? where session_id = ?", (json.dumps(metadata), session_id))


def forge_erasure(db, session_id, journal=None):
    """Put other answers in place of those that were given, and say that these were erased."""
    payloads = {}
    for row in rows_of(db, "audit_events", "session_id = ?", session_id):
        event = msgspec.json.decode(row["payload"])
        if "response_content" in event:
            event["response_content"] = "FORGED ANSWER"
        elif "prompt" in event:
            event["prompt"] = "FORGED PROMPT"
        else:
            continue
        payload = json.dumps(event, separators=(",", ":"))
        db.execute("update audit_events set payload = ? where event_id = ?", (payload, row["event_id"]))
        payloads[row["event_id"]] = digest_of(payload.encode())
    db.execute(
        "update turns set prompt = 'FORGED PROMPT', response_content = 'FORGED ANSWER' where session_id = ?",
        (session_id,),
    )
    note = Noted(session_id=session_id, name="erased", data={"events": len(payloads), "payloads": payloads})
    return append(db, [note], journal or new_id())


def delete_session(db, session_id):
    for table in TABLES:
        db.execute(f"delete from {table} where session_id = ?", (session_id,))


def forget_in_files(home: Path, goes):
    """Take log lines and spans out of the files in home: those for which ``goes`` is true of the session or event id."""
    log = home / "turnspan.log.jsonl"
    if log.exists():
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        kept = [line for line in lines if not goes(line.get("session_id")) and not goes(line.get("audit_event_id"))]
        log.write_text("".join(json.dumps(line) + "\n" for line in kept))
    spans = home / "spans.jsonl"
    if spans.exists():
        requests = [json.loads(line) for line in spans.read_text().splitlines()]
        for request in requests:
            for resource in request["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    scope["spans"] = [
                        span
                        for span in scope["spans"]
                        if not any(goes(attribute["value"].get("stringValue")) for attribute in span["attributes"])
                    ]
        spans.write_text("".join(json.dumps(request) + "\n" for request in requests))
