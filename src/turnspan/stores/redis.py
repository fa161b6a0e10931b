"""Sessions in Redis: fast and shared, for as long as they are kept there.

A session is one hash (its head, its turns, its handoffs) and one hash of audit events, both in one slot of a cluster,
so that a batch is stored whole or not at all. What is durable is what the server is set to keep: use its append-only
file where the record must outlive it.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import msgspec

from turnspan.errors import MissingExtraError, SettingsError, StoreUnavailableError
from turnspan.model.ids import derived_id, now_ns
from turnspan.model.json_values import encode
from turnspan.model.records import SessionRecord, check_id, from_iso, iso
from turnspan.settings import without_password
from turnspan.stores.base import AuditFilter, SessionStore, audit_order
from turnspan.stores.merging import merge
from turnspan.stores.rows import AuditRow, Changes, Removed, removal, transition_key

_SESSIONS, _USED, _REMOVED = "turnspan:sessions", "turnspan:used", "turnspan:removed"
_DAY_S = 86_400
_PATIENCE_S = 10.0  # how long one batch tries while others keep changing its session
_decode = msgspec.json.Decoder().decode
_decode_row = msgspec.json.Decoder(AuditRow).decode
_decode_removed = msgspec.json.Decoder(Removed).decode


class RedisSessionStore(SessionStore):
    """Keeps sessions in Redis.

    Args:
        url: ``redis://user:password@host:port/number`` or ``rediss://`` for TLS, as Redis has it; with
            ``?expire_days=30`` sessions are removed when they were not used for so long, with ``?cluster=1`` the server
            is one of a cluster.

    Raises:
        SettingsError: When the URL cannot be understood.
        MissingExtraError: When the client is not installed.
        StoreUnavailableError: When the server cannot be reached.

    """

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingExtraError(f"Redis needs its client: pip install 'turnspan[redis]' ({error})") from error
        self.url = url
        self._errors: Any = redis.exceptions
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        try:
            self._expire_s = int(float(query.pop("expire_days", "0")) * _DAY_S)
            cluster = query.pop("cluster", "0") not in ("0", "false")
            plain = urlunsplit(parts._replace(query="&".join(f"{key}={value}" for key, value in query.items())))
            made: Any = redis.RedisCluster if cluster else redis.Redis
            self._redis = made.from_url(plain, decode_responses=True, socket_connect_timeout=10, socket_timeout=30)
        except ValueError as error:
            raise SettingsError(f"{without_password(url)!r} is not a store URL that can be opened: {error}") from error
        except self._errors.RedisError as error:
            raise self._unavailable(error) from error
        with self._translated():
            self._redis.ping()

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def after_fork(self) -> None:
        """Forget connections that belong to the parent process; the client notices by itself."""

    # The four ---------------------------------------------------------------------------------------------------

    def save_session(self, session: SessionRecord) -> None:
        """Replace the session by this one; audit events that are already there stay."""
        check_id("session", session.session_id)
        keys = _Keys(session.session_id)

        was: list[str | None] = []

        def change(pipe: Any) -> Callable[[], None]:
            was[:] = [_workspace_in(pipe.hget(keys.session, "head"))]

            def write() -> None:
                pipe.delete(keys.session)
                pipe.hset(keys.session, mapping=_fields_of(session))
                self._expires(pipe, keys)

            return write

        with self._translated():
            self._transaction(keys.session, change)
            if was != [session.workspace_id]:
                self._unindex(session.session_id, was[0])
            self._index(session)

    def load_session(self, session_id: str) -> SessionRecord | None:
        """Read a whole session."""
        with self._translated():
            fields = self._redis.hgetall(_Keys(session_id).session)
        return _session_of(fields) if fields else None

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids, the oldest session first."""
        with self._translated():
            if self._expire_s:
                self._forget_expired()
            key = _SESSIONS if workspace_id is None else _workspace(workspace_id)
            return list(self._redis.zrange(key, 0, -1))

    def delete_session(self, session_id: str) -> bool:
        """Remove a session with everything that belongs to it."""
        keys = _Keys(session_id)
        left = removal(session_id, self.audit_events(session_id), iso(now_ns()))
        with self._translated():
            if left:
                self._redis.hset(_REMOVED, mapping={f"{one.journal}:{one.first}": encode(one).decode() for one in left})
            workspace_id = (
                _decode(head).get("workspace_id") if (head := self._redis.hget(keys.session, "head")) else None
            )
            gone = self._redis.delete(keys.session, keys.audit)
            self._unindex(session_id, workspace_id)
            return bool(gone)

    # What it can do better --------------------------------------------------------------------------------------

    def apply(self, changes: Changes) -> None:
        """Store a batch: each session of it whole or not at all."""
        with self._translated():
            for session_id in changes.session_ids():
                self._index(self._apply(session_id, changes.of(session_id)))

    def _apply(self, session_id: str, changes: Changes) -> SessionRecord:
        keys = _Keys(session_id)
        rows: list[Any] = [*changes.turns, *changes.tool_calls, *changes.model_calls]
        turn_ids = list(dict.fromkeys(row["turn_id"] for row in rows))
        wanted = ["head", *map(_turn, turn_ids), *(_handoff(transition) for transition in changes.transitions)]
        audit = {row.event_id: encode(row).decode() for row in changes.audit}
        merged: list[SessionRecord] = []

        def change(pipe: Any) -> Callable[[], None]:
            kept = dict(zip(wanted, pipe.hmget(keys.session, wanted), strict=True))
            before = {name: text for name, text in kept.items() if text is not None}
            session = merge(_session_of(before) if "head" in before else None, changes)
            merged[:] = [session]
            turns, handoffs = (int(n or 0) for n in pipe.hmget(keys.session, ["turns", "handoffs"]))

            def write() -> None:
                fields = _fields_of(session, before, turns, handoffs)
                pipe.hset(keys.session, mapping=fields)
                for event_id, row in audit.items():
                    pipe.hsetnx(keys.audit, event_id, row)
                self._expires(pipe, keys)

            return write

        self._transaction(keys.session, change)
        return merged[0]

    def has_session(self, session_id: str) -> bool:
        """Return whether there is such a session, without reading it."""
        with self._translated():
            return bool(self._redis.hexists(_Keys(session_id).session, "head"))

    def sessions_by_use(self) -> Iterator[SessionRecord]:
        """Yield sessions, the last used first, each read when it is asked for."""
        start = 0
        while True:
            with self._translated():
                ids = self._redis.zrange(_USED, start, start + 99, desc=True)
            if not ids:
                return
            start += len(ids)
            for session_id in ids:
                if (session := self.load_session(session_id)) is not None:
                    yield session

    def audit_events(self, session_id: str) -> list[AuditRow]:
        """Return the audit rows of a session, each journal's in order of sequence."""
        with self._translated():
            rows = map(_decode_row, self._redis.hvals(_Keys(session_id).audit))
        return sorted(rows, key=lambda row: audit_order(row, by_session=False))

    def audit_rows(self, where: AuditFilter, *, by_session: bool = False) -> Iterator[AuditRow]:
        """Yield audit rows in order. All that are wanted are read first: Redis holds no order across sessions."""
        names = where.sessions if where.sessions is not None else self.list_sessions()
        found = [row for name in names for row in self.audit_events(name) if where.takes(row)]
        yield from sorted(found, key=lambda row: audit_order(row, by_session=by_session))

    def audit_removed(self) -> list[Removed]:
        """Return what is left of removed rows."""
        with self._translated():
            return [_decode_removed(one) for one in self._redis.hvals(_REMOVED)]

    def audit_newest(self, limit: int) -> list[AuditRow]:
        """Return rows of the sessions that were used last."""
        with self._translated():
            names = self._redis.zrange(_USED, 0, 15, desc=True)
        return [row for name in names for row in self.audit_events(name)][-limit:]

    def replace_removed(self, rows: list[Removed]) -> None:
        """Replace what is left of removed rows."""
        with self._translated():
            if rows:
                self._redis.hset(_REMOVED, mapping={f"{one.journal}:{one.first}": encode(one).decode() for one in rows})

    def rewrite_payloads(self, session_id: str, payloads: dict[str, str]) -> None:
        """Replace payloads."""
        key = _Keys(session_id).audit
        with self._translated():
            for event_id, payload in payloads.items():
                if (kept := self._redis.hget(key, event_id)) is not None:
                    row = msgspec.structs.replace(_decode_row(kept), payload=payload)
                    self._redis.hset(key, event_id, encode(row).decode())

    # Machinery --------------------------------------------------------------------------------------------------

    def _transaction(self, key: str, change: Callable[[Any], Callable[[], None]]) -> None:
        """Read, change and write what is at a key, anew when somebody else was faster.

        ``change`` reads, and returns what queues the writes.
        """
        end = time.monotonic() + _PATIENCE_S
        while True:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.watch(key)
                write = change(pipe)
                pipe.multi()
                write()
                try:
                    pipe.execute()
                except self._errors.WatchError:
                    if time.monotonic() > end:
                        raise
                else:
                    return
            time.sleep(random.uniform(0, 0.01))  # noqa: S311  so that two do not meet again and again

    def _index(self, session: SessionRecord) -> None:
        created, used = (_seconds(at) for at in (session.created_at, session.updated_at))
        self._redis.zadd(_SESSIONS, {session.session_id: created}, nx=True)
        self._redis.zadd(_USED, {session.session_id: used}, gt=True)
        if session.workspace_id is not None:
            self._redis.zadd(_workspace(session.workspace_id), {session.session_id: created}, nx=True)

    def _unindex(self, session_id: str, workspace_id: str | None) -> None:
        for key in (_SESSIONS, _USED, *([_workspace(workspace_id)] if workspace_id is not None else ())):
            self._redis.zrem(key, session_id)

    def _expires(self, pipe: Any, keys: _Keys) -> None:
        if self._expire_s:
            pipe.expire(keys.session, self._expire_s)
            pipe.expire(keys.audit, self._expire_s)

    def _forget_expired(self) -> None:
        """Take sessions that the server has removed out of the lists."""
        for session_id in self._redis.zrange(_USED, "-inf", time.time() - self._expire_s, byscore=True):
            if not self._redis.exists(_Keys(session_id).session):
                for key in self._redis.scan_iter(match=f"{_WORKSPACES}*"):
                    self._redis.zrem(key, session_id)
                self._unindex(session_id, None)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._errors.RedisError as error:  # all of them: out of memory, loading, read-only, away
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailableError:
        says = str(error) or type(error).__name__
        return StoreUnavailableError(f"The store {without_password(self.url)} cannot be used: {says}")


