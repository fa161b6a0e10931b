"""Spans and log lines as backends give them: real answers, kept as they were, from a server on loopback.

Those of Jaeger are from Jaeger 2.13 (all in one, memory); those of Tempo and Loki are after their documentation.
"""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pytest

from support.programs import PYTHON, program, run
from turnspan.errors import EvidenceError
from turnspan.reading.line_sources import LokiLines, line_source
from turnspan.reading.reader import Reader
from turnspan.reading.span_sources import FileSpans, span_source
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify

WORK = """
import turnspan
turnspan.configure()
with turnspan.session("s-1"), turnspan.turn(agent="a", prompt="q") as turn:
    with turnspan.tool("search", query="x"):
        pass
    turn.note("approval")
    turn.handoff("b")
"""


class Backend:
    """Answers GET requests by a function of path and query: JSON, or None for 404."""

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                url = urlparse(self.path)
                found = answer(url.path, {k: v[0] for k, v in parse_qs(url.query).items()})
                body = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def made(tmp_path):
    run(PYTHON, program(tmp_path / "work.py", WORK), cwd=tmp_path, check=True)
    return Settings.read(home=tmp_path / ".turnspan")


def traces(made, ids=lambda text: text):
    """Return the recorded spans by trace, as OTLP JSON."""
    request = json.loads((made.home / "spans.jsonl").read_text())
    found = {}
    for span in request["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        trace_id = span["traceId"]
        span |= {name: ids(span[name]) for name in ("traceId", "spanId", "parentSpanId") if span.get(name)}
        span["links"] = [
            {**link, "traceId": ids(link["traceId"]), "spanId": ids(link["spanId"])} for link in span["links"]
        ]
        found.setdefault(trace_id, []).append(span)
    return found


def as_base64(hexed):
    return base64.b64encode(bytes.fromhex(hexed)).decode()


def test_jaeger_is_found_by_its_api(made):
    """Spans in Jaeger are read through the API of its version, and prove the trace."""
    spans = traces(made)

    def answer(path, _query):
        if path == "/api/v3/services":
            return {"services": ["work"]}
        found = spans.get(path.removeprefix("/api/v3/traces/"))
        return found and {"result": {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": found}]}]}}

    with Backend(answer) as jaeger:
        assert verify(settings=made, spans=jaeger.url).proven
        assert verify("s-1", settings=made, spans=f"jaeger+{jaeger.url}").proven
        next(iter(spans.values())).pop()
        report = verify(settings=made, spans=jaeger.url)
        assert report.counts["trace"]["missing"] == 1


@pytest.mark.parametrize("storage", ["memory", "OpenSearch and Cassandra"])
def test_what_jaegers_storages_round_is_no_difference(made, storage):
    """Some storages keep microseconds, of the start and of the duration: the end may be wrong twice."""
    spans = traces(made)
    for span in (span for found in spans.values() for span in found):
        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        if storage != "memory":
            duration = (end - start) // 1000 * 1000
            span["startTimeUnixNano"] = str(start // 1000 * 1000)
            span["endTimeUnixNano"] = str(start // 1000 * 1000 + duration)

    def answer(path, _query):
        found = spans.get(path.removeprefix("/api/v3/traces/"))
        return found and {"result": {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": found}]}]}}

    with Backend(answer) as jaeger:
        report = verify(settings=made, spans=f"jaeger+{jaeger.url}")
        assert report.proven, report.findings
        first = next(iter(spans.values()))[0]
        first["endTimeUnixNano"] = str(int(first["endTimeUnixNano"]) + 5000)
        assert verify(settings=made, spans=f"jaeger+{jaeger.url}").counts["trace"]["mismatch"] == 1


def test_tempo_has_ids_in_base64(made):
    """Spans in Tempo prove the trace, however it writes ids."""
    spans = traces(made, as_base64)

    def answer(path, _query):
        found = spans.get(path.removeprefix("/api/v2/traces/"))
        return found and {
            "trace": {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": found}]}]},
            "metrics": {},
        }

    with Backend(answer) as tempo:
        assert verify(settings=made, spans=f"tempo+{tempo.url}").proven
        assert verify(settings=made, spans=tempo.url).proven


def loki_streams(made):
    """Return the log lines as Loki has them when they came by OTLP: everything is structured metadata."""
    names = {
        "audit_event_id": "turnspan_audit_event_id",
        "session_id": "gen_ai_conversation_id",
        "turn_id": "turnspan_turn_id",
        "trace_id": "trace_id",
        "span_id": "span_id",
        "status": "turnspan_status",
    }
    store = open_store(made.store_url)
    at = {row.event_id: row.at_ns for row in store.audit_events("s-1")}
    for line in map(json.loads, (made.home / "turnspan.log.jsonl").read_text().splitlines()):
        labels = {names[key]: value for key, value in line.items() if key in names}
        labels |= {"service_name": "work", "event_name": f"turnspan.{line['event']}"}
        yield at[line["audit_event_id"]], line, labels


@pytest.mark.parametrize("page", [5000, 3])
def test_loki_is_read_page_by_page(made, monkeypatch, page):
    """However small its pages, Loki's lines are read each once."""
    monkeypatch.setattr("turnspan.reading.line_sources._LOKI_PAGE", page)
    streams = list(loki_streams(made))
    asked = []

    def answer(path, query):
        assert path == "/loki/api/v1/query_range"
        asked.append(query["query"])
        start, end = int(query["start"]), int(query["end"])
        found = [one for one in streams if start <= one[0] < end][: int(query["limit"])]
        return {
            "data": {
                "resultType": "streams",
                "result": [{"stream": labels, "values": [[str(at), line["event"]]]} for at, line, labels in found],
            }
        }

    with Backend(answer) as loki:
        report = verify("s-1", settings=made, logs=loki.url)
        assert report.proven, report.findings
        assert report.counts["log"]["ok"] == len(streams)
        assert asked[0] == '{service_name=~".+"} | event_name=~"turnspan.*" | gen_ai_conversation_id="s-1"'
        del streams[2]
        assert verify("s-1", settings=made, logs=loki.url).counts["log"]["missing"] == 1


@pytest.mark.parametrize("body", [b"<html>no JSON</html>", b""])
def test_what_is_no_backend_is_reported(made, body):
    """An answer of something else is an error that names the three that are known."""
    with Backend(lambda *_: body) as other, pytest.raises(EvidenceError, match="query API of Jaeger, Tempo or Loki"):
        verify(settings=made, spans=other.url)
    with Backend(lambda *_: body) as other, pytest.raises(EvidenceError, match="query API"):
        verify(settings=made, logs=other.url)


def test_a_whole_file_of_json_is_read_as_well_as_lines(made, tmp_path):
    """OTLP JSON may be one pretty document."""
    request = json.loads((made.home / "spans.jsonl").read_text())
    (tmp_path / "pretty.json").write_text(json.dumps(request, indent=2))
    assert verify(settings=made, spans=str(tmp_path / "pretty.json")).proven


def test_a_torn_line_in_a_file_hides_only_itself(made):
    """Half a line at the end of spans or log is passed over."""
    with (made.home / "spans.jsonl").open("ab") as file:
        file.write(b'{"resourceSpans":[{"resource":{"attr')
    with (made.home / "turnspan.log.jsonl").open("ab") as file:
        file.write(b'{"timestamp":"2026","audit_event_id":"' + b"a" * 32)
    assert verify(settings=made).proven


def test_sources_are_told_apart(tmp_path):
    """A path is a file, a URL a backend."""
    assert isinstance(span_source(str(tmp_path / "x")), FileSpans)
    assert isinstance(line_source("loki+http://127.0.0.1:9"), LokiLines)


def test_find_looks_where_verify_does(made):
    """An event that is in no local file is found in Tempo and Loki, by the same sources that verify reads."""
    spans, streams = traces(made, as_base64), list(loki_streams(made))

    def answer(path, query):
        if path == "/loki/api/v1/query_range":
            start, end = int(query["start"]), int(query["end"])
            found = [{"stream": labels, "values": [[str(at), ""]]} for at, _, labels in streams if start <= at < end]
            return {"data": {"resultType": "streams", "result": found}}
        found = spans.get(path.removeprefix("/api/v2/traces/"))
        return found and {"trace": {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": found}]}]}}

    reader = Reader.open(made)
    events = [row for row in reader.audit_rows("s-1") if row.span_id]
    for path in (made.spans_path, made.log_path):
        path.unlink()
    with Backend(answer) as backend:
        for row in events:
            where = (reader.span_source(f"tempo+{backend.url}"), reader.line_source(f"loki+{backend.url}"))
            (place,) = reader.find(row.event_id, *where)
            assert place.span is not None and place.span.source == backend.url, row.kind
            assert [line.event for line in place.log] == [row.kind]
    (nowhere,) = reader.find(events[0].event_id, reader.span_source(), reader.line_source())
    assert (nowhere.span, nowhere.log, nowhere.trace_id) == (None, [], events[0].trace_id)


def test_find_in_a_file_parses_only_lines_that_have_the_id(made):
    """Looking for one span in a file of thousands does not parse them all."""
    source = FileSpans(made.spans_path)
    (span,) = [one for one in source.spans([], None) if one.name == "execute_tool search"]
    with made.spans_path.open("ab") as file:
        file.write(b"{not JSON at all\n" * 1000)
    assert source.span_name(span.trace_id, span.span_id) == "execute_tool search"
    assert source.span_name(span.trace_id, "0" * 16) is None
