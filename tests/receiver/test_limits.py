"""What comes is bounded: of one request, of one sender, of all; who sends more is told so in the protocol's words."""

import gzip
import json
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from support.otlp import PROTOBUF, agent, as_protobuf, chat, post, request, sent, span, tool
from support.receiver import Receiver
from support.serving import until
from turnspan.receiver import otlp
from turnspan.receiver.limits import BURST_S, BYTES_A_RECORD, Limits, Rates
from turnspan.receiver.spool import Spool


def test_a_source_that_sends_too_much_waits_as_long_as_it_takes():
    """Its own rate, over ten seconds; a large body counts as what it weighs; others are not kept from sending."""
    now = [100.0]
    rates = Rates(10, clock=lambda: now[0])
    assert rates.wait_s("a") == 0
    rates.charge("a", 10 * BURST_S + 25, 0)
    assert (rates.wait_s("a"), rates.wait_s("b")) == (3, 0)
    now[0] += 3
    assert rates.wait_s("a") == 0
    rates.charge("a", 1, 50 * BYTES_A_RECORD)
    assert rates.wait_s("a") == 5
    now[0] += 1000
    assert rates.wait_s("a") == 0
    unlimited = Rates(0)
    unlimited.charge("a", 10**9, 0)
    assert unlimited.wait_s("a") == 0


def test_a_span_with_too_many_attributes_is_taken_without_the_rest():
    """The first of them stay: instrumentations put what a span is first."""
    message = otlp.parsed("traces", as_protobuf(request(agent(1, 1, **{f"x{n}": n for n in range(50)}))), PROTOBUF)
    taken = otlp.taken_of(message, Limits(attributes=20))
    kept = message.resource_spans[0].scope_spans[0].spans[0]
    assert (taken.left_out, len(kept.attributes), kept.dropped_attributes_count) == (32, 20, 32)
    assert kept.attributes[0].key == "gen_ai.operation.name"


def test_a_trace_without_end_is_read_in_parts(tmp_path):
    """So many spans at a time, and so many bytes; what is on record is asked for its place only."""
    spool = Spool(tmp_path / "spool.db")
    message = otlp.parsed("traces", as_protobuf(request(*(span(1, n, 99, start_ms=n) for n in range(1, 9)))), PROTOBUF)
    spool.accept(otlp.taken_of(message, Limits()).spans)
    trace_id = bytes(15) + b"\x01"
    assert len(spool.trace(trace_id, most=3)) == 3
    assert len(spool.trace(trace_id, most_bytes=1)) == 1
    spool.done([trace_id], [(one, None) for one in spool.trace(trace_id, most=3)])
    assert [one.span is None for one in spool.trace(trace_id, most=2)] == [True, True, True, False, False]
    assert spool.waiting == 5
    bytes_before = spool.waiting_bytes
    spool.close()
    again = Spool(tmp_path / "spool.db")
    assert (again.waiting, again.waiting_bytes) == (5, bytes_before)
    again.close()


def test_who_sends_too_fast_is_told_when_to_send_again(serving):
    """429 with Retry-After, before the body is read; what was answered is kept, and nothing else is."""
    serve = serving("--rate", "1")
    assert post(serve.url, request(*(span(1, n, 99) for n in range(1, 40))))[0] == 200
    status, headers, answer = post(serve.url, request(agent(2, 1)))
    assert status == 429
    assert 0 < int(headers["retry-after"]) <= 30
    assert "spans a second" in json.loads(answer)["message"]
    assert post(serve.url, b"", path="/sessions")[0] == 405  # the pages are not what is limited


def test_hostile_spans_cost_themselves_and_nothing_else(serving):
    """Names and ids without end, JSON as deep as it is long, a bomb, a body that never comes: the next one is recorded."""
    serve = serving("--rate", "0")
    long = "x" * 100_000
    deep = {"gen_ai.input.messages": "[" * 50_000 + "]" * 50_000}
    sent(
        serve.url,
        request(agent(1, 1, name=long, session=long), tool(1, 2, 1, name=long, **{"gen_ai.tool.call.id": long})),
    )
    sent(serve.url, request(agent(2, 1, session="deep", **deep), chat(2, 2, 1, **deep)))
    assert post(serve.url, gzip.compress(b"[]," * (11 << 20)), content_encoding="gzip")[0] == 413
    assert post(serve.url, gzip.compress(b"[" + b"[]," * (1 << 20)), content_encoding="gzip")[0] == 400
    status, _, answer = post(
        serve.url, as_protobuf(request(agent(3, 1, session="many", **{f"x{n}": n for n in range(5000)}))), PROTOBUF
    )
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (status, partial.rejected_spans) == (200, 0)
    assert "are not recorded" in partial.error_message
    with socket.create_connection(("127.0.0.1", int(serve.port))) as never:
        never.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n")
        sent(serve.url, request(agent(4, 1, session="after")))

    def recorded():
        with sqlite3.connect(serve.home / "sessions.db") as store:
            return [row[0] for row in store.execute("SELECT session_id FROM sessions ORDER BY created_at")]

    until(lambda: (serve.home / "sessions.db").exists() and len(recorded()) == 4)
    assert {"deep", "many", "after"} < set(recorded())
    with sqlite3.connect(serve.home / "sessions.db") as store:
        assert [len(one[0]) for one in store.execute("SELECT agent_id FROM turns WHERE agent_id LIKE 'xxx%'")] == [1000]
    assert serve.stop() == 0


