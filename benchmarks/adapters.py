"""(8) Adapters: start of a program that imports no runtime, and memory over 10,000 turns of each runtime.

python benchmarks/adapters.py [runs]
"""

import asyncio
import gc
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

from common import median, rss_mib, say, temporary

ROUNDS = 15
BIN = Path(sys.executable).parent
STAGES = ("openai_chat", "anthropic_messages", "pydantic_agents", "openai_agents", "langgraph_agents")


def start() -> None:
    folder = temporary()
    (folder / "empty.py").write_text("")
    seconds: dict[str, list[float]] = {"none": [], "all": []}
    for _ in range(ROUNDS):
        for chosen, taken in seconds.items():
            env = {**os.environ, "TURNSPAN_ADAPTERS": chosen}
            begun = time.perf_counter()
            subprocess.run([BIN / "turnspan", "run", "empty.py"], cwd=folder, env=env, check=True, capture_output=True)
            taken.append(time.perf_counter() - begun)
    none, all_ = median(seconds["none"]), median(seconds["all"])
    say(
        "(8) start of a program that imports no runtime",
        {
            "seconds without adapters": round(none, 3),
            "with all of them": round(all_, 3),
            "ratio": round(all_ / none, 2),
        },
    )


def memory(name: str, runs: int) -> None:
    """Run turns with two tools in one process, and look at its memory half way and at the end."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
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
    if sys.argv[1:2] == ["memory"]:
        memory(sys.argv[2], int(sys.argv[3]))
    else:
        start()
        for stage_name in STAGES:
            subprocess.run([sys.executable, __file__, "memory", stage_name, (sys.argv[1:] or ["10000"])[0]], check=True)
