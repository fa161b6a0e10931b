"""Histories: sessions that other programs kept, as records.

A reader is a module with ``sessions(path)``: it yields a :class:`~turnspan.SessionRecord` for each session that it can
read, and an :class:`Unreadable` for each file or line that it cannot; it never raises for what is in a file, and goes on.
It imports nothing of the runtime.

Private: what users import is in ``turnspan`` and its public modules.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from turnspan.errors import TurnspanError
from turnspan.interchange.importers.files import Unreadable, files_in, is_regular, lines_of
from turnspan.interchange.importers.storing import JOINED, Report, store_history
from turnspan.model.records import SessionRecord

__all__ = ["JOINED", "KINDS", "Report", "Unreadable", "expected", "home_of", "read", "store_history"]

KINDS = {
    "xerxes": "A folder of Xerxes' or Calute's session files, or of the daemon's under $XERXES_HOME/sessions.",
    "oats": "A folder of oats' session files (~/.local/share/oats/sessions).",
    "openai-agents": "A database that the OpenAI Agents SDK's SQLiteSession writes.",
    "claude-code": "A folder of Claude Code's transcripts (~/.claude/projects).",
    "codex": "A folder of Codex' rollouts (~/.codex/sessions).",
    "gemini-cli": "A folder of Gemini CLI's chats (~/.gemini/tmp).",
    "jsonl": 'A file with a session in each line: as `turnspan export --format jsonl` writes them, or {"messages": [...]}.',
}
"""What can be read, by name."""


def read(kind: str, path: Path) -> Iterator[SessionRecord | Unreadable]:
    """Yield the sessions of a history.

    Raises:
        TurnspanError: When there is no such kind of history, or nothing at the path.

    """
    if kind not in KINDS:
        raise TurnspanError(f"Unknown kind of history {kind}; known are: {', '.join(KINDS)}")
    if not path.exists():
        raise TurnspanError(f"{path} does not exist: pass the path of the history. {KINDS[kind]}")
    module = importlib.import_module(f"turnspan.interchange.importers.{kind.replace('-', '_')}")
    return cast("Iterator[SessionRecord | Unreadable]", module.sessions(path))


def home_of(kind: str) -> Path:
    """Return where a coding agent keeps its transcripts, unless it is told otherwise."""
    module = importlib.import_module(f"turnspan.interchange.importers.{kind.replace('-', '_')}")
    default = Path(module.HOME).expanduser()
    folder = os.environ.get(module.HOME_VARIABLE)
    return Path(folder) / default.name if folder else default


def expected(kind: str, path: Path) -> int | None:
    """Return how many sessions a history seems to have, where that is known without reading it: for a progress bar."""
    if kind == "openai-agents" or not (path.is_dir() or is_regular(path)):
        return None
    if kind == "jsonl":
        return sum(1 for _ in lines_of(path)) if path.stat().st_size < _COUNTED_BYTES else None
    return sum(1 for _ in files_in(path, "*.jsonl" if kind in JOINED else "*.json"))


_COUNTED_BYTES = 64 * 1024 * 1024
"""Files of lines up to this size are counted first."""
