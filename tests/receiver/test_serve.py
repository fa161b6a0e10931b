"""What is sent over OTLP is on record: each span once, with its ids, whatever the order, and whoever is killed."""

import gzip
import json
import random
import re
import sqlite3
import subprocess
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from support.otlp import JSON, PROTOBUF, agent, as_protobuf, chat, post, request, sent, span, tool
from support.outlines import outline
from support.programs import turnspan
from support.receiver import Receiver
from support.serving import Serve, until
from turnspan import Settings, SqlSessionStore, verify

MESSAGES = {
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Open invoices?"}]}]),
    "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "None."}]}]),
}
TRACE = [
    span(1, 9, name="POST /chat", ms=120),
    agent(1, 1, 9, session="s-1", **MESSAGES),
    chat(1, 2, 1, start_ms=1),
    span(1, 3, 1, "GET db", start_ms=20, ms=40),
    tool(1, 4, 3, start_ms=21, error="no such table"),
    agent(1, 5, 1, name="billing", start_ms=70, ms=20),
    chat(1, 6, 5, start_ms=71),
]
OUTLINE = """
session s-1
  turn triage
    > Open invoices?
    model gpt-5 10+2
    tool search() ERROR no such table
    agent billing
      model gpt-5 10+2
    < None.
""".strip()


def sessions(serve):
    """Return what is in its store."""
    path = serve.home / "sessions.db"
    if not path.exists():
        return []
    with closing(SqlSessionStore(f"sqlite:///{path}")) as store:
        return [store.load_session(one) for one in store.list_sessions()]


def settled(serve):
    """Wait until nothing waits in the spool, and the store has it all; return the sessions."""
    until(lambda: _waiting(serve) == 0)
    serve.stop()
    return sessions(serve)


def _events(serve):
    with closing(SqlSessionStore(f"sqlite:///{serve.home / 'sessions.db'}")) as store:
        return [row.payload for row in store.audit_events("s-1")]


def _waiting(serve):
    with sqlite3.connect(serve.home / "received.db") as spool:
        return spool.execute("SELECT count(*) FROM spans WHERE state < 2").fetchone()[0]


def test_a_trace_of_another_language_is_a_session(serving):
    """In protobuf, gzipped, as exporters send it: turns, agents, calls, the spans' own ids, the sender's resource."""
    serve = serving()
    body = gzip.compress(as_protobuf(request(*TRACE)))
    status, headers, answer = post(serve.url, body, PROTOBUF, content_encoding="gzip")
    assert (status, headers["content-type"], answer) == (200, PROTOBUF, b"")
    (session,) = settled(serve)
    assert outline([session]) == OUTLINE
    ours = session.turns[0].metadata["turnspan"]
    assert (ours["trace_id"], ours["span_id"]) == (f"{1:032x}", f"{1:016x}")
    assert "shop" in json.dumps(_events(serve))
    report = verify(settings=Settings(home=serve.home))
    assert report.exit_code in (0, 1), report


def test_order_and_requests_do_not_matter(serving):
    """Children first, one span a request, and one that comes when its turn is on record: the same session."""
    serve = serving()
    *early, late = [TRACE[4], TRACE[6], TRACE[2], TRACE[5], TRACE[1], TRACE[0], TRACE[3]]
    for one in early[1:]:
        assert post(serve.url, request(one))[0] == 200
    until(lambda: _waiting(serve) == 0)
    assert post(serve.url, request(late, early[0]))[0] == 200
    assert outline(settled(serve)) == OUTLINE


def test_what_is_sent_again_adds_nothing(serving):
    """Exporters send again what they had no answer to, also to the process after a restart."""
    serve = serving()
    for _ in range(3):
        sent(serve.url, request(*TRACE))
    until(lambda: _waiting(serve) == 0)
    sent(serve.url, request(*TRACE))
    assert serve.stop() == 0
    serve.start()
    sent(serve.url, request(*TRACE))
    assert outline(settled(serve)) == OUTLINE


