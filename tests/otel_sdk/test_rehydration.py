"""What is sent again is what was sent, or would have been."""

import asyncio
import json

import pytest
from opentelemetry import trace

import turnspan
from support.programs import PYTHON, program, run
from support.programs import turnspan as command
from support.receiver import Receiver, attributes
from turnspan.events import ModelCallEnded, ModelCallStarted, TurnEnded, TurnStarted, Usage
from turnspan.journal.recorded_events import recorded_events
from turnspan.otel_sdk.rehydration import spans_again
from turnspan.settings import Settings
from turnspan.telemetry.semconv import PROFILES
from turnspan.testing import record
from turnspan.verification import verify


def play(recording):
    """A bit of everything: parallel calls, failures, streams, notes, handoffs, a turn inside of another trace."""

    @turnspan.tool
    async def slow(n):
        await asyncio.sleep(0.001 * n)
        return {"n": n}

    @turnspan.turn(agent="streams")
    def streams(prompt):
        yield "a"
        yield "b"

    async def both():
        return await asyncio.gather(slow(1), slow(2))

    with turnspan.session("s", workspace_id="w"):
        with turnspan.turn(agent="triage", prompt="first") as turn:
            asyncio.run(both())
            with pytest.raises(ValueError), turnspan.tool("fails", x=1):
                raise ValueError("the reason\nmore of it")
            with turnspan.model_call("gpt-5", provider="openai", messages=[{"role": "user", "content": "q"}]) as call:
                call.usage, call.output = turnspan.Usage(input_tokens=1, cache_read_tokens=2), "text"
                call.finish_reasons, call.response_id, call.response_model = ["stop"], "r-1", "gpt-5-1"
            turn.note("approval", {"by": "me"})
            turn.handoff("billing", reason="an invoice")
            with turnspan.agent("helper"), turnspan.tool("inner"):
                pass
            turn.response = "answer"
        with (
            trace.get_tracer("theirs").start_as_current_span("request"),
            turnspan.turn(agent="triage", prompt="second"),
        ):
            pass
        stream = streams("third")
        next(stream)
        stream.close()
        for n in range(20):
            with turnspan.turn(agent="many"), turnspan.tool(f"t{n}") as call:
                call.status = ["success", "timeout", "skipped"][n % 3]
    emit = recording.recorder.emit
    emit(TurnStarted(session_id="late", turn_id="t"))
    emit(ModelCallStarted(session_id="late", turn_id="t", call_id="m"))
    emit(
        ModelCallEnded(
            session_id="late", turn_id="t", call_id="m", model="late-model", usage=Usage(cache_write_tokens=3)
        )
    )
    emit(ModelCallStarted(session_id="late", turn_id="t", call_id="never ended"))
    emit(TurnEnded(session_id="late", turn_id="t", agent_id="late"))


def described(span):
    return {
        "name": span.name,
        "kind": span.kind,
        "context": (span.context.trace_id, span.context.span_id),
        "parent": span.parent and span.parent.span_id,
        "start": span.start_time,
        "end": span.end_time,
        "attributes": dict(sorted((span.attributes or {}).items())),
        "status": (span.status.status_code, span.status.description),
        "events": [(e.name, dict(e.attributes), e.timestamp) for e in span.events],
        "links": [(link.context.trace_id, link.context.span_id, dict(link.attributes)) for link in span.links],
        "scope": (span.instrumentation_scope.name, span.instrumentation_scope.version),
        "resource": dict(span.resource.attributes),
    }


def plain(value):
    return json.loads(json.dumps(value, default=str))


@pytest.mark.parametrize("content", ["no_content", "span_only"])
@pytest.mark.parametrize("profile", ["util-1.3", "main"])
def test_spans_made_again_equal_the_live_ones_in_every_field(content, profile):
    """What rehydrate sends is what was sent live: ids, names, times, attributes, links and status."""
    with record(telemetry_content=content, semconv=profile, view_url="https://v.example/") as recording:
        play(recording)
        live = [span for span in recording.spans if span.instrumentation_scope.name == "turnspan"]
        settings = recording.recorder.settings
        again = [
            span
            for session in ("s", "late")
            for span in spans_again(
                recorded_events(recording.store.audit_events(session)),
                content=settings.span_content,
                profile=PROFILES[settings.semconv],
                view_url=settings.view_url,
            )
        ]
    assert len(again) == len(live) > 50
    by_id = {span.context.span_id: described(span) for span in again}
    for span in live:
        assert plain(by_id[span.context.span_id]) == plain(described(span))


