"""(3) Seconds that ``turnspan run`` adds to an empty program, beside ``opentelemetry-instrument``."""

import os
import subprocess
import sys
import time
from pathlib import Path

from common import median, say, temporary

ROUNDS = 15
BIN = Path(sys.executable).parent


def main() -> None:
    folder = temporary()
    program = folder / "empty.py"
    program.write_text("")
    commands = {
        "python": [sys.executable, program],
        "turnspan run": [BIN / "turnspan", "run", program],
        "opentelemetry-instrument": [BIN / "opentelemetry-instrument", sys.executable, program],
    }
    env = {**os.environ, "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    env["TURNSPAN_ADAPTERS"] = "all"
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            own = env if name == "opentelemetry-instrument" else os.environ
            start = time.perf_counter()
            subprocess.run([str(part) for part in command], cwd=folder, env=own, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - start)
    bare = median(seconds["python"])
    say(
        "(3) seconds added to an empty program",
        {
            "bare python": round(bare, 3),
            "turnspan run adds (at most 0.3)": round(median(seconds["turnspan run"]) - bare, 3),
            "opentelemetry-instrument adds, without exporters": round(
                median(seconds["opentelemetry-instrument"]) - bare, 3
            ),
        },
    )


if __name__ == "__main__":
    main()
