"""(5) An OpenAI Agents SDK turn with 3 tools and a scripted model: turnspan with everything on, against a minimal
tracing processor that opens one bare span per SDK span. Off, minimal and turnspan alternate in one process."""

import asyncio
import gc

from agents import Agent, Runner, function_tool, set_trace_processors
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.tracing import TracingProcessor, add_trace_processor
from agents.usage import Usage
from common import median, process_s, provider, say, temporary, thread_s
from opentelemetry import trace

import turnspan
from turnspan.instrumentation.registry import Adapters
from turnspan.recording import runtime

ROUNDS, TURNS = 15, 40


@function_tool
def look(what: str) -> str:
    """Look something up."""
    return f"found {what}"


class Minimal(TracingProcessor):
    """One bare span for each span of the SDK, with five attributes."""

    def __init__(self) -> None:
        self.tracer = trace.get_tracer("minimal")
        self.open = {}

    def on_trace_start(self, trace_):
        pass

    def on_trace_end(self, trace_):
        pass

    def on_span_start(self, span):
        parent = self.open.get(span.parent_id)
        context = trace.set_span_in_context(parent) if parent is not None else None
        self.open[span.span_id] = self.tracer.start_span(
            span.span_data.type,
            context,
            attributes={
                "gen_ai.operation.name": span.span_data.type,
                "gen_ai.conversation.id": "bench",
                "gen_ai.agent.name": "bench",
                "sdk.trace_id": span.trace_id,
                "sdk.span_id": span.span_id,
            },
        )

    def on_span_end(self, span):
        found = self.open.pop(span.span_id, None)
        if found is not None:
            found.end()

    def shutdown(self):
        pass

    def force_flush(self):
        pass


def turn() -> None:
    usage = Usage(requests=1, input_tokens=100, output_tokens=20, total_tokens=120)
    calls = [function_call("look", {"what": str(n)}, call_id=f"c{n}") for n in range(3)]
    model = ScriptedModel([calls, [assistant_message("done")]], emit_traces=True, default_usage=usage)
    agent = Agent(name="bench", model=model, tools=[look])
    asyncio.get_event_loop().run_until_complete(Runner.run(agent, "go", conversation_id="bench"))


def measured() -> tuple[float, float]:
    gc.collect()
    runtime.flush()
    trace.get_tracer_provider().force_flush()
    own, whole = thread_s(), process_s()
    for _ in range(TURNS):
        turn()
    own = thread_s() - own
    runtime.flush(30)
    trace.get_tracer_provider().force_flush()
    return own / TURNS * 1e6, (process_s() - whole) / TURNS * 1e6


def main() -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    set_trace_processors([])
    trace.set_tracer_provider(provider())
    turnspan.configure(home=temporary(), telemetry=False)
    adapters, minimal = Adapters(), Minimal()

    def off():
        return measured()

    def with_minimal():
        add_trace_processor(minimal)
        try:
            return measured()
        finally:
            set_trace_processors([])

    def with_turnspan():
        adapters.watch("openai-agents")
        try:
            return measured()
        finally:
            adapters.undo()

    runs = {"off": off, "minimal": with_minimal, "turnspan": with_turnspan}
    for run in runs.values():
        run()
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            figures[name].append(run())
    own, whole = ({name: median(f[i] for f in found) for name, found in figures.items()} for i in (0, 1))
    say(
        "(5) an OpenAI Agents SDK turn with 3 tools, everything on, against a minimal tracing processor",
        {
            "off: agent thread, us": round(own["off"]),
            "minimal processor adds: agent thread, process CPU, us": f"{own['minimal'] - own['off']:.0f}, {whole['minimal'] - whole['off']:.0f}",
            "turnspan adds: agent thread, process CPU, us": f"{own['turnspan'] - own['off']:.0f}, {whole['turnspan'] - whole['off']:.0f}",
            "turn with turnspan against turn with the minimal processor": round(own["turnspan"] / own["minimal"], 2),
            "added in the agent's thread (at most 1.3)": round(
                (own["turnspan"] - own["off"]) / (own["minimal"] - own["off"]), 2
            ),
            "added process CPU": round((whole["turnspan"] - whole["off"]) / (whole["minimal"] - whole["off"]), 2),
        },
    )
    turnspan.shutdown()


if __name__ == "__main__":
    main()
