"""What was recorded as an indented outline, without ids and times: to be written down beside what did it."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from turnspan.model.records import SessionRecord, turnspan_metadata
from turnspan.testing.snapshots import snapshot_of

_SHORT = {"model call": "model", "tool call": "tool"}
_MADE_UP = re.compile(r"(?:\w+_)?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$")
"""An id that the runtime draws."""
_DRAWN = re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+(Z|[+-]\d\d:\d\d)?")
_TOKENS = ("input_tokens", "output_tokens")


def outline(sessions: Iterable[SessionRecord]) -> str:
    """Return sessions, in the order of what is in them: which of several began first is chance.

    A session is named where the program named it. Behind a model's name are tokens in and out, behind a tool's call is
    its result; a status is said where it is not success.
    """
    return "\n".join(sorted("\n".join(_session(session)) for session in sessions))


def _session(session: SessionRecord) -> Iterator[str]:
    named = turnspan_metadata(session.metadata).get("session_id_from") != "new" and not _MADE_UP.match(
        session.session_id
    )
    yield f"session {session.session_id}" if named else "session"
    (plain,) = snapshot_of([session])
    for turn in plain.get("turns", ()):
        yield from _lines(turn, 1)


def _lines(node: dict[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    kind, name = node["kind"], node["name"]
    line = _SHORT.get(kind, kind) + ("" if name == kind else f" {name}")
    if kind == "tool call":
        line += f"({', '.join(f'{key}={_text(value)}' for key, value in node.get('arguments', {}).items())})"
    if kind == "model call" and (used := node.get("usage")):
        line += f" {used.get('input_tokens', 0)}+{used.get('output_tokens', 0)}"
        more = {key.removesuffix("_tokens"): n for key, n in used.items() if n and key not in _TOKENS}
        line += "".join(f" {name} {n}" for name, n in more.items())
    if "result" in node:
        line += f" = {_text(node['result'])}"
    if node["status"] != "success":
        line += f" {node['status'].upper()} {node.get('error') or ''}".rstrip()
    line += "".join(f" {_text(node[key])}" for key in ("reason", "data") if key in node)
    yield indent + line
    if "prompt" in node:
        yield f"{indent}  > {_text(node['prompt'])}"
    for inner in node.get("inside", ()):
        yield from _lines(inner, depth + 1)
    if "response" in node:
        yield f"{indent}  < {_text(node['response'])}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _MOMENT.sub("(time)", _DRAWN.sub("(id)", text)).replace("\n", "↵")