def test_secrets_are_taken_out_and_capture_is_heeded(serving):
    """What comes in is content like any other, also in the file that it waits in once it is on record."""
    key = "sk-proj-" + "a1B2c3D4" * 6
    serve = serving()
    secret = {**MESSAGES, "gen_ai.input.messages": MESSAGES["gen_ai.input.messages"].replace("Open", key)}
    sent(serve.url, request(agent(1, 1, session="s-1", **secret)))
    (session,) = settled(serve)
    assert "[redacted" in session.turns[0].prompt
    found = [path for path in serve.home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert not found
    bare = serving(env={"TURNSPAN_CAPTURE_CONTENT": "none"})
    sent(bare.url, request(agent(1, 1, session="s-1", **MESSAGES)))
    (session,) = settled(bare)
    assert "Open" not in session.turns[0].prompt


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"\xff\xff\xff", {"content_type": PROTOBUF}, 400, "no protobuf"),
        (b"{", {}, 400, "no JSON"),
        (b'{"resourceSpans": 3}', {}, 400, "no JSON"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}', {}, 400, "no JSON"),
        (b"[" * 100_000, {}, 400, "no JSON"),
        (b"a=b", {"content_type": "application/x-www-form-urlencoded"}, 415, "Content-Type"),
        (b"{}", {"content_encoding": "br"}, 415, "Content-Encoding"),
        (b"{}", {"content_encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(b" " * (33 << 20)), {"content_encoding": "gzip"}, 413, "bytes"),
        (b"{}", {"origin": "https://elsewhere.example"}, 403, "other sites"),
        (b"{}", {"host": "rebound.example"}, 403, "other sites"),
    ],
)
def test_what_is_no_request_is_refused_in_the_protocols_words(one_serve, body, headers, status, says):
    """A status that makes exporters drop it, and a google.rpc.Status that says why, in the request's own encoding."""
    content_type = headers.pop("content_type", JSON)
    code, given, answer = post(one_serve.url, body, content_type, **headers)
    assert code == status
    if content_type == JSON:
        assert says in json.loads(answer)["message"]
    else:
        assert given["content-type"] == PROTOBUF
        assert says in Status.FromString(answer).message


@pytest.fixture(scope="module")
def one_serve(tmp_path_factory):
    """One for all that is refused."""
    started = Serve(tmp_path_factory.mktemp("serve") / "home")
    yield started
    assert started.stop() == 0