_WORKSPACES = "turnspan:workspace:"


def _workspace(workspace_id: str) -> str:
    return f"{_WORKSPACES}{workspace_id}"


def _workspace_in(head: str | None) -> str | None:
    found: str | None = _decode(head).get("workspace_id") if head else None
    return found


class _Keys:
    """The keys of a session. What is in braces says which slot of a cluster they are in: all in one."""

    def __init__(self, session_id: str) -> None:
        self.session = f"turnspan:session:{{{quote(session_id, safe='')}}}"
        self.audit = f"{self.session}:audit"


def _turn(turn_id: str) -> str:
    return f"turn:{turn_id}"


def _handoff(transition: Any) -> str:
    return f"handoff:{derived_id(*transition_key(transition))}"


def _fields_of(
    session: SessionRecord, before: dict[str, str] | None = None, turns: int = 0, handoffs: int = 0
) -> dict[str, Any]:
    """Return a session, or a part of it, as the fields of its hash; turns and handoffs behind those that there are."""
    before = before or {}
    data = session.to_dict()
    fields: dict[str, Any] = {}
    for record in data.pop("turns"):
        name = _turn(record["turn_id"])
        place, turns = (_decode(before[name])[0], turns) if name in before else (turns, turns + 1)
        fields[name] = encode([place, record]).decode()
    for transition, record in zip(session.agent_transitions, data.pop("agent_transitions"), strict=True):
        name = _handoff(transition)
        if name not in before:
            fields[name] = encode([handoffs, record]).decode()
            handoffs += 1
    return {**fields, "head": encode(data).decode(), "turns": turns, "handoffs": handoffs}


def _session_of(fields: dict[str, str]) -> SessionRecord:
    data = _decode(fields["head"])

    def ordered(prefix: str) -> list[Any]:
        found = [_decode(text) for name, text in fields.items() if name.startswith(prefix)]
        return [record for _, record in sorted(found, key=lambda pair: pair[0])]

    return SessionRecord.from_dict({**data, "turns": ordered("turn:"), "agent_transitions": ordered("handoff:")})


def _seconds(at: str) -> float:
    return (from_iso(at) or 0) / 1e9
