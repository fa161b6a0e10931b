"""(8) Adapters: start of a program that imports no runtime, a turn of each runtime against the same turn unwatched, memory.

python benchmarks/adapters.py [start | turns [runtime] | memory [runs]]

A turn has two model calls and two tools, over the runtime's real client; its newest release is measured in the environment
that `nox -s play` makes, where there is one. What is not installed is left out, with the reason.
"""

import asyncio
import gc
import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from common import median, process_s, provider, rss_mib, say, temporary, thread_s

ROOT = Path(__file__).parents[1]
ROUNDS = 15
TURNS, TURN_ROUNDS = 10, 15
BIN = Path(sys.executable).parent
STAGES = ("openai_chat", "anthropic_messages", "pydantic_agents", "openai_agents", "langgraph_agents")
RUNTIMES = {
    "agent-framework": "agent_framework_wire",
    "agno": "agno_wire",
    "anthropic": "anthropic_wire",
    "autogen": "autogen_wire",
    "bedrock": "bedrock_converse",
    "claude-agent-sdk": "claude_agent_sdk_wire",
    "crewai": "crewai_wire",
    "dspy": "dspy_wire",
    "google-adk": "google_adk_wire",
    "google-genai": "google_genai_contents",
    "haystack": "haystack_wire",
    "langgraph": "langgraph_wire",
    "litellm": "litellm_chats",
    "llama-index": "llama_index_wire",
    "mistralai": "mistralai_chats",
    "oats-coder": "oats_wire",
    "ollama": "ollama_chats",
    "openai": "openai_wire",
    "openai-agents": "openai_agents_wire",
    "pydantic-ai": "pydantic_ai_wire",
    "semantic-kernel": "semantic_kernel_wire",
    "smolagents": "smolagents_wire",
    "strands": "strands_wire",
    "xerxes": "xerxes_wire",
}
"""Each adapter with the driver that runs its turns; `mcp` and `otel` have no turns of their own."""


def start() -> None:
    """CPU of a whole process, its children's: the clock would measure what else the machine does."""
    folder = temporary()
    (folder / "empty.py").write_text("")
    seconds: dict[str, list[float]] = {"none": [], "all": []}
    for _ in range(ROUNDS):
        for chosen, taken in seconds.items():
            env = {**os.environ, "TURNSPAN_ADAPTERS": chosen}
            begun = _children_s()
            subprocess.run([BIN / "turnspan", "run", "empty.py"], cwd=folder, env=env, check=True, capture_output=True)
            taken.append(_children_s() - begun)
    none, all_ = median(seconds["none"]), median(seconds["all"])
    say(
        "(8) start of a program that imports no runtime, CPU",
        {
            "seconds without adapters": round(none, 3),
            "with all of them": round(all_, 3),
            "ratio": round(all_ / none, 2),
        },
    )


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# Turns -------------------------------------------------------------------------------------------------------------


