"""Links: from a record to its trace and its log lines in a viewer.

``TURNSPAN_TRACE_URL`` and ``TURNSPAN_LOG_URL`` are templates, or the name of a viewer and where it is:
``https://tracing.example/t/{trace_id}?q={audit_event_id}``, ``jaeger``, ``jaeger:https://jaeger.example``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from turnspan.errors import SettingsError

NAMES = ("trace_id", "span_id", "audit_event_id", "session_id", "turn_id")
"""What a template may name."""


def _explore(base: str, datasource: str, query: dict[str, Any]) -> str:
    """Return a link to Grafana's Explore (its ``panes`` of schema version 1), with the names still to be filled in."""
    source = {"type": datasource, "uid": datasource}
    pane = {
        "datasource": datasource,
        "queries": [{"refId": "A", "datasource": source, **query}],
        "range": {"from": "now-30d", "to": "now"},
    }
    panes = quote(json.dumps({"ts": pane}, separators=(",", ":")), safe="")
    for name in NAMES:
        panes = panes.replace(quote(f"<{name}>", safe=""), f"{{{name}}}")
    return f"{base}/explore?schemaVersion=1&orgId=1&panes={panes}"


def _tempo(base: str) -> str:
    return _explore(base, "tempo", {"queryType": "traceql", "query": "<trace_id>", "limit": 20, "tableType": "traces"})


def _loki(base: str) -> str:
    return _explore(base, "loki", {"expr": '{service_name=~".+"} | turnspan_audit_event_id="<audit_event_id>"'})


TRACES: dict[str, tuple[str, Callable[[str], str]]] = {
    "jaeger": ("http://localhost:16686", lambda base: f"{base}/trace/{{trace_id}}?uiFind={{audit_event_id}}"),
    "tempo": ("http://localhost:3000", _tempo),
    "grafana": ("http://localhost:3000", _tempo),
    "phoenix": ("http://localhost:6006", lambda base: f"{base}/redirects/traces/{{trace_id}}"),
}
"""Viewers of traces: where each is by default, and its links."""
LOGS: dict[str, tuple[str, Callable[[str], str]]] = {"grafana": ("http://localhost:3000", _loki)}
"""Viewers of logs."""


class Links:
    """Makes links by a template or a viewer's name; none where nothing is set.

    Args:
        variable: The setting's variable, for messages.
        given: What it is set to.
        viewers: The viewers that may be named.

    Raises:
        SettingsError: When it names no viewer, or a template names something else than :data:`NAMES`.

    """

    def __init__(self, variable: str, given: str, viewers: dict[str, tuple[str, Callable[[str], str]]]) -> None:
        name, _, base = given.partition(":")
        if name in viewers and not base.startswith("//"):
            default, make = viewers[name]
            given = make((base or default).rstrip("/"))
        elif given and not re.match(r"https?://", given):
            raise SettingsError(f"{variable}={given!r} is not a URL; write a template or one of {', '.join(viewers)}")
        if unknown := sorted(set(re.findall(r"\{(\w*)\}", given)) - set(NAMES)):
            raise SettingsError(f"{variable} names {', '.join(unknown)}; a template may name {', '.join(NAMES)}")
        self._template = given

    def to(self, **ids: str | None) -> str | None:
        """Return the link; None where nothing is set, or an id that it needs is not known."""
        if not self._template or any(ids.get(name) is None for name in re.findall(r"\{(\w+)\}", self._template)):
            return None
        return re.sub(r"\{(\w+)\}", lambda found: quote(ids[found[1]] or "", safe=""), self._template)