def test_99_percent_sampled_out_and_a_full_queue_are_made_whole(tmp_path):
    """The backend is a real OTLP receiver; what it got is compared as the JSON that protobuf makes of it."""
    from google.protobuf.json_format import MessageToDict

    text = """
import turnspan
turnspan.configure()
for n in range(500):
    with turnspan.session(f"s-{n % 7}"), turnspan.turn(agent="a", prompt="q"), turnspan.tool("search", n=n):
        pass
"""
    queue = {"OTEL_BSP_MAX_QUEUE_SIZE": "64", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16"}
    made = Settings.read(home=tmp_path / ".turnspan")

    def looked_at(receiver):
        spans = [MessageToDict(request) for request in receiver.requests["/v1/traces"]]
        (tmp_path / "got.jsonl").write_text("".join(json.dumps(one) + "\n" for one in spans))
        return verify(settings=made, spans=str(tmp_path / "got.jsonl"))

    with Receiver() as receiver:
        path = program(tmp_path / "p.py", text)
        for sampled in ("0.01", "1"):
            sampler = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": sampled}
            run(
                PYTHON,
                path,
                cwd=tmp_path,
                env={**queue, **sampler, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url},
                check=True,
            )
        report = looked_at(receiver)
        assert report.counts["trace"]["sampled-out"] > 900
        assert report.counts["trace"]["dropped"] > 0
        assert set(report.counts["trace"]) == {"ok", "sampled-out", "dropped"}
        assert report.exit_code == 1
        done = command("rehydrate", "--since", "1h", "--otlp", receiver.url, "--rate", "0", cwd=tmp_path, check=True)
        assert done.stdout == f"2000 spans of 7 sessions sent to {receiver.url}\n"
        report = looked_at(receiver)
        assert report.proven, report.findings[:5]
        assert report.counts["trace"] == {"ok": 2000}
        services = {
            attributes(resource.resource)["service.name"]
            for request in receiver.requests["/v1/traces"]
            for resource in request.resource_spans
        }
        assert services == {"p"}  # as the process that made them, not as the command that sent them


def test_one_turn_is_sent_at_a_bounded_rate(tmp_path):
    """A turn can be picked, and no more spans a second are sent than wanted."""
    text = """
import turnspan
turnspan.configure()
for n in range(3):
    with turnspan.session("s"), turnspan.turn(agent="a", turn_id=f"turn-{n}"), turnspan.tool("t"):
        pass
"""
    run(PYTHON, program(tmp_path / "p.py", text), cwd=tmp_path, check=True)
    with Receiver() as receiver:
        command("rehydrate", "turn-1", "--otlp", receiver.url, "--rate", "1", cwd=tmp_path, check=True)
        assert {attributes(span)["turnspan.turn.id"] for span in receiver.spans} == {"turn-1"}
        assert len(receiver.spans) == 2
        shown = json.loads(
            command("rehydrate", "last", "--otlp", receiver.url, "--json", cwd=tmp_path, check=True).stdout
        )
        assert shown == {"schema": "turnspan.rehydrate/1", "sessions": 1, "spans": 6, "to": receiver.url}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "Nothing to send: pass"),
        (["nothing-like-this"], "nothing-like-this"),
        (["last", "--otlp", "http://127.0.0.1:9"], "was rejected; sending again is safe"),
    ],
)
def test_bad_input_is_named_in_one_line(tmp_path, options, says):
    """A wrong option is one line and exit code 4."""
    run(
        PYTHON,
        program(tmp_path / "p.py", "import turnspan\nturnspan.configure()\nwith turnspan.turn(): pass"),
        cwd=tmp_path,
    )
    done = command("rehydrate", *options, cwd=tmp_path)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr
