"""The command line, as a person uses it."""

import json
import os

import pytest

from support.programs import PYTHON, example, program, run, turnspan


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with what two programs recorded."""
    folder = tmp_path_factory.mktemp("recorded")
    for name in ("openai_agents_triage", "xerxes_agent"):
        turnspan("run", example(name), cwd=folder, check=True)
    return folder


@pytest.fixture(autouse=True)
def inside(recorded, monkeypatch):
    monkeypatch.chdir(recorded)


def stored():
    return json.loads(turnspan("show", "support-42", "--json", check=True).stdout)


def test_show_prints_the_session_as_a_tree():
    """The tree has turns, calls, handoffs, errors and answers."""
    shown = turnspan("show", "support-42", check=True).stdout
    data = stored()
    for words in (
        "session support-42",
        "turn triage",
        "> I paid invoice 7 twice",
        "handoff triage -> billing",
        "agent billing",
        'tool call find_invoice({"number":"7"})',
        "ok",
        "ERROR",
        "the bank did not answer for 7",
        "model call",
        "< You paid twice.",
    ):
        assert words in shown, f"{words!r} is not in\n{shown}"
    for turn in data["turns"]:
        assert turn["metadata"]["turnspan"]["trace_id"] in shown


def test_show_last_and_the_beginning_of_an_id():
    """A session is named by ``last`` or by the beginning of its id."""
    last = turnspan("show", "last", check=True).stdout
    assert "turn helper" in last
    assert turnspan("show", "supp", check=True).stdout == turnspan("show", "support-42", check=True).stdout


def test_show_json_is_the_session_itself():
    """The JSON of ``show`` is read back as the same record."""
    from turnspan import SessionRecord

    shown = stored()
    assert shown.pop("schema") == "turnspan.session/1"
    assert SessionRecord.from_dict(shown).to_dict() == shown


def ids():
    turn = stored()["turns"][1]
    call, model = turn["tool_calls"][0], turn["metadata"]["turnspan"]["model_calls"][0]
    return {
        "audit event": call["metadata"]["turnspan"]["audit_event_ids"][1],
        "trace": turn["metadata"]["turnspan"]["trace_id"],
        "span": call["metadata"]["turnspan"]["span_id"],
        "turn": turn["turn_id"],
        "tool call": call["call_id"],
        "session": "support-42",
        "span of a model call": model["span_id"],
    }


@pytest.mark.parametrize(
    "kind", ["audit event", "trace", "span", "turn", "tool call", "session", "span of a model call"]
)
def test_find_resolves_any_id_in_all_three_places(kind):
    """Each kind of id leads to record, trace and log."""
    wanted = ids()[kind]
    places = json.loads(turnspan("find", wanted, "--json", check=True).stdout)["places"]
    assert len(places) == (2 if kind == "tool call" else 1), "both programs have a call c1: both are shown"
    place = next(place for place in places if place["hit"]["session_id"] == "support-42")
    assert {"kind": "session", "name": "support-42"} in place["record"]
    assert place["log"], "a line of the log"
    if kind != "session":
        assert place["trace_id"] and place["span_id"]
        assert place["span"]["source"] == ".turnspan/spans.jsonl"
    shown = turnspan("find", wanted, check=True).stdout
    assert wanted in shown and "record" in shown and "log" in shown


def test_find_takes_the_unique_beginning_of_an_id():
    """A beginning is enough if it is unique, and an error says when it is not."""
    wanted = ids()["trace"]
    assert wanted in turnspan("find", wanted[:12], check=True).stdout
    done = turnspan("find", ids()["audit event"][:6])
    assert done.returncode == 4 and "use more of it" in done.stderr
    done = turnspan("find", "ffff-nothing")
    assert done.returncode == 4 and "Nothing in sqlite:///" in done.stderr


def test_sessions_are_listed_filtered_and_paged():
    """The list has counts and prompts, and filters and pages hold in JSON and text."""
    everything = json.loads(turnspan("sessions", "--json", check=True).stdout)["sessions"]
    assert [one["turns"] for one in everything] == [2, 3]
    shown = turnspan("sessions", check=True).stdout
    assert "support-42" in shown and "FIRST PROMPT" in shown and "Dinner outside in Berlin?" in shown

    def found(*options):
        page = json.loads(turnspan("sessions", "--json", *options, check=True).stdout)
        return [one["session_id"] for one in page["sessions"]]

    xerxes = everything[0]["session_id"]
    assert found("--agent", "triage") == ["support-42"]
    assert found("--text", "BERLIN") == [xerxes]
    assert found("--status", "error") == []
    assert found("--since", "1h") == [xerxes, "support-42"]
    assert found("--until", "2020-01-01") == []
    assert found("--workspace", "none") == []
    assert found("--limit", "1") == [xerxes]
    assert found("--limit", "1", "--after", xerxes) == ["support-42"]
    page = json.loads(turnspan("sessions", "--json", "--limit", "1", check=True).stdout)
    assert page["next"] == xerxes
    assert json.loads(turnspan("sessions", "--json", "--limit", "2", check=True).stdout)["next"] is None


def test_doctor_looks_at_everything():
    """Home, store, journal, endpoint and each adapter have a check."""
    checks = {check["name"]: check for check in json.loads(turnspan("doctor", "--json", check=True).stdout)["checks"]}
    for name in ("turnspan", "home", "store", "journal", "otlp", "adapter xerxes", "adapter openai-agents", "clock"):
        assert checks[name]["state"] in ("ok", "note"), checks[name]
    assert "last used" in checks["store"]["says"]


def test_doctor_names_the_fix_and_fails(tmp_path):
    """A check that fails says what to do, and passwords are not shown."""
    (tmp_path / "home").write_text("")
    done = turnspan("doctor", "--home", tmp_path / "home")
    assert done.returncode == 1
    assert "set TURNSPAN_HOME to another folder" in " ".join(done.stdout.split())
    done = turnspan("doctor", env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:hunter22@127.0.0.1:9"})
    assert done.returncode == 1
    assert "cannot be reached" in done.stdout
    assert "hunter22" not in done.stdout


@pytest.mark.parametrize(("signal", "sent"), [("LOGS", "logs"), ("METRICS", "metrics")])
def test_doctor_says_what_is_sent_where_only_some_is(signal, sent, tmp_path, monkeypatch):
    """An endpoint for log records or metrics alone is seen: not everything stays, and spans do."""
    from turnspan import Settings
    from turnspan.cli.checks import examine

    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "http://127.0.0.1:9/x")
    says = {check.name: check.says for check in examine(Settings.read(home=tmp_path / "home"))}["otlp"]
    assert says == f"only {sent} are sent; spans are kept in {tmp_path / 'home' / 'spans.jsonl'}"


def test_doctor_says_what_to_install_where_nothing_is(monkeypatch, tmp_path):
    """Missing packages are named with their pip line."""
    from turnspan import Settings
    from turnspan.cli import checks

    def nothing(module):
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(checks, "find_spec", nothing)
    found = {check.name: check for check in checks.examine(Settings.read(home=tmp_path, otlp="http://127.0.0.1:9"))}
    assert (found["otlp"].state, found["otlp"].says) == (
        "fail",
        "the OTLP/HTTP exporter is missing: pip install 'turnspan[otlp]'",
    )


def test_secrets_are_not_shown(tmp_path):
    """No command prints a secret of a prompt or an answer."""
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz123456"
    path = program(
        tmp_path / "prog.py",
        f"import turnspan\nwith turnspan.turn(prompt='my key is {key}') as t: t.response = 'Bearer abcdefghijklmnop1234'",
    )
    turnspan("run", path, cwd=tmp_path, check=True)
    for command in (["show", "last"], ["sessions"]):
        shown = turnspan(*command, cwd=tmp_path, check=True).stdout
        assert key not in shown and "abcdefghijklmnop1234" not in shown
        assert "[redacted key]" in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "nobody"], "There is no session 'nobody'"),
        (["show", "last", "--store", "mongodb://x"], "is not a store URL that turnspan knows"),
        (["show", "last", "--home", "/nowhere/else"], "Nothing is recorded in"),
        (["sessions", "--since", "yesterday-ish"], "is not a time; write"),
    ],
)
def test_errors_are_one_clear_line(arguments, says):
    """A wrong argument is one line on standard error and exit code 4."""
    done = turnspan(*arguments)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_demo_ends_by_resolving_one_id_in_all_three_places(tmp_path):
    """The demo shows a failure, a handoff and one id in three places, in text and JSON."""
    done = turnspan("demo", cwd=tmp_path, check=True)
    for words in ("handoff triage -> billing", "ERROR", "record", "trace", "log", "Proven"):
        assert words in done.stdout
    result = json.loads(turnspan("demo", "--json", cwd=tmp_path / "..", check=True).stdout)
    assert result["place"]["log"] and result["place"]["span"]["name"] and result["unresolved"] == []
    assert result["proven"] is True


def test_help_names_every_command():
    """Each command is in the help, and has one of its own."""
    shown = turnspan("--help", check=True).stdout
    from turnspan.cli import COMMANDS

    assert all(name in shown for name in COMMANDS)
    for name in COMMANDS:
        assert turnspan(name, "--help", check=True).stdout.startswith("Usage:")


def test_a_pipe_that_closes_early_is_no_error():
    """``| head`` prints no traceback."""
    done = run("sh", "-c", f"{os.path.dirname(PYTHON)}/turnspan show support-42 | head -1")
    assert "session support-42" in done.stdout and "Traceback" not in done.stderr
