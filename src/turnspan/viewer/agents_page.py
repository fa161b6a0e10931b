"""The page of agents: who called and handed over to whom, of a session or of one turn, together and step by step."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from turnspan.model.addresses import session_path
from turnspan.reading.agent_graph import AgentGraph, agent_graph
from turnspan.reading.windows import Window, window_trees
from turnspan.viewer.graph_picture import graph_picture, steps_picture
from turnspan.viewer.rendering import render
from turnspan.viewer.session_page import MOST, asked_window
from turnspan.viewer.source import Pages


class AgentPages(Pages):
    """Shows the agents of a session, or with ``?turn=ID&limit=1`` of a turn."""

    def html(self, request: Request) -> str:
        """Return the page."""
        window, graph = self._graph(request)
        session = window.session
        ids = [turn.turn_id for turn in session.turns]
        return render(
            "agents.html",
            session=session,
            window=window,
            graph=graph_picture(graph),
            steps=steps_picture(graph, session.session_id, ids, window.first + 1),
            base=session_path(session.session_id),
            query=request.url.query,
        )

    def json(self, request: Request) -> dict[str, Any]:
        """Return the same as data."""
        window, graph = self._graph(request)
        turns = window.session.turns
        return {
            "schema": "turnspan.agents/1",
            "session_id": window.session.session_id,
            "window": window.facts,
            "agents": list(graph.agents.values()),
            "ways": [{**way._asdict(), "count": number} for way, number in graph.ways.items()],
            "steps": [
                {
                    "turn_id": turns[step.turn].turn_id,
                    "source": step.source,
                    "target": step.target,
                    "kind": step.kind,
                    "started_at": step.node.started_at,
                    "duration_ms": step.node.duration_ms,
                    "status": step.node.status,
                    "audit_event_ids": [] if step.source is None else step.node.audit_event_ids,
                }
                for step in graph.steps
            ],
        }

    def _graph(self, request: Request) -> tuple[Window, AgentGraph]:
        window = asked_window(self._source, request, MOST)
        return window, agent_graph(window_trees(self._source.reader.store, window.session))
