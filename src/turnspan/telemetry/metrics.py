"""Metrics: the GenAI conventions' histograms, through the meter provider that the process has.

Made in the writer thread, from the journal, each in the context of its span, so that exemplars lead to the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from turnspan._version import __version__
from turnspan.events import AgentEnded, ModelCallEnded, ModelCallStarted, ToolCallEnded, ToolCallStarted, TurnEnded
from turnspan.telemetry import semconv as sc
from turnspan.telemetry.live_spans import in_span
from turnspan.telemetry.outlet import Folded, Providers


class Metrics:
    """Records durations and tokens of what has ended.

    Args:
        providers: Know which meter provider there is. The program may set its own at any time: then that is used.
        profile: Names of metrics.

    """

    def __init__(self, providers: Providers, profile: sc.Profile = sc.UTIL_1_3) -> None:
        self._providers, self._profile = providers, profile
        self._provider: Any = None

    def write(self, events: Iterable[Folded]) -> None:
        """Record what has ended among some events."""
        provider = self._providers.meter_provider()
        if provider is None:
            return
        if provider is not self._provider:
            self._provider = provider
            self._open(provider)
        for folded in events:
            if folded.started is not None:
                self._record(folded)

    def _open(self, provider: Any) -> None:
        meter = provider.get_meter("turnspan", __version__)

        def histogram(metric: sc.Metric) -> Histogram:
            created: Histogram = meter.create_histogram(
                metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
            )
            return created

        profile = self._profile
        self._inference = histogram(profile.inference_duration)
        self._agent = histogram(profile.invoke_agent_duration)
        self._tool = histogram(profile.execute_tool_duration)
        self._input = histogram(profile.input_tokens)
        self._one_token_metric = profile.input_tokens == profile.output_tokens
        self._output = self._input if self._one_token_metric else histogram(profile.output_tokens)
        if self._providers.health() is not None:
            observe_health(meter, self._providers.health)

    def _record(self, folded: Folded) -> None:
        event, span, started = folded.event, folded.span, folded.started
        seconds = max(0, folded.duration_ns or 0) / 1e9
        context = in_span(span)
        attributes: dict[str, Any] = {}
        if getattr(event, "status", "") in ("error", "timeout"):
            attributes[sc.ERROR_TYPE] = getattr(event, "error_type", None) or "_OTHER"
        match event, started:
            case ((TurnEnded() | AgentEnded()), _):
                if agent := started.agent_id if started else None:
                    attributes[sc.GEN_AI_AGENT_NAME] = agent
                self._agent.record(seconds, attributes, context)
            case ToolCallEnded(), ToolCallStarted():
                attributes[sc.GEN_AI_TOOL_NAME] = started.tool_name
                attributes[sc.GEN_AI_TOOL_TYPE] = started.tool_type
                if started.agent_id:
                    attributes[sc.GEN_AI_AGENT_NAME] = started.agent_id
                self._tool.record(seconds, attributes, context)
            case ModelCallEnded(), ModelCallStarted():
                attributes[sc.GEN_AI_OPERATION_NAME] = started.operation or "chat"
                attributes[sc.GEN_AI_PROVIDER_NAME] = event.provider or started.provider or "_OTHER"
                if model := event.model or started.model:
                    attributes[sc.GEN_AI_REQUEST_MODEL] = model
                if event.response_model:
                    attributes[sc.GEN_AI_RESPONSE_MODEL] = event.response_model
                self._inference.record(seconds, attributes, context)
                self._tokens(event, attributes, context)

    def _tokens(self, event: ModelCallEnded, attributes: dict[str, Any], context: Any) -> None:
        if event.usage is None:
            return
        for kind, histogram, tokens in (
            ("input", self._input, event.usage.input_tokens),
            ("output", self._output, event.usage.output_tokens),
        ):
            if tokens is not None:
                token_type = {sc.GEN_AI_TOKEN_TYPE: kind} if self._one_token_metric else {}
                histogram.record(tokens, {**attributes, **token_type}, context)


class Health(NamedTuple):
    """How recording goes in a process: what metrics say of turnspan itself."""

    recorded: int
    stored: int
    dropped: int
    problems: Mapping[str, int]
    spans: Iterable[Mapping[str, Mapping[str, int]]]
    """Of each provider, by exporter: how many spans were exported, failed, were dropped, and wait."""


def observe_health(meter: Meter, look: Callable[[], Health | None]) -> None:
    """Have a process's health observed whenever metrics are collected; None where nothing is recorded any more."""

    def counter(name: str, unit: str, brief: str, read: Callable[[Health], Iterable[Observation]]) -> None:
        def observed(_options: CallbackOptions) -> Iterable[Observation]:
            health = look()
            return [] if health is None else read(health)

        meter.create_observable_counter(name, [observed], unit, brief)

    counter(sc.TURNSPAN_EVENTS_RECORDED, "{event}", "Audit events recorded.", lambda h: [Observation(h.recorded)])
    counter(sc.TURNSPAN_EVENTS_STORED, "{event}", "Audit events that the store has.", lambda h: [Observation(h.stored)])
    counter(sc.TURNSPAN_EVENTS_DROPPED, "{event}", "Audit events lost.", lambda h: [Observation(h.dropped)])
    counter(
        sc.TURNSPAN_PROBLEMS,
        "{problem}",
        "Failures of turnspan itself.",
        lambda h: [Observation(count, {sc.TURNSPAN_CAUSE: cause}) for cause, count in h.problems.items()],
    )
    counter(
        sc.TURNSPAN_SPANS,
        "{span}",
        "Spans that have ended, by exporter and state.",
        lambda h: [
            Observation(count, {sc.TURNSPAN_EXPORTER: exporter, sc.TURNSPAN_STATE: state})
            for provider in h.spans
            for exporter, counts in provider.items()
            for state, count in counts.items()
            if state in ("exported", "failed", "dropped")
        ],
    )
