"""``make peers``: what others add to a turn of the OpenAI Agents SDK, each in an environment of its own; docs/performance.md has the table.

The same turn, once with a tracing processor that does nothing, once with the peer's: everything that it records by default with content on,
to an exporter that does nothing. The floor is one bare span for each span of the SDK. Needs the network, to install the peers.

python benchmarks/peers.py [peer ...]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import median

HERE = Path(__file__).parent
PEERS: dict[str, list[str]] = {
    "bare spans": [],
    "turnspan": [],
    "OpenTelemetry GenAI": ["opentelemetry-instrumentation-genai-openai-agents"],
    "OpenLLMetry": ["opentelemetry-instrumentation-openai-agents"],
    "OpenInference": ["openinference-instrumentation-openai-agents"],
    "Langfuse": ["langfuse", "openinference-instrumentation-openai-agents"],
}
"""What is installed beside turnspan and the SDK."""
PROCESSES = 3


def python_of(peer: str) -> Path:
    """Return the interpreter of a peer's environment, made if it is not there."""
    if not PEERS[peer]:
        return Path(sys.executable)
    folder = Path(os.environ.get("PEERS", Path(tempfile.gettempdir()) / "turnspan-peers")) / peer.replace(" ", "-")
    python = folder / "bin/python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = ["-e", f"{HERE.parent}", "openai-agents", *PEERS[peer]]
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=True)
        (folder / "installed").touch()
    return python


def main(peers: list[str]) -> None:
    found: dict[str, list[tuple[float, ...]]] = {peer: [] for peer in peers}
    for _ in range(PROCESSES):
        for peer in peers:
            ran = subprocess.run(
                [str(python_of(peer)), str(HERE / "peers_turn.py"), peer], check=True, capture_output=True, text=True
            )
            found[peer].append(tuple(float(figure) for figure in ran.stdout.split()[-3:]))
    added = {peer: [median(figures[i] for figures in runs) for i in range(3)] for peer, runs in found.items()}
    print("| | spans a turn | agent's thread, us | process, us | x bare spans: thread | process |")
    print("|---|--:|--:|--:|--:|--:|")
    floor = added.get("bare spans")
    for peer, (spans, own, whole) in sorted(added.items(), key=lambda one: one[1][2]):
        ratios = f"{own / floor[1]:.1f} | {whole / floor[2]:.1f}" if floor else " | "
        print(f"| {peer} | {spans:.0f} | {own:.0f} | {whole:.0f} | {ratios} |")


if __name__ == "__main__":
    main(sys.argv[1:] or list(PEERS))
