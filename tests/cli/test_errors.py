"""Commands that could not do what they were asked: one line, one exit code, JSON where that was asked for."""

import json

import pytest

import turnspan
from support.commands import RUNNER, invoke, problem
from turnspan.cli import turnspan as command_line


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A home with two sessions."""
    folder = tmp_path_factory.mktemp("errors") / "home"
    turnspan.configure(home=folder)
    for name in ("support-42", "support-43"):
        with turnspan.session(name), turnspan.turn(agent="a", prompt="x"):
            pass
    turnspan.shutdown()
    return folder


@pytest.fixture(autouse=True)
def in_home(home, monkeypatch):
    monkeypatch.setenv("TURNSPAN_HOME", str(home))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("sesions", "Unknown command 'sesions': did you mean sessions?"),
        ("show suport-42", "did you mean support-42 or support-43?"),
        ("show support-4", "is ambiguous: 2 sessions match: support-42, support-43; use more of it"),
        ("show", "Missing argument 'SESSION'"),
        ("sessions --sinc 2h", "'--since'?"),
        ("sessions --since 9999999d", "is out of range"),
        ("sessions --since 0001-01-01T00:00:00+23:59", "is out of range"),
        ("sessions --since yesterday", "is not a time; write 2026-11-21"),
        ("sessions --min-tokens 9223372036854775808", "is not in the range 0<=x<=9223372036854775807"),
        ("sessions --min-seconds nan", "is not a number of seconds"),
        ("verify --retention 99999999999999999d", "is too long"),
        ("verify nobody", "There is no session 'nobody'"),
        ("verify --spans http://127.0.0.1:9", "cannot be read"),
        ("find nothing-like-it", "has an id that equals or begins with"),
        ("prune", "Nothing to remove: pass"),
        ("rehydrate", "Nothing to send: pass"),
        ("export support-42 -o /nowhere/x", "cannot be written"),
    ],
)
def test_each_says_what_is_wrong_and_what_to_do(arguments, says):
    """One line on standard error, nothing on standard output, exit code 4: never one that means something was found."""
    said = problem(*arguments.split())
    assert said.startswith("turnspan: ") and said.count("\n") == 1
    assert says in said


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ("show nobody", "session_not_found"),
        ("find nobody", "id_not_found"),
        ("sessions --since yesterday", "usage"),
        ("sessions --store mongodb://x", "settings"),
        ("sessions --home /nowhere", "nothing_recorded"),
        ("verify --spans http://127.0.0.1:9", "evidence"),
    ],
)
def test_errors_are_documents_where_json_was_asked_for(arguments, kind):
    """A program that reads JSON gets JSON in every case, with a kind that stays."""
    done = RUNNER.invoke(command_line, [*arguments.split(), "--json"])
    found = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (4, "")
    assert (found["schema"], found["error"]["kind"]) == ("turnspan.error/1", kind)
    assert found["error"]["message"]


NASTY = [
    "'", '"', "';DROP TABLE turns;--", "*", '"*"', "NEAR(", "AND", "NOT", "a AND", "(", "^a", "col:x", "-x", "\x00", "\ud800",
    "%", "\\", "{", 'a"b', "é" * 500, "x" * 20_000, "\u202e", "''", "🙂", "1e999", "--", "\n", "../../etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_argument_brings_a_command_down(text):
    """Whatever is given for an id, a word or a number is looked for or refused; nothing is a traceback."""
    for option in ("search", "after", "agent", "since", "min-tokens", "min-seconds", "parent", "tool"):
        done = RUNNER.invoke(command_line, ["sessions", f"--{option}={text}"])
        assert done.exit_code in (0, 4) and "Traceback" not in done.output, (option, done.output)
    for command in ("find", "show", "replay", "export", "verify", "rehydrate"):
        done = RUNNER.invoke(command_line, [command, "--", text])
        assert done.exit_code == 4 and "Traceback" not in done.output, (command, done.output)


def test_an_error_of_our_own_is_not_taken_for_a_finding(monkeypatch):
    """A bug exits with 4 and its traceback, not with Python's 1, which means explained gaps to who runs verify."""
    monkeypatch.setattr("turnspan.reading.reader.Reader.session", lambda *_: 1 / 0)
    done = RUNNER.invoke(command_line, ["show", "last"])
    assert done.exit_code == 4
    assert "ZeroDivisionError" in done.stderr and "please report" in done.stderr


def test_who_declines_is_obeyed():
    """A question that is answered with no changes nothing, and says so."""
    assert "aborted" in RUNNER.invoke(command_line, ["erase", "support-42"], input="n\n").stderr
    assert "support-42" in invoke("sessions")


def test_without_a_command_there_is_help():
    """Whoever types the name alone is shown what there is; that is no error."""
    assert invoke().startswith("Usage: turnspan")


def test_a_variable_that_sets_nothing_is_reported_beside_the_answer(monkeypatch):
    """Reading commands name a misspelt TURNSPAN_ variable once, on standard error; a document stays a document."""
    monkeypatch.setenv("TURNSPAN_HOEM", "/elsewhere")
    says = "turnspan: unknown environment variable TURNSPAN_HOEM; did you mean TURNSPAN_HOME?\n"
    for arguments in ("sessions", "show last", "sessions --json", "recover --json"):
        done = RUNNER.invoke(command_line, arguments.split())
        assert (done.exit_code, done.stderr) == (0, says), arguments
        assert says not in done.stdout
        assert "--json" not in arguments or json.loads(done.stdout)["schema"]
    done = RUNNER.invoke(command_line, ["doctor", "--json"])
    assert done.stderr == ""  # it is among the checks
    assert [check["name"] for check in json.loads(done.stdout)["checks"]].count("environment") == 1
