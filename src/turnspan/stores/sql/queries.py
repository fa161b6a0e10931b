"""What is asked of many sessions: pages of them, words in them, and what has an id.

Nothing here reads a whole table. A filter on turns or calls is looked up in its index first: where few match, the
sessions are taken from there; where many do, the newest sessions are walked, and a page of them is found soon.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from turnspan.events import usage_in
from turnspan.model.records import FAILED
from turnspan.stores.base import Found, ModelUse, SessionFilter, SessionSummary, TurnSummary, words_of
from turnspan.stores.sql import values
from turnspan.stores.sql.schema import audit_events, model_calls, sessions, tool_calls, turns

FEW = 4000
"""Matches up to which a filter is answered from its own index."""
NEWEST, NEWEST_OF_SERVER = 10_000, 300
"""Turns with a word that are looked at, the newest ones: SQLite finds their sessions in an index, a server in its rows."""
_FIRST_LOOK = 20_000
_LAST = "\U0010ffff"
_NOT_INDEXED = frozenset(
    [
        "about",
        "are",
        "com",
        "for",
        "from",
        "how",
        "that",
        "the",
        "this",
        "und",
        "was",
        "what",
        "when",
        "where",
        "who",
        "will",
        "with",
        "www",
    ]
)
"""Words of three letters or more that InnoDB leaves out of its index (INFORMATION_SCHEMA.INNODB_FT_DEFAULT_STOPWORD)."""


def page(connection: sa.Connection, where: SessionFilter) -> list[SessionSummary]:
    """Return a page of sessions, the last used first; ``after`` is the last session id of the page before."""
    query = sa.select(sessions)
    if where.workspace_id is not None:
        query = query.where(sessions.c.workspace_id == where.workspace_id)
    if where.parent_id is not None:
        query = query.where(sessions.c.parent_id == where.parent_id)
    if where.since is not None:
        query = query.where(sessions.c.updated_at >= where.since)
    if where.until is not None:
        query = query.where(sessions.c.created_at < where.until)
    for table, condition in _conditions(where):
        query = query.where(_having(connection, table, condition))
    if where.text is not None and (words := words_of(where.text)):
        query = query.where(sessions.c.session_id.in_(_saying(connection, words)))
    if where.after is not None:
        edge = connection.execute(sa.select(sessions.c.updated_at).where(sessions.c.session_id == where.after)).scalar()
        query = query.where(
            sa.tuple_(sessions.c.updated_at, sessions.c.session_id) < sa.tuple_(edge or "", where.after)
        )
    query = query.order_by(sessions.c.updated_at.desc(), sessions.c.session_id.desc()).limit(where.limit)
    return _summaries(connection, list(connection.execute(query).mappings()))


def _conditions(where: SessionFilter) -> list[tuple[sa.Table, Any]]:
    found: list[tuple[sa.Table, Any]] = []
    if where.agent_id is not None:
        found.append((turns, turns.c.agent_id == where.agent_id))
    if where.status is not None:
        found.append((turns, turns.c.status == where.status))
    if where.min_tokens is not None:
        found.append((turns, turns.c.tokens >= where.min_tokens))
    if where.min_duration_ms is not None:
        found.append((turns, turns.c.duration_ms >= where.min_duration_ms))
    if where.tool is not None:
        found.append((tool_calls, tool_calls.c.tool_name == where.tool))
    if where.model is not None:
        found.append((model_calls, model_calls.c.model == where.model))
    return found


def _having(connection: sa.Connection, table: sa.Table, condition: Any) -> Any:
    """Return the condition that a session has such rows."""
    few = connection.execute(sa.select(table.c.session_id).where(condition).limit(FEW)).scalars().all()
    if len(few) < FEW:
        return sessions.c.session_id.in_(set(few))
    return sa.exists(sa.select(sa.literal(1)).where(table.c.session_id == sessions.c.session_id, condition))


def _saying(connection: sa.Connection, words: list[str]) -> Any:
    """Return the sessions of the newest turns that have all of these words.

    Asking about one session after the other would take the longer the more turns there are, and so would reading all
    turns that match. SQLite's index gives the newest first. A server's gives all; so it is asked about the newest turns,
    and about ever more of them, until enough have matched.
    """
    if connection.dialect.name == "sqlite":
        match = " ".join(f'"{_quoted(word)}"' + ("*" if word.endswith("*") else "") for word in words)
        return (
            sa.text(
                "SELECT session_id FROM turns INDEXED BY turns_by_position WHERE position IN "
                "(SELECT rowid FROM turns_words WHERE turns_words MATCH :match ORDER BY rowid DESC LIMIT :newest)"
            )
            .bindparams(match=match, newest=NEWEST)
            .columns(sa.column("session_id", sa.Text))
            .scalar_subquery()
        )
    found: list[str] = []
    condition, place = has_words(connection.dialect.name, words), turns.c.position
    above, width = connection.execute(sa.select(sa.func.max(place))).scalar() or 0, _FIRST_LOOK
    while above > 0 and len(found) < NEWEST_OF_SERVER:
        query = sa.select(turns.c.session_id).where(condition, place > above - width, place <= above)
        found += connection.execute(query.order_by(place.desc()).limit(NEWEST_OF_SERVER - len(found))).scalars()
        above, width = above - width, width * 2
    return set(found)


def has_words(dialect: str, words: list[str]) -> Any:
    """Return the condition that a turn has all of these: words, ``"phrases"`` and ``beginnings*``."""
    if dialect == "mysql":
        return _mysql_words(words)
    queries = []
    for word in words:
        phrase = sa.func.phraseto_tsquery("simple", _quoted(word))
        begins = sa.cast(sa.cast(phrase, sa.Text) + ":*", _Query()) if word.endswith("*") else phrase
        queries.append(sa.literal_column("turns.words").op("@@")(begins))
    return sa.and_(*queries)


def _mysql_words(words: list[str]) -> Any:
    """Return the condition for MySQL and MariaDB, whose index has neither short words nor stop words: rows are read for these."""
    indexed = [word for word in words if _NOT_INDEXED.isdisjoint(parts := _parts(word)) and min(map(len, parts)) > 2]
    conditions: list[Any] = []
    if indexed:
        match = " ".join(f'+"{_quoted(word)}"' if not word.endswith("*") else f"+{_quoted(word)}*" for word in indexed)
        index = "MATCH (turns.prompt, turns.response_content, turns.error, turns.tools)"
        conditions.append(sa.text(f"{index} AGAINST (:match IN BOOLEAN MODE)").bindparams(match=match))
    said = sa.func.concat_ws(" ", turns.c.prompt, turns.c.response_content, turns.c.error, turns.c.tools)
    for word in words:
        if word not in indexed:
            text = r"\W+".join(map(re.escape, _parts(word)))
            conditions.append(said.regexp_match(rf"(?i)\b{text}" + ("" if word.endswith("*") else r"\b")))
    return sa.and_(*conditions)


def _parts(word: str) -> list[str]:
    return re.findall(r"\w+", word.lower()) or [""]


class _Query(sa.types.UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "tsquery"


def _quoted(word: str) -> str:
    return re.sub(r'["\x00]', " ", word.rstrip("*"))


def _summaries(connection: sa.Connection, heads: list[Any]) -> list[SessionSummary]:
    if not heads:
        return []
    ids = [head["session_id"] for head in heads]
    failed = sa.case((turns.c.status.in_(("error", "cancelled")), 1), else_=0)
    sums = [sa.func.sum(failed), sa.func.min(turns.c.position), sa.func.sum(turns.c.tokens)]
    counted = sa.select(turns.c.session_id, sa.func.count(), *sums, sa.func.sum(turns.c.duration_ms))
    of: dict[str, Any] = {
        row[0]: row
        for row in connection.execute(counted.where(turns.c.session_id.in_(ids)).group_by(turns.c.session_id))
    }
    failures = _failed_calls(connection, ids)
    first = [row[3] for row in of.values()]
    prompts = sa.select(turns.c.session_id, turns.c.prompt).where(turns.c.position.in_(first))
    prompt = {row[0]: row[1] for row in connection.execute(prompts)} if first else {}
    none = (None, 0, 0, None, 0, 0.0)
    return [
        SessionSummary(
            head["session_id"],
            head["workspace_id"],
            head["agent_id"],
            head["created_at"],
            head["updated_at"],
            bool(head["ended"]),
            of.get(head["session_id"], none)[1],
            int(of.get(head["session_id"], none)[2]),
            prompt.get(head["session_id"], ""),
            head["parent_id"],
            int(of.get(head["session_id"], none)[4] or 0),
            float(of.get(head["session_id"], none)[5] or 0.0),
            sum(failures.get(head["session_id"], {}).values()),
        )
        for head in heads
    ]


def turn_summaries(connection: sa.Connection, session_id: str) -> list[TurnSummary]:
    """Return one line about each turn of a session, in their order."""
    columns = [turns.c[name] for name in ("turn_id", "agent_id", "status", "started_at", "duration_ms")]
    query = sa.select(*columns, sa.func.coalesce(turns.c.tokens, 0)).where(turns.c.session_id == session_id)
    failures = _failed_calls(connection, [session_id]).get(session_id, Counter())
    rows = connection.execute(query.order_by(turns.c.position)).all()
    return [TurnSummary._make((*row, failures.get(row[0], 0))) for row in rows]


def _failed_calls(connection: sa.Connection, session_ids: Sequence[str]) -> dict[str, Counter[str]]:
    """Return by session and turn how many tool and model calls failed."""
    found: dict[str, Counter[str]] = {}
    for table in (tool_calls, model_calls):
        query = sa.select(table.c.session_id, table.c.turn_id, sa.func.count())
        query = query.where(table.c.session_id.in_(session_ids), table.c.status.in_(FAILED))
        for session_id, turn_id, number in connection.execute(query.group_by(table.c.session_id, table.c.turn_id)):
            found.setdefault(session_id, Counter())[turn_id] += number
    return found


def model_use(connection: sa.Connection, session_ids: Collection[str]) -> list[ModelUse]:
    """Return what the model calls of some sessions used."""
    columns = [model_calls.c[name] for name in ("session_id", "provider", "model", "started_at", "details")]
    query = sa.select(*columns).where(
        model_calls.c.session_id.in_(session_ids),
        sa.or_(model_calls.c.input_tokens.is_not(None), model_calls.c.output_tokens.is_not(None)),
    )
    found = []
    for session_id, provider, model, started_at, details in connection.execute(query):
        usage = usage_in(values.load(details).get("usage"))
        found.append(ModelUse(session_id, provider or "", model or "", started_at or "", usage))
    return found


_PLACES: list[tuple[str, sa.Table, str]] = [
    ("session", sessions, "session_id"),
    ("turn", turns, "turn_id"),
    ("trace", turns, "trace_id"),
    ("audit event", audit_events, "event_id"),
    ("span", turns, "span_id"),
    ("span", tool_calls, "span_id"),
    ("span", model_calls, "span_id"),
    ("tool call", tool_calls, "call_id"),
    ("response", model_calls, "response_id"),
]


def with_id(connection: sa.Connection, prefix: str, limit: int) -> list[Found]:
    """Return what has this id, or else what has one that begins like it."""
    found: list[Found] = []
    for kind, table, name in _PLACES:
        column = table.c[name]
        turn = table.c.turn_id if "turn_id" in table.c else sa.null()
        query = sa.select(table.c.session_id, turn, column).distinct().limit(limit)
        rows = connection.execute(query.where(column == prefix)).all()
        rows = rows or connection.execute(query.where(column >= prefix, column < prefix + _LAST)).all()
        found += [Found(kind, row[0], row[1], row[2]) for row in rows]
    return [hit for hit in found if hit.id == prefix] or found
