"""Everything that an adapter's author imports, beside the events themselves.

An adapter says what a runtime does. It knows nothing of OpenTelemetry, stores, privacy or the errors of its own::

    from turnspan.adapter import Emit, Invocation

    REQUIRES = "some-runtime>=1.2,<2"

    def install(emit: Emit) -> None:
        def answer(call: Invocation):
            run = emit.begin(agent=call.instance.name, prompt=call.argument(0, "prompt"))
            outcome = yield run
            run.end(outcome, outcome.result)

        emit.patch.wrap("some_runtime.agent:Agent.run", answer)

An entry point in the group ``turnspan.adapters``, named like the module whose import wakes it, makes it known.
:class:`turnspan.testing.AdapterConformance` proves it.
"""

from turnspan.adapter.calls import Call, ModelCall, ToolCall
from turnspan.adapter.contract import (
    ContentOf,
    Emit,
    Invocation,
    Observable,
    Observer,
    Patch,
    SpanReader,
    SpanReading,
    Spans,
    StreamObserver,
)
from turnspan.adapter.messages import NewMessages, after_last_answer, role_of
from turnspan.adapter.runs import SPAN_EXPECTED, Run, Runs
from turnspan.adapter.values import (
    NOT_OBSERVED,
    CurrentContext,
    Outcome,
    ResolvedSession,
    TurnLink,
    error_text,
    error_type,
)
from turnspan.model.ids import derived_id, new_id, now_ns
from turnspan.model.json_values import parsed

__all__ = [
    "NOT_OBSERVED",
    "SPAN_EXPECTED",
    "Call",
    "ContentOf",
    "CurrentContext",
    "Emit",
    "Invocation",
    "ModelCall",
    "NewMessages",
    "Observable",
    "Observer",
    "Outcome",
    "Patch",
    "ResolvedSession",
    "Run",
    "Runs",
    "SpanReader",
    "SpanReading",
    "Spans",
    "StreamObserver",
    "ToolCall",
    "TurnLink",
    "after_last_answer",
    "derived_id",
    "error_text",
    "error_type",
    "new_id",
    "now_ns",
    "parsed",
    "role_of",
]
