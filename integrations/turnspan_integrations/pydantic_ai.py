"""Pydantic AI: its own spans, which it starts when instrumentation is on; no second ones are started.

Instrumentation is turned on for all agents, unless the program has said for itself what it wants. A run's span is the
turn, a run inside of one an agent in it; the conversation of the outermost run is the session.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

from turnspan.adapter import Call, Emit, Invocation, ModelCall, Outcome, Run
from turnspan_integrations.otel import Reader
from turnspan_integrations.otel_spans import What, what_of

REQUIRES = "pydantic-ai-slim>=2.0,<3"
CANNOT = {
    "runs of agents whose instrumentation was turned off": "they start no spans",
    "attempts of a `FallbackModel` that failed": "its span is of the model that answered",
    "what a sampler dropped": "nobody is shown it",
    "prompts and answers": "where the program keeps content out of its spans",
}
_CONTENT = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "final_result",
    "pydantic_ai.all_messages",
    "model_request_parameters",
)


_DEFERRED = {"ApprovalRequired": "waits for approval", "CallDeferred": "is made elsewhere"}
_BAGGAGE = ("gen_ai.agent.name", "gen_ai.agent.call.id", "gen_ai.conversation.id")


def install(emit: Emit) -> None:
    """Turn the runtime's instrumentation on, and read its spans."""
    from opentelemetry.metrics import NoOpMeterProvider
    from pydantic_ai import Agent, InstrumentationSettings

    ours: Any = None
    if Agent._instrument_default is False:  # noqa: SLF001  what Agent.instrument_all sets
        ours = InstrumentationSettings(meter_provider=NoOpMeterProvider())  # metrics are made of our events
        emit.patch.replace(Agent, "_instrument_default", ours)
    reader = _Reader(emit)

    def content_of(span: Any) -> tuple[str, ...]:  # it is ours to keep in: the program has not asked for it
        return _CONTENT if _is_its(span) and Agent._instrument_default is ours else ()  # noqa: SLF001

    def baggage() -> tuple[str, ...]:
        return _BAGGAGE if Agent._instrument_default is ours else ()  # noqa: SLF001

    emit.spans.withhold_baggage(baggage)
    emit.spans.read(lambda span, here: reader.read(span, here) if _is_its(span) else reader.nothing(), content_of)

    def run(call: Invocation) -> Generator[None, Outcome, None]:
        emit.spans.prepare()  # it starts its span before anything could be reported
        reader.resumed_with(call.kwargs.get("deferred_tool_results"), call.kwargs.get("message_history"))
        yield None

    def asked(call: Invocation) -> Generator[None, Outcome, None]:
        yield None
        if (current := emit.current_run()) is not None:
            for part in call.instance.approvals:
                current.approval_asked(part.tool_name, part.tool_call_id, arguments=part.args)

    emit.patch.wrap("pydantic_ai:Agent.iter", run)
    emit.patch.wrap("pydantic_ai:DeferredToolRequests.__init__", asked)  # what a run returns that waits for consent


def _breaks_off(span: Any) -> bool:
    """Return whether an answer has no end: neither why the model stopped, nor what it used."""
    what = What("model", span.attributes or {})
    unended = what["finish"] is None and what["input_tokens"] is None and what["output_tokens"] is None
    return unended and span.status.status_code.name != "ERROR"


def _is_its(span: Any) -> bool:
    return getattr(span.instrumentation_scope, "name", "") == "pydantic-ai"


class _Reader(Reader):
    """Knows what the runtime's spans do not say: that a run was cancelled, or what was decided about its tools."""

    def __init__(self, emit: Emit) -> None:
        super().__init__(emit)
        self._decided: ContextVar[Any] = ContextVar("turnspan_pydantic_decided", default=None)
        self._broken: dict[str | None, list[tuple[ModelCall, Any, What, bool]]] = {}

    def resumed_with(self, results: Any, history: Any) -> None:
        """Take what a run is given about the calls that the run before left to others; it begins next."""
        self._decided.set(None if results is None else (results, history or ()))

    def _started(self, what: What, span: Any, here: Any, event_id: str | None = None) -> Run | Call:
        started = super()._started(what, span, here, event_id)
        if isinstance(started, Run) and (decided := self._decided.get()) is not None:
            self._decided.set(None)
            _report_decisions(started, *decided)
        return started

    def _ended(self, started: Run | Call, span: Any, what: What | None = None, outcome: Outcome | None = None) -> None:
        turn_id = started.turn_id if isinstance(started, Run) else started.run.turn_id
        if isinstance(started, ModelCall) and (
            (broken := isinstance(sys.exception(), asyncio.CancelledError)) or _breaks_off(span)
        ):
            # A stream that broke, or that the program left: its span says neither, that of its run does.
            what = What("model", dict(span.attributes or {}))  # content is taken off the span behind this
            self._broken.setdefault(turn_id, []).append((started, span, what, broken))
            return
        if isinstance(started, Run):
            ended = self.outcome(span, what_of(span) or What("agent", span.attributes or {}))
            for call, its_span, said, broken in self._broken.pop(turn_id, ()):
                came_of_it = Outcome(cancelled=True) if broken and ended.status == "success" else ended
                super()._ended(call, its_span, said, came_of_it)
        super()._ended(started, span, what, outcome)

    def outcome(self, span: Any, what: What) -> Outcome:
        """Return how a span ended: a cancelled one ends like a good one, but without an answer."""
        outcome = super().outcome(span, what)
        if what.kind == "tool":
            if (deferred := what.attributes.get("pydantic_ai.tool.deferral.name")) is not None:
                return Outcome.skipped(_DEFERRED.get(str(deferred), str(deferred)))
            late = str(outcome.error).startswith("Timed out after")
            return Outcome.timed_out(str(outcome.error)) if late else outcome
        if outcome.status != "success":
            return outcome
        if what.kind == "model":
            unanswered = what["response_model"] is None
        else:
            unanswered = "final_result" not in what.attributes and "model_request_parameters" not in what.attributes
        return Outcome(error="no answer came", cancelled=True) if unanswered else outcome


def _report_decisions(run: Run, results: Any, history: Any) -> None:
    """Say what was decided about the calls that waited; one that was approved is made by the run itself."""
    calls = {part.tool_call_id: part for m in history for part in m.parts if part.part_kind == "tool-call"}
    by = getattr(results, "answered_by", None) or {}
    for call_id, decided in results.approvals.items():
        if (call := calls.get(call_id)) is None:
            continue
        denied = decided is False or getattr(decided, "kind", "") == "tool-denied"
        reason = getattr(decided, "message", None) if denied else None
        run.approval_decided(call.tool_name, call_id, approved=not denied, by=by.get(call_id), reason=reason)
        if denied:
            run.tool_refused(call.tool_name, call.args_as_dict(), call_id, reason=reason)
    for call_id, result in results.calls.items():
        if (call := calls.get(call_id)) is not None:  # made elsewhere: nothing else says what came of it
            run.tool_ran(call.tool_name, call.args_as_dict(), getattr(result, "return_value", result), call_id=call_id)
