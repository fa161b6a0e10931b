"""What people are asked before one of Haystack's tools is called, and what they decide."""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from turnspan.adapter import Emit, Invocation, Outcome

_STRATEGIES = "haystack.hooks.human_in_the_loop.strategies"
_Watching = Generator[Any, Outcome, None]


class _Deciding:
    """A call that a strategy decides about, and whether somebody was asked."""

    def __init__(self, call: Invocation) -> None:
        given = call.kwargs
        self.tool_name, self.arguments = given.get("tool_name", ""), given.get("tool_params")
        self.call_id = given.get("tool_call_id")
        self.asked = False


class Approvals:
    """The strategies by which calls are confirmed: each is a class of its own, and so is what they ask with."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._known: WeakSet[type] = WeakSet()
        self._deciding: ContextVar[_Deciding | None] = ContextVar("turnspan_haystack_deciding", default=None)

    def install(self) -> None:
        """Wrap where strategies are run; they are wrapped when they are met."""
        for name in ("_run_confirmation_strategies", "_run_confirmation_strategies_async"):
            self._emit.patch.wrap(f"{_STRATEGIES}:{name}", self.begins)

    def begins(self, call: Invocation) -> _Watching:
        """Strategies are about to be run."""
        for strategy in (call.argument(0, "confirmation_strategies") or {}).values():
            self._wrap(type(strategy), ("run", "run_async"), self.decides)
            if (screen := getattr(strategy, "confirmation_ui", None)) is not None:
                self._wrap(type(screen), ("get_user_confirmation",), self.asks)
        yield None

    def _wrap(self, cls: type, methods: tuple[str, ...], observer: Any) -> None:
        for owner in cls.__mro__:
            if owner not in self._known and any(method in vars(owner) for method in methods):
                self._known.add(owner)
                for method in methods:
                    if method in vars(owner):
                        self._emit.patch.wrap((owner, method), observer)

    def decides(self, call: Invocation) -> _Watching:
        """A strategy decides about a call; one without a screen of the runtime's own asks in its own way."""
        run = self._emit.current_run()
        if run is None or self._deciding.get() is not None:  # the asynchronous way may be by the other one
            yield None
            return
        deciding = _Deciding(call)
        if not hasattr(call.instance, "confirmation_ui"):
            self._ask(deciding)
        token = self._deciding.set(deciding)
        outcome = yield None
        self._deciding.reset(token)
        decision = outcome.result
        if deciding.asked and decision is not None:
            name, call_id, why = deciding.tool_name, deciding.call_id, decision.feedback
            run.approval_decided(name, call_id, approved=bool(decision.execute), reason=why)
            if not decision.execute:
                run.tool_refused(name, deciding.arguments, call_id, reason=why)

    def asks(self, _call: Invocation) -> _Watching:
        """Somebody is asked."""
        if (deciding := self._deciding.get()) is not None:
            self._ask(deciding)
        yield None

    def _ask(self, deciding: _Deciding) -> None:
        if (run := self._emit.current_run()) is not None and not deciding.asked:
            deciding.asked = True
            run.approval_asked(deciding.tool_name, deciding.call_id, arguments=deciding.arguments)
