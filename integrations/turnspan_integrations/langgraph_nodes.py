"""Nodes in which no model, tool or graph ran: nothing else says that they were there, or how long they took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from turnspan.adapter import Emit, Outcome, Run

_STEP = "graph:step:"
_HIDDEN = "langsmith:hidden"
_HOOKS = ("before_agent", "before_model", "after_model", "after_agent")
"""What LangChain's agent names the nodes of its middleware by; they are no steps of the program's."""


class _Node(NamedTuple):
    name: str
    place: str
    run: Run
    at_ns: int
    events: int
    """How many its turn had when it began."""


class Nodes:
    """The nodes that run. One that ends and had nothing in it is put on record as an agent that was there so long."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._running: dict[UUID, _Node] = {}

    def started(
        self,
        _serialized: Any,
        _inputs: Any,
        *,
        run_id: UUID,
        tags: Sequence[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **_more: Any,
    ) -> None:
        """Note a node of a graph; of the chains that LangChain names here, only they have a step."""
        known = metadata or {}
        name = str(known.get("langgraph_node"))
        given = tags or ()
        if not any(tag.startswith(_STEP) for tag in given) or _HIDDEN in given or name.rpartition(".")[2] in _HOOKS:
            return
        run = self._emit.current_run()
        if run is not None and run.agent != name:  # in the functional API a graph's only node is the graph
            place = str(known.get("langgraph_checkpoint_ns"))
            self._running[run_id] = _Node(name, place, run, time.time_ns(), self._events_of(run))

    def has_something(self, metadata: Any) -> None:
        """Forget the nodes that something is on record of, which says where it is."""
        place = str((metadata or {}).get("langgraph_checkpoint_ns"))
        for run_id, node in list(self._running.items()):
            if place.startswith(node.place):
                self._running.pop(run_id, None)

    def _events_of(self, run: Run) -> int:
        link = self._emit.link(run.session_id, str(run.turn_id))
        return 0 if link is None else len(link.audit_event_ids)

    def ended(self, _outputs: Any, *, run_id: UUID, **_more: Any) -> None:
        """Record it."""
        self._end(run_id, Outcome())

    def failed(self, error: BaseException, *, run_id: UUID, **_more: Any) -> None:
        """Record it; one that asks somebody outside runs again, and what only steers the graph is no error."""
        from langgraph.errors import GraphBubbleUp, GraphInterrupt

        if isinstance(error, GraphInterrupt):
            self._running.pop(run_id, None)
        else:
            self._end(run_id, Outcome() if isinstance(error, GraphBubbleUp) else Outcome(error=error))

    def _end(self, run_id: UUID, outcome: Outcome) -> None:
        if (node := self._running.pop(run_id, None)) is None:
            return
        beside = {key: other for key, other in list(self._running.items()) if other.run.turn_id == node.run.turn_id}
        if beside or self._events_of(node.run) == node.events:  # else another adapter had something in it
            node.run.agent_started(node.name, at_ns=node.at_ns).end(outcome)
            for key, other in beside.items():
                if key in self._running:
                    self._running[key] = other._replace(events=other.events + 2)
