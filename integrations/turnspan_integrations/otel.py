"""Whatever speaks OpenTelemetry already: spans that others start become events, and no second span is started.

Four dialects are read (see :mod:`turnspan_integrations.otel_spans`). An agent's span outside of every turn is a turn;
inside of one it is an agent; spans of models and tools are calls, and so are retrieval, memory, plans, guardrails and
evaluators, of a type of their own. A model call that nothing is around is a turn of its own. Spans whose dialect says
only at their end what they are (OpenInference's chains, OpenLLMetry's decorators) are reported when the outermost span of
their trace in this process ends. It is over 200 lines because spans are read live and, where one says only at its end
what it is, a whole trace at once.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Generator, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from turnspan.adapter import (
    Call,
    CurrentContext,
    Emit,
    Invocation,
    ModelCall,
    Outcome,
    Run,
    SpanReading,
    ToolCall,
    derived_id,
)
from turnspan.events import Usage
from turnspan_integrations.completion_hook import said_in
from turnspan_integrations.otel_spans import FETCH_RESPONSE, What, answer_of, outermost_chain, prompt_of, what_of

REQUIRES = "opentelemetry-sdk>=1.40,<2"
CANNOT = {"what a sampler dropped": "nobody is shown it", "what was put on no span": "nobody is shown it"}
_TOLD_OTHERWISE = (
    "agent_framework",
    "autogen-core",
    "com.anthropic.sdk.python",
    "fastmcp",
    "gcp.vertex.agent",
    "mcp-python-sdk",
    "pydantic-ai",
    "semantic_kernel.functions.kernel_function",
    "semantic_kernel.utils.telemetry.agent_diagnostics.decorators",
    "semantic_kernel.utils.telemetry.model_diagnostics.decorators",
    "strands.telemetry.tracer",
)
"""Instrumentation scopes that adapters of their own see to."""
_UTIL = "opentelemetry.util.genai"
_conversation: ContextVar[str | None] = ContextVar("turnspan_otel_conversation", default=None)
_TRACES_WAITING, _SPANS_WAITING = 256, 2000


def install(emit: Emit) -> None:
    """Read the spans of everybody who has no adapter of their own."""
    reader = Reader(emit)
    emit.spans.read(lambda span, here: reader.read(span, here) if reader.is_others(span) else reader.nothing())
    emit.patch.wrap(f"{_UTIL}._invocation:with_conversation_id", _conversation_named)


def _conversation_named(call: Invocation) -> Generator[None, Outcome, None]:
    """What OpenTelemetry's utilities know of the span that they start next, and put on it only at its end."""
    yield None
    _conversation.set(str(call.argument(0, "conversation_id")))


def _conversation_of(span: Any) -> str | None:
    if not getattr(span.instrumentation_scope, "name", "").startswith(_UTIL):
        return None
    named = _conversation.get()
    _conversation.set(None)
    return named


