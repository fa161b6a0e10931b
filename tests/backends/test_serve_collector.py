"""A Collector in front of `turnspan serve`, with the configuration that is shipped: gRPC in, turnspan and a backend get the same."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from test_collector import ROOT, Server

from conftest import free_port, needed
from support.otlp import PROTOBUF, agent, as_protobuf, chat, post, request, tool
from support.outlines import outline
from support.receiver import Receiver
from support.serving import Serve, until
from turnspan import SqlSessionStore

CONFIG = ROOT / "integrations" / "collector" / "serve.yaml"
TRACE = [agent(1, 1, session="s-1"), chat(1, 2, 1, start_ms=1), tool(1, 3, 1, start_ms=20, error="no")]
OUTLINE = """
session s-1
  turn triage
    model gpt-5 10+2
    tool search() ERROR no
""".strip()


@pytest.fixture
def collector(tmp_path):
    """One that tees to `turnspan serve` and to a backend."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnspan-backends"
    binary = needed(cache / "collector-v0.159.0", "the Collector")
    grpc_port, http_port = free_port(), free_port()
    with Receiver() as backend:
        serve = Serve(tmp_path / "home")
        env = {
            "OTLP_GRPC_LISTEN": f"127.0.0.1:{grpc_port}",
            "OTLP_HTTP_LISTEN": f"127.0.0.1:{http_port}",
            "TURNSPAN_OTLP": serve.url,
            "BACKEND_OTLP": backend.url,
        }
        server = Server([binary, "--config", CONFIG], http_port, tmp_path, env)
        server.serve, server.backend = serve, backend
        server.grpc, server.http = f"127.0.0.1:{grpc_port}", f"http://127.0.0.1:{http_port}"
        yield server
        server.stop()
        if serve.process.poll() is None:
            serve.kill()


def sessions(serve):
    path = serve.home / "sessions.db"
    if not path.exists():
        return []
    with closing(SqlSessionStore(f"sqlite:///{path}")) as store:
        return [store.load_session(one) for one in store.list_sessions()]


def test_grpc_and_http_come_through_a_collector_and_nothing_is_taken_from_the_backend(collector):
    """A trace whose spans come by both ways is one turn; the backend has each span; a receiver that was away gets it later."""
    import grpc

    export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    with grpc.insecure_channel(collector.grpc) as channel:
        channel.unary_unary(export)(as_protobuf(request(*TRACE[1:])), timeout=30)
    assert post(collector.http, as_protobuf(request(TRACE[0])), PROTOBUF)[0] == 200
    until(lambda: sessions(collector.serve) and outline(sessions(collector.serve)) == OUTLINE)
    until(lambda: len(collector.backend.spans) == len(TRACE))
    collector.serve.kill()
    with grpc.insecure_channel(collector.grpc) as channel:
        channel.unary_unary(export)(as_protobuf(request(agent(2, 1, session="s-2"))), timeout=30)
    until(lambda: len(collector.backend.spans) == len(TRACE) + 1)
    collector.serve.start(collector.serve.port)
    until(lambda: {one.session_id for one in sessions(collector.serve)} == {"s-1", "s-2"})
    assert collector.serve.stop() == 0
