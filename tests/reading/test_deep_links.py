"""From a record to its trace and its log lines in a viewer."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

import turnspan
from support.programs import turnspan as command
from support.receiver import Receiver
from turnspan.errors import SettingsError
from turnspan.reading.deep_links import LOGS, TRACES, Links

IDS = {"trace_id": "a" * 32, "span_id": "b" * 16, "audit_event_id": "c" * 32, "session_id": "s 1/?", "turn_id": "t"}


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ("jaeger", f"http://localhost:16686/trace/{'a' * 32}?uiFind={'c' * 32}"),
        ("jaeger:https://jaeger.example/", f"https://jaeger.example/trace/{'a' * 32}?uiFind={'c' * 32}"),
        ("phoenix", f"http://localhost:6006/redirects/traces/{'a' * 32}"),
        ("https://x.example/{session_id}/{span_id}", f"https://x.example/s%201%2F%3F/{'b' * 16}"),
        ("", None),
    ],
)
def test_a_viewer_or_a_template_makes_a_link(given, link):
    """Each known viewer, and any template, gives a link with the ids in it."""
    assert Links("TURNSPAN_TRACE_URL", given, TRACES).to(**IDS) == link


@pytest.mark.parametrize(
    ("viewers", "given", "source", "field", "query"),
    [
        (TRACES, "tempo", "tempo", "query", "a" * 32),
        (TRACES, "grafana:https://g.example", "tempo", "query", "a" * 32),
        (LOGS, "grafana", "loki", "expr", f'{{service_name=~".+"}} | turnspan_audit_event_id="{"c" * 32}"'),
    ],
)
def test_a_link_to_grafana_opens_explore(viewers, given, source, field, query):
    """Grafana is asked by the data source and the query of the kind of thing that is linked."""
    link = urlsplit(Links("X", given, viewers).to(**IDS))
    assert link.path == "/explore"
    (pane,) = json.loads(parse_qs(link.query)["panes"][0]).values()
    assert (pane["datasource"], pane["queries"][0][field]) == (source, query)


def test_there_is_no_link_to_what_has_no_id():
    """What was not traced has no link."""
    assert Links("X", "jaeger", TRACES).to(**{**IDS, "trace_id": None}) is None


@pytest.mark.parametrize(("given", "says"), [("zipkin", "jaeger, tempo"), ("https://x/{trace}", "names trace;")])
def test_what_cannot_be_a_link_says_what_can(given, says):
    """The error names the variable, and what it may be."""
    with pytest.raises(SettingsError, match=says):
        Links("TURNSPAN_TRACE_URL", given, TRACES)


def test_show_and_find_have_links(tmp_path):
    """Ids in ``show`` and ``find`` lead to the viewer that is set."""
    turnspan.configure(home=tmp_path / "home")
    with turnspan.session("s"), turnspan.turn(agent="a", prompt="q"):
        pass
    turnspan.shutdown()
    env = {"TURNSPAN_TRACE_URL": "jaeger", "TURNSPAN_LOG_URL": "https://logs.example/{audit_event_id}"}
    found = json.loads(command("find", "s", "--json", "--home", tmp_path / "home", env=env, check=True).stdout)
    (place,) = found["places"]
    shown = json.loads(command("show", "s", "--json", "--home", tmp_path / "home", check=True).stdout)["turns"][0]
    event_id, trace_id = shown["audit_event_ids"][0], shown["metadata"]["turnspan"]["trace_id"]
    found = command("find", event_id, "--home", tmp_path / "home", env=env, check=True).stdout
    link = f"http://localhost:16686/trace/{trace_id}?uiFind={event_id}"
    assert link in found.replace("\n", "") and f"https://logs.example/{event_id}" in found
    assert link in command("show", "s", "--home", tmp_path / "home", env=env, check=True).stdout
    assert place["hit"]["session_id"] == "s"
    bad = command("find", event_id, "--home", tmp_path / "home", env={"TURNSPAN_TRACE_URL": "zipkin"})
    assert bad.returncode == 4 and "TURNSPAN_TRACE_URL='zipkin' is not a URL" in bad.stderr


def test_doctor_sends_a_test_turn_and_says_what_was_taken():
    """A test turn goes to the receiver, and the check says which link shows it."""
    with Receiver() as receiver:
        found = command("doctor", "--otlp", receiver.url, "--json", env={"TURNSPAN_TRACE_URL": "jaeger"}, check=True)
        names = {span.name for span in receiver.spans}
    says = json.loads(found.stdout)["checks"][-1]["says"]
    assert "2 spans of trace" in says and "http://localhost:16686/trace/" in says
    assert names == {"invoke_agent doctor", "execute_tool knock"}


def test_doctor_says_why_a_test_turn_was_not_taken():
    """Where nobody listens the check fails with the reason."""
    found = command("doctor", "--otlp", "http://127.0.0.1:9", "--json")
    (check,) = [one for one in json.loads(found.stdout)["checks"] if one["name"] == "test turn"]
    assert (found.returncode, check["state"]) == (1, "fail")
    assert "did not take it" in check["says"] and "refused" in check["says"].lower()
