"""(9) `turnspan serve`: spans a second into a store with nothing lost, the CPU that a span takes, and memory; with the store away.

python benchmarks/serve.py [seconds] [spans a second, 0: as many as it takes] [store URL]

Senders and server share the machine's cores, as they do where an agent runs beside its recorder.
"""

import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from common import say, temporary

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.otlp import PROTOBUF, agent, as_protobuf, chat, request, tool

SPANS_A_TRACE, TRACES_A_REQUEST, SENDERS = 6, 50, 2
SPANS_A_REQUEST = SPANS_A_TRACE * TRACES_A_REQUEST
TEXT = "Which invoices are open, and which of them are due this week? " * 4


def message(role: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": TEXT}]}])


SAYS = {"gen_ai.input.messages": message("user"), "gen_ai.output.messages": message("assistant")}
GIVEN = {"gen_ai.tool.call.arguments": '{"month": "2026-11"}', "gen_ai.tool.call.result": json.dumps([7, 8, 9] * 10)}


def bodies(sender: int) -> ExportTraceServiceRequest:
    """Return a request of whole traces, as a Collector batches them: two model calls with content, two tools, an agent."""
    spans = []
    for n in range(1, TRACES_A_REQUEST + 1):
        spans += [
            agent(n, 1, session=f"s-{sender}-{n % 20}", **SAYS),
            *(chat(n, i, 1, start_ms=i * 10, **SAYS) for i in (2, 4, 6)),
            *(tool(n, i, 1, start_ms=i * 10, **GIVEN) for i in (3, 5)),
        ]
    return ExportTraceServiceRequest.FromString(as_protobuf(request(*spans)))


def send(url: str, sender: int, seconds: float, rate: float, sent: "multiprocessing.Queue[tuple[int, int]]") -> None:
    """Send requests, each of new traces, and again what is refused for now."""
    made, taken, refused, began = bodies(sender), 0, 0, time.time()
    spans = made.resource_spans[0].scope_spans[0].spans
    while time.time() < began + seconds:
        number, now = taken // SPANS_A_REQUEST, time.time_ns()
        for index, span in enumerate(spans):
            trace = index // SPANS_A_TRACE + TRACES_A_REQUEST * number
            span.trace_id = (sender + 1).to_bytes(8, "big") + (trace + 1).to_bytes(8, "big")
            took = span.end_time_unix_nano - span.start_time_unix_nano
            span.start_time_unix_nano, span.end_time_unix_nano = now + index, now + index + took
        body = made.SerializeToString()
        while True:
            try:
                made_request = urllib.request.Request(f"{url}/v1/traces", body, {"content-type": PROTOBUF})
                with urllib.request.urlopen(made_request, timeout=60):
                    break
            except urllib.error.HTTPError as error:
                refused += 1
                error.close()
                time.sleep(0.5)
        taken += SPANS_A_REQUEST
        if rate:
            time.sleep(max(0.0, began + taken / rate - time.time()))
    sent.put((taken, refused))


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mib(pid: int, name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return 0.0 if found is None else int(found.group(1)) / 1024


def main(seconds: float, rate: float, store: str | None) -> None:
    home = temporary()
    command = [Path(sys.executable).parent / "turnspan", "serve", "--port", "0", "--rate", "0", "--home", home]
    options = [] if store is None else ["--store", store]
    server = subprocess.Popen(
        [*map(str, command), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert server.stdout is not None
    url = re.search(r"at (http://\S+:\d+),", server.stdout.readline()).group(1)
    before_s, before_mib = cpu_s(server.pid), mib(server.pid, "VmRSS")
    sent: multiprocessing.Queue[tuple[int, int]] = multiprocessing.Queue()
    began = time.time()
    senders = [
        multiprocessing.Process(target=send, args=(url, n, seconds, rate / SENDERS, sent)) for n in range(SENDERS)
    ]
    for one in senders:
        one.start()
    counts = [sent.get() for _ in senders]
    spans, sent_s = sum(taken for taken, _ in counts), time.time() - began
    waited = waiting(home)
    url_of_store = store or f"sqlite:///{home / 'sessions.db'}"
    wanted = (spans // SPANS_A_TRACE, spans // SPANS_A_TRACE * 2)
    while waiting(home) or on_record(url_of_store) != wanted:
        assert time.time() < began + 30 * seconds + 60, (on_record(url_of_store), wanted)
        time.sleep(0.5)
    taken_s, used_s = time.time() - began, cpu_s(server.pid) - before_s
    peak_mib = mib(server.pid, "VmHWM")
    server.terminate()
    server.wait(120)
    server.stdout.close()
    assert on_record(url_of_store) == wanted
    say(
        f"(9) turnspan serve into {(store or 'sqlite').partition(':')[0]}, {seconds:.0f} s",
        {
            "spans sent and on record": spans,
            "spans a second, sent and answered": round(spans / sent_s),
            "spans a second, until all were on record": round(spans / taken_s),
            "spans that waited when the last was answered": waited,
            "requests that were to wait (429)": sum(refused for _, refused in counts),
            "CPU of the server, microseconds a span": round(used_s / spans * 1e6),
            "MiB before": round(before_mib),
            "MiB at most": round(peak_mib),
        },
    )


def waiting(home: Path) -> int:
    import sqlite3

    with sqlite3.connect(f"file:{home / 'received.db'}?mode=ro", uri=True, timeout=60) as spool:
        return int(spool.execute("SELECT count(*) FROM spans WHERE state < 2").fetchone()[0])


def on_record(store: str) -> tuple[int, int]:
    import sqlalchemy

    engine = sqlalchemy.create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = [
            connection.execute(sqlalchemy.text(f"SELECT count(*) FROM {t}")).scalar() for t in ("turns", "tool_calls")
        ]
    engine.dispose()
    return int(found[0] or 0), int(found[1] or 0)


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 30,
        float(sys.argv[2]) if len(sys.argv) > 2 else 0,
        sys.argv[3] if len(sys.argv) > 3 else None,
    )
