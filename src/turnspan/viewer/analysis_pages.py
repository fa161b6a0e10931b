"""The pages of why a step was taken, and of what two sessions or turns differ in."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlencode

from starlette.requests import Request

from turnspan.analysis.comparison import Comparison, Places, compare, compare_from, differing
from turnspan.analysis.leaves import path_text
from turnspan.analysis.provenance import Explanation, explain
from turnspan.analysis.steps import StepRef
from turnspan.errors import IdNotFoundError
from turnspan.model.addresses import event_anchor, quoted, session_path, turn_anchor
from turnspan.viewer.filters import QueryError
from turnspan.viewer.rendering import render
from turnspan.viewer.source import Pages
from turnspan.viewer.values import gist

_MOST = 2000
"""Steps that a page shows."""
_VALUE = 300


class AnalysisPages(Pages):
    """Shows explanations and comparisons."""

    def why_html(self, request: Request) -> str:
        """Return why a step was taken."""
        found = self._explained(request)
        return render("why.html", found=found, step_path=_step_path, path_text=path_text, gist=gist, limit=_VALUE)

    def why_json(self, request: Request) -> dict[str, Any]:
        """Return the same as ``turnspan why --json`` prints it."""
        found = self._explained(request)
        return {
            "schema": "turnspan.why/1",
            "session_id": found.session_id,
            "step": found.step,
            "inside": found.inside,
            "asked_by": found.asked_by,
            "values": found.values,
        }

    def _explained(self, request: Request) -> Explanation:
        wanted = unquote(request.path_params["event"], errors="replace")
        if not wanted.isprintable():
            raise IdNotFoundError(f"{wanted!r} is not an id: ids are printable text")
        return explain(self._source.stepped, wanted)

    def compare_html(self, request: Request) -> str:
        """Return a comparison, or what asks for the other side of one."""
        a, b = _sides(request)
        found, behind = compare_from(self._source.stepped, a, b, _places(request)) if a and b else (None, None)
        steps = [] if found is None else differing(found.steps)
        return render(
            "compare.html",
            a=a,
            b=b,
            found=found,
            steps=steps[:_MOST],
            left_out=max(0, len(steps) - _MOST),
            query=urlencode({"a": a, "b": b}),
            places=_places(request),
            behind=behind,
            step_path=_step_path,
            gist=gist,
            limit=_VALUE,
        )

    def compare_json(self, request: Request) -> dict[str, Any]:
        """Return the same as ``turnspan diff --json`` prints it."""
        a, b = _sides(request)
        if not (a and b):
            raise QueryError("A comparison has two sides: ?a=ID&b=ID, of sessions or of turns")
        return _document(compare(self._source.stepped, a, b))


def _document(found: Comparison) -> dict[str, Any]:
    sides = {"a": found.a, "b": found.b}
    return {"schema": "turnspan.diff/1", **sides, "same": found.same, "counts": found.counts, "steps": found.steps}


def _sides(request: Request) -> tuple[str, str]:
    a, b = (request.query_params.get(name, "").strip() for name in ("a", "b"))
    for given in (a, b):
        if not given.isprintable():
            raise QueryError(f"{given[:80]!r} is not an id: ids are printable text")
    return a, b


def _places(request: Request) -> Places:
    """Return from which turn of each side on a request asks for."""
    given = (request.query_params.get(name, "") for name in ("from_a", "from_b"))
    return Places(*(int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0 for text in given))


def _step_path(session_id: str, step: StepRef) -> str:
    """Return the address of a step in its conversation."""
    events = step.audit_event_ids
    anchor = event_anchor(events[0]) if events and step.kind != "turn" else turn_anchor(step.turn_id)
    return f"{session_path(session_id)}?turn={quoted(step.turn_id)}#{anchor}"