def test_it_says_how_it_fares(serving):
    """Metrics over OTLP where that is set, beside those of recording: what came, what was refused, what waits, turns."""
    with Receiver() as behind:
        serve = serving(
            env={
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{behind.url}/v1/metrics",
                "OTEL_METRIC_EXPORT_INTERVAL": "300",
            }
        )
        for _ in range(2):
            sent(serve.url, as_protobuf(request(agent(1, 1, session="s"), tool(1, 2, 1))), PROTOBUF)
        assert post(serve.url, b"{")[0] == 400
        assert post(serve.url, request({**span(7, 7), "traceId": "00" * 16}))[0] == 200
        expected = {
            "turnspan.serve.spans": {"accepted": 2, "repeated": 2, "rejected": 1},
            "turnspan.serve.requests": {"200": 3, "400": 1},
            "turnspan.serve.turns": {None: 1},
            "turnspan.serve.waiting": {None: 0},
            "turnspan.serve.oldest": {None: 0},
            "turnspan.events.dropped": {None: 0},
        }
        until(lambda: {name: found for name, found in _newest(behind).items() if name in expected} == expected)
        assert "gen_ai.client.operation.duration" not in behind.metrics  # the sender's own to send


def _newest(behind):
    """Return the last value of each metric, by the value of its attribute."""
    found = {}
    for sent_ in behind.requests["/v1/metrics"]:
        for metric in (m for r in sent_.resource_metrics for s in r.scope_metrics for m in s.metrics):
            for point in (metric.sum if metric.HasField("sum") else metric.gauge).data_points:
                kind = next((one.value.string_value for one in point.attributes), None)
                found.setdefault(metric.name, {})[kind] = point.as_int if point.HasField("as_int") else point.as_double
    return found


@pytest.mark.slow
def test_while_the_store_is_away_spans_wait_and_senders_are_told(serving, tmp_path):
    """The journal is not filled up to where it drops: what is behind waits in the spool; all of it is on record later."""
    lock = sqlite3.connect(tmp_path / "away.db", isolation_level=None)
    serve = serving("--rate", "0", "--store", f"sqlite:///{tmp_path / 'away.db'}")
    sent(serve.url, request(agent(1, 1, session="s")))
    until(lambda: lock.execute("SELECT count(*) FROM sqlite_master WHERE name = 'turns'").fetchone()[0])
    until(lambda: lock.execute("SELECT count(*) FROM turns").fetchone()[0])
    lock.execute("BEGIN EXCLUSIVE")
    bodies = [
        as_protobuf(request(*(s for t in range(n, n + 100) for s in (agent(t, 1, session=f"s{t % 9}"), *(tool(t, i, 1) for i in range(2, 7))))))
        for n in range(100, 2600, 100)
    ]  # fmt: skip
    with ThreadPoolExecutor(4) as clients:
        list(clients.map(lambda body: sent(serve.url, body, PROTOBUF), bodies))
    with sqlite3.connect(serve.home / "received.db") as spool:
        waiting = "SELECT count(*) FROM spans WHERE state < 2"
        assert spool.execute(waiting).fetchone()[0] > 3_000
        lock.execute("COMMIT")
        until(lambda: spool.execute(waiting).fetchone()[0] == 0)
    assert serve.stop() == 0
    assert lock.execute("SELECT count(*) FROM turns").fetchone()[0] == 2501
    lock.close()


def test_what_comes_while_its_trace_is_put_on_record_is_not_waited_for(tmp_path):
    """Its first span has come before: half an hour is for those whose first span never does. Memory and disk say the same."""
    spool = Spool(tmp_path / "spool.db")

    def come(*spans):
        spool.accept(otlp.taken_of(otlp.parsed("traces", as_protobuf(request(*spans)), PROTOBUF), Limits()).spans)

    come(agent(1, 1), tool(1, 2, 1, start_ms=5))
    (trace_id,) = spool.ready(0, 10**9)
    first = spool.trace(trace_id)
    come(tool(1, 3, 1), tool(1, 2, 1, start_ms=5))
    assert spool.ready(0, 10**9) == [trace_id]
    spool.done([trace_id], [(one, '["s","t",null,"a"]') for one in first])
    assert [(one.span_id[-1], one.span is None, one.place is None) for one in spool.trace(trace_id)] == [
        (1, True, False),
        (3, False, True),
        (2, True, False),
    ]
    spool.give_back([trace_id])
    assert spool.ready(0, 10**9) == [trace_id]
    come(agent(2, 1), tool(2, 3, 1, start_ms=9), tool(2, 2, 1, start_ms=5))
    (other,) = set(spool.ready(0, 10**9)) - {trace_id}
    fresh = spool.trace(other)
    spool.give_back([other])
    assert fresh == spool.trace(other)
    assert [one.span_id[-1] for one in fresh] == [1, 2, 3]
    spool.close()