class Reader:
    """Reads spans.

    Args:
        emit: Takes the events.

    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._asking: set[int] = set()  # open spans of models outside of every turn
        self._waiting: OrderedDict[int, dict[int, Any]] = OrderedDict()  # by trace: spans that ended outside of a turn

    @staticmethod
    def is_others(span: Any) -> bool:
        """Return whether no adapter sees to the span's instrumentation."""
        return getattr(span.instrumentation_scope, "name", "") not in _TOLD_OTHERWISE

    @staticmethod
    def nothing() -> SpanReading:
        """Read nothing."""
        return
        yield

    def read(self, span: Any, here: CurrentContext | None) -> SpanReading:
        """Read one span."""
        what, in_turn = what_of(span), here is not None and here.turn_id is not None
        if what is not None and span.parent is not None and span.parent.span_id in self._asking:
            return  # two instrumentations of one call
        if what is None or (not in_turn and what.kind != "agent"):
            alone = what is not None and what.operation is None
            if alone:
                self._asking.add(span.context.span_id)
            try:
                ended = yield None
            finally:
                self._asking.discard(span.context.span_id)
            self._late(ended, here if in_turn else None, known=alone)
            return
        if self._is_told(what, span, here):
            yield None
            return
        started = self._started(what, span, here)
        ended = yield started
        self._ended(started, ended)

    def _is_told(self, what: What, span: Any, here: CurrentContext | None) -> bool:
        """Return whether an adapter reports this already, right around the span."""
        if here is None or here.turn_id is None:
            return False
        if what.kind == "agent":
            return here.call_id is None and here.agent_id is not None and here.agent_id == what["agent"]
        return (
            bool(self._emit.open_model_calls())
            if what.kind == "model"
            else self._emit.current_tool_name() == _tool_of(what, span)
        )

    def _started(self, what: What, span: Any, here: CurrentContext | None, event_id: str | None = None) -> Run | Call:
        at: dict[str, Any] = {"at_ns": span.start_time, "event_id": event_id, "span": span}
        if here is None or here.turn_id is None:
            own, name = what["session"] or _conversation_of(span), what["agent"]
            session = self._emit.session(None if own is None else str(own), agent_id=name)
            return self._emit.begin(
                agent=_agent_of(what, span),
                prompt=prompt_of(what),
                session=session,
                turn_id=what["run"],
                nested=False,
                **at,
            )
        run = self._emit.run_at(here)
        if what.kind == "agent":
            return run.agent_started(_agent_of(what, span), description=what["description"], **at)
        if what.kind == "tool":
            kind = what.operation or what["tool_type"] or "function"
            return run.tool_started(_tool_of(what, span), what.arguments, what["call"], tool_type=kind, **at)
        return run.model_started(
            provider=what.provider,
            model=what["model"],
            messages=what.messages("input"),
            history=0,
            operation=what.operation,
            **at,
        )

    def _ended(self, started: Run | Call, span: Any, what: What | None = None, outcome: Outcome | None = None) -> None:
        what = what or what_of(span) or What("", span.attributes or {})
        outcome = (outcome or self.outcome(span, what))._replace(at_ns=span.end_time)
        if isinstance(started, Run):
            started.end(outcome, answer_of(what), prompt=prompt_of(what) or None)
        elif isinstance(started, ToolCall):
            given = what.arguments
            started.ended(outcome, what.result, arguments=None if given == started.started.arguments else given)
        elif isinstance(started, ModelCall):
            _model_ended(started, outcome, what, said_in(span.context.span_id))

    def outcome(self, span: Any, what: What) -> Outcome:
        """Return how a span ended; an exception on it says more than its status."""
        error = next((dict(event.attributes or {}) for event in reversed(span.events) if event.name == "exception"), {})
        kind = str(error.get("exception.type") or what.attributes.get("error.type") or "_OTHER")
        if kind.endswith(("CancelledError", "GeneratorExit")):
            return Outcome(error=kind.rpartition(".")[2], cancelled=True, known_error_type=kind)
        if span.status.status_code.name != "ERROR":
            return Outcome()
        return Outcome.failed(str(error.get("exception.message") or span.status.description or kind), kind)

    # Spans that say late what they are ----------------------------------------------------------------------------

    def _late(self, span: Any, here: CurrentContext | None, *, known: bool) -> None:
        what = self._news_of(span)
        if here is not None:
            if what is not None and not self._is_told(what, span, here):
                self._tell(what, span, here)
            return
        if known and what is not None:
            self._report_alone(what, span)
            return
        trace = self._waiting.setdefault(span.context.trace_id, {})
        if len(trace) < _SPANS_WAITING:
            trace[span.context.span_id] = span
        if span.parent is None or span.parent.is_remote:
            self.report_trace(self._waiting.pop(span.context.trace_id))
        elif len(self._waiting) > _TRACES_WAITING:
            self.report_trace(self._waiting.popitem(last=False)[1])

    def _news_of(self, span: Any) -> What | None:
        """Return what a span says; None where an adapter has reported the call, and the span was made behind it."""
        what = what_of(span)
        if (
            what is None
            or what.kind != "model"
            or what.operation == FETCH_RESPONSE
            or (response_id := what["response_id"]) is None
        ):
            return what
        return None if self._emit.has_response(str(response_id), span.start_time) else what

    def _tell(self, what: What, span: Any, here: CurrentContext) -> None:
        """Report a span that has ended."""
        self._ended(self._started(what, span, here, _id(span, "call")), span)

    def _report_alone(self, what: What, span: Any) -> dict[int, CurrentContext]:
        """Report a call that nothing is around as a turn of its own."""
        around = {**what.attributes, "gen_ai.agent.name": what["agent"] or span.name}
        if (said := said_in(span.context.span_id, keep=True)) is not None:
            around |= {"gen_ai.input.messages": json.dumps(said[0]), "gen_ai.output.messages": json.dumps(said[1])}
        return self._report_tree(What("agent", around), span, [(what, span)])

    def report_trace(
        self, spans: Mapping[int, Any], places: Mapping[int, CurrentContext] | None = None
    ) -> dict[int, CurrentContext]:
        """Report the spans of a trace, each below the nearest one above it that says what it is.

        Args:
            spans: Them, by their ids; they have ended.
            places: Where those of the trace are that were reported before.

        Returns:
            Where code inside of each of them is; spans that nothing was reported around are left out.

        """
        known = dict(places or {})
        reported = {span_id: what for span_id, span in spans.items() if (what := self._news_of(span)) is not None}

        def above(span: Any) -> int | None:
            seen = set()
            while span is not None and span.parent is not None and span.parent.span_id not in seen:
                seen.add(span.parent.span_id)
                if span.parent.span_id in reported or span.parent.span_id in known:
                    return int(span.parent.span_id)
                span = spans.get(span.parent.span_id)
            return None

        for span_id in list(reported):
            is_alone = reported[span_id].kind != "agent" and above(spans[span_id]) is None
            if is_alone and (chain := outermost_chain(spans[span_id], spans)) is not None:
                reported[chain.context.span_id] = What("agent", chain.attributes)
        for span_id, what in list(reported.items()):  # two instrumentations of one call, one inside of the other
            around = reported.get(above(spans[span_id]) or 0)
            if (
                what.kind == "model"
                and around is not None
                and (around.kind, around.operation) == ("model", what.operation)
            ):
                del reported[span_id]
        children: dict[int | None, list[int]] = {}
        for span_id in sorted(reported, key=lambda one: (spans[one].start_time, -spans[one].end_time)):
            children.setdefault(above(spans[span_id]), []).append(span_id)

        def tree(span_id: int) -> Iterable[tuple[What, Any]]:
            for child in children.get(span_id, ()):
                yield reported[child], spans[child]
                yield from tree(child)

        for parent in [None, *(known.keys() & children.keys())]:
            for root in children.get(parent, ()):
                what, below = reported[root], list(tree(root))
                if parent is not None:
                    known |= self._report_tree(what, spans[root], below, above, known[parent])
                elif what.kind == "agent":
                    known |= self._report_tree(what, spans[root], below, above)
                elif what.operation is None:
                    known |= self._report_alone(what, spans[root])
        inside = {span_id: known.get(span_id) or known.get(above(span) or 0) for span_id, span in spans.items()}
        return {span_id: place for span_id, place in inside.items() if place is not None}

    def _report_tree(
        self,
        what: What,
        root: Any,
        below: list[tuple[What, Any]],
        above: Any = None,
        here: CurrentContext | None = None,
    ) -> dict[int, CurrentContext]:
        """Report a turn, or what is late in one, with all that happened in it; return where each is."""
        top = self._started(what, root, here, _id(root, "turn" if here is None else "call"))
        runs: dict[int, Run | Call] = {root.context.span_id: top}
        open_: list[tuple[Run | Call, Any, What]] = []
        for what_below, span in below:
            while open_ and open_[-1][1].end_time <= span.start_time:
                self._ended(*open_.pop())
            parent = _place(runs[above(span) if above is not None else root.context.span_id])
            started = runs[span.context.span_id] = self._started(what_below, span, parent, _id(span, "call"))
            open_.append((started, span, what_below))
        while open_:
            self._ended(*open_.pop())
        self._ended(top, root, what)
        return {span_id: _place(one) for span_id, one in runs.items()}


