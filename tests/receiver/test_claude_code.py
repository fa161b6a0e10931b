"""What Claude Code reports over OTLP is a session with turns, calls, decisions, errors and cost: each once, in any order."""

import gzip
import json
import random

import pytest

from receiver.test_serve import sessions
from support.coding_agents import OUTLINE, ClaudeCode, a_session, beta_spans
from support.otlp import PROTOBUF, post
from support.outlines import outline
from turnspan import Settings, verify
from turnspan.receiver import otlp


def send(serve, *records):
    """Send log records, and return the answer."""
    code, _, answer = post(serve.url, ClaudeCode.request(*records), path="/v1/logs")
    assert code == 200
    return json.loads(answer)


def recorded(serve):
    """Stop it, which puts on record what has come; return the sessions."""
    assert serve.stop() == 0
    return sessions(serve)


def test_a_session_of_hours_is_one(serving):
    """Prompts, requests with tokens and cost, decisions and who made them, results, errors, compaction; it is proven."""
    serve = serving()
    request = otlp.parsed("logs", json.dumps(ClaudeCode.request(*a_session())).encode(), otlp.JSON)
    body = gzip.compress(request.SerializeToString())
    assert post(serve.url, body, PROTOBUF, path="/v1/logs", content_encoding="gzip")[::2] == (200, b"")
    (session,) = recorded(serve)
    assert outline([session]) == OUTLINE
    first, second = session.turns
    assert (first.turn_id, second.turn_id) == ("prompt-1", "prompt-2")
    assert first.tool_calls[0].call_id == "toolu_1"
    assert (first.started_at[11:19], second.started_at[11:19]) == ("06:13:21", "09:16:40")
    ours = first.metadata["turnspan"]
    assert (ours["trace_id"], ours["span_id"]) == (f"{7:032x}", f"{9:016x}"), (
        "so the trace is found, where it is sent, too"
    )
    models = first.metadata["turnspan"]["model_calls"]
    assert [one["duration_ms"] for one in models] == [1500, 1500, 500, 1500]
    assert (models[1]["agent_id"], models[2]["error_type"]) == ("Explore", "529")
    report = verify(settings=Settings(home=serve.home))
    assert report.exit_code == 0, report


def test_spans_of_the_beta_add_what_events_do_not_say(serving):
    """What a tool returned, why an answer ended, which sub-agent a call is of; they are joined by the ids that both have."""
    serve = serving()
    assert post(serve.url, beta_spans())[0] == 200  # they wait for what says which turn they are of
    send(serve, *a_session()[:11])
    (session,) = recorded(serve)
    (turn,) = session.turns
    first, second = turn.metadata["turnspan"]["model_calls"]
    assert (first["finish_reasons"], first["first_chunk_ms"], first["usage"]["output_tokens"]) == (
        ["tool_use"],
        420,
        40,
    )
    assert turn.tool_calls[0].result == "3 passed"
    (agent,) = turn.metadata["turnspan"]["agents"]
    assert second["parent_id"] == agent["call_id"] == "a1b2"
    report = verify(settings=Settings(home=serve.home))
    assert report.exit_code in (0, 1), report


@pytest.mark.slow
def test_order_retries_and_kills_do_not_matter(serving):
    """Each event by itself, in any order, some twice; the process stopped, killed and started anew in between."""
    events = a_session()
    random.Random(11).shuffle(events)
    serve = serving()
    for one in events[:11]:
        send(serve, one)
    assert outline(recorded(serve)) != OUTLINE, "so the second half is joined with what is on record"
    serve.start()
    for one in events[8:]:
        send(serve, one)
    serve.kill()
    serve.start()
    send(serve, *events[5:15])
    assert outline(recorded(serve)) == OUTLINE
    report = verify(settings=Settings(home=serve.home))
    assert report.exit_code in (0, 1), report


def test_what_is_not_sent_is_not_made_up(serving):
    """Prompts are redacted unless they are asked for, and capture is heeded; what others log is said not to be recorded."""
    code, serve = ClaudeCode("s-2"), serving(env={"TURNSPAN_CAPTURE_CONTENT": "none"})
    known = '{"mcp_server_name": "github", "mcp_tool_name": "search"}'
    stranger = {"timeUnixNano": "1", "body": {"stringValue": "started"}, "attributes": []}
    assert "are taken and not kept" in send(serve, stranger)["partialSuccess"]["errorMessage"]
    events = [
        code("hook_registered", 0, hook_event="Stop"),
        code.prompt(1, "p-1"),
        code.decision(2, "t-1", "mcp_tool", source="config"),
        code.result(
            3, "t-1", "mcp_tool", source="config", tool_parameters=known, tool_input='{"query": "secret words"}'
        ),
        code("something_new", 4, answer="42"),
    ]
    assert "partialSuccess" not in send(serve, *events)
    (session,) = recorded(serve)
    (turn,) = session.turns
    assert (turn.prompt, turn.response_content, turn.status) == ("", None, "success")
    assert [(call.tool_name, call.status) for call in turn.tool_calls] == [("mcp__github__search", "success")]
    notes = turn.metadata["turnspan"]["notes"]
    assert [note["name"] for note in notes] == ["approval.approved", "claude_code.something_new"]
    assert "secret" not in json.dumps(session.to_dict())