def turns(names: list[str]) -> None:
    """Print a row for each runtime: each is measured in a process of its own, in its environment."""
    print("| runtime | unwatched | agent's thread | process |\n|---|--:|--:|--:|")
    for name in names:
        environment = ROOT / ".nox" / f"play-runtime-{name.replace('-', '_')}-version-newest" / "bin" / "python"
        python = environment if environment.exists() else sys.executable
        done = subprocess.run([python, __file__, "turn", name], capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            print(f"| {name} | left out: {lines[-1] if lines else done.returncode} | | |", flush=True)
            continue
        row = json.loads(done.stdout.strip().splitlines()[-1])
        print(
            f"| {row['runtime']} | {row['unwatched_us']:,.0f} us | {row['thread']:.2f} x | {row['process']:.2f} x |",
            flush=True,
        )


class Served:
    """The CPU of the model server's threads, which is not the program's."""

    def __init__(self) -> None:
        from support.model_server.server import _Handler

        self.seconds: list[float] = []
        answer = _Handler.handle_one_request

        def counted(handler: Any) -> None:
            begun = thread_s()
            answer(handler)
            self.seconds.append(thread_s() - begun)

        _Handler.handle_one_request = counted

    def taken(self) -> float:
        """Return what was used since it was asked before."""
        used, self.seconds = sum(self.seconds), []
        return used


def turn(name: str) -> None:
    """Measure one runtime: unwatched and watched turns alternate, and everything is drained behind each round."""
    sys.path.insert(0, str(ROOT / "tests"))
    from importlib.metadata import version

    from opentelemetry import trace

    import turnspan
    from turnspan.instrumentation.registry import GROUP, Adapters, AdapterState, entry_points, name_of
    from turnspan.testing.drivers import Conversation, ScriptedToolCall

    served = Served()
    trace.set_tracer_provider(provider())
    turnspan.configure(home=temporary(), telemetry=False)
    driver = importlib.import_module(f"support.drivers.{RUNTIMES[name]}").drivers[0]()
    (entry,) = (entry for entry in entry_points(group=GROUP) if name_of(entry) == name)
    runtime = AdapterState.of(entry).runtime
    adapters = Adapters()
    tools = [ScriptedToolCall("add", {"a": 1, "b": 2}, "c1"), ScriptedToolCall("shout", {"text": "hi"}, "c2")]

    async def some() -> None:
        for number in range(TURNS):
            await driver.turn(Conversation(f"s-{number}"), "go", [list(tools), "done"])

    def measured() -> tuple[float, float]:
        gc.collect()
        turnspan.flush(60)
        served.taken()
        own, whole = thread_s(), process_s()
        asyncio.run(some())
        own = thread_s() - own
        turnspan.flush(60)
        trace.get_tracer_provider().force_flush()
        return own / TURNS * 1e6, (process_s() - whole - served.taken()) / TURNS * 1e6

    def watched() -> tuple[float, float]:
        adapters.watch(name)
        try:
            return measured()
        finally:
            adapters.undo()

    measured(), watched()  # to warm up
    rounds = [(measured(), watched()) for _ in range(TURN_ROUNDS)]
    ratio = [median(on[kind] / off[kind] for off, on in rounds) for kind in (0, 1)]
    driver.close()
    turnspan.shutdown()
    found = {"runtime": f"{runtime} {version(runtime)}", "unwatched_us": median(off[1] for off, _ in rounds)}
    print(json.dumps(found | {"thread": ratio[0], "process": ratio[1]}))


# Memory ------------------------------------------------------------------------------------------------------------


def memory(name: str, runs: int) -> None:
    """Run turns with two tools in one process, and look at its memory half way and at the end."""
    sys.path.insert(0, str(ROOT / "tests"))
    import turnspan
    from turnspan.testing.drivers import Conversation, ScriptedToolCall

    turnspan.configure(home=temporary())
    turnspan.instrument()
    stage = importlib.import_module(f"support.drivers.{name}").drivers[0]()
    tools = [ScriptedToolCall("add", {"a": 1, "b": 2}, "c1"), ScriptedToolCall("shout", {"text": "hi"}, "c2")]

    async def some(first: int, count: int) -> None:
        for number in range(first, first + count):
            await stage.turn(Conversation(f"s-{number}"), f"prompt {number}", [list(tools), "done"])

    def settled() -> float:
        turnspan.flush(60)
        gc.collect()
        return rss_mib()

    asyncio.run(some(0, runs // 2))
    half = settled()
    asyncio.run(some(runs // 2, runs - runs // 2))
    end = settled()
    say(
        f"(8) memory over {runs} turns in as many sessions: {name}",
        {
            "MiB half way": round(half, 1),
            "MiB at the end": round(end, 1),
            "bytes a turn": round((end - half) * 2**20 / (runs / 2)),
        },
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["memory", stage_name, runs]:
            memory(stage_name, int(runs))
        case ["turn", chosen]:
            turn(chosen)
        case ["turns", *chosen]:
            turns(chosen or list(RUNTIMES))
        case ["start"]:
            start()
        case rest:
            if not rest:
                start()
                turns(list(RUNTIMES))
            for stage_name in STAGES:
                subprocess.run([sys.executable, __file__, "memory", stage_name, *(rest[1:] or ["10000"])], check=True)