def _agent_of(what: What, span: Any) -> str | None:
    """Return the name of an agent; a span that is named after the operation alone is of one without a name."""
    operations = (what.attributes.get("gen_ai.operation.name"), what.attributes.get("ai.operationId"))
    return what["agent"] or (None if span.name in operations else span.name)


def _tool_of(what: What, span: Any) -> Any:
    """Return the name of a tool, or of whatever else an agent uses."""
    if what.operation == "memory":
        return what.attributes["gen_ai.operation.name"]
    if what.operation == "retrieval" and (source := what.attributes.get("gen_ai.data_source.id")) is not None:
        return source
    return what["tool"] or span.name


def _place(inside: Run | Call) -> CurrentContext:
    """Return where something happens that happens inside of a run or call."""
    run = inside if isinstance(inside, Run) else inside.run
    return CurrentContext(run.session_id, run.turn_id, inside.call_id, run.agent)


def _id(span: Any, kind: str) -> str:
    return derived_id(span.context.trace_id, span.context.span_id, kind, at_ns=span.start_time)


# What spans say -----------------------------------------------------------------------------------------------------


def _model_ended(call: ModelCall, outcome: Outcome, what: What, said: tuple[list[Any], list[Any]] | None) -> None:
    asked, answered = said or (what.messages("input"), what.messages("output"))
    finish = what["finish"]
    used = {name: what[name] for name in Usage.__struct_fields__} if what.operation != FETCH_RESPONSE else {}
    call.ended(
        outcome,
        answered,
        messages=None if asked == call.started.messages else asked,
        provider=what.provider,
        model=what["model"],
        response_model=what["response_model"],
        response_id=what["response_id"],
        finish_reasons=list(finish) if isinstance(finish, (list, tuple)) else [] if finish is None else [str(finish)],
        usage=Usage(**used) if any(value is not None for value in used.values()) else None,
    )
