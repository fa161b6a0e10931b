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
from turnspan.events import TEXTS, Event, Noted, TurnEnded, without_content
from turnspan.journal.hash_chain import decode, digest_of
from turnspan.journal.seals import seal_of
from turnspan.journal.segments import files_of, is_held, rewrite
from turnspan.model.append_files import rewrite as rewrite_lines
from turnspan.model.json_values import encode
from turnspan.model.records import OURS, SessionRecord, TurnRecord
from turnspan.recording.recorder import Recorder
from turnspan.settings import Settings
from turnspan.stores.base import Audited, SessionStore, Vacuums
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.otlp_json import spans_in
from turnspan.verification.report import ERASED

_KEPT_IN_SESSION = ("session_id_from", "seals")


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
    bare: dict[str, str] = {}
    if isinstance(store, Audited):
        for row in store.audit_events(session_id):
            event = decode((row.payload or "").encode())
            if not _is_ours(event):
                bare[row.event_id] = encode(without_any_content(event)).decode()
        store.rewrite_payloads(session_id, bare)
    foreign = type(session)
    emptied = _emptied(session if isinstance(session, SessionRecord) else SessionRecord.from_dict(session.to_dict()))
    store.save_session(emptied if foreign is SessionRecord else foreign.from_dict(emptied.to_dict()))
    if isinstance(store, Vacuums):
        store.vacuum()
    files = _erase_files(session_id, settings)
    recorder = Recorder(settings, store, recovers=False)
    payloads = {event_id: digest_of(payload.encode())[:16] for event_id, payload in bare.items()}
    recorder.record([Noted(session_id=session_id, name=ERASED, data={"events": len(bare), "payloads": payloads})])
    recorder.close()
    left = ["spans and log lines that were sent elsewhere (Jaeger, Tempo, Loki, ...), and backups of the store"]
    return Erased(len(bare), len(session.turns), files, left)


def without_any_content(event: Event) -> Event:
    """Return an event with nothing left that an agent, tool, model or application said."""
    event = without_content(event)
    gone: dict[str, Any] = {name: None for name in TEXTS if getattr(event, name, None) is not None}
    if metadata := getattr(event, "metadata", None):
        gone["metadata"] = {key: value for key, value in metadata.items() if key == OURS}
    if isinstance(event, TurnEnded) and event.record is not None:
        gone["record"] = None
    return msgspec.structs.replace(event, **gone) if gone else event


def _is_ours(event: Event) -> bool:
    return seal_of(event) is not None or (isinstance(event, Noted) and event.name == ERASED)


def _emptied(session: SessionRecord) -> SessionRecord:
    ours = session.metadata.get(OURS)
    kept = {key: ours[key] for key in _KEPT_IN_SESSION if key in ours} if isinstance(ours, dict) else {}
    ended = {"ended": True} if session.metadata.get("ended") is True else {}
    session.metadata = {**ended, **({OURS: kept} if kept else {})}
    for turn in session.turns:
        _empty_turn(turn)
    for transition in session.agent_transitions:
        transition.reason = None
    return session


def _empty_turn(turn: TurnRecord) -> None:
    turn.prompt, turn.response_content, turn.error = "", None, None
    for call in turn.tool_calls:
        call.arguments, call.result, call.error, call.sandbox_context = {}, None, None, None
        call.metadata = {OURS: call.metadata[OURS]} if OURS in call.metadata else {}
    ours = turn.metadata.get(OURS)
    turn.metadata = {OURS: ours} if isinstance(ours, dict) else {}
    for name in ("model_calls", "agents", "notes"):
        for one in turn.metadata.get(OURS, {}).get(name) or []:
            for text in ("messages", "output", "error", "response_content", "description", "data"):
                if text in one:
                    one[text] = None


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
        done += [str(path) for path in paths if rewrite(path, lambda event: _bare_event(event, session_id))]
    return done


def _where(needle: bytes, bare: Callable[[bytes, str], bytes], session_id: str) -> Callable[[bytes], bytes]:
    return lambda line: bare(line, session_id) if needle in line or b"\\u" in line else line


def _bare_event(event: Event, session_id: str) -> bytes | None:
    return None if event.session_id != session_id or _is_ours(event) else encode(without_any_content(event))


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
