"""Pydantic AI: its own spans, which it starts when it is told to; no second ones are started.

Instrumentation is turned on for all agents, unless the program has said for itself what it wants. A run's span is the
turn, a run inside of one an agent in it; the conversation of the outermost run is the session.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan_integrations.otel import Reader, What

REQUIRES = "pydantic-ai-slim>=2.0"
CANNOT = {
    "runs of agents whose instrumentation was turned off": "they start no spans",
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

    def run(_call: Invocation) -> Generator[None, Outcome, None]:
        emit.spans.prepare()  # it starts its span before anything could be told
        yield None

    emit.patch.wrap("pydantic_ai:Agent.iter", run)


def _is_its(span: Any) -> bool:
    return getattr(span.instrumentation_scope, "name", "") == "pydantic-ai"


class _Reader(Reader):
    """Knows what the runtime's spans do not say: that a run was cancelled."""

    def outcome(self, span: Any, what: What) -> Outcome:
        """Return how a span ended: a cancelled one ends like a good one, but without an answer."""
        outcome = super().outcome(span, what)
        if what.kind == "tool":
            late = str(outcome.error).startswith("Timed out after")
            return Outcome.timed_out(str(outcome.error)) if late else outcome
        if outcome.status != "success":
            return outcome
        if what.kind == "model":
            unanswered = what["response_model"] is None
        else:
            unanswered = "final_result" not in what.attributes and "model_request_parameters" not in what.attributes
        return Outcome(error="no answer came", cancelled=True) if unanswered else outcome
