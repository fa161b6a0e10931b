"""(5) What is added to a turn: by turnspan with everything on, against bare spans, to the same work of each runtime.

Nothing, as many bare spans as turnspan makes, and turnspan alternate in one process; what is shown is the median over rounds of
what each adds to nothing. A turn has two model calls and two tools; models are scripted, clients and runtimes are real.

python benchmarks/added.py [workload [alone | threads | coroutines | slow | away]]
"""

import asyncio
import gc
import importlib
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

from common import NoExporter, median, process_s, provider, rss_mib, say, temporary, thread_s
from opentelemetry import trace

import turnspan
from turnspan.instrumentation.registry import Adapters
from turnspan.recording import runtime
from turnspan.stores import SqlSessionStore
from turnspan.testing.drivers import Conversation, RuntimeDriver, ScriptedToolCall

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

WORKLOADS = {
    "OpenAI Agents": "openai_agents",
    "LangGraph": "langgraph_agents",
    "Pydantic AI": "pydantic_agents",
    "handwritten OpenAI loop": "openai_chat",
    "by hand": "",
}
SHAPES = {
    "alone": (15, 1, 40),
    "threads": (5, 50, 6),
    "coroutines": (5, 500, 1),
    "slow": (5, 1, 40),
    "away": (5, 1, 40),
}
"""Rounds, turns at the same time, and turns one after another in each."""
TOOLS = [ScriptedToolCall("add", {"a": 1, "b": 2}, "c1"), ScriptedToolCall("shout", {"text": "hi"}, "c2")]
ATTRIBUTES = {
    "gen_ai.operation.name": "x",
    "gen_ai.provider.name": "x",
    "gen_ai.conversation.id": "s",
    "a": "a",
    "b": "b",
}


class SlowStore(SqlSessionStore):
    """A store that takes its time, or nothing at all."""

    away = False

    def apply(self, changes):
        if self.away:
            raise OSError("away")
        time.sleep(0.2)
        super().apply(changes)


class ByHand(RuntimeDriver):
    """A loop that says by hand what it does, or nothing while it is off."""

    adapter = ""
    on = False

    async def turn(self, conversation, prompt, script):
        if not self.on:
            return "done"
        with turnspan.turn(agent="bench", prompt=prompt, session=conversation.id) as turn:
            for step in script:
                with turnspan.model_call("scripted", provider="openai", messages=[{"role": "user"}]) as call:
                    call.output = "done"
                for tool in step if isinstance(step, list) else ():
                    with turnspan.tool(tool.name, **tool.arguments) as used:
                        used.result = 3
            turn.response = "done"
        return "done"


def bare_spans(tracer, count: int) -> None:
    parent = tracer.start_span("turn", attributes=ATTRIBUTES)
    inside = trace.set_span_in_context(parent)
    for _ in range(count - 1):
        tracer.start_span("call", inside, attributes=ATTRIBUTES).end()
    parent.end()


class Bench:
    """One workload in one shape."""

    def __init__(self, module: str, shape: str) -> None:
        self.rounds, self.at_once, self.each = SHAPES[shape]
        self.in_threads = shape == "threads"
        self.exporter = NoExporter()
        trace.set_tracer_provider(provider(self.exporter))
        self.tracer = trace.get_tracer("bare")
        home = temporary()
        store = SlowStore(f"sqlite:///{home}/sessions.db") if shape in ("slow", "away") else None
        SlowStore.away = shape == "away"
        turnspan.configure(home=home, telemetry=False, **({} if store is None else {"store": store}))
        self.driver = importlib.import_module(f"support.drivers.{module}").drivers[0]() if module else ByHand()
        self.adapters = Adapters()
        self.spans = 0

    @contextmanager
    def watched(self):
        if self.driver.adapter:
            self.adapters.watch(self.driver.adapter)
        ByHand.on = True
        try:
            yield
        finally:
            ByHand.on = False
            self.adapters.undo()

    async def turns(self, slot: int, after: Callable[[], None], took: list[float]) -> None:
        for _ in range(self.each):
            began = time.perf_counter()
            await self.driver.turn(Conversation(f"s-{slot}"), "go", [list(TOOLS), "done"])
            after()
            took.append(time.perf_counter() - began)

    def run(self, after: Callable[[], None] = lambda: None) -> tuple[float, ...]:
        """Return microseconds a turn: CPU of this thread, CPU of the process with everything drained, p50 and p99 by the clock."""
        gc.collect()
        self.drain()
        took: list[float] = []
        own, whole = thread_s(), process_s()
        if self.in_threads:
            with ThreadPoolExecutor(self.at_once) as pool:
                list(pool.map(lambda slot: asyncio.run(self.turns(slot, after, took)), range(self.at_once)))
        else:
            asyncio.run(self.gathered(after, took))
        own = thread_s() - own
        self.drain()
        whole = process_s() - whole
        cuts = quantiles(took, n=100)
        return own / len(took) * 1e6, whole / len(took) * 1e6, cuts[49] * 1e6, cuts[98] * 1e6

    async def gathered(self, after: Callable[[], None], took: list[float]) -> None:
        await asyncio.gather(*(self.turns(slot, after, took) for slot in range(self.at_once)))

    def drain(self) -> None:
        runtime.flush(0.5 if SlowStore.away else 60)
        trace.get_tracer_provider().force_flush()

    def on(self) -> tuple[float, ...]:
        with self.watched():
            return self.run()

    def figures(self) -> dict[str, list[float]]:
        self.run()
        before = self.exporter.count
        self.on()
        self.spans = round((self.exporter.count - before) / self.at_once / self.each)
        modes = {"off": self.run, "bare": lambda: self.run(lambda: bare_spans(self.tracer, self.spans)), "on": self.on}
        found: dict[str, list[tuple[float, ...]]] = {mode: [] for mode in modes}
        for _ in range(self.rounds):
            for mode, run in modes.items():
                found[mode].append(run())
        return {
            mode: [median(a[i] - b[i] for a, b in zip(found[mode], found["off"], strict=True)) for i in range(4)]
            for mode in ("bare", "on")
        }


def main(workload: str, shape: str) -> None:
    bench = Bench(WORKLOADS[workload], shape)
    added = bench.figures()
    where = {"alone": "", "threads": ", 50 threads", "coroutines": ", 500 coroutines"}.get(shape, f", store {shape}")
    names = ("agent's thread, CPU", "process, CPU, drained", "by the clock, p50", "by the clock, p99")
    shown = range(1 if bench.in_threads else 0, 4)  # there is not one thread then
    say(
        f"(5) added to a turn: {workload}{where}",
        {f"us, {names[i]}: bare spans, turnspan": f"{added['bare'][i]:.0f}, {added['on'][i]:.0f}" for i in shown}
        | {
            f"x {bench.spans} bare spans: {names[i]}": round(added["on"][i] / added["bare"][i], 2)
            for i in shown
            if i < 2
        }
        | {"MiB": round(rss_mib())},
    )
    SlowStore.away = False
    turnspan.shutdown()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main(sys.argv[1], sys.argv[2])
    else:
        for name in sys.argv[1:] or WORKLOADS:
            for kind in SHAPES if name in ("OpenAI Agents", "by hand") else ("alone", "threads", "coroutines"):
                subprocess.run([sys.executable, __file__, name, kind], check=True)
