"""Dialects: what coding agents report as OTLP log records becomes sessions.

A coding agent sends events, not traces: a prompt, a request to the API, a decision about a tool call and its result, each by
itself, over hours. ``events`` reads them, ``spool`` keeps them on disk before their request is answered, ``assembly`` makes
accounts of turns of them and has these joined with the record. What differs between agents is a module each, here in a table.

Private: what users import is in ``turnspan`` and its public modules.
"""

from __future__ import annotations

from turnspan.receiver.dialects import claude_code, codex, gemini_cli
from turnspan.receiver.dialects.events import Dialect

DIALECTS: tuple[Dialect, ...] = (claude_code, codex, gemini_cli)
"""The coding agents that are known."""
PREFIXES = tuple(dialect.PREFIX for dialect in DIALECTS)
BY_KIND = {dialect.KIND: dialect for dialect in DIALECTS}


def dialect_of(name: str) -> Dialect | None:
    """Return the dialect that an event's name is of."""
    return next((dialect for dialect in DIALECTS if name.startswith(dialect.PREFIX)), None)
