"""One peer's part of ``make peers``, in its environment: prints spans a turn, and the CPU that it adds to thread and process."""

import asyncio
import gc
import json
import os
import sys

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"

from agents import Agent, RunConfig, Runner, function_tool, set_trace_processors
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.tracing import TracingProcessor, get_trace_provider
from agents.usage import Usage
from common import NoExporter, median, process_s, provider, temporary, thread_s
from opentelemetry import trace

PAIRS, TURNS = 15, 30
PAD = "The quarterly figures for the northern region were reconciled against the ledger. "


@function_tool
def look(account: str, period: str) -> str:
    """Look an account up."""
    return json.dumps({"account": account, "period": period, "rows": [PAD] * 4})


class Bare(TracingProcessor):
    """One bare span for each span of the SDK, with five attributes."""

    def __init__(self, tracer) -> None:
        self.tracer, self.open = tracer, {}

    def _start(self, key, name, parent_key) -> None:
        parent = self.open.get(parent_key)
        attributes = {
            "gen_ai.operation.name": name,
            "gen_ai.provider.name": "x",
            "gen_ai.agent.name": "n",
            "s": "s",
            "id": key,
        }
        inside = None if parent is None else trace.set_span_in_context(parent)
        self.open[key] = self.tracer.start_span(name, inside, attributes=attributes)

    def on_trace_start(self, trace):
        self._start(trace.trace_id, trace.name, None)

    def on_trace_end(self, trace):
        self.open.pop(trace.trace_id).end()

    def on_span_start(self, span):
        self._start(span.span_id, span.span_data.type, span.parent_id or span.trace_id)

    def on_span_end(self, span):
        self.open.pop(span.span_id).end()

    def shutdown(self):
        pass

    def force_flush(self):
        pass


class Peer:
    """Switched on and off; ``flush`` has everything exported."""

    def __init__(self, name: str) -> None:
        self.exporter = NoExporter()
        self.provider = provider(self.exporter)
        self.flush = self.provider.force_flush
        trace.set_tracer_provider(self.provider)
        set_trace_processors([])
        self.on = lambda: set_trace_processors(self.processors)
        self.off = lambda: set_trace_processors([])
        self.processors = []
        {
            "bare spans": self.bare,
            "turnspan": self.turnspan,
            "OpenTelemetry GenAI": self.genai,
            "OpenLLMetry": self.openllmetry,
            "OpenInference": self.openinference,
            "Langfuse": self.langfuse,
        }[name]()
        self.processors = self.processors or list(get_trace_provider()._multi_processor._processors)

    def bare(self):
        self.processors = [Bare(self.provider.get_tracer("bare"))]

    def turnspan(self):
        import turnspan
        from turnspan.instrumentation.registry import Adapters

        turnspan.configure(home=temporary(), telemetry=False)
        adapters = Adapters()
        self.on, self.off = lambda: adapters.watch("openai-agents"), adapters.undo
        self.processors = [None]
        self.flush = lambda: (turnspan.flush(60), self.provider.force_flush())

    def genai(self):
        from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor

        OpenAIAgentsInstrumentor().instrument(tracer_provider=self.provider, disable_openai_trace_export=True)

    def openllmetry(self):
        from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

        OpenAIAgentsInstrumentor(replace_existing_processors=True).instrument(tracer_provider=self.provider)

    def openinference(self):
        from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

        OpenAIAgentsInstrumentor().instrument(tracer_provider=self.provider)

    def langfuse(self):
        from langfuse import Langfuse
        from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

        client = Langfuse(
            public_key="pk-lf-x", secret_key="sk-lf-x", base_url="http://127.0.0.1:9", span_exporter=self.exporter
        )
        OpenAIAgentsInstrumentor().instrument()
        self.flush = client.flush


async def turns() -> None:
    usage = Usage(requests=1, input_tokens=321, output_tokens=57, total_tokens=378)
    for _ in range(TURNS):
        both, one = (
            [function_call("look", {"account": f"AC-{n}", "period": PAD}, call_id=f"c{n}") for n in some]
            for some in ((1, 2), (3,))
        )
        model = ScriptedModel(
            [both, one, [assistant_message("Done. " + PAD * 3)]], emit_traces=True, default_usage=usage
        )
        agent = Agent(name="Analyst", instructions="You are careful. " + PAD, model=model, tools=[look])
        await Runner.run(
            agent, "Please check the account. " + PAD, run_config=RunConfig(workflow_name="bench", group_id="s")
        )


def main(name: str) -> None:
    peer = Peer(name)

    def measured() -> tuple[float, float]:
        gc.collect()
        own, whole = thread_s(), process_s()
        asyncio.run(turns())
        own = thread_s() - own
        peer.flush()
        return own / TURNS * 1e6, (process_s() - whole) / TURNS * 1e6

    added = []
    for pair in range(PAIRS + 1):
        peer.off()
        without = measured()
        peer.on()
        before = peer.exporter.count
        observed = measured()
        spans = (peer.exporter.count - before) / TURNS
        if pair:  # the first is for warming up
            added.append((observed[0] - without[0], observed[1] - without[1]))
    print(spans, median(own for own, _ in added), median(whole for _, whole in added))


if __name__ == "__main__":
    main(sys.argv[1])
