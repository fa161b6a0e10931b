"""Erasure: content is taken out of a session, and the proof that it was there stays.

Ids, names, times, status and the chain remain; prompts, answers, arguments, results, errors and metadata go, from the
record, the audit rows, the log, the local span file and kept journals. That it was done is an audit event of the session,
which also holds the digests of what is left, so that nothing else can be altered in its shadow. What was sent to other
places is theirs to erase.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from turnspan.errors import SessionNotFoundError, TurnspanError
from turnspan.events import Noted
from turnspan.journal.hash_chain import decode, digest_of, ids_in, read
from turnspan.journal.recorded_events import recorded_events
from turnspan.journal.segments import files_of, is_held, rewrite
from turnspan.model.append_files import rewrite as rewrite_lines
from turnspan.model.json_values import encode
from turnspan.model.records import SessionRecord, TurnRecord
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores.base import Audited, SessionStore, Vacuums
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.otlp_json import spans_in
from turnspan.verification.erased import NOTE, bare_of_unreadable, bare_turn, is_bare, is_kept, without_any_content
from turnspan.verification.refold import fold_again


class Erased(NamedTuple):
    """What was done: events and turns without content now, files written anew, and what must be done elsewhere."""

    events: int
    turns: int
    files: list[str]
    left: list[str]


def erase(session_id: str, store: SessionStore, settings: Settings) -> Erased:
    """Take the content out of a session.

    Raises:
        SessionNotFoundError: When there is no such session.
        TurnspanError: When a process still writes it.

    """
    session: Any = store.load_session(session_id)
    if session is None:
        raise SessionNotFoundError(session_id)
    journals = settings.journal_path
    if journal := _held(journals, session_id):
        raise TurnspanError(
            f"The session {session_id} is in journal {journal}, which a running process holds: stop it, then erase"
        )
    bare, left = _erase_rows(session_id, store) if isinstance(store, Audited) else ({}, {})
    kind = type(session)
    record = session if isinstance(session, SessionRecord) else SessionRecord.from_dict(session.to_dict())
    emptied = _refolded(record, store) or _emptied(record)
    store.save_session(emptied if kind is SessionRecord else kind.from_dict(emptied.to_dict()))
    if isinstance(store, Vacuums):
        store.vacuum()
    files = _erase_files(session_id, settings)
    recorder = Recorder(settings, store, recovers=False)
    recorder.record([Noted(session_id=session_id, name=NOTE, data={"events": len(bare), "payloads": left})])
    recorder.close()
    elsewhere = ["spans and log lines that were sent elsewhere (Jaeger, Tempo, Loki, ...), and backups of the store"]
    return Erased(len(bare), len(record.turns), files, elsewhere)


def _erase_rows(session_id: str, store: Audited) -> tuple[dict[str, str], dict[str, str]]:
    """Take the content out of audit rows; return what is left of each, and the digests that vouch for it.

    What had been altered before loses its content too, and nothing vouches for it: erasure does not make it true. What
    was erased already stays as it is, for the note of that time vouches for it.
    """
    bare, left = {}, {}
    for row in store.audit_events(session_id):
        payload = (row.payload or "").encode()
        try:
            event = decode(payload)
        except msgspec.MsgspecError:
            without = bare_of_unreadable(payload)
            bare[row.event_id] = without.decode()
            if digest_of(payload) == row.digest:
                left[row.event_id] = digest_of(without)
            continue
        if is_kept(event) or is_bare(event, payload):
            if not is_kept(event):
                bare[row.event_id] = row.payload or ""
            continue
        without = encode(without_any_content(event))
        bare[row.event_id] = without.decode()
        if digest_of(payload) == row.digest:
            left[row.event_id] = digest_of(without)
    store.rewrite_payloads(session_id, bare)
    return bare, left


def _refolded(session: SessionRecord, store: SessionStore) -> SessionRecord | None:
    """Return the session that its events make now; None when it has none."""
    rows = store.audit_events(session.session_id) if isinstance(store, Audited) else []
    made = fold_again(session.session_id, recorded_events(rows))
    if made is not None:
        order = {turn.turn_id: n for n, turn in enumerate(session.turns)}
        made.turns.sort(key=lambda turn: order.get(turn.turn_id, len(order)))
    return made


def _emptied(session: SessionRecord) -> SessionRecord:
    """Return a session that has no events without its content."""
    session.metadata = {"ended": True} if session.metadata.get("ended") is True else {}
    session.turns = [TurnRecord.from_dict(bare_turn(turn.to_dict())) for turn in session.turns]
    for transition in session.agent_transitions:
        transition.reason = None
    return session


# Files beside the store ------------------------------------------------------------------------------------------


def _held(journals: Path, session_id: str) -> str | None:
    """Return a journal with lines of the session that a process writes now."""
    needle = json.dumps(session_id).encode()
    for journal, paths in (files_of(journals) if journals.is_dir() else {}).items():
        if is_held(journals, journal) and any(needle in path.read_bytes() for path in paths):
            return journal
    return None


def _erase_files(session_id: str, settings: Settings) -> list[str]:
    done = []
    needle = json.dumps(session_id).encode()
    for path, bare in ((settings.log_path, _bare_line), (settings.spans_path, _bare_spans)):
        if path is not None and path.is_file() and rewrite_lines(path, _where(needle, bare, session_id)):
            done.append(str(path))
    journals = settings.journal_path
    for paths in (files_of(journals) if journals.is_dir() else {}).values():
        done += [str(path) for path in paths if rewrite(path, lambda payload: _bare_payload(payload, session_id))]
    return done


def _where(needle: bytes, bare: Callable[[bytes, str], bytes], session_id: str) -> Callable[[bytes], bytes]:
    return lambda line: bare(line, session_id) if needle in line or b"\\u" in line else line


def _bare_payload(payload: bytes, session_id: str) -> bytes | None:
    if (event := read(payload)) is not None:
        return None if event.session_id != session_id or is_kept(event) else encode(without_any_content(event))
    ids = ids_in(payload)
    return None if ids is None or str(ids.session_id) != session_id else bare_of_unreadable(payload)


def _bare_line(line: bytes, session_id: str) -> bytes:
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if fields.get("session_id") != session_id or "error" not in fields:
        return line
    del fields["error"]
    return encode(fields) + b"\n"


def _bare_spans(line: bytes, session_id: str) -> bytes:
    try:
        request = json.loads(line)
    except ValueError:
        return line
    changed = False
    for span in spans_in(request):
        of_session = {"key": sc.GEN_AI_CONVERSATION_ID, "value": {"stringValue": session_id}}
        if of_session in span.get("attributes", []):
            changed = True
            span["attributes"] = [a for a in span["attributes"] if a["key"] not in _CONTENT]
            span.get("status", {}).pop("message", None)
    return encode(request) + b"\n" if changed else line


_CONTENT = sc.CONTENT | {sc.TURNSPAN_HANDOFF_REASON, sc.GEN_AI_AGENT_DESCRIPTION}
