"""``make profile``: where the time of a turn goes, by package, in the agent's thread and in each thread behind it.

python benchmarks/where.py [workload]. Under a profiler everything is slower, Python most: read shares, not microseconds.
"""

import asyncio
import cProfile
import pstats
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from added import WORKLOADS, Bench

import turnspan

TURNS = 200
SHOWN = 14
PROFILES: dict[str, cProfile.Profile] = {}


def package_of(file: str) -> str:
    """Return turnspan's package, or somebody else's distribution."""
    parts = Path(file).parts
    for root, depth in (("turnspan", 2), ("turnspan_integrations", 2), ("site-packages", 2)):
        if root in parts:
            at = len(parts) - 1 - parts[::-1].index(root)
            named = parts[at : at + depth] if root != "site-packages" else parts[at + 1 : at + 2]
            return ".".join(part.removesuffix(".py") for part in named)
    return "python" if "lib" in parts or file.startswith("<") else "the program"


def by_package(profile: cProfile.Profile) -> Counter[str]:
    """Return seconds by package; what built-in functions took is their callers'."""
    seconds: Counter[str] = Counter()
    if not profile.getstats():
        return seconds
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():
        if file == "~":
            for (caller, _, _), (_, _, part, _) in callers.items():
                seconds["python" if caller == "~" else package_of(caller)] += part
        else:
            seconds[package_of(file)] += own
    return seconds


def profiled(run):
    """Profile every thread from its start."""

    def run_profiled(self: threading.Thread) -> None:
        profile = PROFILES[self.name] = cProfile.Profile(time.thread_time)
        profile.runcall(run, self)

    return run_profiled


def main(workload: str) -> None:
    threading.Thread.run = profiled(threading.Thread.run)
    bench = Bench(WORKLOADS[workload], "alone")
    bench.each = TURNS
    bench.on()
    for profile in PROFILES.values():
        profile.clear()
    agent = PROFILES["the agent's thread"] = cProfile.Profile(time.thread_time)
    with bench.watched():
        agent.runcall(asyncio.run, bench.gathered(lambda: None, []))
    bench.drain()
    turnspan.shutdown()  # the threads behind end, and so do their profiles
    for name, profile in PROFILES.items():
        seconds = by_package(profile)
        if (whole := sum(seconds.values())) > 0:
            print(f"\n{workload}, {name}: {whole / TURNS * 1e6:.0f} us a turn, profiled")
            for package, part in seconds.most_common(SHOWN):
                print(f"  {package:<40} {part / TURNS * 1e6:7.0f} us {part / whole:6.1%}")


if __name__ == "__main__":
    main((sys.argv[1:] or ["by hand"])[0])
