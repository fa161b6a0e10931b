"""LangChain's middleware that asks a human: which tool calls of a graph wait, and what was decided about them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, Run

HUMAN_IN_THE_LOOP = "langchain.agents.middleware.human_in_the_loop:HumanInTheLoopMiddleware"
_Watching = Generator[Any, Outcome, None]


class Approvals:
    """The observers of the middleware, and the tool calls that wait in the graphs that run."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._waiting: dict[Run, dict[str, dict[str, Any]]] = {}

    def asks(self, call: Invocation) -> _Watching:
        """A call that needs consent; the middleware comes by here again once it is given."""
        yield None
        given = call.argument(0, "tool_call") or call.argument(0, "request")
        tool_call = getattr(given, "tool_call", given)
        if (run := self._emit.current_run()) is not None:
            self._waiting.setdefault(run, {})[str(tool_call["id"])] = tool_call

    def decided(self, call: Invocation) -> _Watching:
        """What was decided about one of several calls."""
        outcome, decision = (yield None), call.argument(0, "decision")
        if outcome.error is None and (waited := self._no_longer(call.argument(1, "tool_call"))) is not None:
            _tell(*waited, decision["type"], decision.get("message"))

    def resolves(self, call: Invocation) -> _Watching:
        """A call that waits by itself: it is made, or a message comes in place of its result."""
        outcome = yield None
        if outcome.error is None and (waited := self._no_longer(call.argument(0, "request").tool_call)) is not None:
            refused = None if isinstance(outcome.result, tuple) else outcome.result
            kind = "approve" if refused is None else "reject" if refused.status == "error" else "respond"
            _tell(*waited, kind, getattr(refused, "content", None))

    def _no_longer(self, tool_call: dict[str, Any]) -> tuple[Run, dict[str, Any]] | None:
        """Take a call out of those that wait; return it, if it did."""
        run = self._emit.current_run()
        if run is None or self._waiting.get(run, {}).pop(str(tool_call["id"]), None) is None:
            return None
        return run, tool_call

    def ended(self, run: Run) -> None:
        """A graph that has stopped: what is undecided waits."""
        for tool_call in self._waiting.pop(run, {}).values():
            run.approval_asked(tool_call["name"], tool_call["id"], arguments=tool_call["args"])


def _tell(run: Run, tool_call: dict[str, Any], decision: str, reason: Any) -> None:
    """Say what was decided; a human who answers in the tool's place has the tool not run, and that is its result."""
    name, call_id, arguments = tool_call["name"], tool_call["id"], tool_call["args"]
    run.approval_decided(name, call_id, approved=decision in ("approve", "edit"), reason=reason)
    if decision == "respond":
        run.tool_ran(name, arguments, reason, call_id=call_id)
    elif decision == "reject":
        run.tool_refused(name, arguments, call_id, reason=reason)
