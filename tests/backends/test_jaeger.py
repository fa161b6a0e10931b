"""A real Jaeger: what was recorded is found there, what is missing is sent again, and ``verify`` knows."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from support.programs import EXAMPLES, program, run
from support.programs import turnspan as command
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.verification import verify

MANY = """
import sys, time, turnspan
turnspan.configure()
for n in range(int(sys.argv[2])):
    with turnspan.session(f"s-{sys.argv[1]}"), turnspan.turn(agent="a", prompt="q", turn_id=f"t-{sys.argv[1]}-{n}") as turn:
        with turnspan.tool("search", n=n):
            pass
        turn.handoff("b")
        with turnspan.model_call("m", provider="p"):
            time.sleep(0.005)
"""
SHIPPED = Path(__file__).parents[2] / "integrations" / "jaeger"
QUIET = {"OTEL_LOGS_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
"""Of every program here: Jaeger takes traces only."""


def tags(span):
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def until_proven(made, jaeger, within_s=10.0):
    """Jaeger stores what it has taken a moment later."""
    deadline = time.monotonic() + within_s
    while True:
        report = verify(settings=made, spans=jaeger.url)
        if report.proven or time.monotonic() > deadline:
            return report
        time.sleep(0.2)


def test_doctor_sends_a_test_turn_and_finds_it(jaeger):
    """``doctor`` sees its test turn in Jaeger."""
    found = command("doctor", "--otlp", jaeger.otlp, "--spans", jaeger.url, "--json", check=True)
    (check,) = [one for one in json.loads(found.stdout)["checks"] if one["name"] == "test turn"]
    assert check["state"] == "ok" and check["says"].endswith(f"all of them are in {jaeger.url}")


def test_the_deep_link_of_an_event_resolves(jaeger):
    """The link that ``find`` gives opens the trace."""
    command("run", "--otlp", jaeger.otlp, EXAMPLES / "openai_agents_triage.py", env=QUIET, check=True)
    session = json.loads(command("show", "last", "--json", check=True).stdout)
    event_id = session["turns"][1]["audit_event_ids"][-1]
    env = {"TURNSPAN_TRACE_URL": f"jaeger:{jaeger.url}"}
    (place,) = json.loads(command("find", event_id, "--json", env=env, check=True).stdout)["places"]
    path, _, wanted = place["trace_url"].removeprefix(jaeger.url).partition("?uiFind=")
    assert (path, wanted) == (f"/trace/{place['trace_id']}", event_id)
    with urllib.request.urlopen(place["trace_url"], timeout=10) as page:
        assert page.status == 200
    (trace,) = jaeger.get(f"/api/traces/{place['trace_id']}")["data"]
    assert any(event_id in tags(span).values() for span in trace["spans"])


@pytest.mark.parametrize("example", ["openai_agents_triage", "xerxes_agent"])
def test_every_id_is_found_in_jaeger_and_verify_says_proven(jaeger, tmp_path, example):
    """Jaeger has each event of each example."""
    command("run", "--otlp", jaeger.otlp, EXAMPLES / f"{example}.py", env=QUIET, check=True)
    made = Settings.read(home=tmp_path / ".turnspan")
    report = until_proven(made, jaeger)
    assert report.proven, report.findings
    assert report.counts["trace"]["ok"] > 5
    store = open_store(made.store_url)
    for session_id in store.list_sessions():
        session = store.load_session(session_id)
        found = jaeger.search(example, **{"gen_ai.conversation.id": session_id})
        assert {tags(span).get("turnspan.turn.id") for span in found} >= {turn.turn_id for turn in session.turns}
        for turn in session.turns:
            spans = jaeger.search(example, **{"turnspan.turn.id": turn.turn_id})
            assert {span["traceID"] for span in spans} == {turn.metadata["turnspan"]["trace_id"]}
            for event_id in turn.audit_event_ids[::4]:
                named = jaeger.search(example, **{"turnspan.audit_event_id": event_id})
                named += jaeger.search(example, **{"turnspan.audit_event_id.end": event_id})
                assert any(event_id in tags(span).values() for span in named)


def test_a_jaeger_that_was_restarted_empty_is_filled_again(jaeger, tmp_path):
    """After a restart rehydrate makes every trace complete again."""
    command("run", "--otlp", jaeger.otlp, EXAMPLES / "openai_agents_triage.py", env=QUIET, check=True)
    made = Settings.read(home=tmp_path / ".turnspan")
    assert until_proven(made, jaeger).proven
    jaeger.stop()
    jaeger.start()
    report = verify(settings=made, spans=jaeger.url)
    assert report.counts["trace"] == {"missing": 12}
    assert command("verify", "--spans", jaeger.url, "--retention", "0s").returncode == 1, "it has expired there"
    command("rehydrate", "last", "--otlp", jaeger.otlp, check=True)
    report = until_proven(made, jaeger)
    assert report.proven, report.findings
    command("rehydrate", "last", "--otlp", jaeger.otlp, check=True)
    assert until_proven(made, jaeger).proven, "twice is once"


def test_99_percent_sampled_out_and_a_64_slot_queue_are_made_complete(jaeger, tmp_path):
    """Whatever was sampled out or dropped, rehydrate makes complete."""
    path = program(tmp_path / "many.py", MANY.replace("time.sleep(0.005)", "pass"))
    queue = {**QUIET, "OTEL_BSP_MAX_QUEUE_SIZE": "64", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16"}
    for name, sampled in (("sampled", "0.01"), ("dropped", "1")):
        sampler = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": sampled}
        run(
            sys.executable,
            path,
            name,
            "100",
            env={**queue, **sampler, "OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp},
            check=True,
        )
    made = Settings.read(home=tmp_path / ".turnspan")
    report = verify(settings=made, spans=jaeger.url)
    assert report.counts["trace"]["sampled-out"] > 300
    assert report.counts["trace"]["dropped"] > 0
    assert report.exit_code == 1
    command("rehydrate", "--since", "1h", "--otlp", jaeger.otlp, "--rate", "0", check=True)
    report = until_proven(made, jaeger)
    assert report.proven, report.findings[:5]
    assert report.counts["trace"] == {"ok": 1000}


def test_200_turns_of_4_processes_are_complete_though_jaeger_is_down_half_the_time(jaeger, tmp_path):
    """With a backend that is away half the time nothing is lost for good."""
    path = program(tmp_path / "many.py", MANY)
    env = {
        **QUIET,
        "OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    import os

    workers = [
        subprocess.Popen([sys.executable, path, str(n), "50"], env={**os.environ, **env}, stderr=subprocess.DEVNULL)
        for n in range(4)
    ]
    time.sleep(0.8)
    jaeger.stop()
    assert [worker.wait(60) for worker in workers] == [0] * 4
    jaeger.start()
    made = Settings.read(home=tmp_path / ".turnspan")
    report = verify(settings=made, spans=jaeger.url)
    assert report.counts["trace"]["missing"] + report.counts["trace"]["dropped"] > 0
    command("rehydrate", "--since", "1h", "--otlp", jaeger.otlp, "--rate", "0", check=True)
    report = until_proven(made, jaeger)
    assert report.proven, report.findings[:5]
    assert report.counts["trace"] == {"ok": 1000}
    assert sum(len(open_store(made.store_url).load_session(f"s-{n}").turns) for n in range(4)) == 200


def test_the_command_takes_the_url_of_jaeger(jaeger):
    """``verify --spans`` reads Jaeger by its URL."""
    command("run", "--otlp", jaeger.otlp, EXAMPLES / "openai_agents_triage.py", env=QUIET, check=True)
    time.sleep(1)
    done = command("verify", "last", "--spans", jaeger.url, "--json", check=True)
    assert json.loads(done.stdout)["sources"]["trace"] == jaeger.url


def test_the_links_of_the_ui_name_what_is_on_our_spans(jaeger):
    """A link whose variable a span lacks is dropped without a word."""
    command("run", "--otlp", jaeger.otlp, EXAMPLES / "openai_agents_triage.py", env=QUIET, check=True)
    session = json.loads(command("show", "last", "--json", check=True).stdout)
    trace_id = session["turns"][0]["metadata"]["turnspan"]["trace_id"]
    (trace,) = jaeger.get(f"/api/traces/{trace_id}")["data"]
    patterns = json.loads((SHIPPED / "jaeger-ui.json").read_text())["linkPatterns"]
    assert {pattern["type"] for pattern in patterns} == {"tags", "traces"}
    for pattern in patterns:
        if pattern["type"] == "tags":
            named = {pattern["key"], *re.findall(r"#\{([^}]+)\}", pattern["url"])}
            assert all(named <= set(tags(span)) for span in trace["spans"]), named
