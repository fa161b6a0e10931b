"""What requests say of the turn that they are made in."""

import pytest
from opentelemetry import baggage, context, propagate, trace

import turnspan
from turnspan.events import ModelCallEnded, ModelCallStarted
from turnspan.recording import runtime
from turnspan.telemetry import outgoing
from turnspan.telemetry.current_context import current_context

CALLER = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": "tenant=t"}


def headers():
    """Return what an HTTP client would send along."""
    found: dict[str, str] = {}
    propagate.inject(found)
    return found


@pytest.fixture
def no_provider(recording, monkeypatch):
    """The program has no provider: the one that there is says that it stands in."""
    monkeypatch.setattr(trace.get_tracer_provider(), "stands_in", True, raising=False)


@pytest.fixture
def called(recording):
    """Code that serves a request."""
    token = context.attach(propagate.extract(CALLER))
    yield
    context.detach(token)


def test_a_tool_of_a_program_that_traces_carries_its_session(recording):
    """Requests from a tool name the session in the headers, and the program's baggage is not touched."""
    with turnspan.session("s"), turnspan.turn(), turnspan.tool("search"):
        assert headers()["baggage"] == "session.id=s"
        assert "traceparent" in headers()
        assert baggage.get_all() == {}, "what the program has in its baggage is its own"


def test_no_model_hears_of_sessions(recording):
    """Neither where an adapter tells the call, nor in the span of another instrumentation."""
    with turnspan.session("s"), turnspan.turn():
        here = current_context()
        call = ModelCallStarted(session_id=here.session_id, turn_id=here.turn_id, call_id="c", provider="p")
        runtime.recorder().emit(call)
        assert "baggage" not in headers()
        runtime.recorder().emit(ModelCallEnded(session_id=here.session_id, turn_id=here.turn_id, call_id="c"))
        assert "baggage" in headers()
        tracer = trace.get_tracer("a client")
        with tracer.start_as_current_span("chat m", attributes={"gen_ai.operation.name": "chat"}):
            assert "baggage" not in headers()


def test_nothing_is_sent_where_the_program_has_no_provider(no_provider, monkeypatch):
    """A program that does not trace sends no header that it did not send before, unless it asks for it."""
    with turnspan.session("s"), turnspan.turn(), turnspan.tool("search"):
        assert headers() == {}
        assert set(turnspan.environment({})) == {"TRACEPARENT", "BAGGAGE"}, "subprocesses are ours to tell"
        monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext,baggage")
        assert set(headers()) == {"traceparent", "baggage"}, "who sets the variable asks for it"


def test_what_a_caller_sent_is_passed_on_as_it_came(no_provider, called):
    """Headers of the caller go on unchanged."""
    with turnspan.turn(), turnspan.tool("search"):
        assert headers() == CALLER


def test_what_a_parent_process_left_is_not_sent_to_servers(no_provider):
    """A session that was inherited from a parent process is used, and sent to nobody."""
    token = context.attach(outgoing.inherited({**CALLER, "baggage": "session.id=parent,tenant=t"}))
    try:
        assert headers() == {}
        with turnspan.turn() as turn:
            assert turn.session_id == "parent"
            assert headers() == {}
    finally:
        context.detach(token)