def test_a_span_without_ids_is_refused_alone(one_serve):
    """The others of its request are taken: partial success, as the protocol has it."""
    bad = {**span(7, 7), "traceId": "00" * 16}
    status, _, answer = post(one_serve.url, as_protobuf(request(bad, agent(7, 8))), PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (status, partial.rejected_spans) == (200, 1)
    assert "valid ids" in partial.error_message


def test_only_who_has_the_token_sends_and_reads(serving):
    """A receiver that others reach has a token; without one it listens on loopback only."""
    serve = serving("--token", "t0ken")
    assert post(serve.url, request(*TRACE))[0] == 401
    assert post(serve.url, request(*TRACE), authorization="Bearer wrong")[0] == 401
    assert post(serve.url, request(*TRACE), authorization="Bearer t0ken")[0] == 200
    assert post(serve.url, b"", path="/sessions")[0] in (401, 405)
    done = subprocess.run(
        [*map(str, (serve.process.args[0], "serve", "--host", "0.0.0.0", "--home", serve.home / "other"))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={},
    )
    assert done.returncode == 4
    assert "token" in done.stderr


def test_everything_is_passed_on(serving):
    """As it came, also what is not recorded; what the endpoint cannot take now waits on disk for the next process."""
    answers = {"/v1/traces": 404}  # as a wrong address, which somebody mends
    with Receiver(answers) as behind:
        serve = serving("--forward", behind.url)
        sent(serve.url, as_protobuf(request(*TRACE)), PROTOBUF)
        assert post(serve.url, b"", PROTOBUF, path="/v1/metrics")[0] == 200
        until(lambda: _waiting(serve) == 0)
        serve.kill()
        answers["/v1/traces"] = 200
        serve.start()
        until(lambda: behind.requests["/v1/metrics"])
        found = [len(one.resource_spans[0].scope_spans[0].spans) for one in behind.requests["/v1/traces"]]
        assert found == [len(TRACE)]
        assert outline(settled(serve)) == OUTLINE


def test_the_senders_own_ids_of_calls_are_kept(serving):
    """In each dialect: a model's id of a tool call leads to the provider's log of it."""
    serve = serving()
    of_openinference = {"openinference.span.kind": "TOOL", "tool.name": "find", "tool_call.id": "call_7"}
    sent(serve.url, request(agent(1, 1, session="s-1"), tool(1, 2, 1), span(1, 3, 1, start_ms=5, **of_openinference)))
    (session,) = settled(serve)
    assert [call.call_id for call in session.turns[0].tool_calls] == ["c2", "call_7"]


OTHERS = [
    agent(1, 1, session="s-1", ms=500),
    span(1, 2, 1, "plan triage", start_ms=1, **{"gen_ai.operation.name": "plan"}),
    chat(1, 3, 2, start_ms=2, ms=5),
    span(1, 4, 1, "retrieval docs", start_ms=20, ms=40, **{"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "docs",
         "gen_ai.retrieval.query.text": "invoice 7", "gen_ai.retrieval.top_k": 3, "gen_ai.retrieval.documents": '[{"id": "d1"}]'}),
    span(1, 5, 4, "embeddings e-3", start_ms=21, **{"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e-3",
         "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 4}),
    span(1, 6, 1, "search_memory", start_ms=70, **{"gen_ai.operation.name": "search_memory", "gen_ai.memory.store.id": "m",
         "gen_ai.memory.query.text": "who", "gen_ai.memory.records": '["Ada"]'}),
    span(1, 7, 1, "fetch_response", start_ms=90, **{"gen_ai.operation.name": "fetch_response", "gen_ai.response.id": "r1",
         "gen_ai.usage.input_tokens": 1000, "gen_ai.provider.name": "openai"}),
    span(1, 8, 1, "ranks", start_ms=110, **{"openinference.span.kind": "RERANKER", "reranker.query": "q",
         "reranker.output_documents.1.document.id": "d2", "reranker.output_documents.0.document.id": "d1"}),
    span(1, 9, 1, "polite", start_ms=130, **{"openinference.span.kind": "GUARDRAIL", "input.value": "hi", "output.value": "fine"}),
    span(1, 10, 1, "correct", start_ms=150, error="off", **{"openinference.span.kind": "EVALUATOR", "input.value": '{"a": 1}'}),
    span(1, 11, 1, "embeds", start_ms=170, **{"openinference.span.kind": "EMBEDDING", "embedding.model_name": "e-1",
         "embedding.embeddings.0.embedding.text": "hi", "embedding.embeddings.0.embedding.vector": "[0.1]", "output.value": "[0.1]"}),
    span(1, 12, 1, "finds", start_ms=190, **{"openinference.span.kind": "RETRIEVER", "input.value": "q",
         "retrieval.documents.0.document.content": "text", "retrieval.documents.0.document.score": 0.5}),
    span(2, 1, name="embeddings e-3", **{"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e-3"}),
]  # fmt: skip
SHOWN = """
plan plan triage({})
model call gpt-5
retrieval docs({"query":"invoice 7","data_source":"docs","top_k":3}) = [{"id":"d1"}]
embeddings e-3
memory search_memory({"query":"who","store":"m"}) = ["Ada"]
fetch response model
reranker ranks({"query":"q"}) = [{"id":"d1"},{"id":"d2"}]
guardrail polite({"input":"hi"}) = fine
evaluator correct({"input":{"a":1}}) off
embeddings e-1
retrieval finds({"query":"q"}) = [{"content":"text","score":0.5}]
""".strip()


def test_what_an_agent_does_besides_is_recorded_as_what_it_is(serving):
    """Retrieval, embeddings, memory, plans, guardrails, evaluators: in `show` and on the page; what was fetched counts no tokens again."""
    serve = serving()
    sent(serve.url, request(*OTHERS))
    env = {"TURNSPAN_HOME": str(serve.home)}
    until(lambda: _waiting(serve) == 0)
    until(lambda: sessions(serve))
    shown = turnspan("show", "s-1", env=env, check=True).stdout
    lines = [
        re.sub(r"  (ok|ERROR)  [\d.]+ .?s|  \d+ in / \S+ out tokens|  \$\S+", "", line).strip("│├└─ ")
        for line in shown.splitlines()
    ]
    found = [
        re.sub(r"  +", " ", line)
        for line in lines
        if line.split(" ")[0] in {one.split(" ")[0] for one in SHOWN.splitlines()}
    ]
    assert "\n".join(found) == SHOWN
    with urllib.request.urlopen(f"{serve.url}/sessions/s-1", timeout=30) as answer:
        assert '<span class="kind">retrieval</span>' in answer.read().decode()
    (session,) = settled(serve)  # embeddings that nothing is around are no turn
    calls = {call.tool_name: call.metadata["turnspan"]["type"] for call in session.turns[0].tool_calls}
    assert calls["search_memory"] == "memory" and calls["docs"] == "retrieval"
    models = session.turns[0].metadata["turnspan"]["model_calls"]
    assert [one.get("operation") for one in models] == [None, "embeddings", "fetch_response", "embeddings"]
    assert [one.get("usage", {}).get("input_tokens") for one in models] == [10, 4, None, None]
    assert "0.1" not in json.dumps(models)
    assert verify(settings=Settings(home=serve.home)).exit_code in (0, 1)


def test_where_nothing_is_recorded_nothing_is_taken(tmp_path):
    """A receiver that answers and drops would lose what senders think is safe."""
    done = turnspan("serve", "--port", "0", env={"TURNSPAN_DISABLED": "1", "TURNSPAN_HOME": str(tmp_path)})
    assert done.returncode == 4
    assert "TURNSPAN_DISABLED" in done.stderr


def test_metrics_are_said_not_to_be_recorded(one_serve):
    """A warning of the protocol's own, and no error that makes an exporter send again."""
    status, _, answer = post(one_serve.url, b"{}", path="/v1/metrics")
    assert status == 200
    assert "turnspan records traces" in json.loads(answer)["partialSuccess"]["errorMessage"]


@pytest.mark.slow
def test_killed_at_any_moment_each_span_is_on_record_once(serving):
    """SIGKILL while clients send and traces go on record, ten times over; clients send again until they are answered."""
    serve = serving()
    traces = [
        [agent(n, 1, session=f"s-{n % 7}"), *(tool(n, i, 1, start_ms=i) for i in range(2, 6)), chat(n, 9, 1)]
        for n in range(1, 121)
    ]
    requests = [request(*part) for spans in traces for part in (spans[3:], spans[:3])]
    random.Random(5).shuffle(requests)
    done = threading.Event()

    def kill():
        dice = random.Random(7)
        for _ in range(10):
            time.sleep(dice.uniform(0.3, 1.6))
            serve.kill()
            serve.start(serve.port)
        done.set()

    killer = threading.Thread(target=kill)
    killer.start()

    def patiently(body):
        time.sleep(random.Random(str(body)).uniform(0, 1.2))
        sent(serve.url, body)
        if not done.is_set():
            sent(serve.url, body)

    with ThreadPoolExecutor(12) as clients:
        list(clients.map(patiently, requests))
    killer.join()
    turns = [turn for session in settled(serve) for turn in session.turns]
    assert len(turns) == len({turn.turn_id for turn in turns}) == len(traces)
    for turn in turns:
        calls = [call.call_id for call in turn.tool_calls]
        assert sorted(calls) == ["c2", "c3", "c4", "c5"], (turn.turn_id, turn.status)
        assert turn.status == "success", turn.error
        assert len(turn.metadata["turnspan"]["model_calls"]) == 1
    assert verify(settings=Settings(home=serve.home)).exit_code in (0, 1)
